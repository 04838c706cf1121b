"""Small calls: what a penalty or an output array adds to them, and all of them beside another build.

    python bench/small_calls.py [--rounds 20] [--against FOLDER ...]

On 1-3-1 and 50 samples arithmetic takes a microsecond or two, and the lines of Python around it as much again. FOLDER
is a checkout with its compiled modules. Each build has a process of its own; they take turns job by job, and of each
the shortest of all rounds counts. Goals are for the ratio to the row that is named.
"""

import one_thread

if __name__ == "__main__":
    one_thread.restrict()  # before NumPy is imported

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from builds import Build, turns, work
from report import duration, number, table
from timing import Job, repeat

ROWS = {  # job: what its time is compared with, and how many times that it may take
    "predict one row": None,
    "predict one row, out=": ("predict one row", 1.2),
    "value": None,
    "value, penalty": ("value", 1.4),
    "value and gradient": None,
    "value and gradient, penalty": ("value and gradient", 1.3),
    "value and gradient, tied": None,
    "value and gradient, tied, penalty": ("value and gradient, tied", 1.3),
    "normal equations": None,
    "normal equations, penalty": ("normal equations", 1.5),
    "Hessian": None,
    "Hessian, penalty": ("Hessian", 1.5),
    "lm, 10 steps": None,
    "lm, 10 steps, 10-5-1, N = 442": None,
    "adam, one epoch": None,
    "MLPRegressor.partial_fit, 32 rows": None,
    "MLPClassifier.partial_fit, 32 rows": None,
}


def objectives() -> dict[str, Job]:
    """One row, and objectives with and without a penalty."""
    import fastmlp

    net, X, T = problem([1, 3, 1], 50)
    row, out = X[:1].copy(), np.empty((1, 1))
    jobs = {
        "predict one row": repeat(net, row),
        "predict one row, out=": lambda n: [net.predict(row, out=out) for _ in range(n)],
    }
    for tied, tied_name in ((None, ""), ([["W1"]], ", tied")):
        for penalty, penalty_name in ((None, ""), (fastmlp.WeightDecay(0.1), ", penalty")):
            objective = net.objective(X, T, penalty=penalty, tied=tied)
            name, p = tied_name + penalty_name, objective.x0
            jobs["value and gradient" + name] = repeat(objective.value_and_grad, p)
            if tied is None:
                jobs["value" + name] = repeat(objective.value, p)
                jobs["normal equations" + name] = repeat(objective.normal_equations, p)
                jobs["Hessian" + name] = repeat(objective.hess, p)
    return jobs


def fits() -> dict[str, Job]:
    """Fits of ten steps from the same start, and epochs."""
    import fastmlp

    small, large = problem([1, 3, 1], 50), problem([10, 5, 1], 442)
    net, X, T = small
    _, rows, y = problem([4, 1], 32)
    return {
        "lm, 10 steps": steps(*small),
        "lm, 10 steps, 10-5-1, N = 442": steps(*large),
        "adam, one epoch": lambda n: [net.copy().fit(X, T, "adam", max_iter=1, rng=0) for _ in range(n)],
        "MLPRegressor.partial_fit, 32 rows": parts(fastmlp.MLPRegressor, rows, y[:, 0]),
        "MLPClassifier.partial_fit, 32 rows": parts(fastmlp.MLPClassifier, rows, np.arange(32) % 2, classes=[0, 1]),
    }


def problem(layers: list[int], n_samples: int) -> tuple[Any, np.ndarray, np.ndarray]:
    """A network and random data for it."""
    import fastmlp

    rng = np.random.default_rng(0)
    X, T = rng.normal(size=(n_samples, layers[0])), rng.normal(size=(n_samples, layers[-1]))
    return fastmlp.Network(layers, rng=0), X, T


def steps(net: Any, X: np.ndarray, T: np.ndarray) -> Job:
    """Ten of Levenberg-Marquardt, what surrounds them included."""
    start = net.params

    def job(n: int) -> None:
        for _ in range(n):
            net.params = start
            net.fit(X, T, "lm", max_iter=10, tol=0.0)

    return job


def parts(kind: type[Any], X: np.ndarray, y: np.ndarray, **first: Any) -> Job:
    """Calls that continue a first one, which is setting up."""

    def job(n: int) -> None:
        model = kind(hidden_layer_sizes=(10,), activation="tanh", random_state=0).partial_fit(X, y, **first)
        for _ in range(n):
            model.partial_fit(X, y)

    return job


def rows(own: dict[str, float], others: dict[str, dict[str, float]]) -> list[dict[str, str]]:
    """For the table; `others` by what they are called."""
    result = []
    for name, seconds in own.items():
        base, most = ROWS[name] or (None, None)
        share = "" if base is None or base not in own else number(seconds / own[base])
        goal = "" if base is None else f"{most} times {base}"
        met = "" if not share else "yes" if seconds <= most * own[base] else "no"
        beside = {f"{other}'s over ours": number(times[name] / seconds) for other, times in others.items()}
        result.append({"call": name, "time": duration(seconds), "ratio": share, "goal": goal, "met": met, **beside})
    return result


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--against", type=Path, nargs="+", default=[], help="other checkouts, compiled")
    parser.add_argument("--jobs", nargs="+", default=list(ROWS), choices=list(ROWS), metavar="NAME")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work((objectives() | fits()).__getitem__)
        return
    builds = {folder.name: Build(__file__, folder) for folder in [Path(__file__).parents[1], *options.against]}
    for _ in range(options.rounds):
        turns(list(builds.values()), options.jobs, 1)
    own, *others = builds
    print(table(rows(builds[own].shortest, {name: builds[name].shortest for name in others})))


if __name__ == "__main__":
    main()
