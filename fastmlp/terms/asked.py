"""What terms in Python are asked for, and what is made of their answers: checked, complete, in float64."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable
from typing import Any

import numpy as np

from fastmlp import _validation as check
from fastmlp._core.storage import arrays
from fastmlp._core.sums.moments import largest
from fastmlp._types import Float

_FLOAT64 = np.dtype(np.float64)
#: what is taken for a matrix, the first that a term has; with a p behind it for products
MATRICES = {"exact": ("hess",), "ggn": ("ggn", "hess")}
STEP = float(np.finfo(np.float64).eps) ** (1 / 3)  # of a central difference, as a share of the parameters


def number(term: Any, answer: Any) -> float:
    """A real number, which may be infinite; arrays of no dimensions are numbers too."""
    if not isinstance(answer, float):
        if isinstance(answer, np.ndarray) and answer.ndim == 0:
            answer = answer[()]
        if isinstance(answer, (bool, np.bool_)) or not isinstance(answer, numbers.Real):
            raise TypeError(f"{_name(term)}: expected a real number for its value, got {check.shown(answer)}")
    try:
        value = float(answer)
    except OverflowError:  # an integer beyond float64
        value = math.inf if answer > 0 else -math.inf
    except TypeError as error:  # of a subclass
        raise TypeError(
            f"{_name(term)}: expected a real number for its value, got {type(answer).__name__} ({error})"
        ) from error
    if math.isnan(value):
        raise ValueError(f"{_name(term)}: expected a value that is a number, or inf, got nan")
    return value


def pair(term: Any, answer: Any, n_params: int) -> tuple[float, Float]:
    """A value and a gradient (P,), zeros where the value is infinite."""
    if not isinstance(answer, tuple) or len(answer) != 2:
        raise TypeError(f"{_name(term)}.value_and_grad: expected a value and a gradient, got {check.shown(answer)}")
    value = number(term, answer[0])
    if math.isinf(value):
        return value, np.zeros(n_params)
    return value, array(term, "value_and_grad", answer[1], (n_params,))


def gradient(term: Any, params: Float) -> Float:
    """The term's gradient (P,), zeros where the parameters are not finite."""
    if not math.isfinite(largest(params)):
        return np.zeros_like(params)
    return pair(term, term.value_and_grad(params.copy()), params.size)[1]


def matrix_by_products(term: Any, params: Float, kind: str) -> Float:
    """The term's matrix (P, P), symmetric to rounding, where it has none."""
    return np.array([product(term, params, unit, kind) for unit in np.eye(params.size)])


def product(term: Any, params: Float, v: Float, kind: str) -> Float:
    """The matrix times v (P,), by the central difference of the gradient where the term has neither."""
    n = params.size
    for name in MATRICES[kind]:
        if callable(method := getattr(term, name + "p", None)):
            return array(term, name + "p", method(params.copy(), v.copy()), (n,))
        if callable(method := getattr(term, name, None)):
            return np.asarray(array(term, name, method(params.copy()), (n, n)) @ v)
    length = largest(v)
    if not 0 < length < math.inf:
        return np.zeros_like(v)
    step = STEP * max(1.0, largest(params)) / length
    ends = [gradient(term, params + sign * step * v) for sign in (1, -1)]
    return np.asarray((ends[0] - ends[1]) / (2 * step))


def residuals(term: Any, params: Float) -> Float:
    """The term's residuals (R,)."""
    return _rows(term, "residuals", params, 1)


def residual_jac(term: Any, params: Float) -> Float:
    """Their derivatives (R, P)."""
    return _rows(term, "residual_jac", params, 2)


def is_twice_differentiable(term: Any) -> bool:
    """Whether a matrix takes no differences of gradients."""
    return any(has(term, name) or has(term, name + "p") for name in MATRICES["ggn"])


def has(term: Any, part: str) -> bool:
    """Whether a term has this optional part."""
    return callable(getattr(term, part, None))


def _rows(term: Any, part: str, params: Float, ndim: int) -> Float:
    if not has(term, part):
        raise TypeError(f"penalty: expected terms with residuals and residual_jac, got {_name(term)} without {part}")
    method: Callable[[Float], Any] = getattr(term, part)
    rows = check.real_array(method(params.copy()), f"{_name(term)}.{part}", _FLOAT64)
    if rows.ndim != ndim or rows.shape[1:] != params.shape[: ndim - 1]:
        expected = "(R,)" if ndim == 1 else f"(R, {params.size})"
        raise ValueError(f"{_name(term)}.{part}: expected shape {expected}, got {rows.shape}")
    return rows


def _name(term: Any) -> str:
    return type(term).__name__


def array(term: Any, part: str, answer: Any, shape: tuple[int, ...]) -> Float:
    """An answer as an array of this shape."""
    result = arrays.plain(answer, _FLOAT64)
    if result is None:
        result = check.real_array(answer, f"{_name(term)}.{part}", _FLOAT64)
    if result.shape != shape:
        raise ValueError(f"{_name(term)}.{part}: expected shape {shape}, got {result.shape}")
    return result
