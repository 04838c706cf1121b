"""Three hidden units approximate a parabola, a sine, |x| and a step (PRML, figure 5.3).

50 points each, a 1-3-1 network with tanh units, the best of 10 starts. Solid: the network; dashed: its hidden units.
The smooth functions are met to 1e-4 and better, the step by steep units; |x| has a corner, which three units round off.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import fastmlp
from fastmlp import plot

X = np.linspace(-1, 1, 50)[:, np.newaxis]
FUNCTIONS = {
    "$x^2$": np.square,
    "$\\sin(\\pi x)$": lambda x: np.sin(np.pi * x),
    "$|x|$": np.abs,
    "$H(x)$": lambda x: np.heaviside(x, 0.5),
}


def best_network(f, n_starts=10):
    """The network with the smallest error at the 50 points, and the root-mean-square errors of all starts."""
    T, networks = f(X), []
    for seed in range(n_starts):
        net = fastmlp.Network([1, 3, 1], hidden="tanh", init="normal", rng=seed)
        net.fit(X, T, "lm", tol=1e-9)
        networks.append(net)
    errors = [float(np.sqrt(np.mean((net(X) - T) ** 2))) for net in networks]
    return networks[int(np.argmin(errors))], np.array(errors)


def draw():
    """Four pictures in one figure."""
    figure = Figure(figsize=(9, 6.5), layout="constrained")
    for ax, (name, f) in zip(figure.subplots(2, 2).flat, FUNCTIONS.items(), strict=True):
        net, errors = best_network(f)
        plot.function(net, X, f(X), ax)
        ax.plot(X, net.trace(X).a[0], "--", color="#5f6b76", linewidth=0.8)
        ax.set_title(f"{name}: root-mean-square error {errors.min():.1g}")
        ax.set(ylim=(-1.15, 1.15), xticks=[-1, -0.5, 0, 0.5, 1])
    return figure


if __name__ == "__main__":
    draw().savefig(Path(__file__).with_suffix(".png").name, dpi=150)
