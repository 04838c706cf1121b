"""What four precisions of a Gaussian prior say about functions (PRML, figure 5.11).

Draws of a 1-12-1 network whose weights and biases come from normal distributions of mean 0, with precisions
(1 / variance) of their own for W1, b1, W2 and b2. The variance of W2 sets how high the functions go, that of b2 how far
they are moved up or down, that of W1 how fast they vary, and that of b1 in which range of inputs.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import fastmlp
from fastmlp import plot

GROUPS = ("W1", "b1", "W2", "b2")
PRECISIONS = ((1, 1, 1, 1), (1, 1, 0.01, 1), (0.001, 0.1, 1, 1), (0.001, 0.001, 1, 1))
X = np.linspace(-1, 1, 400)[:, np.newaxis]
NET = fastmlp.Network([1, 12, 1], rng=0)


def draw(n=8):
    """Four pictures in one figure."""
    figure = Figure(figsize=(10, 6.5), layout="constrained")
    for ax, precisions in zip(figure.subplots(2, 2).flat, PRECISIONS, strict=True):
        samples = fastmlp.prior_samples(NET, dict(zip(GROUPS, precisions, strict=True)), X, n, rng=1)
        plot.functions(X, samples, ax)
        ax.set_title(
            ", ".join(f"α({group}) = {value:g}" for group, value in zip(GROUPS, precisions, strict=True)), size=10
        )
        ax.set_xticks([-1, -0.5, 0, 0.5, 1])
    return figure


if __name__ == "__main__":
    draw().savefig(Path(__file__).with_suffix(".png").name, dpi=150)
