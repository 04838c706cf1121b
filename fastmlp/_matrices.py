"""Large matrices, some rows at a time: signals are answered in between, as they are not within one call of NumPy's."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fastmlp._types import Float, Index

AT_ONCE = 1 << 20  # numbers, which take some milliseconds


def zeros(*shape: int) -> Float:
    """A new array, all of whose memory is there: the first write to each page of it takes longer than all others."""
    result = np.empty(shape)
    for rows in parts(len(result), result[:1].size):
        result[rows] = 0.0
    return result


def copied(A: Float) -> Float:
    """A copy, row by row."""
    if A.size <= AT_ONCE:
        return A.copy()
    result = np.empty(A.shape, A.dtype)
    for rows in parts(*A.shape):
        result[rows] = A[rows]
    return result


def stacked(matrices: list[Float]) -> Float:
    """One below the other; a single one as it is."""
    if len(matrices) == 1:
        return matrices[0]
    first, result = 0, np.empty((sum(map(len, matrices)), matrices[0].shape[1]))
    for each in matrices:
        for rows in parts(*each.shape):
            result[first : first + len(each)][rows] = each[rows]
        first += len(each)
    return result


def columns(A: Float, where: Index, factors: Float | float = 1.0) -> Float:
    """These columns, each times its factor."""
    result = np.empty((len(A), len(where)), A.dtype)
    for rows in parts(*result.shape):
        np.multiply(A[rows].take(where, axis=1), factors, out=result[rows])
    return result


def scale_rows(A: Float, factors: Float) -> None:
    """Multiply each row by its factor (m,)."""
    for rows in parts(*A.shape):
        A[rows] *= factors[rows, np.newaxis]


def is_finite(A: Float) -> bool:
    """Whether all numbers are."""
    return all(bool(np.isfinite(A[rows]).all()) for rows in parts(len(A), A[:1].size))


def square_sums(A: Float) -> Float:
    """Sums of squares of the columns."""
    result = np.zeros(A.shape[1])
    for rows in parts(*A.shape):
        result += np.einsum("mn,mn->n", A[rows], A[rows])
    return result


def chosen(A: Float, where: Index) -> Float:
    """These rows, and of these the same columns."""
    n = len(where)
    result = np.empty((n, n), A.dtype)
    for rows in parts(n, n):
        result[rows] = A[np.ix_(where[rows], where)]
    return result


def scaled(A: Float, exponent: int) -> Float:
    """2^exponent A, a new array."""
    result = np.empty(A.shape, A.dtype)
    for rows in parts(*A.shape):
        np.ldexp(A[rows], exponent, out=result[rows])
    return result


def add_products(A: Float, V: Float, W: Float) -> None:
    """A += V W' + W V'."""
    for rows in parts(*A.shape):
        A[rows] += V[rows] @ W.T
        A[rows] += W[rows] @ V.T


def parts(n_rows: int, width: int) -> Iterator[slice]:
    """Of so many rows."""
    size = max(1, AT_ONCE // max(1, width))
    for first in range(0, n_rows, size):
        yield slice(first, first + size)
