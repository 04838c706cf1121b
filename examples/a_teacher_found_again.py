"""A small network found again inside a large one: Optimal Brain Surgeon, ended by the evidence.

Eight inputs, of which a teacher looks at three, tanh(1.5 x0 - x1) + sin x2, with noise. A network of eight hidden units
fits 200 samples; 81 weights become five, two units and three inputs, while log evidence and validation error improve.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import fastmlp
from fastmlp import plot


def sample(n, rng):
    """Inputs, and the teacher's outputs with noise of standard deviation 0.15."""
    X = rng.uniform(-1.5, 1.5, (n, 8))
    return X, (np.tanh(1.5 * X[:, 0] - X[:, 1]) + np.sin(X[:, 2]) + rng.normal(scale=0.15, size=n))[:, np.newaxis]


def prune(seed=0):
    """The path from all weights to few."""
    rng = np.random.default_rng(seed)
    X, T = sample(200, rng)
    net = fastmlp.Network([8, 8, 1], rng=0)
    return fastmlp.prune(
        net, X, T, penalty=fastmlp.WeightDecay(0.02, 0.02), stop="evidence", validation=sample(400, rng)
    )


def draw():
    """The path at the left, the whole network and what is left of it beside it."""
    figure = Figure(figsize=(13, 4), layout="constrained")
    course, before, after = figure.subplots(1, 3)
    path = prune()
    plot.pruning(path, course)
    plot.diagram(path.network(0), ax=before)
    plot.diagram(path.best, ax=after)
    return figure


if __name__ == "__main__":
    draw().savefig(Path(__file__).with_suffix(".png").name, dpi=150)
