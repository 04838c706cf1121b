"""How good a model of a table is, by rows that it was not trained on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from fastmlp import _memory
from fastmlp._types import Float, Index
from fastmlp.report.effects import effects
from fastmlp.report.foretold import Labels, Numbers, Pair, Rows, foretold, rows_of
from fastmlp.report.measures import Bin, Coverage, Measures, Recognition, Score

if TYPE_CHECKING:
    from fastmlp.tables.model import TableModel

SURE = 0.95  #: probability of the limits of a coverage
BINS = 10  #: of probabilities, for calibration


def measured(model: TableModel, train: Pair, held: Pair) -> Measures:
    """How good a model of a table is, by rows that it was not trained on.

    Parameters
    ----------
    model : TableModel
    train, held : (X, T)
        The rows that it was trained on, and others: inputs (N, D) as ``model.encoded`` and targets (N,) as
        ``model.target_of`` give them.

    Returns
    -------
    Measures

    Raises
    ------
    TypeError, ValueError
        If model is none of a table, or rows are not of its columns, none, or without as many targets.

    Notes
    -----
    The straight line is ridge regression in standardised units, its penalty chosen by leaving out each training row in
    turn; for classes multinomial logistic regression with the penalty |w|^2 / 2. Limits of coverages are Clopper and
    Pearson's. Rows are taken as independent.

    Cost: predictions of all rows at seven levels, and a line.

    References
    ----------
    Clopper and Pearson (1934); Guo, Pleiss, Sun and Weinberger (2017), On calibration of modern neural networks.

    Examples
    --------
    >>> import numpy as np, fastmlp
    >>> from fastmlp import report
    >>> from fastmlp.tables.columns import Column, Schema
    >>> from fastmlp.tables.model import TableModel
    >>> X = np.linspace(-1, 1, 90)[:, np.newaxis]
    >>> T = np.tanh(5 * X[:, 0]) + np.tile([0.1, -0.1], 45)
    >>> net = fastmlp.Network([1, 1, 1])
    >>> net.params = [5.0, 0.0, 1.0, 0.0]
    >>> model = TableModel(Schema((Column("x", "number"),), Column("y", "number")), net, None, 0.1, {})
    >>> m = report.measured(model, (X[::3], T[::3]), (X[1::3], T[1::3]))
    >>> print(report.verdict(m))
    Explains 99 % of the variance of y on 30 rows that it has not seen; a straight line explains 87 %. Its 90 %
    intervals hold 100 % of these rows.
    """
    own, others = rows_of(model, train, "train"), rows_of(model, held, "held")
    return measures_of(model, own, others, foretold(model, own, others))


def measures_of(model: TableModel, train: Rows, held: Rows, seen: Numbers | Labels) -> Measures:
    """The same of what has been foretold of the rows kept back."""
    X, new = train.X, held.X
    losses = {name: seen.losses(getattr(seen, name)) for name in ("network", "line", "base")}
    outside = _outside(model, X, new)
    by_column = {name: int(rows.sum()) for name, rows in outside.items() if rows.any()}
    scored = {name: _score(seen, getattr(seen, name)) for name in losses}
    return Measures(
        target=model.schema.target.name,
        classes=model.classes,
        n_train=len(X),
        n_held=len(new),
        **scored,
        over_line=_margin(losses["line"] - losses["network"]),
        over_base=_margin(losses["base"] - losses["network"]),
        line_over_base=_margin(losses["base"] - losses["line"]),
        noise_std=None if model.noise_std is None else float(model.noise_std),
        intervals=_coverages(seen) if isinstance(seen, Numbers) else (),
        confusion=_confusion(seen) if isinstance(seen, Labels) else None,
        calibration=_calibration(seen) if isinstance(seen, Labels) else (),
        effects=effects(model, X),
        pruned=_pruned(model),
        constant=tuple(column.name for column in model.schema.inputs if column.kind == "constant"),
        outside=tuple(sorted(by_column.items(), key=lambda each: -each[1])),
        n_outside=int(np.any(list(outside.values()), axis=0).sum()),
        notes=tuple(model.notes),
    )


def _margin(gains: Float) -> float:
    """Their mean in standard errors: beyond 2 hardly by chance."""
    mean, error = float(gains.mean()), float(gains.std()) / math.sqrt(max(1, len(gains) - 1))
    if error > 0:
        return mean / error
    return math.copysign(math.inf, mean) if mean and len(gains) > 1 else 0.0


def _score(seen: Numbers | Labels, predicted: Float) -> Score | Recognition:
    losses = seen.losses(predicted)
    if isinstance(seen, Numbers):
        spread = float(((seen.target - seen.target.mean()) ** 2).sum())
        return Score(math.sqrt(losses.mean()), 1 - float(losses.sum()) / spread if spread > 0 else math.nan)
    right = predicted.argmax(axis=1) == seen.target
    own = [right[seen.target == k].mean() for k in sorted(set(seen.target.tolist()))]
    return Recognition(float(right.mean()), float(np.mean(own)), float(losses.mean()))


def _coverages(seen: Numbers) -> tuple[Coverage, ...]:
    result = []
    for level, (low, high) in seen.intervals.items():
        held = int(((seen.target >= low) & (seen.target <= high)).sum())
        result.append(Coverage(level, held / len(low), *limits(held, len(low)), float((high - low).mean())))
    return tuple(result)


def limits(successes: int, trials: int) -> tuple[float, float]:
    """Clopper and Pearson's of a probability."""
    special, left = _memory.scipy("special"), (1 - SURE) / 2
    low = special.betaincinv(successes, trials - successes + 1, left) if successes else 0.0
    high = special.betaincinv(successes + 1, trials - successes, 1 - left) if successes < trials else 1.0
    return float(low), float(high)


def _confusion(seen: Labels) -> Index:
    K = seen.network.shape[1]
    return np.bincount(seen.target * K + seen.network.argmax(axis=1), minlength=K * K).reshape(K, K)


def _calibration(seen: Labels) -> tuple[Bin, ...]:
    """By the probability of the most probable class."""
    sure, right = seen.network.max(axis=1), seen.network.argmax(axis=1) == seen.target
    place = np.minimum((sure * BINS).astype(int), BINS - 1)
    groups = [group for group in (place == each for each in range(BINS)) if group.any()]
    counts = [(int(right[group].sum()), int(group.sum())) for group in groups]
    return tuple(
        Bin(n, float(sure[group].mean()), found / n, *limits(found, n))
        for group, (found, n) in zip(groups, counts, strict=True)
    )


def _pruned(model: TableModel) -> tuple[str, ...]:
    """Inputs none of whose weights is left."""
    left = np.count_nonzero(model.network.weights[0], axis=0)
    places = np.asarray(model.schema.places)
    return tuple(
        column.name
        for i, column in enumerate(model.schema.inputs)
        if (places == i).any() and not left[places == i].any()
    )


def _outside(model: TableModel, X: Float, new: Float) -> dict[str, Any]:
    """By column which of the new rows lie outside of the range of X."""
    beyond = np.asarray((new < X.min(axis=0)) | (new > X.max(axis=0)))
    places = np.asarray(model.schema.places)
    return {column.name: beyond[:, places == i].any(axis=1) for i, column in enumerate(model.schema.inputs)}
