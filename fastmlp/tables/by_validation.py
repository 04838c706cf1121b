"""A network of a large table, whose size is chosen by rows of its own; intervals are quantiles of their errors."""

from __future__ import annotations

import time

import numpy as np

from fastmlp._types import Array, Float
from fastmlp.network import Network
from fastmlp.optimize import schedules
from fastmlp.tables import rows, temperature
from fastmlp.tables.problem import Chosen, Problem, ended

SIZES = ((8,), (32,), (128,), (64, 64))
CHOOSING = 0.15  # the share of the rows that choose
BATCH = 128
STEPS, FEWEST, MOST = 20_000, 30, 300  # of adam; epochs
RATE = 0.005  # at first


def choose(problem: Problem) -> Chosen:
    """The network with the smallest mean loss on rows that it was not trained on."""
    generator = np.random.default_rng([problem.wishes.seed, 1])
    train, other = rows.kept_back(problem.T, CHOOSING, generator)
    X, T = problem.X[other], problem.T[other]
    best: Network | None = None
    best_loss, tried, notes = np.inf, list[list[int]](), list[str]()
    sizes = SIZES if problem.wishes.size is None else (problem.wishes.size,)
    for n_done, size in enumerate(sizes):
        if best is not None and time.monotonic() > problem.until:
            notes.append(ended(problem.wishes))
            break
        net, was_cut = _trained(problem, train, (X, T), size, problem.left / (len(sizes) - n_done))
        if was_cut and not notes:
            notes.append(ended(problem.wishes))
        tried.append(list(size))
        loss = net.loss(X, T) / len(T)
        if best is None or loss < best_loss:
            best, best_loss = net, loss
    assert best is not None
    if problem.is_of_classes:
        Q = np.asarray(best(X), np.float64)
        return Chosen(best, tried, notes=tuple(notes), temperature=temperature.best(Q, T))
    errors = T - best(X)[:, 0]
    std = float(np.sqrt(np.mean(errors**2)))
    return Chosen(best, tried, noise_std=std, scores=np.sort(errors / std), notes=tuple(notes))


def _trained(
    problem: Problem, train: Array, validation: tuple[Float, Array], size: tuple[int, ...], seconds: float
) -> tuple[Network, bool]:
    """A network, and whether the time has cut it short."""
    net = problem.network(size, problem.wishes.seed)
    epochs = int(np.clip(STEPS * BATCH / len(train), FEWEST, MOST))
    units = "-".join(map(str, net.layers))
    result = net.fit(
        problem.X[train], problem.T[train], "adam", standardize=True, validation=validation, patience=epochs,
        max_iter=epochs, batch_size=BATCH, learning_rate=schedules.cosine_decay(RATE, epochs), rng=problem.wishes.seed,
        time_limit=seconds,
        callback=lambda state: problem.tell(f"size: {units}, epoch {state.nit} of {epochs}"),
    )  # fmt: skip
    return net, result.nit < epochs
