"""Options of SciPy's minimizers, looked at before SciPy is: it takes most of them as they come.

What is wrong would fail far within, under a name that is not the option's, or not at all: TNC never ends where `stepmx`
is nan, and Powell's method writes into the array `direc`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastmlp import _memory
from fastmlp import _validation as check
from fastmlp._types import Float

Check = Callable[[Any, str, int], Any]

UNLIMITED = 2**31 - 1  # as far as SciPy counts
SQUARABLE = 1e150  # radii are squared


def _number(low: float, *, above: bool = False, high: float = float("inf")) -> Check:
    return lambda value, name, n: check.number(value, name, low, above=above, high=high)


def _flag(value: Any, name: str, n: int) -> bool:
    return check.boolean(value, name)


def _count(value: Any, name: str, n: int) -> int:
    return min(check.integer(value, name, 1), UNLIMITED)


def _array(rows: int | None, more: str = "") -> Check:
    """Of finite numbers (n + rows, n), or (n,) for None; a copy. None is SciPy's own choice."""

    def checked(value: Any, name: str, n: int) -> Float | None:
        if value is None:
            return None
        array = np.array(check.real_array(value, name, np.float64))
        shape = (n,) if rows is None else (n + rows, n)
        if array.shape != shape:
            raise ValueError(f"{name}: expected shape {shape}{more}, got {array.shape}")
        return array

    return checked


def _positive(value: Any, name: str, n: int) -> Float | None:
    array: Float | None = _array(None)(value, name, n)
    if array is not None and array.min() <= 0:
        raise ValueError(f"{name}: expected positive numbers, got {array.min()}")
    return array


def _definite(value: Any, name: str, n: int) -> Float | None:
    array: Float | None = _array(0)(value, name, n)
    if array is not None and not (np.allclose(array, array.T) and _smallest(np.linalg.eigvalsh, array) > 0):
        raise ValueError(f"{name}: expected a symmetric, positive definite matrix, got one that is not")
    return array


def _spanning(value: Any, name: str, n: int) -> Float | None:
    array: Float | None = _array(0)(value, name, n)
    if array is not None and not _smallest(lambda A: np.linalg.svd(A, compute_uv=False), array) > 0:
        raise ValueError(f"{name}: expected directions that span the space of {n} parameters, got fewer")
    return array


def _smallest(values: Callable[[Any], Any], array: Float) -> float:
    """Of eigenvalues or singular values, less what may be rounding."""
    _memory.blas(4 * array.nbytes)
    found = values(array)
    return float(found.min() - np.abs(found).max() * len(array) * np.finfo(np.float64).eps)


_ANY = _number(-float("inf"))
CHECKS: dict[str, Check] = {
    "maxcor": _count,
    "maxls": _count,
    "maxfun": _count,
    "c1": _number(0.0, above=True, high=1.0),
    "c2": _number(0.0, above=True, high=1.0),
    "hess_inv0": _definite,
    "eta": _number(0.0, high=0.25),
    "stepmx": _number(0.0),
    "rescale": _ANY,
    "scale": _positive,
    "initial_trust_radius": _number(0.0, above=True, high=SQUARABLE),
    "max_trust_radius": _number(0.0, above=True, high=SQUARABLE),
    "inexact": _flag,
    "initial_tr_radius": _number(0.0, above=True, high=SQUARABLE),
    "xatol": _number(0.0),
    "fatol": _number(0.0),
    "adaptive": _flag,
    "initial_simplex": _array(1, ", a corner a row"),
    "xtol": _number(0.0),
    "ftol": _number(0.0),
    "direc": _spanning,
}
OF_METHODS: dict[tuple[str, str], Check] = {("tnc", "eta"): _ANY}  # which takes another number for what is outside
ASCENDING = (("c1", "c2"), ("initial_trust_radius", "max_trust_radius"))


def checked(method: str, given: dict[str, Any], defaults: dict[str, Any], n: int) -> dict[str, Any]:
    """The options of a method for n parameters, in exact types; its defaults for those that are not given.

    Raises TypeError or ValueError for what is wrong.
    """
    own = {name: OF_METHODS.get((method, name), CHECKS[name])(value, name, n) for name, value in given.items()}
    settings = {**defaults, **own}
    for low, high in ASCENDING:
        if low in settings and not settings[low] < settings[high]:
            raise ValueError(f"{low}: expected a number < {high} = {settings[high]:g}, got {settings[low]:g}")
    return settings
