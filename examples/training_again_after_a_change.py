"""Training again after data have changed, from the old parameters and from a fresh start.

Resistances of yachts; rows are dropped or labelled anew, or all targets drift. Left, steps to the new optimum, a dot
for each of eight seeds, of Levenberg-Marquardt or, near by, quasi-Newton steps at the price of a gradient: from the old
parameters (blue) few for a small change, from a fresh start (orange) always as many. Right, how much lower the fresh
start ends. As long as most rows are what they were, both lead to optima that are as good as each other. Where a tenth
of the labels is another, the old parameters are a worse start than any: more steps, mostly to a higher optimum, in a
basin that belongs to labels that are gone. Rows that are dropped are forgotten in this sense: the gradient of the
objective without them is within `tol`.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import fastmlp
from fastmlp.datasets import load_yacht

PENALTY, TOL, SEEDS = fastmlp.WeightDecay(0.3, 0.3), 1e-6, 8
X, T, *_ = load_yacht()
X, T = (X - X.mean(axis=0)) / X.std(axis=0), (T - T.mean()) / T.std()


def dropped(n):
    """Without n rows."""

    def change(rng):
        kept = rng.permutation(len(X))[n:]
        return X[kept], T[kept]

    return change


def labelled_anew(n):
    """With the targets of n rows exchanged."""

    def change(rng):
        rows = rng.permutation(len(X))[:n]
        changed = T.copy()
        changed[rows] = T[np.roll(rows, 1)]
        return X, changed

    return change


def drifted(slope):
    """With targets that depend on the first input too."""
    return lambda rng: (X, T + slope * X[:, 0])


CHANGES = {
    "1 row dropped": dropped(1),
    "3 rows (1 %)": dropped(3),
    "15 rows (5 %)": dropped(15),
    "77 rows (25 %)": dropped(77),
    "154 rows (50 %)": dropped(154),
    "3 labelled anew": labelled_anew(3),
    "31 labelled anew": labelled_anew(31),
    "drift by 0.1": drifted(0.1),
    "drift by 1": drifted(1.0),
}


def compare(change):
    """For each seed the steps from the old parameters and from fresh ones, and how much lower the latter end."""
    rows = []
    for seed in range(SEEDS):
        net = fastmlp.Network([6, 10, 1], rng=seed)
        net.fit(X, T, "lm", penalty=PENALTY, tol=TOL)
        new = change(np.random.default_rng(seed))
        old = fastmlp.refit(net, *new, penalty=PENALTY, tol=TOL)
        gradient = net.objective(*new, penalty=PENALTY).grad(net.params)
        fresh = fastmlp.Network([6, 10, 1], rng=100 + seed).fit(*new, "lm", penalty=PENALTY, tol=TOL)
        rows.append((old.nit, fresh.nit, old.fun - fresh.fun, abs(gradient).max()))
    return np.array(rows)


def draw():
    """Steps at the left, optima at the right."""
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    steps, optima = figure.subplots(1, 2, sharey=True)
    for place, change in enumerate(CHANGES.values()):
        old, fresh, lower, _ = compare(change).T
        for numbers, colour, shift in ((old, "#2a6f97", -0.15), (fresh, "#d1661f", 0.15)):
            steps.plot(numbers, np.full(SEEDS, place + shift), "o", color=colour, alpha=0.35, markersize=4)
            steps.plot(np.median(numbers), place + shift, "|", color=colour, markersize=14, markeredgewidth=2.5)
        optima.plot(lower, np.full(SEEDS, place), "o", color="#5f6b76", alpha=0.6, markersize=5)
    steps.set(xscale="log", xlabel="steps: from the old parameters (blue), fresh (orange)")
    steps.set_yticks(range(len(CHANGES)), list(CHANGES))
    steps.invert_yaxis()
    optima.axvline(0, color="#5f6b76", linewidth=0.8)
    optima.set_xscale("symlog", linthresh=0.01)
    optima.set(xlabel="objective by refit less that of a fresh start")
    for ax in (steps, optima):
        ax.spines[["top", "right"]].set_visible(False)
    return figure


if __name__ == "__main__":
    draw().savefig(Path(__file__).with_suffix(".png").name, dpi=150)
