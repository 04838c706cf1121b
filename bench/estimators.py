"""The estimators against scikit-learn's with the same arguments: cross-validated scores, and times of `fit`.

    python bench/estimators.py [--solvers adam lbfgs sgd] [--repeats 2]

Each data set is split five ways, `--repeats` times over; on every fold both are trained in turn, on inputs that were
standardised by its training part; targets of diabetes are standardised too. Scores are accuracies, R2 for diabetes,
with standard errors of their means over folds; `difference` is ours less theirs. Times are processor time, on one
thread.
"""

# ruff: noqa: E402 - one thread for everybody, which NumPy is to know before it is imported
import one_thread

one_thread.restrict()

import argparse
import time
import warnings
from typing import Any

import numpy as np
import sklearn.neural_network
from sklearn import datasets
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold
from sklearn.preprocessing import StandardScaler

import fastmlp

CLASSES = {
    "MLPClassifier": (fastmlp.MLPClassifier, sklearn.neural_network.MLPClassifier),
    "MLPRegressor": (fastmlp.MLPRegressor, sklearn.neural_network.MLPRegressor),
}
DATA = ("digits", "iris", "wine", "breast_cancer", "diabetes")
#: beside solver and random_state; whatever is not here is the default of both
ARGUMENTS: dict[str, dict[str, Any]] = {
    "adam": {},
    "sgd": {"learning_rate_init": 0.01},
    "lbfgs": {},
}


def compare(data: str, solver: str, repeats: int) -> dict[str, Any]:
    """Scores (folds, 2) and seconds of training (2,), ours first."""
    X, y = getattr(datasets, f"load_{data}")(return_X_y=True)
    kind, folds = ("MLPRegressor", RepeatedKFold) if data == "diabetes" else ("MLPClassifier", RepeatedStratifiedKFold)
    if data == "diabetes":
        y = (y - y.mean()) / y.std()
    scores, seconds = [], np.zeros(2)
    for seed, (train, test) in enumerate(folds(n_splits=5, n_repeats=repeats, random_state=0).split(X, y)):
        scale = StandardScaler().fit(X[train])
        fold = []
        for place, make in enumerate(CLASSES[kind]):
            model = make(solver=solver, random_state=seed, **ARGUMENTS[solver])
            begin = time.process_time()
            model.fit(scale.transform(X[train]), y[train])
            seconds[place] += time.process_time() - begin
            fold.append(model.score(scale.transform(X[test]), y[test]))
        scores.append(fold)
    return {"data": data, "solver": solver, "scores": np.array(scores), "seconds": seconds}


def row(found: dict[str, Any]) -> str:
    """A line of the table."""
    ours, theirs = found["scores"].T
    shown = " | ".join(
        f"{values.mean():{sign}.4f} ± {values.std(ddof=1) / len(values) ** 0.5:.4f}"
        for values, sign in ((ours, ""), (theirs, ""), (ours - theirs, "+"))
    )
    seconds = found["seconds"]
    return (
        f"| {found['data']} | {found['solver']} | {shown} | {seconds[0]:.2f} s | {seconds[1]:.2f} s "
        f"| {seconds[1] / seconds[0]:.1f} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="scores and times of the estimators against scikit-learn's")
    parser.add_argument("--solvers", nargs="+", choices=ARGUMENTS, default=["adam", "lbfgs"])
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--data", nargs="+", choices=DATA, default=DATA)
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    print("| data | solver | ours | scikit-learn | difference | ours, fits | scikit-learn, fits | ratio |")
    print("|---|---|---|---|---|---|---|---|")
    totals = []
    for solver in options.solvers:
        total = np.zeros(2)
        for data in options.data:
            found = compare(data, solver, options.repeats)
            total += found["seconds"]
            print(row(found), flush=True)
        totals.append(f"{solver}: {total[0]:.2f} s against {total[1]:.2f} s, {total[1] / total[0]:.1f} times as fast")
    print(*totals, sep="\n")


if __name__ == "__main__":
    main()
