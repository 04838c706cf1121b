"""What is foretold of rows: by a model, by a straight line that has seen the same training rows, and without inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from fastmlp import _validation as check
from fastmlp._types import Float, Index
from fastmlp.report import lines

if TYPE_CHECKING:
    from fastmlp.tables.model import TableModel

LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)  #: of intervals


@dataclass(frozen=True, eq=False)
class Numbers:
    """Of N rows.

    Attributes
    ----------
    target, network, line : ndarray of shape (N,)
        What was observed, and what is foretold.
    base : ndarray of shape (N,)
        The mean of the training rows.
    intervals : dict
        By level the ends (N,), (N,) between which a new target lies with this probability.
    """

    target: Float
    network: Float
    line: Float
    base: Float
    intervals: dict[float, tuple[Float, Float]]

    def losses(self, predicted: Float) -> Float:
        """Squared errors (N,)."""
        return (self.target - predicted) ** 2


@dataclass(frozen=True, eq=False)
class Labels:
    """Of N rows of K classes.

    Attributes
    ----------
    target : ndarray of int, shape (N,)
    network, line, base : ndarray of shape (N, K)
        Probabilities; those of the base are the training rows' shares.
    """

    target: Index
    network: Float
    line: Float
    base: Float

    def losses(self, predicted: Float) -> Float:
        """-ln p (N,) of what was observed."""
        own = predicted[np.arange(len(self.target)), self.target]
        return -np.log(np.maximum(own, np.finfo(float).eps))


Pair: TypeAlias = tuple[Any, Any]  #: inputs (N, D) and targets (N,), as ``model.encoded`` and ``target_of`` give them


class Rows(NamedTuple):
    """The same, looked at."""

    X: Float
    T: Any  #: numbers, or which class (N,)


def rows_of(model: TableModel, pair: Pair, name: str) -> Rows:
    """Some rows, or an error that calls them by this name."""
    if getattr(model, "schema", None) is None:
        raise TypeError(f"model: expected a model of a table, as fastmlp fit writes, got {type(model).__name__}")
    parts = check.sequence(pair, name, "a pair (X, T)")
    if len(parts) != 2:
        raise ValueError(f"{name}: expected a pair (X, T), got {len(parts)} of them")
    inputs = check.matrix(parts[0], name, len(model.schema.names), np.float64)
    check.at_least_one(inputs, name)
    if model.classes is None:
        return Rows(inputs, check.vector(parts[1], name, len(inputs), np.float64))
    labels = check.vector(parts[1], name, len(inputs), None)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"{name}: expected numbers of classes, got dtype {labels.dtype}")
    if labels.min() < 0 or labels.max() >= len(model.classes):
        wrong = labels[(labels < 0) | (labels >= len(model.classes))][0]
        raise ValueError(f"{name}: expected classes from 0 to {len(model.classes) - 1}, got {wrong}")
    return Rows(inputs, labels.astype(np.intp))


def foretold(model: TableModel, train: Rows, held: Rows) -> Numbers | Labels:
    """What is foretold of the rows that were kept back."""
    n = len(held.X)
    if model.classes is not None:
        n_classes = len(model.classes)
        shares = np.bincount(train.T, minlength=n_classes) / len(train.T)
        line = lines.straight_logits(train.X, train.T, n_classes)(held.X)
        return Labels(held.T, model.probabilities(held.X), line, np.tile(shares, (n, 1)))
    by_level = {level: model.predictive(held.X, level) for level in LEVELS}
    ends = {level: (low, high) for level, (_, low, high) in by_level.items()}
    line = lines.straight_line(train.X, train.T)(held.X)
    return Numbers(held.T, by_level[LEVELS[0]][0], line, np.full(n, train.T.mean()), ends)
