"""A network whose size the evidence chooses, with error bars; calibrated by rows that a network has not seen.

The error bars of a posterior are too narrow where the noise differs from row to row, or where its size and its optimum
owe something to the rows; probabilities of classes that hardly overlap are too flat. So other networks of the same size
are trained without a fold of the rows each, and asked by how many standard deviations they miss it, or how probable
they took its classes to be.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from fastmlp import bayes
from fastmlp._types import Array, Float
from fastmlp.errors import ScaleWarning
from fastmlp.tables import rows, temperature
from fastmlp.tables.model import network_of
from fastmlp.tables.problem import Chosen, Problem, ended

MOST_COLUMNS = 40  # that have a precision each
SIZES = (1, 2, 4, 8, 16, 32)
N_STARTS = 2
SEARCH = {"max_iter": 40, "tol": 1e-2}  # of precisions: to 1 %, which predictions do not feel
FOLD = {"max_iter": 15, "tol": 1e-2}  # of networks that are only asked how far off they are
N_FOLDS = 5
SCORED = 400  # errors are enough for their quantiles
FOR_SIZE = 0.6  # the share of the time
TINY = 1e-12  # the least probability that counts
MET = 10.0  # times as far as its noise a network misses new rows that has met those it was trained on

Other = tuple[Any, Float, Array]  # a posterior of another network, rows that it has not seen, their targets


def choose(problem: Problem) -> Chosen:
    """The network of the largest evidence and its posterior, or the straight line that foretells rows better."""
    size, notes = problem.wishes.size, list[str]()
    search = {"hidden": _sizes(problem)} if size is None else {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        posterior = _trained(problem, problem.X, problem.T, size or (1,), 0, FOR_SIZE, "size", **SEARCH, **search)
    if any("time_limit=" in str(each.message) for each in caught):
        notes.append(ended(problem.wishes))
    notes += [str(each.message) for each in caught if issubclass(each.category, ScaleWarning)]
    tried = [list(hidden) for hidden in posterior.starts.by_size()]
    others = list(_others(problem, network_of(posterior).layers[1:-1]))
    if size is None:
        lines = list(_others(problem, ()))
        if _loss(problem, lines[: len(others)]) < _loss(problem, others[: len(lines)]):
            posterior, others = _trained(problem, problem.X, problem.T, (), 0, 1.0, "straight line", **SEARCH), lines
            notes.append("a straight line foretells rows that it has not seen better than networks with hidden units")
        tried.insert(0, [])
    if time.monotonic() > problem.until and ended(problem.wishes) not in notes:
        notes.append(ended(problem.wishes))
    return _calibrated(problem, posterior, others, tried, notes)


def _calibrated(
    problem: Problem, posterior: Any, others: list[Other], tried: list[list[int]], notes: list[str]
) -> Chosen:
    """What is chosen, with what others have missed."""
    network = network_of(posterior)
    if problem.is_of_classes:
        hot = temperature.best(*_foretold(others))
        return Chosen(network, tried, posterior, notes=tuple(notes), temperature=hot)
    if posterior.noise_at_floor:
        notes.append("the target has no noise that the network could tell from the function, as if it were computed")
    noise = float(np.ravel(posterior.noise_precision)[0] ** -0.5)
    errors, stds = (np.concatenate(each) for each in zip(*(_missed(*each, noise) for each in others), strict=True))
    missed = float(np.sqrt(np.mean(errors**2)))
    if missed > MET * noise:
        notes.append("the network can go through nearly all rows: the noise is told from rows that it has not seen")
        return Chosen(network, tried, posterior, missed, np.sort(errors / missed), tuple(notes), is_even=True)
    return Chosen(network, tried, posterior, noise, np.sort(errors / stds), tuple(notes))


def _sizes(problem: Problem) -> list[int]:
    """Those of which each parameter has two numbers to be told from, and the first two."""
    width = problem.X.shape[1] + 1 + problem.n_outputs
    return [h for n, h in enumerate(SIZES) if n < 2 or 2 * width * h <= len(problem.T) * problem.n_outputs]


def _others(problem: Problem, hidden: tuple[int, ...]) -> Iterator[Other]:
    """Posteriors of networks without some of the rows, and these; as many as there is time for, one at least."""
    n_asked = min(N_FOLDS, math.ceil(SCORED * N_FOLDS / len(problem.T)))
    folds = rows.dealt(problem.T, N_FOLDS, np.random.default_rng([problem.wishes.seed, 1]))
    what = "probabilities" if problem.is_of_classes else "intervals"
    for fold in range(n_asked):
        if fold and time.monotonic() > problem.until:
            break
        X, T, out = problem.X, problem.T, folds == fold
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            part, share = f"{what}, part {fold + 1} of {n_asked}", 1.0 / (n_asked - fold)
            posterior = _trained(problem, X[~out], T[~out], hidden, fold + 1, share, part, **FOLD)
        yield posterior, X[out], T[out]


def _foretold(others: list[Other]) -> tuple[Float, Array]:
    """Of classes: the probabilities of rows that were left out, and their classes."""
    Q, T = zip(*((posterior.predict(X), T) for posterior, X, T in others), strict=True)
    return np.concatenate(Q), np.concatenate(T)


def _loss(problem: Problem, others: list[Other]) -> float:
    """Of rows that were left out: the sum of squared errors, or of -ln p at the best temperature."""
    if problem.is_of_classes:
        Q, T = _foretold(others)
        P = temperature.scaled(Q, temperature.best(Q, T))
        return -float(np.log(np.maximum(P[np.arange(len(T)), T], TINY)).sum())
    return sum(float(np.sum((T - posterior.network(X)[:, 0]) ** 2)) for posterior, X, T in others)


def _missed(posterior: Any, X: Float, T: Float, noise: float) -> tuple[Float, Float]:
    """Errors of rows, and the standard deviations that they would have with this noise.

    What a network does not know of the function goes with its noise, as long as the rows tell it; where it is more than
    the noise the prior tells it, whatever the noise.
    """
    mean, epistemic, own = (each[:, 0] for each in posterior.predict(X, parts=True))
    scale = noise**2 / own if epistemic.mean() < own.mean() else 1.0
    return T - mean, np.sqrt(scale * epistemic + noise**2)


def _trained(
    problem: Problem, X: Float, T: Array, size: tuple[int, ...], number: int, share: float, what: str, **options: Any
) -> Any:
    """An `Evidence`, within a share of the time that is left."""

    def tell(state: Any) -> None:
        units = "-".join(map(str, state.posterior.network.layers))
        problem.tell(f"{what}: {units}, log evidence {state.log_evidence:.1f}")

    net = problem.network(size, problem.wishes.seed + number)
    groups = "ard" if X.shape[1] <= min(MOST_COLUMNS, len(X) // 4) else "layers"
    if problem.is_of_classes:  # which tell precisions less than numbers do: of several some run away
        groups = "all"
    return bayes.fit_evidence(
        net, X, T, groups, n_starts=N_STARTS, rng=[problem.wishes.seed, number], time_limit=share * problem.left,
        callback=tell, **options,
    )  # fmt: skip
