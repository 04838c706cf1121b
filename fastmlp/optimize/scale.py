"""Whether a network can learn from the data as they are: ScaleWarning, at most once a fit.

**Before** training. Of inputs with means m_i and standard deviations s_i unit j of the first hidden layer sees a mean
z_j = w_j'm + b_j and a spread sqrt(sum_i w_ji^2 s_i^2); outputs reach r_k = sum_j |w_kj| + |b_k|. Starting values are
made for inputs and targets of about one: where spreads are far above, units are steps, where means are far above
spreads, they are constants, and where inputs or targets are far below, no step is of their size. Starts that know the
units, as those of a network that was trained in standardised ones, pass. The bounds are from experiments: see
`docs/training.md`.

**After** a success: whether it explains less than half of what a straight line does.

A fit of a few iterations, or one that continues another, is a part of a training, of which neither says anything.
"""

from __future__ import annotations

import math
import sys
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp import units
from fastmlp._core.moments import largest
from fastmlp.architecture import Architecture
from fastmlp.errors import ScaleWarning
from fastmlp.functional import Samples
from fastmlp.objective import Objective
from fastmlp.optimize import reference

Array = NDArray[Any]
Float = NDArray[np.float64]
Index = NDArray[np.intp]

MOST_ROWS = 2_000  # that are looked at, evenly taken
MOST_COLUMNS = 100  # of inputs and targets, for a straight line or a quick look
FEW_ITERATIONS = 10  # a fit of fewer is a part of a training, as are
FEW_EPOCHS = 100
BOUNDED = ("tanh", "logistic", "sin")
WITH_KINKS = ("relu", "leaky_relu")

# spread of z, for most units, from which bounded ones are steps; with minibatches none copes, else the others do longer
STEEP, STEEP_UNBOUNDED = 30.0, 1e4


class _Far(NamedTuple):
    """Mean of z from which a unit is constant: a number, and spreads; kinks know no scale."""

    mean: float
    spreads: float
    share: float  # of such units


FAR = _Far(5.0, 8.0, 0.5)
FAR_KINKS = _Far(0.0, 8.0, 0.25)
FAR_MINIBATCH = _Far(2.5, 4.0, 0.25)
FAR_KINKS_MINIBATCH = _Far(0.0, 4.0, 0.25)
FAINT, FAINT_MINIBATCH = 3e-3, 2e-2  # standard deviations that are not seen by weights as they are drawn
MATTERS = 0.1  # share of the variance that a straight line explains by columns that are not seen alone
HIGH, HIGH_MINIBATCH = 30.0, 10.0  # targets in units of what outputs reach,
LOW, LOW_MINIBATCH = 1e-7, 3e-3  # and their standard deviations
LOST_OFFSET = 1e3  # standard deviations that a column in float32 may lie from zero
SLOPE = 0.2  # share of the variance that a straight line explains for sure
NOTHING = 0.05  # share of the loss of classes or counts, of which a network that explains less is a constant
WEAK = 0.01  # penalty of weights as drawn, as a share of what a straight line gains


class Suspects(NamedTuple):
    """Columns, by what is wrong with them."""

    steep: Index
    far: Index
    faint: Index
    high: Index
    low: Index
    lost: Index


NONE: Index = np.empty(0, np.intp)
NOTHING_FOUND = Suspects(*[NONE] * 6)


def before(
    architecture: Architecture,
    params: Array,
    samples: Samples,
    constant: reference.Reference,
    known: units.Units | None,
    minibatch: bool,
) -> bool:
    """Warn of columns that cannot be learned from these parameters; whether there are any.

    `known` are the units of samples that have been standardised: then only float32 can have lost them.
    """
    if known is not None:
        if architecture.dtype != np.float32:
            return False
        lost = _lost(known.inputs.shift, np.where(known.inputs.constant, 0.0, known.inputs.scale))
        found = NOTHING_FOUND._replace(lost=lost)
    else:
        found = suspects(architecture, params, samples, constant, minibatch)
    if not any(map(len, found)):
        return False
    _warn(_described(found, known is None))
    return True


def after(objective: Objective, constant: reference.Reference, loss: float, standardized: bool) -> bool:
    """Warn where this data loss of a training that has succeeded is that of a constant rather; whether it is."""
    beaten = shares(objective, constant, loss)
    if beaten is None:
        return False
    own, other = beaten
    advice = (
        "begin from other starting values, or take more hidden units"
        if standardized
        else "standardize=True trains in standardised units; or begin from other starting values"
    )
    _warn(
        f"fit: the training ended as it should, but the network explains {max(0.0, own):.1%} of the variation of the "
        f"targets, a straight line {other:.1%}: {advice}"
    )
    return True


def shares(objective: Objective, constant: reference.Reference, loss: float) -> tuple[float, float] | None:
    """Shares of the variation of the targets that a network and a straight line explain, where the network's is poor.

    None where it is not; where parameters are fixed or a penalty keeps the network from a straight line; and with more
    than 100 inputs or outputs.
    """
    architecture, samples = objective.architecture, objective.data.samples
    if constant.pull == 0 or objective.free is not None:
        return None
    squared = architecture.loss == "squared_error"
    least = 0.0 if squared else reference.least(architecture, samples)
    own = (constant.loss - loss) / (constant.loss - least) if constant.loss > least else 1.0
    if own >= (0.5 if squared else NOTHING):
        return None
    some = rows(samples)
    T = _real(architecture, some)
    if T is None:
        return None
    explained, total = line(some.X.astype(np.float64), T, some.weight)
    other = float(explained.sum() / total.sum()) if total.any() else 0.0
    poor = own < 0.5 * other if squared else True
    weak = objective.penalty_value(objective.x0) <= WEAK * other * (constant.loss - least)
    return (own, other) if other > SLOPE and poor and weak else None


# ---- what is looked at ----


def _step(samples: Samples) -> int:
    return max(1, -(-len(samples.X) // MOST_ROWS))


def rows(samples: Samples) -> Samples:
    """Some thousand samples, evenly taken."""
    return samples if len(samples.X) <= MOST_ROWS else samples.rows(np.arange(0, len(samples.X), _step(samples)))


def _real(architecture: Architecture, samples: Samples) -> Float | None:
    """Targets as numbers, of a class 0 and 1; None if there are too many columns."""
    if architecture.n_outputs > MOST_COLUMNS:
        return None
    values, labels = samples.targets
    if labels is not None:
        return np.asarray(labels[:, np.newaxis] == np.arange(architecture.n_outputs), np.float64)
    assert values is not None
    return np.asarray(values, np.float64)


def suspects(
    architecture: Architecture, params: Array, samples: Samples, constant: reference.Reference, minibatch: bool
) -> Suspects:
    """What is found in samples that are not standardised, from these parameters."""
    inputs = units.moments(samples.X, samples.weight, _step(samples))
    if architecture.n_inputs <= MOST_COLUMNS and _sane(architecture, params, inputs, constant, minibatch):
        return NOTHING_FOUND
    mean, sd, *_ = inputs
    weights, biases = architecture.unravel(params)
    activation = (*architecture.hidden, architecture.output)[0]
    with np.errstate(over="ignore", invalid="ignore"):
        steep = far = NONE
        rest = np.ones(len(mean))
        while True:  # columns may hide others
            more = _steep_and_far(activation, weights[0], biases[0], rest * mean, rest * sd, minibatch)
            if not any(map(len, more)):
                break
            steep, far = np.union1d(steep, more[0]), np.union1d(far, more[1])
            rest[np.concatenate(more)] = 0.0
        unseen = _unseen(weights[0], sd, FAINT_MINIBATCH if minibatch else FAINT)
        found = Suspects(steep, far, NONE, NONE, NONE, _lost(mean, sd) if architecture.dtype == np.float32 else NONE)
        if len(unseen) and _matter(architecture, rows(samples), unseen, sd):
            found = found._replace(faint=unseen)
        if _has_units(architecture, constant):
            high, low = _high_and_low(architecture.hidden[-1], weights[-1], biases[-1], constant, minibatch)
            found = found._replace(high=high, low=low)
    return found


def _has_units(architecture: Architecture, constant: reference.Reference) -> bool:
    """Whether the targets are in units: what a linear output over hidden units is to reach."""
    return constant.mean is not None and architecture.output == "identity" and len(architecture.layers) > 2


def _sane(
    architecture: Architecture, params: Array, inputs: units.Moments, constant: reference.Reference, minibatch: bool
) -> bool:
    """Whether bounds of what is looked for, which are quick to have, rule all of it out.

    With w the largest parameter, sum w_ji^2 s_i^2 <= w^2 sum s_i^2; and by Cauchy and Schwarz the mean of z over its
    spread is at most sqrt(sum (m_i / s_i)^2), whatever the weights.
    """
    mean, sd = inputs.mean.tolist(), inputs.deviation.tolist()
    if min(sd) < (FAINT_MINIBATCH if minibatch else FAINT):
        return False
    far = FAR_KINKS_MINIBATCH if minibatch else FAR_KINKS
    w = largest(params)
    if w * w * sum(s * s for s in sd) > STEEP * STEEP:
        return False
    if sum((m / s) ** 2 for m, s in zip(mean, sd, strict=True)) > far.spreads**2:
        return False
    if not _has_units(architecture, constant):
        return True
    assert constant.mean is not None
    assert constant.sd is not None
    top = HIGH_MINIBATCH if minibatch else HIGH
    least = (LOW_MINIBATCH if minibatch else LOW) * architecture.layers[-2]
    pairs = zip(constant.mean.tolist(), constant.sd.tolist(), strict=True)
    return all(-top <= m <= top and least <= s <= top for m, s in pairs)


def _steep_and_far(activation: str, W: Array, b: Array, mean: Float, sd: Float, minibatch: bool) -> tuple[Index, Index]:
    n_units = len(W)
    drawn = math.sqrt(2.0 / sum(W.shape))  # of weights as they are; larger ones say nothing of the data
    squares = W * W
    middle = W @ mean
    size = np.minimum(np.abs(middle), np.abs(middle + b))  # a bias may make up for the mean, or be there without one
    width = np.sqrt(squares @ (sd * sd))
    steep = far = NONE
    top = STEEP if activation in BOUNDED or minibatch else STEEP_UNBOUNDED
    if drawn * np.linalg.norm(sd) > top and np.count_nonzero(width > top) > 0.5 * n_units:
        shares = np.sqrt(np.add.reduce(squares, 0)) * sd
        steep = np.flatnonzero(shares > 0.1 * shares.max())
    if activation in WITH_KINKS:
        bound = FAR_KINKS_MINIBATCH if minibatch else FAR_KINKS
    else:
        bound = FAR_MINIBATCH if minibatch else FAR
    is_far = size > np.maximum(bound.mean, bound.spreads * width)
    is_far &= drawn * float(np.linalg.norm(mean)) > bound.mean
    if activation != "identity" and sd.any() and np.count_nonzero(is_far) > bound.share * n_units:
        shares = np.sqrt(np.add.reduce(squares, 0)) * np.abs(mean)
        far = np.flatnonzero((shares > 0.1 * shares.max()) & (np.abs(mean) > sd))
    return steep, far


def _unseen(W: Array, sd: Float, bound: float) -> Index:
    """Inputs so small that weights as they are drawn, of variance 2 / (n_in + n_out), make nothing of them."""
    small = (sd < bound) & (sd > 0)
    if not small.any():
        return NONE
    drawn = math.sqrt(2.0 / sum(W.shape))
    w = np.sqrt(np.mean(W.astype(np.float64) ** 2, axis=0))
    return np.flatnonzero(small & (sd * w < bound * drawn))


def _matter(architecture: Architecture, samples: Samples, columns: Index, sd: Float) -> bool:
    """Whether something would be lost without them: always if there are no others, else by straight lines."""
    others = np.setdiff1d(np.flatnonzero(sd > 0), columns)
    if len(others) == 0:
        return True
    T = _real(architecture, samples)
    if T is None:
        return False
    X = samples.X.astype(np.float64)
    explained, total = line(X, T, samples.weight)
    without, _ = line(X[:, others], T, samples.weight)
    return bool((explained - without > MATTERS * total).any())


def line(X: Float, T: Float, weight: Array | None) -> tuple[Float, Float]:
    """Variances of the targets that a straight line explains, less what it does by chance; and all of them.

    By chance D of N - 1 parts are explained. Nothing is where a line would take long, or has too few samples.
    """
    mean, sd = _spread(X, weight)
    X = (X[:, sd > 0] - mean[sd > 0]) / sd[sd > 0]
    N, D = X.shape
    mean, sd = _spread(T, weight)
    if not 0 < D <= MOST_COLUMNS or N < D + 3:
        return np.zeros_like(sd), sd * sd
    root = np.ones((N, 1)) if weight is None else np.sqrt(N / weight.sum() * weight)[:, np.newaxis].astype(np.float64)
    A, B = root * X, root * (T - mean)
    left = np.mean((B - A @ np.linalg.lstsq(A, B, rcond=None)[0]) ** 2, axis=0)
    return np.maximum(0.0, sd * sd - left * (N - 1) / (N - D - 1)), sd * sd


def _spread(array: Float, weight: Array | None) -> tuple[Float, Float]:
    """Means and standard deviations."""
    found = units.moments(array, weight)
    return found.mean, found.deviation


def _high_and_low(
    activation: str, W: Array, b: Array, constant: reference.Reference, minibatch: bool
) -> tuple[Index, Index]:
    assert constant.mean is not None
    assert constant.sd is not None
    start = np.add.reduce(np.abs(W), 1) + np.abs(b)
    reach = np.maximum(1.0, start)
    mean, sd = np.abs(constant.mean), constant.sd
    if minibatch:
        high = np.maximum(mean, sd) > HIGH_MINIBATCH * reach
    elif activation in BOUNDED:
        high = (np.maximum(mean, sd) > HIGH * reach) & (sd > 0)
    else:
        high = (mean > HIGH * np.maximum(reach, sd)) & (sd > 0)
    # of weights of one at the most: larger ones say nothing of the targets
    low = (sd < (LOW_MINIBATCH if minibatch else LOW) * np.minimum(start, W.shape[1])) & (sd > 0)
    return np.flatnonzero(high), np.flatnonzero(low)


def _lost(mean: Float, sd: Float) -> Index:
    return np.flatnonzero((np.abs(mean) > LOST_OFFSET * sd) & (sd > 0))


# ---- what is said ----


def _described(found: Suspects, raw: bool) -> str:
    sentences = [
        _columns("X", found.steep, "so large that hidden units start out saturated"),
        _columns("X", found.far, "so far from zero that hidden units start out as constants"),
        _columns("X", found.faint, "so small that hidden units do not see them"),
        _columns("T", found.high, "out of the outputs' reach from the start parameters"),
        _columns("T", found.low, "far below what the outputs start with"),
        _columns("X", found.lost, f"more than {LOST_OFFSET:g} standard deviations from zero, where float32 keeps fewer "
                                  "than 4 digits of them"),
    ]  # fmt: skip
    advice = []
    if any(map(len, found[:5])):
        advice.append("standardize=True trains in standardised units")
    if len(found.lost):
        advice.append("take dtype='float64', or subtract the offsets" + " beforehand" * raw)
    return "; ".join(filter(None, sentences)) + ": " + "; ".join(advice)


def _columns(name: str, columns: Index, what: str) -> str:
    if len(columns) == 0:
        return ""
    if len(columns) == 1:
        return f"{name}: column {columns[0]} is {what}"
    listed = ", ".join(map(str, columns[:8])) + (f", ... ({len(columns)} of them)" if len(columns) > 8 else "")
    return f"{name}: columns {listed} are {what}"


def _warn(text: str) -> None:
    """At the line outside of the library that has called it."""
    package = str(Path(__file__).parents[1])
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith(package):
        frame, level = frame.f_back, level + 1
    warnings.warn(text, ScaleWarning, stacklevel=level)
