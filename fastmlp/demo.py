"""`python -m fastmlp demo`: two real jobs from start to end, and one of them by hand in NumPy for comparison.

Digits   a 64-32-10 network learns to read handwritten digits, by minibatches (Adam).
Yachts   a 6-10-1 network learns the resistance of hulls, by full batches (L-BFGS).

Both are judged on rows they were not trained on. This is a program: it prints.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import fastmlp
from fastmlp import datasets, plot
from fastmlp._types import Array

EPOCHS, BATCH_SIZE, LEARNING_RATE, DECAY = 100, 32, 0.003, 0.3
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8  # Adam's usual constants, which are also those of `Network.fit`
ROUNDS = 3  # of the comparison
SAME_LOSS = 1e-6  # relative: what rounding errors may have grown to in thousands of steps


class Digits(NamedTuple):
    """The digits cut into rows to train on and rows to judge by, and what came of the training."""

    X: Array
    labels: Array
    start: fastmlp.Network
    result: Any
    held_back: Array
    predicted: Array

    @property
    def accuracy(self) -> float:
        """Share of the digits held back that are read correctly."""
        return float((self.held_back == self.predicted).mean())


def run(output: Path, pictures: bool = True) -> None:
    """Do both jobs and the comparison; pictures go into the folder `output`."""
    begin = time.perf_counter()
    digits = read_digits()
    if pictures:
        draw(digits, output)
    compare_with_numpy(digits)
    predict_resistance()
    print(f"\nAll done in {time.perf_counter() - begin:.1f} s.")


def read_digits(seed: int = 1, verbose: int = 1) -> Digits:
    """Train on two thirds of the digits, read the others."""
    X, labels, *_ = datasets.load_digits()
    X = X / 8 - 1  # darkness 0 .. 16 to -1 .. 1
    rng = np.random.default_rng(seed)
    train, test = hold_back_a_third(labels, rng)
    start = fastmlp.Network([64, 32, 10], hidden="tanh", output="softmax", rng=rng)
    if verbose:
        print(f"Digits: {len(train)} handwritten digits to learn from, {len(test)} (a third of each kind) held back")
        print(f"{start}, {start.n_params} parameters")
    net = start.copy()
    result = fit_digits(net, X[train], labels[train], seed, validation=(X[test], labels[test]), verbose=verbose)
    digits = Digits(X[train], labels[train], start, result, labels[test], net(X[test]).argmax(axis=1))
    if verbose:
        print(f"{result.nit} epochs in {result.history['time'][-1]:.2f} s; the digits held back were watched, not used")
        print(f"-> {100 * digits.accuracy:.1f} % of the {len(test)} digits it was not trained on are read correctly")
    return digits


def fit_digits(net: fastmlp.Network, X: Array, labels: Array, seed: int, **options: Any) -> Any:
    """The training that `train_in_numpy` repeats."""
    return net.fit(
        X, labels, "adam", max_iter=EPOCHS, batch_size=BATCH_SIZE, learning_rate=LEARNING_RATE,
        penalty=fastmlp.WeightDecay(weights=DECAY), rng=seed, **options,
    )  # fmt: skip


def compare_with_numpy(digits: Digits) -> None:
    """Time the same training here and in NumPy, turn by turn."""
    X, labels, start, *_ = digits
    print("\nThe same training by hand in NumPy with BLAS: same start, minibatches, steps and epochs, one thread each")
    seconds, cpu = np.zeros((ROUNDS, 2)), 0.0
    for seed in range(ROUNDS):
        net = start.copy()
        begin = time.perf_counter()
        result = fit_digits(net, X, labels, seed, n_threads=1)
        middle, cpu_middle = time.perf_counter(), time.process_time()
        by_hand = train_in_numpy(start, X, labels, seed)
        seconds[seed] = middle - begin, time.perf_counter() - middle
        cpu += time.process_time() - cpu_middle
        here = float(result.history["train_loss"][-1])
        if not abs(by_hand - here) < SAME_LOSS * here:
            raise RuntimeError(f"the two trainings differ: mean loss {here!r} here, {by_hand!r} in NumPy")
    fast, slow = np.median(seconds, axis=0)
    ratio = float(np.median(seconds[:, 0] / seconds[:, 1]))
    print(f"fastmlp {fast:.3f} s; NumPy {slow:.3f} s (its BLAS kept {cpu / seconds[:, 1].sum():.1f} threads busy)")
    print(f"both end with the same mean loss, {here:.9g} (they differ by {abs(by_hand / here - 1):.0e} of it)")
    print(f"-> ratio of the training times, fastmlp to NumPy: {ratio:.3g}, that is {1 / ratio:.2g} times as fast")


def train_in_numpy(start: fastmlp.Network, X: Array, labels: Array, seed: int) -> float:
    """Train a tanh/softmax network with one hidden layer, as one would write it; the last epoch's mean loss."""
    w = start.params
    W1, b1, W2, b2 = _layers(w, start)
    g = np.empty_like(w)
    gW1, gb1, gW2, gb2 = _layers(g, start)
    m, v = np.zeros_like(w), np.zeros_like(w)
    T = np.eye(start.layers[-1])[labels]
    decay = DECAY / len(X)
    rng = np.random.default_rng(seed)
    step = 0
    for _ in range(EPOCHS):
        order = rng.permutation(len(X))
        loss = 0.0
        for first in range(0, len(X), BATCH_SIZE):
            rows = order[first : first + BATCH_SIZE]
            x, t = X[rows], T[rows]
            a = np.tanh(x @ W1.T + b1)
            z = a @ W2.T + b2
            z -= z.max(axis=1, keepdims=True)
            y = np.exp(z)
            total = y.sum(axis=1, keepdims=True)
            loss += float(np.log(total).sum() - (z * t).sum())
            delta2 = (y / total - t) / len(rows)
            delta1 = (delta2 @ W2) * (1 - a * a)
            gW1[...] = delta1.T @ x + decay * W1
            gW2[...] = delta2.T @ a + decay * W2
            gb1[...] = delta1.sum(axis=0)
            gb2[...] = delta2.sum(axis=0)
            step += 1
            m *= BETA1
            m += (1 - BETA1) * g
            v *= BETA2
            v += (1 - BETA2) * g * g
            w -= LEARNING_RATE / (1 - BETA1**step) * m / (np.sqrt(v / (1 - BETA2**step)) + EPSILON)
    return loss / len(X)


def predict_resistance(seed: int = 1, verbose: int = 1) -> tuple[float, float]:
    """Train on two thirds of the yachts; the root mean square error on the others, and their standard deviation."""
    X, t, *_ = datasets.load_yacht()
    rng = np.random.default_rng(seed)
    train, test = hold_back_a_third(np.zeros(len(X)), rng)
    X = (X - X[train].mean(axis=0)) / X[train].std(axis=0)
    mean, scale = t[train].mean(), t[train].std()
    net = fastmlp.Network([6, 10, 1], hidden="tanh", rng=rng)
    if verbose:
        print(f"\nYachts: resistance in {len(train)} towing tests to learn from, {len(test)} (a third) held back")
        print(f"{net}, {net.n_params} parameters")
    penalty = fastmlp.WeightDecay(weights=0.01)
    result = net.fit(X[train], (t[train] - mean) / scale, "lbfgs", penalty=penalty, tol=0.01, verbose=verbose)
    error = mean + scale * net(X[test])[:, 0] - t[test]
    rmse, sd = float(np.sqrt(np.mean(error**2))), float(t[test].std())
    if verbose:
        print(f"{result.nit} iterations in {result.history['time'][-1]:.2f} s; {result.message}")
        print(f"-> root mean square error {rmse:.2f} on the {len(test)} tests it was not trained on, "
              f"which have the standard deviation {sd:.1f}")  # fmt: skip
    return rmse, sd


def draw(digits: Digits, output: Path) -> None:
    """Two pictures of the training on the digits, if matplotlib is there."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print("No pictures: they need matplotlib (pip install matplotlib).")
        return
    curves = Figure(figsize=(6.4, 4.0), layout="constrained")
    plot.learning_curves(digits.result, curves.subplots()).set(title="Learning to read digits", xlabel="epoch")
    matrix = Figure(figsize=(5.6, 5.4), layout="constrained")
    title = f"{len(digits.held_back)} digits not trained on: {100 * digits.accuracy:.1f} % correct"
    plot.confusion_matrix(digits.held_back, digits.predicted, matrix.subplots()).set_title(title)
    for figure, name in ((curves, "demo_learning_curve.png"), (matrix, "demo_confusion.png")):
        figure.savefig(output / name, dpi=160)
        print(f"wrote {output / name}")


def hold_back_a_third(classes: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Indices of the rows to train on and of the rows to judge by, a third of each class."""
    members = [rng.permutation(np.flatnonzero(classes == label)) for label in np.unique(classes)]
    held_back = np.sort(np.concatenate([rows[: round(len(rows) / 3)] for rows in members]))
    return np.delete(np.arange(len(classes)), held_back), held_back


def _layers(params: Array, net: fastmlp.Network) -> tuple[Array, Array, Array, Array]:
    """W1, b1, W2, b2 as views of a parameter vector."""
    D, M, K = net.layers
    W1, b1, W2, b2 = (params[part] for part in net.groups.values())
    return W1.reshape(M, D), b1, W2.reshape(K, M), b2
