"""Many networks from random starts, beside scikit-learn's lbfgs: the lecture's graph, and 1,000 networks on real data.

Usage: python bench/starts.py [--rounds 3] [--share 10]

Ours trains all networks by one call, on one thread and on two, whose results have to have the same bits. scikit-learn
trains one network after the other, by default settings but for the penalty, on one thread (its matrices are too small
for more), and only every `share`-th network, times `share`. Turn by turn; medians of real and of processor time.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.neural_network import MLPRegressor
from threadpoolctl import threadpool_limits

import fastmlp
from fastmlp.model import units


class Case(NamedTuple):
    """Networks of one hidden layer, all on the same samples."""

    title: str
    X: np.ndarray
    T: np.ndarray
    sizes: tuple[int, ...]
    penalty: fastmlp.WeightDecay | None
    alpha: float  # the same for scikit-learn, which leaves biases alone
    seconds: float  # goals: real time on two threads,
    ratio: float  # and scikit-learn's over it


def sinusoid(n_samples: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """sin(2 pi x) with noise of 0.3."""
    X = rng.uniform(0.0, 1.0, (n_samples, 1))
    return X, np.sin(2 * np.pi * X) + 0.3 * rng.normal(size=(n_samples, 1))


def cases() -> list[Case]:
    """The two problems of acceptance; the lecture's graph by `sweep`, validation included."""
    X, T = sinusoid(10, np.random.default_rng(0))
    data, target = load_diabetes(return_X_y=True)
    inputs, targets = (units.columns(a, None, "data").standardized(a) for a in (data, target[:, np.newaxis]))
    sizes = tuple(M for M in range(1, 11) for _ in range(30))
    decay = fastmlp.WeightDecay(1.0, 1.0)
    return [
        Case("300 networks 1-M-1, M = 1 .. 10, 10 samples", X, T, sizes, None, 0.0, 1.0, 10.0),
        Case("1,000 networks 10-10-1, diabetes", inputs, targets, (10,) * 1000, decay, 1.0, 10.0, 5.0),
    ]


def timed(call: Callable[[], Any]) -> tuple[Any, float, float]:
    """What it returns, seconds of real and of processor time."""
    wall, processor = time.perf_counter(), time.process_time()
    result = call()
    return result, time.perf_counter() - wall, time.process_time() - processor


def ours(case: Case, n_threads: int) -> list[tuple[np.ndarray, float, float]]:
    """Parameters, objective, and |g|_inf of each network."""
    if case.penalty is None:  # the lecture's graph, validation included
        validation, sizes = sinusoid(100, np.random.default_rng(1)), sorted(set(case.sizes))
        swept = fastmlp.sweep(case.X, case.T, sizes, 30, validation, rng=0, n_threads=n_threads)
        return [(run.params, run.fun, run.grad_norm) for run in swept.runs]
    nets = [fastmlp.Network([10, M, 1], rng=seed) for seed, M in enumerate(case.sizes)]
    results = fastmlp.fit_many(nets, case.X, case.T, penalty=case.penalty, ftol=0.0, max_iter=1000, n_threads=n_threads)
    return [(result.x, result.fun, result.grad_norm) for result in results]


def sklearns(case: Case, share: int) -> list[float]:
    """Objectives: half the sum of squares, and the penalty."""
    objectives = []
    for seed in range(0, len(case.sizes), share):
        model = MLPRegressor(
            hidden_layer_sizes=(case.sizes[seed],), activation="tanh", solver="lbfgs", alpha=case.alpha,
            random_state=seed,
        )  # fmt: skip
        with warnings.catch_warnings(), threadpool_limits(1, "blas"):
            warnings.simplefilter("ignore")  # at the limit of its iterations
            model.fit(case.X, case.T.ravel())
        squares = sum(float((W**2).sum()) for W in model.coefs_)
        error = float(((model.predict(case.X) - case.T.ravel()) ** 2).sum())
        objectives.append(0.5 * error + 0.5 * case.alpha * squares)
    return objectives


def measure(case: Case, rounds: int, share: int) -> str:
    """Rows of a table."""
    times: dict[str, list[tuple[float, float]]] = {"ours, 1": [], "ours, 2": [], "sklearn": []}
    for _ in range(rounds):
        networks, *one = timed(lambda: ours(case, 1))
        again, *two = timed(lambda: ours(case, 2))
        if not all(np.array_equal(a[0], b[0]) for a, b in zip(networks, again, strict=True)):
            raise SystemExit(f"{case.title}: one thread and two disagree")
        theirs, *peer = timed(lambda: sklearns(case, share))
        for name, (wall, processor) in zip(times, (one, two, [share * t for t in peer]), strict=True):
            times[name].append((wall, processor))
    middle = {name: [median(column) for column in zip(*each, strict=True)] for name, each in times.items()}
    wall, ratio = middle["ours, 2"][0], middle["sklearn"][0] / middle["ours, 2"][0]
    lines = [f"\n{case.title}\n\n| threads | s | processor s |\n|---|---|---|"]
    lines += [f"| {name} | {t[0]:.2f} | {t[1]:.2f} |" for name, t in middle.items()]
    met = "met" if wall <= case.seconds and ratio >= case.ratio else "missed"
    in_processor_time = middle["sklearn"][1] / middle["ours, 1"][1]
    objective, converged = median(fun for _, fun, _ in networks), np.mean([g <= 1e-6 for _, _, g in networks])
    lines += [
        f"\nGoal: {case.seconds:g} s on two threads, {case.ratio:g} times scikit-learn: {wall:.2f} s, {ratio:.1f} "
        f"times (processor time, one thread: {in_processor_time:.1f} times): {met}.",
        f"Median objective {objective:.6g}, theirs {median(theirs):.6g}; |g| <= 1e-6: {100 * converged:.1f} %.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--share", type=int, default=10)
    arguments = parser.parse_args()
    for case in cases():
        print(measure(case, arguments.rounds, arguments.share))
