"""The evidence against the error on new data: MacKay's robot arm (1992), networks of 5 to 20 hidden units.

Two joint angles place the hand; both coordinates are measured with noise 0.05. Each dot is a network, its precisions
chosen by the evidence of 200 samples; its error is that on 2,000 others. What the evidence prefers foretells well,
though no test sample had a say. Networks that are far worse on both sides are not shown; the dotted line is the noise.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import fastmlp
from fastmlp import plot

NOISE = 0.05
rng = np.random.default_rng(0)


def arm(n):
    """Angles, standardised, and the measured hand."""
    angles = np.column_stack([rng.uniform(-1.932, -0.453, n), rng.uniform(0.534, 3.142, n)])
    angles[rng.random(n) < 0.5, 0] *= -1
    elbow = angles.sum(axis=1)
    hand = [2.0 * f(angles[:, 0]) + 1.3 * f(elbow) for f in (np.cos, np.sin)]
    return (angles - [0, 1.838]) / [1.26, 0.753], np.column_stack(hand) + NOISE * rng.normal(size=(n, 2))


def search(sizes=(5, 6, 8, 12, 20), n_starts=8):
    """All networks, and the root mean square error of each."""
    X, T = arm(200)
    new, targets = arm(2000)
    best = fastmlp.fit_evidence(fastmlp.Network([2, 4, 2]), X, T, hidden=sizes, n_starts=n_starts, rng=0)
    errors = [np.sqrt(np.mean((start.posterior.predict(new)[0] - targets) ** 2)) for start in best.starts]
    return best.starts, np.array(errors)


def draw():
    """One picture."""
    figure = Figure(figsize=(6, 4.5), layout="constrained")
    starts, errors = search()
    ax = plot.evidence(starts, errors, figure.subplots())
    ax.axhline(NOISE, color="#5f6b76", linestyle=":", linewidth=1)
    largest = max(start.log_evidence for start in starts)
    ax.set(xlim=(largest - 60, largest + 4), ylim=(0.049, 0.062), yscale="linear")
    ax.set_ylabel("root mean square error of 2,000 new samples")
    return figure


if __name__ == "__main__":
    draw().savefig(Path(__file__).with_suffix(".png").name, dpi=150)
