"""Symmetric positive definite systems by the Cholesky kernels of `src_c`: one thread, no LAPACK to load.

Matrices are float64 and C-contiguous; arguments are trusted.
"""

import numpy as np

cimport numpy as cnp

from fastmlp._core cimport kernels
from fastmlp._core.arrays cimport data

from fastmlp._core.kernels import isa_index

cnp.import_array()

cdef const void *_ops = kernels.table(isa_index(None), 8)

cdef enum:
    PANELS = 32     # a multiple of every panel's width,
    ROWS = 64       # and of that, for how many rows is solved together


def factor(cnp.ndarray A not None):
    """Turn the lower triangle of A (n, n) into L with L L' = A, in place.

    Returns 0, or the number, from 1, of the first pivot that is not positive: A is not positive definite then, and what
    is left in it has no meaning.
    """
    cdef size_t n = cnp.PyArray_DIM(A, 0), failed
    cdef double *matrix = <double *> data(A)
    with nogil:
        failed = kernels.cholesky_factor(_ops, n, matrix, n)
    return failed


def solve(cnp.ndarray L not None, B):
    """A^-1 b for each row b of B (m, n), or for B (n,), with A = L L'."""
    X = np.array(B, np.float64, order="C")
    cdef size_t n = cnp.PyArray_DIM(L, 0), m = X.size // n if n else 0
    cdef const double *factors = <const double *> data(L)
    cdef double *rows = <double *> data(X)
    with nogil:
        kernels.cholesky_forward(_ops, n, factors, n, m, rows, n)
        kernels.cholesky_backward(_ops, n, factors, n, m, rows, n)
    return X


def inverse_root(cnp.ndarray L not None):
    """L'^-1 (n, n), upper triangular: its product with its transpose is A^-1."""
    X = np.zeros_like(L)
    cdef size_t n = cnp.PyArray_DIM(L, 0), first = 0, row, m
    cdef const double *factors = <const double *> data(L)
    cdef double *result = <double *> data(X)
    cdef double *rows
    with nogil:
        while first < n:
            m = (n - first) % PANELS or min(<size_t> ROWS, n - first)   # only the first has a rest
            rows = result + first * n + first
            for row in range(m):
                rows[row * n + row] = 1.0
            kernels.cholesky_forward(_ops, n - first, factors + first * n + first, n, m, rows, n)
            first += m
    return X


def inverse(cnp.ndarray L not None):
    """A^-1 (n, n), symmetric, with A = L L'."""
    X = np.empty_like(L)
    cdef size_t n = cnp.PyArray_DIM(L, 0)
    cdef const double *factors = <const double *> data(L)
    cdef double *result = <double *> data(X)
    with nogil:
        kernels.cholesky_inverse(_ops, n, factors, n, result, n)
    return X
