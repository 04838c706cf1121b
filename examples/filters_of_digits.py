"""What a small LeNet-1 looks for in handwritten digits, what it finds in one of them, and what that gains.

A convolution has the same window of weights at all places, and a pool behind it takes means over neighbours, so that
strokes are found wherever they are (PRML 5.5.6). Left: the windows of the first layer, blue where ink counts for a
map, orange where it counts against it; below, the maps that they make of a two, layer by layer. Right: wrong digits
among 997 that were not trained on, against the number of those that were. Either network has to learn what a stroke is:
one that need not learn it at each place anew makes the fewer errors once there are a hundred digits to learn it from.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import fastmlp
from fastmlp import AveragePool, Conv, plot
from fastmlp.datasets import load_digits

SIZES = (50, 100, 200, 400, 800)
FIRST, SECOND = (Conv(channels, 3, padding="same") for channels in (8, 16))
NETWORKS = {
    "LeNet-1 for 8 x 8 pixels": [(1, 8, 8), FIRST, AveragePool(2), SECOND, AveragePool(2), 10],
    "30 hidden units": [(1, 8, 8), 30, 10],
}


def digits():
    """Images with pixels from 0 to 2, and labels, mixed."""
    data = load_digits()
    order = np.random.default_rng(0).permutation(len(data.X))
    return data.X[order].reshape(-1, 8, 8) / 8, data.T[order]


def trained(layers, n, seed=0):
    """A network that has learnt the first n digits."""
    X, T = digits()
    net = fastmlp.Network(layers, output="softmax", dtype="float32", rng=seed)
    net.fit(X[:n], T[:n], "lbfgs", penalty=fastmlp.WeightDecay(0.1), max_iter=150)
    return net


def error(net):
    """Wrong digits among the last 997, in percent."""
    X, T = digits()
    return 100 * float((net(X[800:]).argmax(axis=1) != T[800:]).mean())


def draw(seeds=3):
    """Filters and maps at the left, errors at the right."""
    X, T = digits()
    figure = Figure(figsize=(12, 4.4), layout="constrained")
    axes = figure.subplot_mosaic([["windows", "errors"], ["maps", "errors"]], height_ratios=(1, 3), width_ratios=(5, 4))
    lenet = trained(NETWORKS["LeNet-1 for 8 x 8 pixels"], 800)
    plot.filters(lenet, ax=axes["windows"])
    plot.feature_maps(lenet, X[800:][T[800:] == 2][0], ax=axes["maps"])
    errors = axes["errors"]
    for (name, layers), color in zip(NETWORKS.items(), ("#2a6f97", "#d1661f"), strict=True):
        means = [np.mean([error(trained(layers, n, seed)) for seed in range(seeds)]) for n in SIZES]
        label = f"{name}, {fastmlp.Network(layers).n_params} parameters"
        errors.loglog(SIZES, means, "o-", color=color, label=label)
    errors.set(xlabel="training digits", ylabel="wrong test digits, %", xticks=SIZES, yticks=[1, 2, 5, 10, 20])
    errors.xaxis.set_major_formatter("{x:g}")
    errors.yaxis.set_major_formatter("{x:g}")
    errors.minorticks_off()
    errors.legend(frameon=False)
    return figure


if __name__ == "__main__":
    draw().savefig(Path(__file__).with_suffix(".png").name, dpi=150)
