"""What a network explains of its targets, and what a straight line does: whether a success is one.

With L the data loss, L_0 that of the best constant and L_1 the least there is, a network explains the share
(L_0 - L) / (L_0 - L_1), R^2 under squared error. If a line explains far more it has not learnt what is plain to see.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp import _memory, units
from fastmlp.architecture import Architecture
from fastmlp.errors import ScaleWarning, warn_caller
from fastmlp.functional import Samples, predict
from fastmlp.objective import Objective
from fastmlp.optimize import reference

Array = NDArray[Any]
Float = NDArray[np.float64]

MOST_ROWS = 2_000  # that are looked at, evenly taken
MOST_COLUMNS = 100  # of inputs and targets, for a straight line
SLOPE = 0.2  # share of the variance that a straight line explains for sure
NOTHING = 0.05  # share of the loss of classes or counts, of which a network that explains less is a constant
WEAK = 0.01  # penalty of weights as drawn, as a share of what a straight line gains;
HELD = 0.3  # the same from which on a penalty holds a network in standardised units too
FAR = 10.0  # standard deviations from which on data are in units of their own
SURE = 5.0  # nats that a straight line is worth by Schwarz's criterion


ANEW = "from new starting values (net.initialize())"


class Shares(NamedTuple):
    """Of the variation of the targets, of all of them together or of one output."""

    own: float  #: what the network explains
    line: float  #: what a straight line does
    output: int | None

    def __str__(self) -> str:
        of = "the targets" if self.output is None else f"T[:,{self.output}]"
        return (
            f"the network explains {max(0.0, self.own):.1%} of the variation of {of}, a straight line {self.line:.1%}"
        )


def after(
    objective: Objective,
    constant: reference.Reference,
    params: Array,
    loss: float,
    *,
    standardized: bool,
    minibatch: bool = False,
) -> bool:
    """Warn where a training that has succeeded has left what is a constant rather; whether it has."""
    beaten = _unexcused(objective, constant, params, loss, standardized)
    if beaten is None:
        return False
    advice = ["take more epochs (max_iter) or another learning_rate"] if minibatch else []
    in_their_units = standardized and not _far_from_one(objective.data.samples, constant)
    advice.append(f"train {'' if in_their_units else 'with standardize=True, '}{ANEW}")
    advice += ["take more hidden units"] if in_their_units else []
    warn_caller(
        f"fit: the training ended as it should, but {beaten}: {'; or '.join(advice)}",
        ScaleWarning,
    )
    return True


def _unexcused(
    objective: Objective, constant: reference.Reference, params: Array, loss: float, standardized: bool
) -> Shares | None:
    """As `poor`; None too where parameters are fixed, or a penalty keeps the network from a straight line.

    Weights as they are drawn, or those that training begins with, cost so much that a line is not worth it; in raw
    units, which may make a penalty strong that is none, so much of what is to be gained in standardised ones.
    """
    if objective.free is not None:
        return None
    architecture, samples = objective.architecture, objective.data.samples
    found = poor(architecture, samples, constant, params, loss)
    if found is None:
        return None
    cost = min(_drawn(objective), objective.penalty_value(objective.x0))
    gain = constant.loss - _least(architecture, samples)
    if found.output is not None:
        assert constant.sd is not None
        gain = 0.5 * samples.total_weight * float(constant.sd[found.output]) ** 2
    if cost <= WEAK * found.line * gain:
        return found
    in_their_units = standardized or architecture.loss != "squared_error" or not _far_from_one(samples, constant)
    gain = 0.5 * samples.total_weight * (architecture.n_outputs if found.output is None else 1)
    return None if in_their_units or cost > HELD * found.line * gain else found


def _drawn(objective: Objective) -> float:
    """What the penalty of weights is in the mean that are drawn with variance 2 / (n_in + n_out)."""
    if objective.decay is None:
        return 0.0
    weights, _ = objective.architecture.unravel(np.asarray(objective.decay))
    return sum(float(W.sum()) / sum(W.shape) for W in weights)


def _far_from_one(samples: Samples, constant: reference.Reference) -> bool:
    """Whether standard deviations of inputs or targets are far from those of standardised data."""
    deviation = units.moments(samples.X, samples.weight, step(samples)).deviation
    both = np.append(deviation, np.zeros(1) if constant.sd is None else constant.sd)
    return bool((both[both > 0] > FAR).any() or (both[both > 0] < 1 / FAR).any())


def poor(
    architecture: Architecture, samples: Samples, constant: reference.Reference, params: Array, loss: float
) -> Shares | None:
    """What a network and a straight line explain, where the network's share is poor: of all targets, or of an output.

    Of one output among several only where a line is sure of it, since there are as many that chance may favour. None
    where nothing is poor, and with more than 100 inputs or outputs.
    """
    least, squared = _least(architecture, samples), architecture.loss == "squared_error"
    if constant.pull == 0 or not constant.loss > least:
        return None
    own = (constant.loss - loss) / (constant.loss - least)
    together = own < (0.5 if squared else NOTHING)
    if not together and (architecture.n_outputs == 1 or not squared):
        return None
    some = rows(samples)
    T = real(architecture, some)
    if T is None:
        return None
    left = _left(architecture, some, T, params) if squared else None
    if not together and (left is None or not (left > 0.5 * spread(T, some.weight)[1] ** 2).any()):
        return None
    explained, total = line(some.X.astype(np.float64), T, some.weight)
    n_samples = len(T) if some.weight is None else int(np.count_nonzero(some.weight))
    found = []
    if left is not None and len(left) > 1:
        found = [
            Shares(1 - left[k] / total[k], explained[k] / total[k], k)
            for k in np.flatnonzero((explained > SLOPE * total) & (total - left < 0.5 * explained)).tolist()
            if is_sure(explained[k] / total[k], architecture.n_inputs, n_samples)
        ]
    other = float(explained.sum() / total.sum()) if total.any() else 0.0
    together = together and other > SLOPE and (own < 0.5 * other or not squared)
    if together and (not found or is_sure(other, architecture.n_inputs, n_samples)):
        return Shares(own, other, None)
    return max(found, key=lambda each: each.line, default=None)


def _left(architecture: Architecture, samples: Samples, T: Float, params: Array) -> Float:
    """Mean squared residuals of each output."""
    Y = predict(architecture, np.require(params, architecture.dtype), samples.X)
    return np.asarray(np.average((T - Y) ** 2, axis=0, weights=samples.weight))


def is_sure(share: float, n_inputs: int, n_samples: int) -> bool:
    """Whether Schwarz's criterion is sure of a line that explains this share, N/2 ln 1/(1 - R^2) - D/2 ln N."""
    gain = -n_samples * math.log1p(-share) if share < 1 else math.inf
    return 0.5 * (gain - n_inputs * math.log(n_samples)) > SURE


def _least(architecture: Architecture, samples: Samples) -> float:
    return 0.0 if architecture.loss == "squared_error" else reference.least(architecture, samples)


# ---- what a straight line does ----


def step(samples: Samples) -> int:
    """Every which sample is looked at."""
    return max(1, -(-len(samples.X) // MOST_ROWS))


def rows(samples: Samples) -> Samples:
    """Some thousand samples, evenly taken."""
    return samples if len(samples.X) <= MOST_ROWS else samples.rows(np.arange(0, len(samples.X), step(samples)))


def real(architecture: Architecture, samples: Samples) -> Float | None:
    """Targets as numbers, of a class 0 and 1; None if there are too many columns."""
    if architecture.n_outputs > MOST_COLUMNS:
        return None
    values, labels = samples.targets
    if labels is not None:
        return np.asarray(labels[:, np.newaxis] == np.arange(architecture.n_outputs), np.float64)
    assert values is not None
    return np.asarray(values, np.float64)


def line(X: Float, T: Float, weight: Array | None) -> tuple[Float, Float]:
    """Variances of the targets that a straight line explains, less what it does by chance; and all of them.

    By chance D of N - 1 parts are explained. Nothing is where a line would take long, or has too few samples.
    """
    mean, sd = spread(X, weight)
    X = (X[:, sd > 0] - mean[sd > 0]) / sd[sd > 0]
    N, D = X.shape
    mean, sd = spread(T, weight)
    if not 0 < D <= MOST_COLUMNS or N < D + 3:
        return np.zeros_like(sd), sd * sd
    root = np.ones((N, 1)) if weight is None else np.sqrt(N / weight.sum() * weight)[:, np.newaxis].astype(np.float64)
    A, B = root * X, root * (T - mean)
    _memory.blas(6 * A.nbytes)
    left = np.mean((B - _memory.product(A, np.linalg.lstsq(A, B, rcond=None)[0])) ** 2, axis=0)
    return np.maximum(0.0, sd * sd - left * (N - 1) / (N - D - 1)), sd * sd


def spread(array: Float, weight: Array | None) -> tuple[Float, Float]:
    """Means and standard deviations."""
    found = units.moments(array, weight)
    return found.mean, found.deviation
