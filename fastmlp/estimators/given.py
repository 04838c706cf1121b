"""What estimators are given: arrays that need no second look, sparse ones, and where random numbers come from."""

from __future__ import annotations

import copy
import numbers
import operator
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from fastmlp import _validation as check
from fastmlp._core.storage import arrays
from fastmlp._types import Array, ArrayLike

FLOATS = (np.float64, np.float32)


class Data(NamedTuple):
    """What a fit is given, under the names that its caller knows."""

    X: ArrayLike
    y: Any
    sample_weight: ArrayLike | None = None
    X_val: ArrayLike | None = None
    y_val: ArrayLike | None = None
    sigma: ArrayLike | None = None

    def owned(self) -> Data:
        """The same, as views of our own; TypeError for masked arrays and lazy ones."""
        data = Data(*map(own, self))
        for name, value in zip(self._fields, data, strict=True):
            check.refuse_masked_and_lazy(value, name)
        return data


def own(value: Any) -> Any:
    """A view of our own of a plain array, the shape and type of which no other code can assign."""
    return value.view() if type(value) is np.ndarray else value


def plain(estimator: Any, X: ArrayLike) -> Array | None:
    """A view of X if it is what scikit-learn's checks, which take 50 us, would give back unchanged; else None.

    The estimator has been fitted, without names of features.
    """
    if type(X) is not np.ndarray or X.dtype not in FLOATS or hasattr(estimator, "feature_names_in_"):
        return None
    view, width = arrays.plain(X, X.dtype), getattr(estimator, "n_features_in_", None)
    return view if view is not None and view.ndim == 2 and len(view) and view.shape[1] == width else None


def are_plain_targets(y: ArrayLike, n: int) -> bool:
    """Whether they would give these targets of n samples back unchanged: finite numbers, one a sample."""
    if type(y) is not np.ndarray or y.ndim != 1 or len(y) != n:
        return False
    return y.dtype.kind in "iu" or (y.dtype in FLOATS and arrays.plain(y, y.dtype) is not None)


def dense(X: Any) -> Array:
    """X itself, or a sparse matrix as an array."""
    if not hasattr(X, "toarray"):
        return X  # type: ignore[no-any-return]
    try:
        return X.toarray()  # type: ignore[no-any-return]
    except MemoryError as error:
        size = X.shape[0] * X.shape[1] * X.dtype.itemsize / 2**30
        raise MemoryError(
            f"X: expected a matrix that fits into memory when dense, got one of {size:.3g} GiB"
        ) from error


def is_number(value: Any) -> bool:
    """Whether `random_state` is one; ValueError if no RandomState can be made of that."""
    number = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if number:
        check.integer(value, "random_state", 0, bits=32)
    return number


def random_state(value: Any) -> Any:
    """A RandomState, as scikit-learn's; from a Generator too."""
    if isinstance(value, np.random.Generator):
        return np.random.RandomState(value.integers(2**32, dtype=np.uint32))
    return check_random_state(operator.index(value) if is_number(value) else value)


def remembered(random: Any) -> Any:
    """A RandomState as it is now: numbers for `recalled`, which files hold without being told to trust its class."""
    state = random.get_state(legacy=False)
    return state if hasattr(np.random, state["bit_generator"]) else copy.deepcopy(random)


def recalled(state: Any) -> Any:
    """Another RandomState that draws what that one would have drawn."""
    if not isinstance(state, dict):
        return copy.deepcopy(state)
    random = np.random.RandomState(getattr(np.random, state["bit_generator"])(0))
    random.set_state(state)
    return random


def late_seed(value: Any) -> Iterator[int]:
    """What the generator of a fit is seeded with, drawn from a number when it is asked for.

    A RandomState takes longer to make than an epoch on a few samples, which goes on with the generator that it has.
    """
    yield from random_state(value).randint(2**31 - 1, size=1)
