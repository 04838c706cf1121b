"""L-BFGS against SciPy's L-BFGS-B on the same objective and gradient, both ours: time to reach the same loss.

    python bench/quasi_newton.py [--seeds 9]

Both keep 20 pairs and go as far as 300 iterations; the target is 1 % above the higher of the two ends. Then both are
timed for as many iterations as each takes to get there, set-up included, in turn; three times each, of which the
shortest counts. Figures are medians over the starts; the largest element of the gradient is that after 300 iterations.
"""

# ruff: noqa: E402 - one thread for everybody, which NumPy is to know before it is imported
import one_thread

one_thread.restrict()

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.optimize
import sklearn.datasets

import fastmlp
from fastmlp.model import units

ITERATIONS, SLACK, REPEATS, PAIRS = 300, 1.01, 3, 20


def made_up(n_samples: int) -> tuple[np.ndarray, np.ndarray]:
    """A smooth function of eight inputs, with noise."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_samples, 8))
    return X, np.sin(X.sum(axis=1)) + X[:, 0] * X[:, 1] + 0.1 * rng.normal(size=n_samples)


def diabetes() -> tuple[np.ndarray, np.ndarray]:
    """Standardised."""
    X, y = sklearn.datasets.load_diabetes(return_X_y=True)
    X, y = (units.columns(a, None, "data").standardized(a) for a in (X, y[:, np.newaxis]))
    return X, y[:, 0]


#: layers, data, weight decay
PROBLEMS: dict[str, tuple[list[int], Callable[[], Any], float]] = {
    "10-10-1, diabetes": ([10, 10, 1], diabetes, 0.1),
    "8-20-1, N = 2,000": ([8, 20, 1], lambda: made_up(2000), 0.1),
    "8-50-50-1, N = 5,000": ([8, 50, 50, 1], lambda: made_up(5000), 0.1),
}


def ours(net: fastmlp.Network, data: Any, penalty: Any, max_iter: int) -> tuple[np.ndarray, int, float]:
    """Objectives step by step, evaluations, |g|_inf."""
    res = net.copy().fit(*data, "lbfgs", penalty=penalty, max_iter=max_iter, tol=0.0, maxcor=PAIRS)
    return res.history["loss"], res.nfev, res.grad_norm


def theirs(net: fastmlp.Network, data: Any, penalty: Any, max_iter: int) -> tuple[np.ndarray, int, float]:
    """The same by SciPy."""
    objective, losses = net.objective(*data, penalty=penalty), []
    options = {"maxcor": PAIRS, "maxls": 50, "gtol": 0.0, "ftol": 0.0, "maxiter": max_iter, "maxfun": 10**9}
    res = scipy.optimize.minimize(
        objective.value_and_grad, objective.x0, jac=True, method="L-BFGS-B", options=options,
        callback=lambda intermediate_result: losses.append(intermediate_result.fun),
    )  # fmt: skip
    return np.array([np.inf, *losses]), res.nfev, np.abs(res.jac).max()


def compare(layers: list[int], data: Any, decay: float, seeds: int) -> np.ndarray:
    """For each start (seeds, 2, 4): iterations to the target, milliseconds, evaluations and |g| of the long run."""
    penalty = fastmlp.WeightDecay(decay, decay)
    found = np.zeros((seeds, 2, 4))
    for seed in range(seeds):
        net = fastmlp.Network(layers, rng=seed)
        long = [solve(net, data, penalty, ITERATIONS) for solve in (ours, theirs)]
        target = SLACK * max(losses[-1] for losses, *_ in long)
        steps = [int(np.argmax(losses <= target)) for losses, *_ in long]
        seconds = np.full((REPEATS, 2), np.inf)
        for repeat in range(REPEATS):
            for side, solve in enumerate((ours, theirs)):
                begin = time.process_time()
                solve(net, data, penalty, steps[side])
                seconds[repeat, side] = time.process_time() - begin
        found[seed, :, 0], found[seed, :, 1] = steps, 1e3 * seconds.min(axis=0)
        found[seed, :, 2:] = [run[1:] for run in long]
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="L-BFGS against SciPy's")
    parser.add_argument("--seeds", type=int, default=9)
    seeds = parser.parse_args().seeds
    print(
        "| problem | iterations, SciPy's | ours | SciPy's | ratio | evaluations in 300, SciPy's | largest g, SciPy's |"
    )
    print("|---|---|---|---|---|---|---|")
    for name, (layers, data, decay) in PROBLEMS.items():
        found = compare(layers, data(), decay, seeds)
        (steps, ms, evaluations, gradient), (steps2, ms2, evaluations2, gradient2) = np.median(found, axis=0)
        ratio = np.median(found[:, 1, 1] / found[:, 0, 1])
        print(
            f"| {name} | {steps:.0f}, {steps2:.0f} | {ms:.1f} ms | {ms2:.1f} ms | {ratio:.1f} "
            f"| {evaluations:.0f}, {evaluations2:.0f} | {gradient:.1e}, {gradient2:.1e} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
