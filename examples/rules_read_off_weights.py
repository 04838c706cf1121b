"""MONK's problems: three logical rules, read off the weights that pruning leaves.

Robots have six attributes, and of their 432 combinations 122 to 169 are seen, with one input for each value. From 58 or
39 weights Optimal Brain Surgeon takes away what the evidence does not miss: no test data are looked at, and the best of
ten paths is right on all 432. Blue lines are positive weights, orange ones negative, numbers biases.

1. The head is shaped like the body, or the jacket is 1: of the jacket 1 alone is left; smile, thing held and tie are
   gone.
2. Exactly two attributes have their first value: both units count first values (where there are two, not 2 is 1), the
   one from two on, the other from three on, and the output takes the second from the first.
3. The jacket is 3 and the thing held 1, or the jacket is not 4 and the body not 3: one unit is left, and the output is
   1 where its sum is negative. Body 3 adds 2, others take 1; jacket 4 adds 3, more than the rest can take; jacket 3 and
   thing held 1 take 1.3 each, together more than body 3 adds. (The published set has six wrong labels; this has none.)
"""

from itertools import product
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import fastmlp
from fastmlp import plot

ATTRIBUTES = {"head": 3, "body": 3, "smile": 2, "holds": 3, "jacket": 4, "tie": 2}
NAMES = [f"{attribute} {value}" for attribute, n in ATTRIBUTES.items() for value in range(1, n + 1)]
ROBOTS = np.array(list(product(*(range(1, n + 1) for n in ATTRIBUTES.values()))))
X = np.hstack([np.eye(n)[ROBOTS[:, i] - 1] for i, n in enumerate(ATTRIBUTES.values())])

head, body, _, holds, jacket, _ = ROBOTS.T
RULES = {
    1: (head == body) | (jacket == 1),
    2: (ROBOTS == 1).sum(axis=1) == 2,
    3: ((jacket == 3) & (holds == 1)) | ((jacket != 4) & (body != 3)),
}
UNITS, SEEN = {1: 3, 2: 2, 3: 2}, {1: 124, 2: 169, 3: 122}


def training_set(number, seed=0):
    """Some robots, and whether the rule holds."""
    rows = np.random.default_rng(seed).permutation(len(X))[: SEEN[number]]
    return X[rows], RULES[number][rows].astype(float)


def best_path(number, n_starts=10):
    """The path that ends with the largest evidence."""
    networks = [fastmlp.Network([17, UNITS[number], 1], output="logistic", rng=seed) for seed in range(n_starts)]
    penalty = fastmlp.WeightDecay(0.1, 0.1)
    paths = [fastmlp.prune(net, *training_set(number), penalty=penalty, stop="evidence") for net in networks]
    return max(paths, key=lambda path: path.steps[path.best_step].log_evidence)


def draw():
    """What is left of the three networks."""
    figure = Figure(figsize=(13, 4.5), layout="constrained")
    for number, ax in zip(RULES, figure.subplots(1, 3), strict=True):
        path = best_path(number)
        right = np.mean((path.best(X)[:, 0] > 0.5) == RULES[number])
        plot.diagram(path.best, NAMES, ax)
        ax.set_title(
            f"MONK {number}: {path.steps[path.best_step].n_params} weights of {path.best.n_params}, {right:.0%} right"
        )
    return figure


if __name__ == "__main__":
    draw().savefig(Path(__file__).with_suffix(".png").name, dpi=150)
