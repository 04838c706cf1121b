"""The lecture's graph: validation error against the number of hidden units, 30 starts for each (PRML, figure 5.10).

Ten noisy points of a sine train 300 networks, 100 others judge them; each dot is a start. With few units nearly all
starts end alike, with more at many minima, whose errors lie far apart, while the best of 30 hardly changes. At the
right the network with the smallest validation error of all.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import fastmlp
from fastmlp import plot


def sinusoid(x, rng):
    """Points of a sine with noise of standard deviation 0.3."""
    X = x[:, np.newaxis]
    return X, np.sin(2 * np.pi * X) + rng.normal(scale=0.3, size=X.shape)


def choose(seed=4):
    """The training points, and every run of the sweep."""
    rng = np.random.default_rng(seed)
    training, validation = sinusoid(np.linspace(0, 1, 10), rng), sinusoid(rng.uniform(size=100), rng)
    return training, fastmlp.sweep(*training, range(1, 11), n_starts=30, validation=validation, rng=seed)


def draw():
    """The graph at the left, the network that it chooses at the right."""
    figure = Figure(figsize=(11, 4), layout="constrained")
    graph, curve = figure.subplots(1, 2)
    training, sweep = choose()
    sweep.plot(ax=graph)
    plot.function(sweep.best, *training, curve)
    grid = np.linspace(0, 1, 200)
    curve.plot(grid, np.sin(2 * np.pi * grid), ":", color="#5f6b76")
    curve.set_title(f"M = {sweep.best.layers[1]}")
    curve.set_ylim(-2, 2)
    return figure


if __name__ == "__main__":
    draw().savefig(Path(__file__).with_suffix(".png").name, dpi=150)
