"""Pruning: MONK's problems beside the published counts, a teacher found again, and what a path costs.

    python bench/pruning.py [--data FOLDER] [--seeds 10] [--beside BUILD] [--jax] [--large]

FOLDER holds monks.npz with X_full, y_full_k, train_idx_k, y_train_k; without it there are the teacher and the cost.

Networks 17-3-1, 17-2-1 and 17-2-1, tanh and logistic, weight decay 0.1 on all, ten starts, at most 30 steps a deletion.
`smallest` is the smallest network of each path that has the training and test accuracy of Hassibi and Stork (1993),
whose test data chose it; `by evidence` and `by bic` take the best path by these, which know the training data alone.

The cost is that of paths, with training and from one quadratic model, and of refits, beside loops of plain calls: of
this build, or of another one in the folder BUILD, in turns. Least processor times of one thread. --large: from 3,000
parameters to 300, several deletions at once.
"""

# ruff: noqa: E402 - one thread for everybody, which NumPy is to know before it is imported
from __future__ import annotations

import one_thread

one_thread.restrict()

import argparse
import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

import fastmlp

DECAY = fastmlp.WeightDecay(1.0, 1.0)
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
            fastmlp.Network([8, 8, 1], rng=0), X, T, groups="ard", hidden="auto", standardize=True, rng=0, n_threads=1
        )
        left = int(np.count_nonzero(ard.params))
        say(f"ARD, {ard.network.layers[1]} hidden units", ard.network, left, ard.log_evidence, begun)


# ---- what it costs ----


def by_hand(net: fastmlp.Network, X: np.ndarray, T: np.ndarray, penalty: object, n_params: int, **how: object) -> None:
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
        net.fit(X, T, "lm", penalty=penalty, fixed=mask, n_threads=1, **how)


def chain_by_hand(net: fastmlp.Network, X: np.ndarray, T: np.ndarray, penalty: object, n_params: int) -> None:
    """Deletions from one quadratic model in NumPy: an inverse, and what each of them takes from it."""
    objective = net.objective(X, T, penalty=penalty, n_threads=1)
    p, C = objective.x0, np.linalg.inv(objective.hess(objective.x0))
    while len(p) > n_params:
        q = int(np.argmin(p**2 / (2 * np.diagonal(C))))
        row = C[q] / C[q, q]
        p = np.delete(p - row * p[q], q)
        C -= np.outer(row, C[q])
        left = np.delete(np.arange(len(C)), q)
        C = C[np.ix_(left, left)]


def diabetes() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_diabetes

    X, t = load_diabetes(return_X_y=True)
    return (X - X.mean(axis=0)) / X.std(axis=0), ((t - t.mean()) / t.std())[:, np.newaxis]


def trained(width: int, X: np.ndarray, T: np.ndarray, tol: float) -> fastmlp.Network:
    net = fastmlp.Network([X.shape[1], width, 1], rng=0)
    net.fit(X, T, "lm", penalty=DECAY, tol=tol, n_threads=1)
    return net


def calls(folder: Path | None) -> dict[str, tuple[Callable, Callable | None]]:
    """What is measured by its name: with the calls that any build has, and with those for pruning."""
    X, T = diabetes()
    net, wide = trained(16, X, T, 1e-6), trained(20, X, T, 1e-8)
    fixed = np.ones(net.n_params, bool)
    fixed[np.random.default_rng(0).choice(net.n_params, 20, replace=False)] = False
    objective = net.objective(X, T, penalty=DECAY, fixed=fixed, n_threads=1)
    measured: dict[str, tuple[Callable, Callable | None]] = {
        "masked Hessian, 20 of 193": (partial(objective.hess, objective.x0), None),
        "10-16-1, 193 to 10 weights": (
            lambda: by_hand(net.copy(), X, T, DECAY, 10, tol=1e-6),
            lambda: fastmlp.prune(net, X, T, penalty=DECAY, tol=1e-6, n_params=10, n_threads=1),
        ),
    }
    large, heavy = fastmlp.Network([10, 83, 1], rng=0), fastmlp.WeightDecay(5.0, 5.0)
    large.fit(X, T, "lm", penalty=heavy, n_threads=1)
    measured["10-83-1, one model, 997 to 10"] = (
        lambda: chain_by_hand(large, X, T, heavy, 10),
        lambda: fastmlp.prune(large, X, T, penalty=heavy, retrain=False, n_params=10, n_threads=1),
    )
    for rows in (0, 1, 5):
        left = np.random.default_rng(2).permutation(len(X))[rows:]
        some, targets = X[left], T[left]
        how = {"penalty": DECAY, "tol": 1e-8, "n_threads": 1}
        measured[f"10-20-1, {rows} rows away"] = (
            lambda some=some, targets=targets, how=how: wide.copy().fit(some, targets, "lm", **how),
            lambda some=some, targets=targets, how=how: fastmlp.refit(wide.copy(), some, targets, **how),
        )
    for number in HIDDEN if folder else ():
        some, targets, *_ = monks(folder, number)
        small = fastmlp.Network([17, HIDDEN[number], 1], output="logistic", rng=0)
        light = fastmlp.WeightDecay(0.1, 0.1)
        small.fit(some, targets, "lm", penalty=light, n_threads=1)
        how = {"penalty": light, "max_iter": 30}
        measured[f"MONK {number}, 17-{HIDDEN[number]}-1"] = (
            lambda net=small, X=some, T=targets, light=light: by_hand(net.copy(), X, T, light, 1, max_iter=30),
            lambda net=small, X=some, T=targets, how=how: fastmlp.prune(net, X, T, n_threads=1, **how),
        )
    return measured


def milliseconds(call: Callable, rounds: int) -> float:
    """Processor time, the least of some calls."""
    least = np.inf
    for _ in range(rounds):
        begun = time.process_time()
        repeated = 20 if least < 0.01 else 1
        for _ in range(repeated):
            call()
        least = min(least, (time.process_time() - begun) / repeated)
    return 1e3 * least


def beside_jax() -> None:
    """The same path by JAX and LAPACK: once, as it takes long."""
    from peers.jax_pruning import Path as Peer

    X, T = diabetes()
    net = trained(16, X, T, 1e-6)
    peer = Peer(X, T, 16, 1.0, 1e-6)
    path = fastmlp.prune(net, X, T, penalty=DECAY, tol=1e-6, n_params=10, n_threads=1)
    begun = time.process_time()
    end = peer.go(net.params, 10)
    print(f"10-16-1, 193 to 10 weights, JAX + LAPACK: {1e3 * (time.process_time() - begun):.0f} ms")
    assert np.isclose(end, path.steps[-1].objective, rtol=1e-9), "another optimum"


def large() -> None:
    """A network that is far too large for 2,000 samples, from a short training on; once, as it takes half a minute."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 30))
    t = np.tanh(X[:, :5] @ rng.normal(size=5)) + np.sin(X[:, 5]) + 0.5 * X[:, 6] * X[:, 7] + 0.1 * rng.normal(size=2000)
    penalty, net = fastmlp.WeightDecay(0.3, 0.3), fastmlp.Network([30, 93, 1], rng=0)
    net.fit(X, t, "lbfgs", penalty=penalty, max_iter=300, n_threads=1)
    begun = time.process_time()
    path = fastmlp.prune(net, X, t, penalty=penalty, at_once=0.01, n_params=300, n_threads=1)
    seconds, far = time.process_time() - begun, max(step.grad_norm for step in path.steps)
    title = f"30-93-1, {net.n_params} to {path.steps[-1].n_params} weights"
    print(f"{title}, {len(path.steps)} rounds, |g| <= {far:.1g}: {seconds:.1f} s")


def cost(folder: Path | None, beside: Path | None, rounds: int) -> None:
    """A line for each; `beside` is another build, which does by hand what is measured here."""
    measured = calls(folder)
    ours = dict.fromkeys(measured, np.inf)
    other = dict.fromkeys(measured, np.inf)
    for _ in range(rounds):
        for name, (plain, own) in measured.items():
            ours[name] = min(ours[name], milliseconds(own or plain, 3))
        for name, least in (elsewhere(folder, beside) if beside else by_plain_calls(folder)).items():
            other[name] = min(other[name], least)
    print(f"{'ms':32}{'here':>10}{'by hand':>10}{'ratio':>8}")
    for name, least in ours.items():
        print(f"{name:32}{least:10.3f}{other[name]:10.3f}{least / other[name]:8.2f}")


def by_plain_calls(folder: Path | None) -> dict[str, float]:
    return {name: milliseconds(plain, 3) for name, (plain, _) in calls(folder).items()}


def elsewhere(folder: Path | None, beside: Path) -> dict[str, float]:
    """The same by another build."""
    command = [sys.executable, __file__, "--plain", *(["--data", str(folder)] if folder else [])]
    answer = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(beside)}, cwd=beside, check=True, stdout=subprocess.PIPE
    )
    told: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return told


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--seeds", type=int, default=10, help="0: the cost alone")
    parser.add_argument("--beside", type=Path, help="the folder of another build, whose plain calls are compared")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jax", action="store_true")
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--plain", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    warnings.simplefilter("ignore", fastmlp.IdenticalUnitsWarning)  # dead ones of loops by hand
    folder = asked.data.absolute() if asked.data else None
    if asked.plain:
        print(json.dumps(by_plain_calls(folder)))
    else:
        if folder and asked.seeds:
            table(folder, asked.seeds)
        if asked.seeds:
            teachers(3)
        cost(folder, asked.beside, asked.rounds)
        if asked.large:
            large()
        if asked.jax:
            beside_jax()
