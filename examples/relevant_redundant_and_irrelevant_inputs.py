"""Automatic relevance determination: which of three inputs matter, found by the evidence.

The targets are a noisy sine of the first input. The second is the first one with noise of its own, and so tells little
that the first does not; the third has nothing to do with anything. Each has a prior precision for its weights. Left
their standard deviations 1/sqrt(alpha), right how the precisions came about, step by step.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import fastmlp
from fastmlp import plot

NAMES = ("relevant", "redundant", "irrelevant")
rng = np.random.default_rng(0)
x = rng.uniform(-1, 1, 150)
X = np.column_stack([x, x + 0.2 * rng.normal(size=150), rng.uniform(-1, 1, 150)])
X /= X.std(axis=0)
T = np.sin(2 * np.pi * x) + 0.15 * rng.normal(size=150)


def best_posterior():
    """Of five starts."""
    return fastmlp.fit_evidence(fastmlp.Network([3, 5, 1], rng=0), X, T, groups="ard", n_starts=5, rng=0)


def draw():
    """Two pictures in one figure."""
    posterior = best_posterior()
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    plot.relevances(posterior, left, names=NAMES)
    for values, name, colour in zip(
        posterior.history["prior_precision"].T, NAMES, ("#2f6690", "#d1603d", "#5f6b76"), strict=False
    ):
        right.plot(values, color=colour, label=name)
    right.set(xlabel="step", ylabel="prior precision", yscale="log")
    right.spines[["top", "right"]].set_visible(False)
    right.legend(frameon=False)
    return figure


if __name__ == "__main__":
    draw().savefig(Path(__file__).with_suffix(".png").name, dpi=150)
