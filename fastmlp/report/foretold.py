"""What is foretold of rows: by a model, by a straight line that has seen the same training rows, and without inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

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


Rows = tuple[Any, Any]  #: inputs (N, D) and targets, as the model's table has coded them


def foretold(model: TableModel, train: Rows, held: Rows) -> Numbers | Labels:
    """What is foretold of the rows that were kept back."""
    (X, T), (new, observed) = (_arrays(rows, model) for rows in (train, held))
    n = len(new)
    if model.classes is not None:
        n_classes = len(model.classes)
        shares = np.bincount(T, minlength=n_classes) / len(T)
        line = lines.straight_logits(X, T, n_classes)(new)
        return Labels(observed, model.probabilities(new), line, np.tile(shares, (n, 1)))
    by_level = {level: model.predictive(new, level) for level in LEVELS}
    ends = {level: (low.reshape(n), high.reshape(n)) for level, (_, low, high) in by_level.items()}
    mean = by_level[LEVELS[0]][0].reshape(n)
    return Numbers(observed, mean, lines.straight_line(X, T)(new), np.full(n, T.mean()), ends)


def _arrays(rows: Rows, model: TableModel) -> tuple[Float, Any]:
    """Inputs, and targets (N,): numbers, or which class."""
    X, T = (np.asarray(each) for each in rows)
    if not len(X) or len(X) != len(T):
        raise ValueError(f"rows: expected inputs and as many targets, at least one, got {len(X)} and {len(T)}")
    if model.classes is None:
        return X.astype(np.float64), T.reshape(len(X)).astype(np.float64)
    one_hot = T.ndim == 2 and T.shape[1] > 1
    return X.astype(np.float64), (T.argmax(axis=1) if one_hot else T.reshape(len(X))).astype(np.intp)
