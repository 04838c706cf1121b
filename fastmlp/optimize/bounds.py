"""Bounds on parameters: low <= w <= high, and what a vanishing gradient means there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from fastmlp import _validation as check
from fastmlp._types import Array, Float
from fastmlp.model import selection
from fastmlp.model.architecture import Architecture
from fastmlp.terms.reparam import FreeParameters


class Bounds(NamedTuple):
    """Of the free parameters, each (n,); -inf or inf where there is none."""

    low: Float
    high: Float

    def clip(self, x: Float) -> Float:
        """The nearest point within."""
        return np.clip(x, self.low, self.high)

    def projected(self, x: Float, gradient: Float) -> Float:
        """The gradient less what would lead out of bounds, x - clip(x - g): zero at a constrained minimum."""
        return x - self.clip(x - gradient)


def make(architecture: Architecture, params: Array, bounds: Any, free: FreeParameters | None) -> Bounds | None:
    """From the user's argument, which `Network.fit` documents."""
    if bounds is None:
        return None
    low, high = np.full((2, architecture.n_params), [[-np.inf], [np.inf]])
    if isinstance(bounds, Mapping):
        for name, pair in bounds.items():
            where = selection.positions(architecture, name, "bounds")
            lower, upper = _pair(name, pair)
            low[where], high[where] = np.maximum(low[where], lower), np.minimum(high[where], upper)
    elif hasattr(bounds, "lb") and hasattr(bounds, "ub"):
        low, high = _broadcast(bounds.lb, low), _broadcast(bounds.ub, high)
    else:
        raise TypeError(f"bounds: expected a dict over groups or a scipy.optimize.Bounds, got {type(bounds).__name__}")
    if np.isnan(low).any() or np.isnan(high).any() or not (low <= high).all():
        raise ValueError("bounds: expected low <= high for every parameter")
    low, high = _held(low, architecture.dtype, np.inf), _held(high, architecture.dtype, -np.inf)
    return Bounds(low, high) if free is None else _of_free(low, high, params, free)


def _pair(name: Any, pair: Any) -> tuple[float, float]:
    try:
        low, high = pair
        return -np.inf if low is None else float(low), np.inf if high is None else float(high)
    except (TypeError, ValueError) as error:
        raise ValueError(f"bounds[{name!r}]: expected a pair (low, high), got {check.shown(pair)}") from error


def _broadcast(value: Any, like: Float) -> Float:
    array = np.asarray(value, np.float64)
    if array.shape not in ((), (1,), like.shape):
        raise ValueError(f"bounds: expected one number, or {like.size}, got shape {array.shape}")
    return np.broadcast_to(array, like.shape)


def _held(bound: Float, dtype: np.dtype[Any], inwards: float) -> Float:
    """The bound, or the next number inwards that the network's type holds."""
    with np.errstate(over="ignore"):
        native = bound.astype(dtype)
    outside = native < bound if inwards > 0 else native > bound
    return np.where(outside, np.nextafter(native, dtype.type(inwards)), native).astype(np.float64)


def _of_free(low: Float, high: Float, params: Array, free: FreeParameters) -> Bounds:
    """The tightest of those that the parameters which share a free one bring along."""
    held = free.index < 0
    if not ((low <= params) & (params <= high))[held].all():
        raise ValueError("bounds: expected fixed parameters within theirs")
    share, c = free.index[~held], free.coefficient[~held]
    ends = np.sort([low[~held] / c, high[~held] / c], axis=0)
    result = Bounds(np.full(free.n, -np.inf), np.full(free.n, np.inf))
    np.maximum.at(result.low, share, ends[0])
    np.minimum.at(result.high, share, ends[1])
    if not (result.low <= result.high).all():
        raise ValueError("bounds: expected some value that all parameters of a tie may have")
    return result
