"""A surrogate of fifteen runs of a simulator that gives its gradient too: values alone, and values with derivatives.

Left the function, then what 2-10-1 networks make of fifteen values, and of the same values with two derivatives each.
Of three starts the one with the lowest objective is shown.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import fastmlp

DECAY = fastmlp.WeightDecay(1e-6, 1e-6)


def surface(X):
    """What the simulator computes."""
    return np.sin(3 * X[:, 0]) * np.cos(2 * X[:, 1]) + 0.5 * X[:, 0] * X[:, 1]


def slopes(X):
    """Its derivatives by the inputs (N, K, D)."""
    a, b = 3 * X[:, 0], 2 * X[:, 1]
    by_first = 3 * np.cos(a) * np.cos(b) + 0.5 * X[:, 1]
    by_second = -2 * np.sin(a) * np.sin(b) + 0.5 * X[:, 0]
    return np.stack([by_first, by_second], axis=1)[:, np.newaxis]


def surrogate(X, derivatives=None):
    """The best of three starts."""
    fits = []
    for start in range(3):
        net = fastmlp.Network([2, 10, 1], rng=start)
        result = net.fit(X, surface(X), "lm", penalty=DECAY, derivatives=derivatives, max_iter=300)
        fits.append((result.fun, start, net))
    return min(fits)[2]


def errors(seed):
    """Root mean square errors without and with derivatives, and the networks."""
    X = np.random.default_rng(seed).uniform(-1, 1, (15, 2))
    grid = np.random.default_rng(9).uniform(-1, 1, (1000, 2))
    nets = [surrogate(X), surrogate(X, ("inputs", slopes(X)))]
    return [float(np.sqrt(np.mean((net(grid)[:, 0] - surface(grid)) ** 2))) for net in nets], nets, X


def draw(seed=0):
    """Three maps side by side."""
    figure = Figure(figsize=(10.5, 3.6), layout="constrained")
    rmse, nets, X = errors(seed)
    ticks = np.linspace(-1, 1, 101)
    points = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
    maps = [surface(points), *(net(points)[:, 0] for net in nets)]
    titles = ["the function", f"15 values: RMSE {rmse[0]:.3f}", f"and 30 derivatives: RMSE {rmse[1]:.3f}"]
    for ax, values, title in zip(figure.subplots(1, 3, sharey=True), maps, titles, strict=True):
        levels = np.linspace(-1.6, 1.6, 17)
        ax.contourf(ticks, ticks, values.reshape(101, 101), levels, cmap="RdBu_r", extend="both")
        ax.plot(*X.T, "o", color="black", markersize=3)
        ax.set(title=title, xlabel="$x_1$", aspect="equal")
    figure.axes[0].set_ylabel("$x_2$")
    return figure


if __name__ == "__main__":
    draw().savefig(Path(__file__).with_suffix(".png").name, dpi=150)
