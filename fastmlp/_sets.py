"""Arrays as sets, in order.

NumPy's functions of these names import its masked arrays when they are first called: 10 ms, by the thread that Ctrl-C
meets, and a compiler of Python's that reports no MemoryError where it gets no memory.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def unique(values: NDArray[Any]) -> NDArray[Any]:
    """Each value once."""
    ordered = np.sort(values, axis=None)
    return np.concatenate([ordered[:1], ordered[1:][ordered[1:] != ordered[:-1]]])


def among(values: NDArray[Any], others: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether each value is one of the others."""
    ordered = np.sort(others, axis=None)
    if not len(ordered):
        return np.zeros(values.shape, bool)
    return np.asarray(ordered[np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)] == values)


def union(first: NDArray[Any], second: NDArray[Any]) -> NDArray[Any]:
    """What is in one of them, or in both."""
    return unique(np.concatenate([first, second]))


def without(values: NDArray[Any], others: NDArray[Any]) -> NDArray[Any]:
    """What is in the first alone."""
    own = unique(values)
    return own[~among(own, others)]
