"""What the columns of X and T are like: means, deviations and ends, by weight; of arrays, and of samples in chunks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from fastmlp._core.sums import moments as passes
from fastmlp._types import Array, Float
from fastmlp.model.chunked import ChunkedSamples
from fastmlp.model.functional import Samples

#: how far a constant may be from its mean, in units of eps |x| of its own type: as many as there are samples, which is
#: what differences of a running sum lose, but no fewer than the first and no more than the second number
ROUNDINGS = {np.dtype(np.float32): (4, 4), np.dtype(np.float64): (4, 4096)}


class Moments(NamedTuple):
    """Of columns, by weight, where it is not 0."""

    mean: Float
    deviation: Float  #: the standard deviation, 0 of constants
    absolute: Float  #: the mean absolute deviation, likewise
    low: Float
    high: Float
    weight: float  #: the sum of the weights


def of_columns(array: Array, weight: Array | None = None) -> Moments:
    """What the columns of a matrix of float32 or float64 are like; some row counts."""
    array, weight = _native(array, weight)
    found, total = passes.moments(array, weight, ROUNDINGS[array.dtype])
    mean, deviation, absolute, low, high = found
    return Moments(mean, deviation, absolute, low, high, total)


def of_samples(samples: Samples, *, targets: bool = False) -> Moments:
    """Of X or T, by the samples' weights."""
    if isinstance(samples, ChunkedSamples):
        return _of_chunks(samples, targets)
    ((array, weight),) = samples.columns(targets)
    return of_columns(array, weight)


def _of_chunks(samples: ChunkedSamples, targets: bool) -> Moments:
    """By the same three passes, each made where the chunks are."""
    columns, inputs = partial(_pass, targets, samples.weight is not None), not targets
    ends, counts, largest = zip(*samples.of_each(partial(columns, passes.ends, ()), inputs), strict=True)
    low, high = np.stack(ends, axis=1)
    both, heaviest = np.array([low.min(axis=0), high.max(axis=0)]), max(largest) or 1.0
    p = passes.powers(both)
    sums, total = samples.summed(partial(columns, passes.sums, (p, None, heaviest)), inputs)
    middle = sums[0] / total
    sums, _ = samples.summed(partial(columns, passes.sums, (p, middle, heaviest)), inputs)
    single, roundings = samples.dtype == np.float32, ROUNDINGS[samples.dtype]
    mean, deviation, absolute, low, high = passes.told(both, p, middle, sums, total, sum(counts), single, roundings)
    return Moments(mean, deviation, absolute, low, high, total * heaviest)


def _pass(targets: bool, weighted: bool, function: Callable[..., Any], known: tuple[Any, ...], samples: Samples) -> Any:
    """A pass over X or T of a chunk, where others may have weights."""
    ((array, weight),) = samples.columns(targets)
    if weighted and weight is None:
        weight = np.ones(len(array))
    return function(*_native(array, weight), *known)


def _native(array: Array, weight: Array | None) -> tuple[Array, Array | None]:
    """As the kernels read them: row by row, weights in the type of the array."""
    array = np.ascontiguousarray(array)
    return array, None if weight is None else weight.astype(array.dtype, copy=False)
