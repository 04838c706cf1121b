"""Whether a network can learn from the data as they are: ScaleWarning, at most once a fit.

Before training. Of inputs with means m_i and standard deviations s_i unit j of the first hidden layer sees a mean
z_j = w_j'm + b_j and a spread sqrt(sum_i w_ji^2 s_i^2); outputs reach r_k = sum_j |w_kj| + |b_k|. Starting values are
made for inputs and targets of about one: where spreads are far above, units are steps, where means are far above
spreads, they are constants, and where inputs or targets are far below, no step is of their size. Starts that know the
units, as those of a network that was trained in standardised ones, pass. The bounds are from experiments: see
`docs/training.md`. What is looked at after a success is in `explained`.

A window of a convolution is such a unit, whose inputs have the moments of their channels, over samples and positions.

A fit of a few iterations, or one that continues another, is a part of a training, of which neither says anything.
"""

from __future__ import annotations

import math
from operator import truediv
from typing import Any, NamedTuple

import numpy as np

from fastmlp import _sets
from fastmlp import _validation as check
from fastmlp._core.sums.moments import largest
from fastmlp._types import Array, Float, Index
from fastmlp.model import moments, units
from fastmlp.model.activations import Activation
from fastmlp.model.architecture import Architecture
from fastmlp.model.functional import Samples
from fastmlp.optimize import advice, explained, reference

MOST_COLUMNS = 100  # of inputs, for a quick look
FEW_ITERATIONS = 10  # a fit of fewer is a part of a training, as are
FEW_EPOCHS = 100

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
FAR_KINKS_MINIBATCH = _Far(0.0, 6.0, 0.25)
FAINT, FAINT_MINIBATCH = 3e-3, 2e-2  # standard deviations that are not seen by weights as they are drawn
MATTERS = 0.1  # share of the variance that a straight line explains by columns that are not seen alone
HIGH, HIGH_MINIBATCH = 30.0, 10.0  # targets in units of what outputs reach,
LOW, LOW_MINIBATCH = 1e-7, 3e-3  # and their standard deviations
SMALLEST = float(np.finfo(np.float32).tiny)  # of numbers that float32 holds in full
MOST_ROUNDED = 16  # different values that a constant may have


class Suspects(NamedTuple):
    """Columns, by what is wrong with them; of a convolution's inputs the first three are channels."""

    steep: Index
    far: Index
    faint: Index
    high: Index
    low: Index
    lost: Index
    lost_targets: Index
    small: Index
    small_targets: Index
    constant: Index
    constant_targets: Index


NONE: Index = np.empty(0, np.intp)
NOTHING_FOUND = Suspects(*[NONE] * 11)


def before(
    architecture: Architecture,
    params: Array,
    samples: Samples,
    constant: reference.Reference,
    minibatch: bool,
    known: units.Units | None,
    given: tuple[Any, Any],
) -> str:
    """Warn of columns that cannot be learned from these parameters; what was said, "" if there are none.

    `known` are the units of samples that have been standardised: then rounding may have lost them, or they lie
    elsewhere than what the units come from. `given` are X and T before they came into the network's type.
    """
    if known is not None:
        if said := _of_units(architecture, known, given, samples.weight):
            return said
        told = explained.at_hand(samples)
        given = told.X, told.targets.values
    return _warned(suspects(architecture, params, samples, constant, minibatch, given), architecture, known is None)


def _of_units(architecture: Architecture, known: units.Units, given: tuple[Any, Any], weight: Array | None) -> str:
    """Warn of columns of standardised data so far from zero that float32, or rounding, has lost them."""
    inputs, targets = known.inputs, known.targets
    if architecture.dtype == np.float32:
        lost, small = _lost(inputs.shift, inputs.deviation, given[0], weight, "X")
        found = NOTHING_FOUND._replace(lost=lost, small=small)
        if targets is not None:
            lost, small = _lost(targets.shift, targets.deviation, given[1], weight, "T")
            found = found._replace(lost_targets=lost, small_targets=small)
    else:
        found = NOTHING_FOUND._replace(constant=_not_constant(inputs, given[0], "X"))
        if targets is not None:
            found = found._replace(constant_targets=_not_constant(targets, given[1], "T"))
    return _warned(found, architecture, False)


def _warned(found: Suspects, architecture: Architecture, raw: bool) -> str:
    if found is NOTHING_FOUND or not any(map(len, found)):
        return ""
    return advice.say(_described(found, architecture, raw))


# ---- what is looked at ----


class _First(NamedTuple):
    """The first layer with weights as its units see their inputs, whose moments these are."""

    W: Array
    b: Array
    mean: Float
    sd: Float
    drawn: float  #: standard deviation of weights as they are drawn
    place: Index  #: of each input: its column of X, or its channel


def _first(architecture: Architecture, params: Array, inputs: moments.Moments) -> _First | None:
    """A dense layer as it is, windows of a convolution as rows; None where nothing is known of the layer."""
    layer = architecture.first
    weights, biases = architecture.unravel(params)
    drawn = math.sqrt(2.0 / (layer.fan_in + layer.fan_out))
    if architecture.layers[0].is_dense:
        return _First(weights[0], biases[0], inputs.mean, inputs.deviation, drawn, np.arange(layer.n_in))
    before = architecture.layers[: architecture.places[0].number]
    if len(layer.inputs) == 1 or not layer.kind.takes_scales or not all(each.kind.keeps_channels for each in before):
        return None
    W = weights[0].reshape(-1, layer.fan_in)
    b = biases[0].reshape(-1, biases[0].size // len(W) or 1).mean(axis=1) if biases[0].size else np.zeros(1)
    channels = layer.inputs[0]
    means, deviations = (each.reshape(channels, -1) for each in (inputs.mean, inputs.deviation))
    mean, sd = means.mean(axis=1), np.sqrt(np.mean(deviations**2, axis=1) + means.var(axis=1))
    place = np.repeat(np.arange(channels), layer.fan_in // channels)
    return _First(W, np.repeat(b, len(W) // len(b)), mean[place], sd[place], drawn, place)


def suspects(
    architecture: Architecture, params: Array, samples: Samples, constant: reference.Reference, minibatch: bool,
    given: tuple[Any, Any],
) -> Suspects:  # fmt: skip
    """What is found in samples that are not standardised, from these parameters; of other layers nothing is known."""
    some = explained.rows(samples)
    inputs = moments.of_columns(some.X, some.weight)
    is_dense = architecture.layers[0].is_dense
    quick = is_dense and architecture.layers[-1].is_dense and architecture.n_inputs <= MOST_COLUMNS
    if quick and _sane(architecture, params, inputs, constant, minibatch):
        return NOTHING_FOUND
    found = NOTHING_FOUND
    with np.errstate(over="ignore", invalid="ignore"):
        if (first := _first(architecture, params, inputs)) is not None:
            steep, far = _all_steep_and_far(architecture.first.activation, first, minibatch)
            unseen = _sets.unique(first.place[_unseen(first, FAINT_MINIBATCH if minibatch else FAINT)])
            columns = unseen if is_dense else np.flatnonzero(_sets.among(_channels(architecture), unseen))
            found = found._replace(steep=steep, far=far)
            if len(unseen) and _matter(architecture, some, columns, inputs.deviation):
                found = found._replace(faint=unseen)
        if architecture.dtype == np.float32:
            lost, small = _lost(inputs.mean, inputs.deviation, given[0], samples.weight, "X")
            found = found._replace(lost=lost, small=small)
        if _has_units(architecture, constant):
            weights, biases = architecture.unravel(params)
            activation = architecture.places[-2].layer.activation
            high, low = _high_and_low(activation, weights[-1], biases[-1], constant, minibatch)
            found = found._replace(high=high, low=low)
            if architecture.dtype == np.float32:
                assert constant.mean is not None
                assert constant.sd is not None
                lost, small = _lost(constant.mean, constant.sd, given[1], samples.weight, "T")
                found = found._replace(lost_targets=lost, small_targets=small)
    return found


def _channels(architecture: Architecture) -> Index:
    """Of each column of X its channel."""
    channels, *_ = architecture.layers[0].inputs
    return np.repeat(np.arange(channels), architecture.n_inputs // channels)


def _has_units(architecture: Architecture, constant: reference.Reference) -> bool:
    """Whether the targets are in units: what a linear output over hidden units is to reach."""
    has_layers = len(architecture.places) > 1 and architecture.layers[-1].is_dense
    return constant.mean is not None and architecture.output.is_linear and has_layers


def _sane(
    architecture: Architecture, params: Array, inputs: moments.Moments, constant: reference.Reference, minibatch: bool
) -> bool:
    """Whether bounds of what is looked for, which are quick to have, rule all of it out.

    With w the largest parameter, sum w_ji^2 s_i^2 <= w^2 sum s_i^2; and by Cauchy and Schwarz the mean of z over its
    spread is at most sqrt(sum (m_i / s_i)^2), whatever the weights.
    """
    sd = inputs.deviation.tolist()
    if min(sd) < (FAINT_MINIBATCH if minibatch else FAINT):
        return False
    far = FAR_KINKS_MINIBATCH if minibatch else FAR_KINKS
    if largest(params) * math.hypot(*sd) > STEEP:
        return False
    if math.hypot(*map(truediv, inputs.mean.tolist(), sd)) > far.spreads:
        return False
    if not _has_units(architecture, constant):
        return True
    assert constant.mean is not None
    assert constant.sd is not None
    top = HIGH_MINIBATCH if minibatch else HIGH
    least = (LOW_MINIBATCH if minibatch else LOW) * architecture.layers[-1].n_in
    for m, s in zip(constant.mean.tolist(), constant.sd.tolist(), strict=True):
        if not (-top <= m <= top and least <= s <= top and abs(m) <= explained.LOST_OFFSET * s):
            return False
    return True


def _all_steep_and_far(activation: Activation, first: _First, minibatch: bool) -> tuple[Index, Index]:
    """Columns, or channels, one after the other: some may hide others."""
    steep = far = NONE
    rest = np.ones(len(first.mean))
    while True:
        more = _steep_and_far(activation, first, rest, minibatch)
        if not any(map(len, more)):
            return _sets.unique(first.place[steep]), _sets.unique(first.place[far])
        steep, far = _sets.union(steep, more[0]), _sets.union(far, more[1])
        rest[np.concatenate(more)] = 0.0


def _steep_and_far(activation: Activation, first: _First, rest: Float, minibatch: bool) -> tuple[Index, Index]:
    """Of the rest, 1 or 0 for each input."""
    W, b, mean, sd, drawn, _ = first  # larger weights than those that are drawn say nothing of the data
    n_units, mean, sd = len(W), rest * mean, rest * sd
    squares = W * W
    middle = W @ mean
    size = np.minimum(np.abs(middle), np.abs(middle + b))  # a bias may make up for the mean, or be there without one
    width = np.sqrt(squares @ (sd * sd))
    steep = far = NONE
    top = STEEP if activation.is_bounded or minibatch else STEEP_UNBOUNDED
    if drawn * np.linalg.norm(sd) > top and np.count_nonzero(width > top) > 0.5 * n_units:
        shares = np.sqrt(np.add.reduce(squares, 0)) * sd
        steep = np.flatnonzero(shares > 0.1 * shares.max())
    if activation.is_smooth:
        bound = FAR_MINIBATCH if minibatch else FAR
    else:
        bound = FAR_KINKS_MINIBATCH if minibatch else FAR_KINKS
    is_far = size > np.maximum(bound.mean, bound.spreads * width)
    is_far &= drawn * float(np.linalg.norm(mean)) > bound.mean
    if not activation.is_linear and sd.any() and np.count_nonzero(is_far) > bound.share * n_units:
        shares = np.sqrt(np.add.reduce(squares, 0)) * np.abs(mean)
        far = np.flatnonzero((shares > 0.1 * shares.max()) & (np.abs(mean) > sd))
    return steep, far


def _unseen(first: _First, bound: float) -> Index:
    """Inputs so small that weights as they are drawn, of variance 2 / (n_in + n_out), make nothing of them."""
    small = (first.sd < bound) & (first.sd > 0)
    if not small.any():
        return NONE
    w = np.sqrt(np.mean(first.W.astype(np.float64) ** 2, axis=0))
    return np.flatnonzero(small & (first.sd * w < bound * first.drawn))


def _matter(architecture: Architecture, samples: Samples, columns: Index, sd: Float) -> bool:
    """Whether something would be lost without them: always if there are no others, else by straight lines."""
    others = _sets.without(np.flatnonzero(sd > 0), columns)
    if len(others) == 0:
        return True
    T = explained.real(architecture, samples)
    if T is None:
        return False
    X = samples.X.astype(np.float64)
    with_them, total, _ = explained.line(X, T, samples.weight, len(X))
    without, *_ = explained.line(X[:, others], T, samples.weight, len(X))
    return bool((with_them - without > MATTERS * total).any())


def _high_and_low(
    activation: Activation, W: Array, b: Array, constant: reference.Reference, minibatch: bool
) -> tuple[Index, Index]:
    assert constant.mean is not None
    assert constant.sd is not None
    start = np.add.reduce(np.abs(W), 1) + np.abs(b)
    reach = np.maximum(1.0, start)
    mean, sd = np.abs(constant.mean), constant.sd
    if minibatch:
        high = np.maximum(mean, sd) > HIGH_MINIBATCH * reach
    elif activation.is_bounded:
        high = (np.maximum(mean, sd) > HIGH * reach) & (sd > 0)
    else:
        high = (mean > HIGH * np.maximum(reach, sd)) & (sd > 0)
    # of weights of one at the most: larger ones say nothing of the targets
    size = np.where(sd > 0, sd, mean)
    low = (size < (LOW_MINIBATCH if minibatch else LOW) * np.minimum(start, W.shape[1])) & (size > 0)
    return np.flatnonzero(high), np.flatnonzero(low)


def _seen_again(given: Any, name: str, n_columns: int) -> Array | None:
    """Data as they were given, a row for each sample; None if by now they are others."""
    array = check.real_array(given, name, None)
    if not (array.ndim and array.size) or array.size != len(array) * n_columns:
        return None
    return array.reshape(-1, n_columns)


def _not_constant(columns: units.Columns, given: Any, name: str) -> Index:
    """Columns that count as constants though they have more values than rounding makes of one."""
    where = np.flatnonzero(columns.constant & (columns.shift != 0))
    if not len(where):
        return NONE
    array = _seen_again(given, name, len(columns.shift))
    if array is None:
        return NONE
    spread = np.ptp(array[:, where].astype(np.float64), axis=0)  # of booleans too
    own = (spread > 0) & (spread <= columns.slack(np.dtype(np.float64))[where])  # else others have made it constant
    return np.array([c for c in where[own] if len(_sets.unique(array[:, c])) > MOST_ROUNDED], np.intp)


def _lost(mean: Float, sd: Float, given: Any, weight: Array | None, name: str) -> tuple[Index, Index]:
    """Columns of which float32 has left little, or nothing: those far from zero, and those that are too small.

    Means and deviations are of what it has left, perhaps of some rows; what they are is looked up in what was given.
    """
    suspect = np.flatnonzero((np.abs(mean) > explained.LOST_OFFSET * sd) | (sd == 0))
    array = _seen_again(given, name, len(mean)) if len(suspect) else None
    if array is None:
        return NONE, NONE
    array = array[:, suspect]
    if weight is not None and len(weight) == len(array):
        array = array[weight != 0]
    mean, sd, _, low, high, _ = moments.of_columns(array.astype(np.float64))
    far = np.abs(mean) > explained.LOST_OFFSET * sd
    small = np.maximum(np.abs(low), np.abs(high)) < SMALLEST
    return suspect[(sd > 0) & far & ~small], suspect[(sd > 0) & small]


# ---- what is said ----


def _described(found: Suspects, architecture: Architecture, raw: bool) -> str:
    first = architecture.first
    units = "hidden units" if len(architecture.places) > 1 else "outputs"
    place = "column" if architecture.layers[0].is_dense else "channel"
    state = "saturated" if first.activation.is_bounded else "out of all proportion"
    far = f"more than {explained.LOST_OFFSET:g} standard deviations from zero"
    far += ", where float32 keeps fewer than 4 digits of them"
    small = "so small that float32 holds nothing of them, or little"
    near = "so far from zero that its values are next to each other, and counts as constant"
    remedies = advice.remedies()
    sentences = [
        _columns("X", found.steep, f"so large that {units} start out {state}", place),
        _columns("X", found.far, f"so far from zero that {units} start out as constants", place),
        _columns("X", found.faint, f"so small that {units} do not see them", place),
        _columns(remedies.targets, found.high, "out of the outputs' reach from the start parameters"),
        _columns(remedies.targets, found.low, "far below what the outputs start with"),
        _columns("X", found.lost, far),
        _columns(remedies.targets, found.lost_targets, far),
        _columns("X", found.small, small),
        _columns(remedies.targets, found.small_targets, small),
        _columns("X", found.constant, near),
        _columns(remedies.targets, found.constant_targets, near),
    ]
    ways = []
    if any(map(len, found[:5])):
        kept = not raw and not first.kind.takes_shifts
        ways.append(f"subtract the offsets beforehand, which {first.kind!r} keeps" if kept else remedies.units)
    if len(found.lost) or len(found.lost_targets):
        ways.append(f"{remedies.digits}, or subtract the offsets{' beforehand' * raw}")
    if len(found.small) or len(found.small_targets):
        ways.append(f"{remedies.digits}, or multiply them by a number beforehand")
    if len(found.constant) or len(found.constant_targets):
        ways.append("subtract the offsets before they are added")
    return "; ".join(filter(None, sentences)) + ": " + "; ".join(ways)


def _columns(name: str, columns: Index, what: str, place: str = "column") -> str:
    if len(columns) == 0:
        return ""
    if len(columns) == 1:
        return f"{name}: {place} {columns[0]} is {what}"
    listed = ", ".join(map(str, columns[:8])) + (f", ... ({len(columns)} of them)" if len(columns) > 8 else "")
    return f"{name}: {place}s {listed} are {what}"
