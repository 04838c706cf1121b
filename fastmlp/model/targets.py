"""What users give for targets, checked against the loss: numbers or labels, and the measurement errors that they have.

A target with the standard deviation sigma is kept with its precision 1/sigma^2, which squared error multiplies by.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastmlp import _validation as check
from fastmlp._quiet import quiet
from fastmlp._types import Array, ArrayLike, Float, Index, Mask
from fastmlp.model.losses import COUNTS, Loss, Targets

MISSING = ("raise", "ignore")
NUMBERED = "classes, T = np.unique(T, return_inverse=True) numbers classes; fit and net.class_names tell their names"
TOLERANCE = 1e-3  # by which class targets may lie outside of [0, 1], and their rows miss the sum 1


def encode_targets(loss: Loss, T: ArrayLike, n_samples: int, n_outputs: int, dtype: Any) -> Targets:
    """Check targets against the loss and bring them into the kernels' form."""
    try:
        return _encoded(loss, T, n_samples, n_outputs, dtype)
    except TypeError as error:
        if loss.is_of_classes and "got dtype" in str(error):
            raise TypeError(f"{error}; {NUMBERED}") from None
        raise


def _encoded(loss: Loss, T: ArrayLike, n_samples: int, n_outputs: int, dtype: Any) -> Targets:
    if loss.couples_outputs:
        T = check.real_array(T, "T", None)
        if T.ndim == 1:
            return Targets(None, _labels(T, n_samples, n_outputs))
    values = _numbers(T, dtype, loss.has_noise and n_outputs > 1)
    shape = values.shape
    if n_outputs == 1 and values.ndim == 1:
        values = values[:, np.newaxis]
    if values.shape != (n_samples, n_outputs):
        also = " or (n_samples,)" if n_outputs == 1 or loss.couples_outputs else ""
        raise ValueError(f"T: expected shape (n_samples, {n_outputs}){also} with n_samples = {n_samples}, got {shape}")
    if n_samples:
        values = _in_domain(loss, values)
        if loss.couples_outputs:
            _check_sums(values)
    return Targets(values, None)


def _numbers(T: ArrayLike, dtype: Any, may_be_missing: bool) -> Array:
    try:
        return check.real_array(T, "T", dtype)
    except ValueError as error:
        if may_be_missing and "got nan" in str(error):
            raise ValueError(f"{error}; missing='ignore' of a fit or posterior gives it no weight") from None
        raise


def without_missing(loss: Loss, T: ArrayLike, missing: str) -> tuple[ArrayLike, Mask | None]:
    """Targets of whatever shape as they are, or with a number in the place of each nan, and which are none (N, K)."""
    if check.choice(missing, "missing", MISSING) == "raise":
        return T, None
    if not loss.has_noise:
        raise ValueError(f"missing: expected 'raise' for {loss}, got 'ignore'; it takes squared_error")
    values = check.real_array(T, "T", None, finite=False)
    observed = ~np.isnan(values)
    if values.ndim not in (1, 2) or observed.all():
        return values, None
    observed = observed.reshape(len(values), -1)
    filled = values.copy().reshape(observed.shape)
    # what is constant stays so, and nothing lies farther away than it did
    first = np.nan_to_num(filled[observed.argmax(axis=0), np.arange(observed.shape[1])])
    np.copyto(filled, first, where=~observed)
    return filled.reshape(values.shape), observed


def with_missing(targets: Targets, observed: Mask) -> Targets:
    """Targets some of which are none."""
    precision = targets.precision
    return targets._replace(
        observed=observed,
        precision=None if precision is None else np.where(observed, precision, 0).astype(precision.dtype),
    )


def measured(loss: Loss, targets: Targets, sigma: ArrayLike, observed: Mask | None = None) -> Targets:
    """The targets with their measurement errors: standard deviations sigma (N,) or (N, K), kept as 1/sigma^2."""
    values = targets.values
    if not loss.has_noise or values is None:
        raise ValueError(f"sigma: expected None for {loss}, got {check.shown(type(sigma).__name__)}; it has no noise")
    array = errors(sigma, values.shape, observed)
    with np.errstate(all="ignore"):
        precision = (1 / array**2).astype(values.dtype)
    beyond = _beyond(precision)
    if beyond.any():
        raise ValueError(
            f"sigma: expected numbers whose squares {values.dtype} holds, got {array[beyond][0]:g}; multiply T and "
            "sigma by a number"
        )
    by_output = precision if precision.ndim == 2 else precision[:, np.newaxis]
    return targets._replace(precision=np.ascontiguousarray(np.broadcast_to(by_output, values.shape)))


def errors(sigma: ArrayLike, shape: tuple[int, ...], observed: Mask | None = None) -> Float:
    """Standard deviations, (N,) or (N, K), of targets of this shape (N, K); 1 of those that are missing."""
    array = check.real_array(sigma, "sigma", np.float64, finite=observed is None)
    if observed is not None and array.shape in (shape[:1], shape):
        array = np.where(observed, array.reshape(len(array), -1), 1.0)
        if not np.isfinite(array).all():
            raise ValueError("sigma: expected finite numbers of all targets that are not missing, got others")
    if array.shape not in (shape[:1], shape):
        raise ValueError(f"sigma: expected shape {shape[:1]} or {shape}, got {array.shape}")
    if not (array > 0).all():
        raise ValueError(f"sigma: expected numbers > 0, got {array.min()}; leave out what was not measured")
    return array


@quiet
def precision_in(precision: Array, scale: Float, constant: Mask) -> Array:
    """The 1/sigma^2 (N, K) of targets that are divided by `scale` (K,); 1 of constant ones, which are known to be 0."""
    wide = np.where(constant & (precision > 0), 1.0, precision * scale * scale)
    result = wide.astype(precision.dtype)
    beyond = _beyond(result) & (precision > 0)
    if beyond.any():
        ratio = wide[beyond][0] ** -0.5
        raise ValueError(
            f"sigma: expected numbers whose squares {precision.dtype} holds in standardised units too, got {ratio:.3g} "
            "times the standard deviation of T"
        )
    return result


@quiet
def times(targets: Targets, share: Float) -> Targets:
    """Targets whose 1/sigma^2 (1 without errors) are multiplied by a number of each output (K,)."""
    values = targets.values
    assert values is not None
    factors = targets.factors
    each = np.ones(values.shape) if factors is None else factors
    precision = (share * each).astype(values.dtype)
    if (beyond := _beyond(precision) & (each > 0)).any():
        raise ValueError(
            f"noise: expected outputs whose precisions {values.dtype} holds beside each other, got "
            f"{(share * each)[beyond][0]:g} of their mean; take standardize=True"
        )
    return targets._replace(precision=precision)


def _beyond(precision: Array) -> Mask:
    """Which numbers are not held to full precision."""
    info = np.finfo(precision.dtype)
    return np.asarray(~((precision >= info.tiny) & (precision <= info.max)))


def with_precision(targets: Targets, precision: ArrayLike, observed: Mask | None = None) -> Targets:
    """Targets with the 1/sigma^2 (N, K) that were kept, looked at anew."""
    values = targets.values
    if values is None:
        raise ValueError("precision: expected none for labels, got some")
    array = check.real_array(precision, "precision", values.dtype)
    if (
        array.shape != values.shape
        or not (array >= 0).all()
        or not (array[slice(None) if observed is None else observed] > 0).all()
    ):
        raise ValueError(f"precision: expected numbers > 0 of shape {values.shape}, got others")
    return targets._replace(precision=array)


def _labels(array: Array, n_samples: int, n_classes: int) -> Index:
    if array.shape != (n_samples,):
        raise ValueError(f"T: expected {n_samples} class labels, as many as samples, got {array.shape[0]}")
    with np.errstate(invalid="ignore"):  # numbers too large for an index become some other number, and so are found
        labels = array.astype(np.intp)
    wrong = (labels != array) | (labels < 0) | (labels >= n_classes)
    if wrong.any():
        raise ValueError(f"T: expected class labels 0 .. {n_classes - 1}, got {array[wrong][0]}")
    return labels


def _in_domain(loss: Loss, values: Array) -> Array:
    """Class targets outside of [0, 1] by rounding become 0 or 1: beyond them the loss would have no lower bound."""
    low, high = loss.domain
    if (low == -math.inf or values.min() >= low) and (high == math.inf or values.max() <= high):
        return values
    slack = TOLERANCE if loss.is_of_classes else 0.0
    wrong = (values < low - slack) | (values > high + slack)
    if wrong.any():
        expected = "non-negative targets" if loss.domain == COUNTS else f"targets in [{low:g}, {high:g}]"
        raise ValueError(f"T: expected {expected} for {loss}, got {values[wrong][0]}")
    return np.asarray(np.clip(values, low, high))


def _check_sums(values: Array) -> None:
    """Rows sum to 1, up to the rounding of whoever made them; the loss is right for the sum they have."""
    sums = values.sum(axis=1)
    off = np.abs(sums - 1) > TOLERANCE
    if off.any():
        raise ValueError(f"T: expected rows that sum to 1 for cross_entropy, got the sum {sums[off][0]}")
