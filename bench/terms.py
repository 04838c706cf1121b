"""What a term in Python adds to a fit beyond its own evaluations: for every full-batch method, on small problems.

    python bench/terms.py [--seconds 8] [--methods lm lbfgs]

The term is a weight decay as somebody would write it, of about a microsecond a call, so that whatever surrounds a call
shows. The ratio is the time of a fit with it over what that could not do without: the time of the same fit with the
library's own weight decay, and the bare calls of the term's methods, as often as they were made. Fits are those of ten
steps, and to the end; where rounding leads the two apart, the latter counts as if it had taken as many evaluations. All
times are the shortest of interleaved rounds. The goal is 1.2 at the most.
"""

# ruff: noqa: E402 - one thread for everybody, which NumPy is to know before it is imported
import one_thread

one_thread.restrict()

import argparse
import collections
import itertools
import warnings
from functools import partial
from typing import Any

import numpy as np

import fastmlp
from fastmlp.optimize.methods import FULL_BATCH
from report import number, table
from timing import interleave, repeat

GOAL = 1.2
PROBLEMS = {"1-3-1, N = 50": ([1, 3, 1], 50), "10-5-1, N = 442": ([10, 5, 1], 442)}
OF_SCIPY = ("bfgs", "newton-cg")  # which go one way: one with gradients, one with products
METHODS = (*FULL_BATCH, *OF_SCIPY)
STEPS = (10, 1000)


class Ridge:
    """|p|^2 / 20, as somebody would write it."""

    def value(self, p: np.ndarray) -> float:
        """The term."""
        return 0.05 * float(p @ p)

    def value_and_grad(self, p: np.ndarray) -> tuple[float, np.ndarray]:
        """The term and its gradient."""
        return 0.05 * float(p @ p), 0.1 * p

    def hess(self, p: np.ndarray) -> np.ndarray:
        """Its Hessian."""
        return 0.1 * np.eye(len(p))

    def hessp(self, p: np.ndarray, v: np.ndarray) -> np.ndarray:
        """The Hessian's product with v."""
        return 0.1 * v


def counted(fit: Any) -> tuple[Any, dict[str, int]]:
    """A fit with the term, and how often each of its methods was called."""
    calls: collections.Counter[str] = collections.Counter()

    def counting(name: str) -> Any:
        def method(self: Ridge, *arguments: np.ndarray) -> Any:
            calls[name] += 1
            return getattr(Ridge, name)(self, *arguments)

        return method

    names = [name for name in vars(Ridge) if not name.startswith("_")]
    kind = type("Counting", (Ridge,), {name: counting(name) for name in names})
    return fit(kind()), dict(calls)


def measured(layers: list[int], n_samples: int, method: str, max_iter: int, seconds: float) -> dict[str, str]:
    """A row of the table, but for the problem's name."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_samples, layers[0]))
    T = np.sin(X.sum(axis=1)) + 0.1 * rng.normal(size=n_samples)
    net = fastmlp.Network(layers, rng=0)
    start, term, own = net.params, Ridge(), fastmlp.WeightDecay(0.1, 0.1)

    def fit(penalty: Any, steps: int = max_iter) -> Any:
        net.params = start
        return net.fit(X, T, method, penalty=penalty, max_iter=steps, n_threads=1)

    with_term, calls = counted(fit)
    without = fit(own)
    arguments = {name: (start, start) if name == "hessp" else (start,) for name in calls}
    jobs = {
        "term": repeat(fit, term),
        "own": repeat(fit, own),
        "start": repeat(partial(fit, own, 0)),
        **{name: repeat(getattr(term, name), *arguments[name]) for name in calls},
    }
    times = {name: timing.minimum for name, timing in interleave(jobs, seconds).items()}
    evaluation = (times["own"] - times["start"]) / max(1, without.nfev - 1)
    passes = times["start"] + evaluation * (with_term.nfev - 1)
    bare = sum(count * times[name] for name, count in calls.items())
    ratio = times["term"] / (passes + bare)
    return {
        "method": method, "steps": str(with_term.nit), "with the term, us": number(1e6 * times["term"]),
        "own": number(1e6 * passes), "calls": number(1e6 * bare), "ratio": f"{ratio:.2f}",
        "met": "yes" if ratio <= GOAL else "no",
    }  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8.0, help="for each row")
    parser.add_argument("--methods", nargs="+", default=METHODS, choices=METHODS)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    cells = itertools.product(PROBLEMS.items(), options.methods, STEPS)
    rows = [{"problem": name, **measured(*problem, *cell, options.seconds)} for (name, problem), *cell in cells]
    print(table(rows))


if __name__ == "__main__":
    main()
