"""What a network explains of its targets, and what a straight line does: whether a success is one.

With L the data loss, L_0 that of the best constant and L_1 the least there is, a network explains the share
(L_0 - L) / (L_0 - L_1), R^2 under squared error. If a line explains far more it has not learnt what is plain to see.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from fastmlp import _memory
from fastmlp import _validation as check
from fastmlp._types import Array, Float, Index
from fastmlp.model import moments
from fastmlp.model.architecture import Architecture
from fastmlp.model.chunked import ChunkedSamples
from fastmlp.model.chunks import Chunks
from fastmlp.model.functional import Samples, check_samples, predict
from fastmlp.optimize import advice, reference
from fastmlp.terms.objective import Objective

MOST_ROWS = 2_000  # that are looked at
MOST_COLUMNS = 100  # of inputs and targets, for a straight line
SLOPE = 0.2  # share of the variance that a straight line explains for sure
NOTHING = 0.05  # share of the loss of classes or counts, of which a network that explains less is a constant
WEAK = 0.01  # penalty of weights as drawn, as a share of what a straight line gains;
WORSE = 1.1  # times the variance of the targets: residuals of a network that is worse than a constant
HELD = 0.3  # the same from which on a penalty holds a network in standardised units too
FAR = 10.0  # standard deviations from which on data are in units of their own
LEAST_LEFT = 0.01  # of the variance: less is no matter of scale
SURE = 5.0  # nats that a straight line is worth by Schwarz's criterion,
CHANCE = 0.01  # and how often noise may look like one
LOST_OFFSET = 1e3  # standard deviations that a column in float32 may lie from zero


class Shares(NamedTuple):
    """Of the variation of the targets, of all of them together or of one output."""

    own: float  #: what the network explains
    line: float  #: what a straight line does
    output: int | None
    missed: float = 0.0  #: by how much, in the root mean square, where the output's targets are constant

    def __str__(self) -> str:
        targets = "the targets" if self.output is None else f"{advice.remedies().targets}[:,{self.output}]"
        if self.missed:
            return f"the network misses {targets}, which is constant, by {self.missed:.3g}"
        if not self.line:
            return f"the network is worse than a constant at {targets}"
        own = max(0.0, self.own)
        return f"the network explains {own:.1%} of the variation of {targets}, a straight line {self.line:.1%}"


def after(
    objective: Objective,
    constant: reference.Reference,
    params: Array,
    loss: float,
    *,
    standardized: bool,
    minibatch: bool = False,
) -> str:
    """Warn where a training that has succeeded has left what is a constant rather; what was said, or ""."""
    beaten = _unexcused(objective, constant, params, loss, standardized)
    if beaten is None:
        return ""
    remedies = advice.remedies()
    ways = [remedies.steps] if minibatch else []
    in_their_units = standardized and not _far_from_one(objective.data.samples, constant)
    ways += [remedies.start, "take more hidden units"] if in_their_units else [remedies.units]
    return advice.say(f"fit: the training ended as it should, but {beaten}: {'; or '.join(ways)}")


def lost(
    objective: Objective, params: Array, given: tuple[Any, Any], weight: Array | None, measured: Array | None = None
) -> str:
    """What float32 has lost of X and T as they are given, if that is most of what a straight line explains; or "".

    `params` are those that the network is left with, `weight` and `measured`, 1/sigma^2, those of all samples.
    """
    architecture = objective.architecture
    if architecture.dtype != np.float32:
        return ""
    wide = architecture.changed(dtype="float64")
    X, Y = (check.real_array(each, name, None) for each, name in zip(given, "XT", strict=True))
    places = _places(len(X), weight)
    some = check_samples(wide, X[places], Y[places], None if weight is None else weight[places])
    T = real(wide, some)
    if T is None:
        return ""
    if not any(map(_is_lost, (some.X, T))):
        return ""
    unit = np.maximum(np.abs(T).max(axis=0), np.finfo(np.float64).tiny)  # squares may not be numbers
    each = some.weight
    if measured is not None:
        each = unit**2 * measured[places] * (1.0 if each is None else each[:, np.newaxis])
    explained, total, _ = line(some.X, T / unit, each, len(T))
    if not total.any():
        return ""
    outputs = predict(architecture, np.require(params, architecture.dtype), some.X)
    left = _mean(((T - outputs) / unit) ** 2, each)
    shares = Shares(float(1 - left.sum() / total.sum()), float(explained.sum() / total.sum()), None)
    gain = 0.5 * objective.data.samples.total_weight * float(((unit**2 if measured is None else 1.0) * total).sum())
    held = min(_drawn(objective), objective.penalty_value(objective.x0)) > HELD * shares.line * gain
    if held or shares.own >= 0.5 * shares.line or not is_sure(shares.line, architecture.n_inputs, len(T)):
        return ""
    return f"converged to what float32 has left of the data: {shares}"


def _is_lost(columns: Float) -> bool:
    """Whether one of them is far from zero, or too small, for float32."""
    mean, sd, _, low, high, _ = moments.of_columns(columns)
    small = np.maximum(np.abs(low), np.abs(high)) < np.finfo(np.float32).tiny
    return bool(((sd > 0) & (small | (np.abs(mean) > LOST_OFFSET * sd))).any())


def _unexcused(
    objective: Objective, constant: reference.Reference, params: Array, loss: float, standardized: bool
) -> Shares | None:
    """As `poor`; None too where parameters are fixed, or a penalty keeps the network from a straight line.

    Any term in Python may be one that does.
    Weights as they are drawn, or those that training begins with, cost so much that a line is not worth it; in raw
    units, which may make a penalty strong that is none, so much of what is to be gained in standardised ones.
    """
    if objective.free is not None or objective.terms is not None:
        return None
    architecture, samples = objective.architecture, objective.data.samples
    found = poor(architecture, samples, constant, params, loss)
    if found is None:
        return None
    if found.output is not None and found.missed:  # biases alone could be what it takes
        held = objective.decay is not None and objective.decay[found.output - architecture.n_outputs] > 0
        return None if held else found
    cost = min(_drawn(objective), objective.penalty_value(objective.x0))
    gain = constant.loss - reference.least(architecture, samples)
    count = np.broadcast_to(constant.total, architecture.n_outputs)
    if found.output is not None:
        assert constant.sd is not None
        gain = 0.5 * float(count[found.output]) * float(constant.sd[found.output]) ** 2
    if cost <= WEAK * found.line * gain:
        return found
    in_their_units = standardized or architecture.loss.of_logits or not _far_from_one(samples, constant)
    gain = 0.5 * float(count.sum() if found.output is None else count[found.output])
    return None if in_their_units or cost > HELD * found.line * gain else found


def _drawn(objective: Objective) -> float:
    """What the penalty of weights is in the mean that are drawn with variance 2 / (n_in + n_out)."""
    if objective.decay is None:
        return 0.0
    architecture, decay = objective.architecture, np.asarray(objective.decay)
    fans = [place.layer.fan_in + place.layer.fan_out for place in architecture.places]
    return sum(float(W.sum()) / fan for W, fan in zip(architecture.unravel(decay).weights, fans, strict=True))


def _far_from_one(samples: Samples, constant: reference.Reference) -> bool:
    """Whether standard deviations of inputs or targets are far from those of standardised data."""
    some = rows(samples)
    deviation = moments.of_columns(some.X, some.weight).deviation
    both = np.append(deviation, np.zeros(1) if constant.sd is None else constant.sd)
    return bool((both[both > 0] > FAR).any() or (both[both > 0] < 1 / FAR).any())


def poor(
    architecture: Architecture, samples: Samples, constant: reference.Reference, params: Array, loss: float
) -> Shares | None:
    """What a network and a straight line explain, where the network's share is poor: of all targets, or of an output.

    Of one output among several only where a line is sure of it, since there are as many that chance may favour. None
    where nothing is poor, and with more than 100 inputs or outputs.
    """
    least, squared = reference.least(architecture, samples), architecture.loss.has_noise
    missed = _missed(architecture, samples, constant, params)
    if missed is not None:
        return missed
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
    weight = weights(some)
    left = _left(architecture, some, T, params, weight) if squared and architecture.n_outputs > 1 else None
    if not together and (left is None or not (left > 0.5 * variances(T, weight)).any()):
        return None
    rank = min(architecture.widths[1:-1], default=len(T))
    explained, total, by_rank = line(some.X.astype(np.float64), T, weight, rank)
    D, found = architecture.n_inputs, []
    if left is not None:
        low = (explained > SLOPE * total) & (total - left < 0.5 * by_rank) & (by_rank > 0.5 * explained)
        found = [
            Shares(1 - left[k] / total[k], by_rank[k] / total[k], k)
            for k in np.flatnonzero(low).tolist()
            if is_sure(explained[k] / total[k], D, len(T), len(left))
        ]
        worse = np.flatnonzero((left > WORSE * total) & (total > 0)).tolist()
        found = found or [Shares(1 - left[k] / total[k], 0.0, k) for k in worse]
    other = float(by_rank.sum() / total.sum()) if total.any() else 0.0
    together = together and other > SLOPE and (own < 0.5 * other or not squared)
    if together and not (found and found[0].line and not is_sure(other, D, len(T))) and is_no_chance(other, D, len(T)):
        return Shares(own, other, None)
    return max(found, key=lambda each: each.line, default=None)


def is_more_than_a_line(architecture: Architecture, samples: Samples, params: Array) -> bool:
    """Whether a network leaves less than half of what straight lines leave of the targets, of classes as of 0 and 1."""
    some = rows(samples)
    T = real(architecture, some)
    if T is None:
        return False
    weight = weights(some)
    explained, total, _ = line(some.X.astype(np.float64), T, weight, len(T))
    left = _left(architecture, some, T, params, weight)
    return bool((left <= np.maximum(0.5 * (total - explained), LEAST_LEFT * total)).all())


def _missed(
    architecture: Architecture, samples: Samples, constant: reference.Reference, params: Array
) -> Shares | None:
    """The constant targets that a network has not come near to, those that are missed by most."""
    near = reference.near(architecture, constant)
    if near is None:
        return None
    some = rows(samples)
    T = real(architecture, some)
    if T is None:
        return None
    where = np.flatnonzero(~np.isnan(near))
    shares = np.sqrt(_left(architecture, some, T, params, some.weight)[where]) / near[where]
    most = int(np.argmax(shares))
    k = int(where[most])
    return Shares(0.0, 0.0, k, float(shares[most] * near[k])) if shares[most] > 1 else None


def _left(architecture: Architecture, samples: Samples, T: Float, params: Array, weight: Array | None) -> Float:
    """Mean squared residuals of each output, in units of the measurement errors if there are some."""
    Y = predict(architecture, np.require(params, architecture.dtype), samples.X)
    return _mean((T - Y) ** 2, weight)


def _mean(squares: Float, weight: Array | None) -> Float:
    """Of each output (K,), by weights (N,); of squares that each have a precision (N, K) the mean of both."""
    if weight is not None and weight.ndim == 2:
        return np.asarray((weight * squares).mean(axis=0))
    return np.asarray(np.average(squares, axis=0, weights=weight))


def is_sure(share: float, n_inputs: int, n_samples: int, n_looked_at: int = 1) -> bool:
    """Whether a line that explains this share is no chance, of so many that are looked at.

    Schwarz's criterion is sure of it, N/2 ln 1/(1 - R^2) - D/2 ln N, and so is an F test.
    """
    gain = -n_samples * math.log1p(-share) if share < 1 else math.inf
    return 0.5 * (gain - n_inputs * math.log(n_samples)) > SURE and is_no_chance(
        share, n_inputs, n_samples, n_looked_at
    )


def is_no_chance(share: float, n_inputs: int, n_samples: int, n_looked_at: int = 1) -> bool:
    """Whether noise would hardly be explained so well by a line, as an F test tells."""
    left = n_samples - n_inputs - 1
    unexplained = (1 - share) * left / (n_samples - 1)  # 1 - R^2, of which `share` is adjusted
    if left < 1 or unexplained <= 0:
        return left >= 1
    F = (1 - unexplained) / n_inputs / (unexplained / left)
    return n_looked_at * float(_memory.scipy("special").fdtrc(n_inputs, left, F)) < CHANCE


# ---- what a straight line does ----


def weights(samples: Samples) -> Array | None:
    """Those of the samples (N,), or with measurement errors s_n / sigma_nk^2 of each target (N, K)."""
    precision = samples.targets.factors
    if precision is None or samples.weight is None:
        return samples.weight if precision is None else precision
    return np.asarray(samples.weight[:, np.newaxis] * precision)


def rows(samples: Samples) -> Samples:
    """Some thousand samples that count, by a choice that has no period, as data may have."""
    if isinstance(samples, ChunkedSamples):
        return samples.some(MOST_ROWS, _chosen)
    if samples.weight is None and len(samples.X) <= MOST_ROWS:
        return samples
    return samples.rows(_places(len(samples.X), samples.weight))


def at_hand(samples: Samples) -> Samples:
    """All samples, but of those in chunks some."""
    return rows(samples) if isinstance(samples, ChunkedSamples) else samples


def given(X: Any, T: Any, samples: Samples) -> tuple[Any, Any]:
    """X and T as they were given, before they came into the network's type; of those in chunks some."""
    if isinstance(X, Chunks):
        told = at_hand(samples)
        return told.X, told.targets.given
    return X, T


def _places(n_samples: int, weight: Array | None) -> Index:
    if weight is None:
        return _chosen(n_samples)
    places = np.flatnonzero(weight)
    return places[_chosen(len(places))]


def _chosen(n: int) -> Index:
    """At most `MOST_ROWS` of the numbers 0 .. n - 1, ascending."""
    if n <= MOST_ROWS:
        return np.arange(n)
    return np.sort(np.random.default_rng(0).choice(n, MOST_ROWS, replace=False))


def real(architecture: Architecture, samples: Samples) -> Float | None:
    """Targets as numbers, of a class 0 and 1; None if there are too many columns."""
    if architecture.n_outputs > MOST_COLUMNS:
        return None
    values, labels, *_ = samples.targets
    if labels is not None:
        return np.asarray(labels[:, np.newaxis] == np.arange(architecture.n_outputs), np.float64)
    assert values is not None
    return np.asarray(values, np.float64)


def variances(T: Float, weight: Array | None) -> Float:
    """Of each output (K,), in units of the measurement errors if there are some."""
    if weight is None or weight.ndim == 1:
        return spread(T, weight)[1] ** 2
    return np.array([spread(T[:, [k]], w)[1][0] ** 2 * w.mean() for k, w in enumerate(weight.T)])


def line(X: Float, T: Float, weight: Array | None, rank: int) -> tuple[Float, Float, Float]:
    """Variances of the targets that a straight line explains, less what it does by chance; all; by lines of this rank.

    By chance D of N - 1 parts are explained. Nothing is where a line would take long, or has too few samples. A network
    through a layer of few units is a line of such a rank at the most; the best one is the projection on its first
    right singular vectors (reduced-rank regression). With measurement errors each output has a line of its own, and is
    in units of its errors; of a lower rank there is none that is as easily found.
    """
    if weight is not None and weight.ndim == 2:
        each = [(*line(X, T[:, [k]], w, 1)[:2], w.mean()) for k, w in enumerate(np.ascontiguousarray(weight.T))]
        explained, total = (np.array([one[part][0] * one[2] for one in each]) for part in (0, 1))
        return explained, total, explained if rank >= min(X.shape[1], len(each)) else np.zeros_like(explained)
    mean, sd = spread(X, weight)
    varies = sd > 0
    X = (X[:, varies] - mean[varies]) / sd[varies]
    N, D = X.shape
    mean, sd = spread(T, weight)
    if not 0 < D <= MOST_COLUMNS or N < D + 3:
        return np.zeros_like(sd), sd * sd, np.zeros_like(sd)
    A, B = X, T - mean
    if weight is not None:
        root = np.sqrt(N / weight.sum() * weight)[:, np.newaxis].astype(np.float64)
        A, B = root * A, root * B
    _memory.blas(6 * A.nbytes)
    Y, chance = _memory.product(A, np.linalg.lstsq(A, B, rcond=None)[0]), (N - 1) / (N - D - 1)
    explained = _without(sd, B - Y, chance)
    if rank >= min(D, T.shape[1]):
        return explained, sd * sd, explained
    _, V = np.linalg.eigh(_memory.product(np.ascontiguousarray(Y.T), Y))
    Y = _memory.product(_memory.product(Y, V[:, -rank:]), V[:, -rank:].T)
    return explained, sd * sd, _without(sd, B - Y, chance)


def _without(sd: Float, residuals: Float, chance: float) -> Float:
    """The variances less those of the residuals, which are multiplied by `chance`."""
    left = np.add.reduce(residuals * residuals, 0) / len(residuals)
    return np.asarray(np.maximum(0.0, sd * sd - left * chance))


def spread(array: Float, weight: Array | None) -> tuple[Float, Float]:
    """Means and standard deviations."""
    found = moments.of_columns(array, weight)
    return found.mean, found.deviation
