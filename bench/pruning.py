"""Pruning: MONK's problems beside the published counts, a teacher found again, and what a path costs.

    python bench/pruning.py [--data FOLDER] [--seeds 10] [--jax]

FOLDER holds monks.npz with X_full, y_full_k, train_idx_k, y_train_k; without it there are the teacher and the cost.

Networks 17-3-1, 17-2-1 and 17-2-1, tanh and logistic, weight decay 0.1 on all, ten starts, at most 30 steps a deletion.
`smallest` is the smallest network of each path that has the training and test accuracy of Hassibi and Stork (1993),
whose test data chose it; `by evidence` and `by bic` take the best path by these, which know the training data alone.
"""

# ruff: noqa: E402 - one thread for everybody, which NumPy is to know before it is imported
from __future__ import annotations

import one_thread

one_thread.restrict()

import argparse
import time
import warnings
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


def teacher(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Eight inputs, of which three count, and noise of 0.15."""
    X = rng.uniform(-1.5, 1.5, (n, 8))
    return X, (np.tanh(1.5 * X[:, 0] - X[:, 1]) + np.sin(X[:, 2]) + 0.15 * rng.normal(size=n))[:, np.newaxis]


def teachers(n_sets: int) -> None:
    """The path that the evidence ends, and automatic relevance determination with as many hidden units as it wants."""
    print(f"\n{'teacher, 200 samples':32}{'weights':>10}{'inputs':>10}{'evidence':>10}{'test rmse':>11}{'CPU s':>8}")
    for seed in range(n_sets):
        X, T = teacher(200, np.random.default_rng(seed))
        X_test, T_test = teacher(10_000, np.random.default_rng(1000 + seed))

        def say(
            name: str, net: fastmlp.Network, n: int, evidence: float, begun: float, X: np.ndarray = X_test,
            T: np.ndarray = T_test, seed: int = seed,
        ) -> None:  # fmt: skip
            rmse, inputs = np.sqrt(np.mean((net(X) - T) ** 2)), len(fastmlp.compact(net)[1])
            seconds = time.process_time() - begun
            print(f"{f'{seed}: {name}':32}{n:10}{inputs:10}{evidence:10.1f}{rmse:11.4f}{seconds:8.2f}", flush=True)

        begun = time.process_time()
        net = fastmlp.Network([8, 8, 1], rng=0)
        path = fastmlp.prune(net, X, T, penalty=fastmlp.WeightDecay(0.02, 0.02), stop="evidence", n_threads=1)
        whole, step = path.steps[0], path.steps[path.best_step]
        say("whole network", path.network(0), whole.n_params, whole.log_evidence, begun)
        say("pruned, by evidence", path.best, step.n_params, step.log_evidence, begun)
        begun = time.process_time()
        ard = fastmlp.fit_evidence(
            fastmlp.Network([8, 8, 1], rng=0), X, T, groups="ard", hidden="auto", standardize=True, n_threads=1
        )
        left = int(np.count_nonzero(ard.params))
        say(f"ARD, {ard.network.layers[1]} hidden units", ard.network, left, ard.log_evidence, begun)


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


def cost(rounds: int, jax: bool) -> None:
    from sklearn.datasets import load_diabetes

    X, t = load_diabetes(return_X_y=True)
    X, T = (X - X.mean(axis=0)) / X.std(axis=0), ((t - t.mean()) / t.std())[:, np.newaxis]
    penalty = fastmlp.WeightDecay(1.0, 1.0)
    net = fastmlp.Network([10, 16, 1], rng=0)
    net.fit(X, T, "lm", penalty=penalty, tol=1e-6, n_threads=1)
    seconds: dict[str, list[float]] = {"prune": [], "by hand": [], "JAX + LAPACK": []}
    if jax:
        from peers.jax_pruning import Path as Peer

        peer = Peer(X, T, 16, 1.0, 1e-6)
    for _ in range(rounds):
        begun = time.process_time()
        path = fastmlp.prune(net, X, T, penalty=penalty, tol=1e-6, n_params=10, n_threads=1)
        seconds["prune"].append(time.process_time() - begun)
        begun = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", fastmlp.IdenticalUnitsWarning)  # of what is fixed at 0
            by_hand(net.copy(), X, T, penalty, 10)
        seconds["by hand"].append(time.process_time() - begun)
        if jax:
            begun = time.process_time()
            end = peer.go(net.params, 10)
            seconds["JAX + LAPACK"].append(time.process_time() - begun)
            assert np.isclose(end, path.steps[-1].objective, rtol=1e-9), "another optimum"
    ours = min(seconds["prune"])
    print(f"\ndiabetes 10-16-1, 193 to 10 weights, each trained to 1e-6: {1e3 * ours:.0f} ms of CPU time")
    for name in ("by hand", "JAX + LAPACK"):
        if seconds[name]:
            other = min(seconds[name])
            print(f"    {name}: {1e3 * other:.0f} ms, {other / ours:.1f} times as long")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--jax", action="store_true")
    asked = parser.parse_args()
    if asked.data:
        table(asked.data, asked.seeds)
    teachers(3)
    cost(3 if asked.jax else 5, asked.jax)
