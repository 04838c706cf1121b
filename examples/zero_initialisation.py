"""Units that start out identical stay identical: why weights start at random numbers.

A 2-2-1 network from zeros. With tanh units every derivative but that of the output bias is zero, and stays so: the
network learns the mean of the targets. With logistic units weights do move, but those of both units move together, to
the last bit: two units do the work of one. The library warns of such starts (IdenticalUnitsWarning, switched off here).
"""

import warnings
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import fastmlp

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 2))
T = X[:, :1] * X[:, 1:]


def train(hidden, init, steps=2000):
    """Parameters after each step of gradient descent, shape (steps + 1, P), and the losses there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fastmlp.IdenticalUnitsWarning)
        net = fastmlp.Network([2, 2, 1], hidden=hidden, init=init, rng=0)
        path = [net.params]
        result = net.fit(X, T, "sgd", batch_size=len(X), learning_rate=0.3, max_iter=steps,
                         callback=lambda state: path.append(state.x))  # fmt: skip
    return np.array(path), result.history["train_loss"]


def draw():
    """The weights of both hidden units from zeros, for tanh and logistic units; the losses from zeros and at random."""
    figure = Figure(figsize=(12, 3.8), layout="constrained")
    *pictures, losses = figure.subplots(1, 3)
    pictures[0].sharey(pictures[1])
    for ax, hidden, color in zip(pictures, ("tanh", "logistic"), ("#2a6f97", "#d1661f"), strict=True):
        path, loss = train(hidden, "zeros")
        first, second = path[:, 0:2], path[:, 2:4]  # rows of W1
        ax.plot(first, color=color, alpha=0.35, linewidth=5, label=["first unit", None])
        ax.plot(second, "--", color="black", linewidth=1, label=["second unit", None])
        ax.set(title=f"{hidden}, from zeros", xlabel="step", ylabel="weights of the inputs")
        ax.legend(frameon=False)
        losses.plot(loss, "--", color=color, label=f"{hidden}, from zeros")
        losses.plot(train(hidden, "normal")[1], color=color, label=f"{hidden}, from random numbers")
    losses.set(xlabel="step", ylabel="mean loss of a sample", ylim=(0, 0.8))
    losses.legend(frameon=False, fontsize="small")
    for ax in (*pictures, losses):
        ax.spines[["top", "right"]].set_visible(False)
    return figure


if __name__ == "__main__":
    draw().savefig(Path(__file__).with_suffix(".png").name, dpi=150)
