"""Standardised units: data with mean 0 and standard deviation 1, and the way into the weights and back.

A network of raw units and one of standardised ones are the same function: `Units.folded` and `Units.unfolded` map the
parameters of the one to those of the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp import rescaling
from fastmlp.architecture import Architecture
from fastmlp.functional import Samples

Array = NDArray[Any]
Float = NDArray[np.float64]

BLOCK, WIDTH = 2**16, 2**13  # numbers that are held in float64 at once, and in each row of theirs
#: how far a constant may be from its mean, in units of eps |x| of its own type: as many as there are samples, which is
#: what differences of a running sum lose, but no fewer than the first and no more than the second number
ROUNDINGS = {"float32": (4, 4), "float64": (4, 4096)}


class Columns(NamedTuple):
    """Units of the columns of an array: x = scale * u + shift, with u in units of its standard deviation."""

    scale: Float
    shift: Float
    constant: NDArray[np.bool_]  #: columns without spread, up to rounding: their scale is 1, and u is 0

    def standardized(self, array: Array) -> Array:
        """The columns u, in the array's type; 0 where a constant is itself up to rounding."""
        result = np.empty(array.shape, array.dtype)
        info = np.finfo(array.dtype)
        # twice: the mean is rounded too, and that of other samples
        slack = 2 * ROUNDINGS[array.dtype.name][1] * float(info.eps) * np.abs(self.shift) + float(info.tiny)
        slack = np.where(self.constant, slack, 0.0)
        for (rows, side_by_side, _), (u, *_) in zip(_blocks(array), _blocks(result), strict=True):
            shift, scale = np.tile(self.shift, side_by_side), np.tile(self.scale, side_by_side)
            with np.errstate(over="ignore"):
                deviations = rows.astype(np.float64)
                deviations -= shift
                if self.constant.any():
                    deviations[np.abs(deviations) <= np.tile(slack, side_by_side)] = 0.0
                np.divide(deviations, scale, out=u, casting="same_kind")
        return result


class Units(NamedTuple):
    """Units of inputs and, where outputs are linear, of targets: `fastmlp.Network.units`."""

    inputs: Columns
    targets: Columns | None

    def applied(self, samples: Samples) -> Samples:
        """The samples in standardised units."""
        targets = samples.targets
        if self.targets is not None and targets.values is not None:
            targets = targets._replace(values=self.targets.standardized(targets.values))
        return samples._replace(X=self.inputs.standardized(samples.X), targets=targets)

    def folded(self, architecture: Architecture, params: Array) -> Array:
        """Parameters of the network in the data's units from those in standardised ones.

        Outputs come first, so that without hidden layers too the biases take up the shift with the final weights.
        """
        params = np.asarray(params, architecture.dtype)
        if self.targets is not None:
            params = rescaling.map_outputs(architecture, params, self.targets.scale, self.targets.shift)
        return rescaling.map_inputs(architecture, params, self.inputs.scale, self.inputs.shift)


def of(architecture: Architecture, samples: Samples) -> Units:
    """The units of a set of samples."""
    values = samples.targets.values if architecture.output == "identity" else None
    targets = None if values is None else columns(values, samples.weight, "T")
    return Units(columns(samples.X, samples.weight, "X"), targets)


def columns(array: Array, weight: Array | None, name: str) -> Columns:
    """Mean and standard deviation of the columns, by weight; constant columns have the scale 1."""
    mean, deviation, constant, low, high = moments(array, weight)
    with np.errstate(over="ignore"):
        wide = np.flatnonzero(~np.isfinite(high - low))
    if len(wide):
        raise ValueError(
            f"{name}: expected columns with finite differences for standardize, got column {wide[0]} from "
            f"{low[wide[0]]:g} to {high[wide[0]]:g}; divide it by a number"
        )
    return Columns(np.where(constant, 1.0, deviation), mean, constant)


class Moments(NamedTuple):
    """Of columns, by weight, where it is not 0."""

    mean: Float
    deviation: Float  #: the standard deviation, 0 of constants
    constant: NDArray[np.bool_]  #: columns without spread, up to rounding in their own type
    low: Float
    high: Float


def moments(array: Array, weight: Array | None = None) -> Moments:
    """Mean and standard deviation of the columns of a matrix of float32 or float64, with at least one row that counts.

    In blocks of rows, with sums in float64 of

        y = p x,  d = y - m,  m the mean of y as rounded,   mean = (m + avg(d)) / p
                                                            sd = sqrt(avg(d^2) - avg(d)^2) / p

    where the power of two p makes max |y| about 1: a column times 2^k has mean and standard deviation times 2^k, to the
    bit, and nothing overflows on the way. With avg(d) the relative error of the variance is of the order of
    n eps + (n eps)^3 (mean / sd)^2 at most (Chan, Golub and LeVeque 1983), whatever the offset.
    """
    n_columns, n_samples = array.shape[1], len(array) if weight is None else np.count_nonzero(weight)
    low, high = np.full(n_columns, np.inf), np.full(n_columns, -np.inf)
    for rows, *_ in _blocks(array, weight):
        np.minimum(low, rows.min(axis=0).reshape(-1, n_columns).min(axis=0), out=low)
        np.maximum(high, rows.max(axis=0).reshape(-1, n_columns).max(axis=0), out=high)
    largest = np.maximum(np.abs(low), np.abs(high))
    p = np.ldexp(1.0, -np.maximum(np.frexp(largest)[1], -1022))  # largest p lies in [1/2, 1), or is subnormal, or 0
    count, total = np.zeros(n_columns), np.zeros(n_columns)
    for rows, side_by_side, weights in _blocks(array, weight):
        y = rows.astype(np.float64)
        y *= np.tile(p, side_by_side)
        count += float(y.size // n_columns) if weights is None else _sum(weights, n_columns)
        total += _sum(y if weights is None else np.multiply(y, weights, out=y), n_columns)
    m = total / count
    reach = np.maximum(high * p - m, m - low * p)
    first, second = np.zeros(n_columns), np.zeros(n_columns)
    for rows, side_by_side, weights in _blocks(array, weight):
        d = rows.astype(np.float64)
        d *= np.tile(p, side_by_side)
        d -= np.tile(m, side_by_side)
        first += _sum(d if weights is None else d * weights, n_columns)
        d *= d
        second += _sum(d if weights is None else np.multiply(d, weights, out=d), n_columns)
    first, second = first / count, second / count
    info, (least, most) = np.finfo(array.dtype), ROUNDINGS[array.dtype.name]
    constant = reach <= float(np.clip(n_samples, least, most) * info.eps) * largest * p
    constant |= reach / p < float(info.tiny)  # differences among the subnormal numbers are rounding too
    deviation = np.where(constant, 0.0, np.sqrt(np.maximum(second - first**2, 0.0)) / p)
    constant |= deviation == 0  # a difference of hardly any weight
    return Moments((m + first) / p, deviation, constant, low, high)


def _blocks(array: Array, weight: Array | None = None) -> Iterator[tuple[Array, int, Float | None]]:
    """Rows that count, some of them side by side in each row of a matrix, since NumPy is slow where rows are short.

    With how many, and their weights in units of the largest, as a matrix of the same shape.
    """
    n_columns, largest = array.shape[1], 1.0 if weight is None else float(weight.max())
    side_by_side = max(1, WIDTH // n_columns)
    n_rows = max(1, BLOCK // n_columns // side_by_side) * side_by_side
    for first in range(0, len(array), n_rows):
        rows, weights = array[first : first + n_rows], None
        if weight is not None:
            weights = weight[first : first + n_rows].astype(np.float64) / largest
            if not weights.all():
                rows, weights = rows[weights > 0], weights[weights > 0]
        whole = len(rows) // side_by_side * side_by_side
        for part, number in ((slice(whole), side_by_side), (slice(whole, None), 1)):
            block = np.ascontiguousarray(rows[part].reshape(-1, number * n_columns))
            if len(block):
                share = None if weights is None else np.repeat(weights[part], n_columns).reshape(block.shape)
                yield block, number, share


def _sum(block: Float, n_columns: int) -> Float:
    total: Float = block.sum(axis=0).reshape(-1, n_columns).sum(axis=0)
    return total
