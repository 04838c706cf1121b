"""Too few hidden units, enough, too many: ten noisy points of a sine, fitted with M = 1, 3 and 10 (PRML, figure 5.9).

One unit misses the sine, three follow it, and ten, with 31 weights for ten points, go through every point. The error at
the points only falls with M, so it cannot tell how many units to take. The dotted line is the sine.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import fastmlp
from fastmlp import plot

SIZES = (1, 3, 10)
rng = np.random.default_rng(4)
X = np.linspace(0, 1, 10)[:, np.newaxis]
T = np.sin(2 * np.pi * X) + rng.normal(scale=0.3, size=X.shape)


def best_network(n_hidden, n_starts=10):
    """The network with the smallest sum of squares among so many starts."""
    networks = [fastmlp.Network([1, n_hidden, 1], init="normal", rng=seed) for seed in range(n_starts)]
    for net in networks:
        net.fit(X, T, "lm", tol=1e-9)
    return min(networks, key=lambda net: net.loss(X, T))


def draw():
    """Three pictures in one figure."""
    figure = Figure(figsize=(11, 3.5), layout="constrained")
    grid = np.linspace(-0.05, 1.05, 200)
    for ax, n_hidden in zip(figure.subplots(1, len(SIZES), sharey=True), SIZES, strict=True):
        net = best_network(n_hidden)
        plot.function(net, X, T, ax).set_ylim(-2, 2)
        ax.plot(grid, np.sin(2 * np.pi * grid), ":", color="#5f6b76")
        ax.label_outer()
        ax.set_title(f"M = {n_hidden}: {net.n_params} weights, E = {net.loss(X, T):.2g}")
    return figure


if __name__ == "__main__":
    draw().savefig(Path(__file__).with_suffix(".png").name, dpi=150)
