"""Pruning: MONK's problems beside the published counts, and what a path costs.

    python bench/pruning.py [--data FOLDER] [--seeds 10]

FOLDER holds monks.npz with X_full, y_full_k, train_idx_k, y_train_k; without it there is the cost alone.

Networks 17-3-1, 17-2-1 and 17-2-1, tanh and logistic, weight decay 0.1 on all, ten starts, at most 30 steps a deletion.
`smallest` is the smallest network of each path that has the training and test accuracy of Hassibi and Stork (1993),
whose test data chose it; `by evidence` and `by bic` take the best path by these, which know the training data alone.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import fastmlp

LEVELS = (3, 3, 2, 3, 4, 2)
HIDDEN = {1: 3, 2: 2, 3: 2}
PUBLISHED = {1: (1.0, 1.0, 14), 2: (1.0, 1.0, 15), 3: (0.934, 0.972, 4)}
WAYS = {
    "OBS": {},
    "OBS, Gauss-Newton": {"hessian": "ggn"},
    "OBD": {"method": "obd"},
    "magnitude": {"method": "magnitude"},
    "OBS without training": {"retrain": False},
}


def monks(folder: Path, number: int) -> tuple[np.ndarray, ...]:
    with np.load(folder / "monks.npz") as file:
        X = np.hstack([np.eye(k)[file["X_full"][:, i].astype(int) - 1] for i, k in enumerate(LEVELS)])
        rows = file[f"train_idx_{number}"].astype(int)
        targets, all_targets = file[f"y_train_{number}"], file[f"y_full_{number}"]
    return X[rows], targets[:, np.newaxis].astype(float), X, all_targets[:, np.newaxis].astype(float)


def paths(number: int, data: tuple[np.ndarray, ...], seeds: int, how: dict) -> Iterator[tuple[list, object]]:
    """For each start the accuracies along the path, and the path."""
    penalty = fastmlp.WeightDecay(0.1, 0.1)
    X, T, X_test, T_test = data
    for seed in range(seeds):
        net = fastmlp.Network([17, HIDDEN[number], 1], output="logistic", rng=seed)
        net.fit(X, T, "lm", penalty=penalty)
        path = fastmlp.prune(net, X, T, penalty=penalty, max_iter=30, n_threads=1, **how)
        right = []
        for k in range(len(path.steps)):
            own = path.network(k)
            right.append((np.mean((own(X) > 0.5) == T), np.mean((own(X_test) > 0.5) == T_test)))
        yield right, path


def table(folder: Path, seeds: int) -> None:
    print(f"{'':24}" + "".join(f"{f'MONK {n} ({PUBLISHED[n][2]})':>34}" for n in HIDDEN))
    for name, how in WAYS.items():
        cells = []
        for number in HIDDEN:
            train, test, _ = PUBLISHED[number]
            smallest, by_evidence, by_bic = [], [], []
            begun = time.process_time()
            for right, path in paths(number, monks(folder, number), seeds, how):
                steps = path.steps
                fine = [
                    s.n_params for s, (a, b) in zip(steps, right, strict=True) if a > train - 5e-4 and b > test - 5e-4
                ]
                smallest.append(min(fine, default=999))
                k = int(np.argmax([step.log_evidence for step in steps]))
                by_evidence.append((steps[k].log_evidence, steps[k].n_params, right[k][1]))
                k = int(np.argmin([step.bic for step in steps]))
                by_bic.append((-steps[k].bic, steps[k].n_params, right[k][1]))
            seconds = (time.process_time() - begun) / seeds
            least = min(smallest)
            (_, n, a), (_, m, b) = max(by_evidence), max(by_bic)
            cells.append(f"{least} ({smallest.count(least)}x) {n}:{a:.0%} {m}:{b:.0%} {1e3 * seconds:.0f} ms")
        print(f"{name:24}" + "".join(f"{cell:>34}" for cell in cells), flush=True)
    print("smallest (how many starts), by evidence and by BIC weights:test accuracy, CPU time of a path")


def by_hand(net: fastmlp.Network, X: np.ndarray, T: np.ndarray, penalty: object, n_params: int) -> None:
    """The loop that the public calls allow: a Hessian, its inverse, a deletion, a training with a mask."""
    mask = np.zeros(net.n_params, bool)
    while np.count_nonzero(~mask) > n_params:
        objective = net.objective(X, T, penalty=penalty, fixed=mask if mask.any() else None, n_threads=1)
        p = objective.x0
        C = np.linalg.inv(objective.hess(p))
        q = int(np.argmin(p**2 / (2 * np.diagonal(C))))
        p = p - C[:, q] * p[q] / C[q, q]
        p[q] = 0.0
        net.params = objective.expand(p)
        mask[np.flatnonzero(~mask)[q]] = True
        net.fit(X, T, "lm", penalty=penalty, fixed=mask, tol=1e-6, n_threads=1)


def cost(rounds: int) -> None:
    from sklearn.datasets import load_diabetes

    X, t = load_diabetes(return_X_y=True)
    X, T = (X - X.mean(axis=0)) / X.std(axis=0), ((t - t.mean()) / t.std())[:, np.newaxis]
    penalty = fastmlp.WeightDecay(1.0, 1.0)
    net = fastmlp.Network([10, 16, 1], rng=0)
    net.fit(X, T, "lm", penalty=penalty, tol=1e-6, n_threads=1)
    seconds: dict[str, list[float]] = {"prune": [], "by hand": []}
    for _ in range(rounds):
        begun = time.process_time()
        fastmlp.prune(net, X, T, penalty=penalty, tol=1e-6, n_params=10, n_threads=1)
        seconds["prune"].append(time.process_time() - begun)
        begun = time.process_time()
        by_hand(net.copy(), X, T, penalty, 10)
        seconds["by hand"].append(time.process_time() - begun)
    ours, other = min(seconds["prune"]), min(seconds["by hand"])
    print(
        f"diabetes 10-16-1, 193 to 10 weights: {1e3 * ours:.0f} ms, by hand {1e3 * other:.0f} ms ({ours / other:.2f})"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--seeds", type=int, default=10)
    asked = parser.parse_args()
    if asked.data:
        table(asked.data, asked.seeds)
    cost(5)
