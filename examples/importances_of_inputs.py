"""Which inputs matter: what four methods say, and what training without each input really costs.

y = x1 + x2^2 + x3 and noise; x4 is x3 with small errors, x5 and x6 are noise. A diamond is the truth: by how much the
objective rises when the network is trained without the input. Of the twins x3 and x4 either can go for next to nothing,
which saliencies see (circles); derivatives share the effect among them (squares). Olden's connection weights
(triangles) do not see the square, whose falling and rising branches cancel; Garson's algorithm (crosses) gives noise a
share, and takes x4 for more than x1. Saliencies are predictions from where the network is, good for what costs little:
how much is lost with an input that is needed they do not tell, 1.3 for x1 in place of 174. Right: Lek's profiles, y
along two inputs with all others at one of their quantiles. Inputs add up, so that curves are shifted only, but for the
ends: all others at their smallest or largest is where no sample is.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import fastmlp
from fastmlp import plot

PENALTY = fastmlp.WeightDecay(0.1, 0.1)


def sample(n=400, seed=2):
    """Six inputs, and what the first four make."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 6))
    X[:, 3] = X[:, 2] + 0.1 * X[:, 3]
    return X, X[:, 0] + X[:, 1] ** 2 + X[:, 2] + 0.2 * rng.normal(size=n)


def best_network(X, T, n_starts=8):
    """The best of some starts."""
    networks = [fastmlp.Network([6, 8, 1], rng=seed) for seed in range(n_starts)]
    results = fastmlp.fit_many(networks, X, T, penalty=PENALTY)
    return networks[int(np.argmin([result.fun for result in results]))]


def costs(net, X, T):
    """By how much the objective rises when the network is trained without each input."""
    paths = [fastmlp.prune(net, X, T, penalty=PENALTY, what=[f"W1[:,{i}]"]) for i in range(6)]
    return np.array([path.steps[1].objective - path.steps[0].objective for path in paths])


def draw():
    """The shares at the left, two profiles beside them."""
    figure = Figure(figsize=(13, 4), layout="constrained")
    shares, line, square = figure.subplots(1, 3, width_ratios=(1.4, 1, 1))
    X, T = sample()
    net = best_network(X, T)
    found, truth = fastmlp.importances(net, X, T, penalty=PENALTY), costs(net, X, T)
    order = np.argsort(-found.saliency, kind="stable")
    shares.plot(
        (truth / truth.sum())[order],
        range(6),
        "D",
        color="black",
        markerfacecolor="none",
        markersize=9,
        label="truth",
        clip_on=False,
    )
    plot.importances(found, shares)
    profile = fastmlp.lekprofile(net, X)
    plot.lekprofile(profile, "x1", line)
    plot.lekprofile(profile, "x2", square)
    return figure


if __name__ == "__main__":
    draw().savefig(Path(__file__).with_suffix(".png").name, dpi=150)
