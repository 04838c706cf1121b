"""The losses, read from the compiled list, and what each asks of its targets.

A loss is the negative log likelihood of one sample in nats, without constants:

==================== ========= ======================================= ===========================
loss                 output    e(y, t)                                 targets
==================== ========= ======================================= ===========================
squared_error        any [1]_  1/2 sum_k (y_k - t_k)^2                 real
binary_cross_entropy logistic  - sum_k t_k ln y_k + (1-t_k) ln(1-y_k)  in [0, 1]
cross_entropy        softmax   - sum_k t_k ln y_k                      labels, or rows that sum to 1
poisson              exp       sum_k y_k - t_k ln y_k                  non-negative
==================== ========= ======================================= ===========================

.. [1] but softmax.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp import _validation as check
from fastmlp._core import kernels

NAMES: tuple[str, ...] = kernels.loss_names
TOLERANCE = 1e-3  # by which class targets may lie outside of [0, 1], and their rows miss the sum 1
_CANONICAL: dict[str, str] = dict(zip(kernels.loss_outputs, kernels.loss_names, strict=True))


class Targets(NamedTuple):
    """Targets as the kernels read them: real numbers (N, K), or one class label a sample (N,)."""

    values: NDArray[Any] | None
    labels: NDArray[np.intp] | None


def index(name: str) -> int:
    """Place of a loss in the compiled list."""
    return NAMES.index(name)


def for_output(loss: Any, output: str) -> str:
    """The loss that goes with an output activation: the canonical one for None, else `loss` if it fits."""
    if loss is None:
        return _CANONICAL.get(output, "squared_error")
    name = check.choice(loss, "loss", NAMES)
    fitting = [_CANONICAL[output]] if output in _CANONICAL else []
    if output not in ("softmax", "identity"):
        fitting.append("squared_error")
    if name not in fitting:
        raise ValueError(f"loss: expected {' or '.join(fitting)} with output {output!r}, got {check.shown(loss)}")
    return name


def encode_targets(loss: str, T: Any, n_samples: int, n_outputs: int, dtype: Any) -> Targets:
    """Check targets against the loss and bring them into the kernels' form."""
    if loss == "cross_entropy":
        T = check.real_array(T, "T", None)
        if T.ndim == 1:
            return Targets(None, _labels(T, n_samples, n_outputs))
    values = check.real_array(T, "T", dtype)
    shape = values.shape
    if n_outputs == 1 and values.ndim == 1:
        values = values[:, np.newaxis]
    if values.shape != (n_samples, n_outputs):
        also = " or (n_samples,)" if n_outputs == 1 or loss == "cross_entropy" else ""
        raise ValueError(f"T: expected shape (n_samples, {n_outputs}){also} with n_samples = {n_samples}, got {shape}")
    if n_samples:
        values = _in_domain(loss, values)
        if loss == "cross_entropy":
            _check_sums(values)
    return Targets(values, None)


def _labels(array: NDArray[Any], n_samples: int, n_classes: int) -> NDArray[np.intp]:
    if array.shape != (n_samples,):
        raise ValueError(f"T: expected {n_samples} class labels, as many as samples, got {array.shape[0]}")
    with np.errstate(invalid="ignore"):  # numbers too large for an index become some other number, and so are found
        labels = array.astype(np.intp)
    wrong = (labels != array) | (labels < 0) | (labels >= n_classes)
    if wrong.any():
        raise ValueError(f"T: expected class labels 0 .. {n_classes - 1}, got {array[wrong][0]}")
    return labels


def _in_domain(loss: str, values: NDArray[Any]) -> NDArray[Any]:
    """Class targets outside of [0, 1] by rounding become 0 or 1: beyond them the loss would have no lower bound."""
    if loss in ("binary_cross_entropy", "cross_entropy") and (values.min() < 0 or values.max() > 1):
        wrong = (values < -TOLERANCE) | (values > 1 + TOLERANCE)
        if wrong.any():
            raise ValueError(f"T: expected targets in [0, 1] for {loss}, got {values[wrong][0]}")
        return np.asarray(np.clip(values, 0.0, 1.0))
    if loss == "poisson" and values.min() < 0:
        raise ValueError(f"T: expected non-negative targets for poisson, got {values.min()}")
    return values


def _check_sums(values: NDArray[Any]) -> None:
    """Rows sum to 1, up to the rounding of whoever made them; the loss is right for the sum they have."""
    sums = values.sum(axis=1)
    off = np.abs(sums - 1) > TOLERANCE
    if off.any():
        raise ValueError(f"T: expected rows that sum to 1 for cross_entropy, got the sum {sums[off][0]}")
