"""Large matrices, some rows at a time: signals are answered in between, as they are not within one call of NumPy's."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fastmlp._types import Float, Index

AT_ONCE = 1 << 20  # numbers, which take some milliseconds


def copied(A: Float) -> Float:
    """A copy, row by row."""
    if A.size <= AT_ONCE:
        return A.copy()
    result = np.empty(A.shape, A.dtype)
    for rows in _parts(*A.shape):
        result[rows] = A[rows]
    return result


def chosen(A: Float, where: Index) -> Float:
    """These rows, and of these the same columns."""
    n = len(where)
    result = np.empty((n, n), A.dtype)
    for rows in _parts(n, n):
        result[rows] = A[np.ix_(where[rows], where)]
    return result


def scaled(A: Float, exponent: int) -> Float:
    """2^exponent A, a new array."""
    result = np.empty(A.shape, A.dtype)
    for rows in _parts(*A.shape):
        np.ldexp(A[rows], exponent, out=result[rows])
    return result


def add_products(A: Float, V: Float, W: Float) -> None:
    """A += V W' + W V'."""
    for rows in _parts(*A.shape):
        A[rows] += V[rows] @ W.T
        A[rows] += W[rows] @ V.T


def _parts(n_rows: int, width: int) -> Iterator[slice]:
    size = max(1, AT_ONCE // max(1, width))
    for first in range(0, n_rows, size):
        yield slice(first, first + size)
