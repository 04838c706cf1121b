"""Symmetric positive definite systems by the Cholesky kernels of `src_c`, without LAPACK to load.

Matrices are float64 and C-contiguous; arguments are trusted.
"""

import numpy as np

cimport numpy as cnp
from cython.parallel cimport parallel, threadid

from fastmlp._core cimport kernels, team
from fastmlp._core.arrays cimport data
from fastmlp._core.plan cimport PARALLEL_WORK
from fastmlp._core.team cimport Watch
from fastmlp._core.vectors cimport ALIGNMENT, lines

from fastmlp._core.kernels import isa_index

cnp.import_array()

cdef const void *_ops = kernels.table(isa_index(None), 8)

cdef enum:
    PANELS = 32     # a multiple of every panel's width,
    ROWS = 64       # and of that, for how many rows is solved together
    VECTORS = 252   # that are multiplied by a root together: they stay in the cache near the core


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


def row_squares(cnp.ndarray S not None):
    """The diagonal (n,) of S S', for an upper triangle S (n, n)."""
    cdef size_t n = cnp.PyArray_DIM(S, 0), i
    cdef cnp.ndarray result = np.empty(n)
    cdef double *sums = <double *> data(result)
    cdef const double *row = <const double *> data(S)
    with nogil:
        for i in range(n):
            sums[i] = kernels.dot(_ops, n - i, row + i, row + i)
            row += n
    return result


def inverse(cnp.ndarray L not None):
    """A^-1 (n, n), symmetric, with A = L L'."""
    X = np.empty_like(L)
    cdef size_t n = cnp.PyArray_DIM(L, 0)
    cdef const double *factors = <const double *> data(L)
    cdef double *result = <double *> data(X)
    with nogil:
        kernels.cholesky_inverse(_ops, n, factors, n, result, n)
    return X


# ---- vectors times a root, by several threads ----

def packed(cnp.ndarray S not None):
    """An upper triangle S (n, n) in the order in which `squares` reads it."""
    cdef size_t n = cnp.PyArray_DIM(S, 0), size = (n + kernels.FMLP_PANEL) * (n + 2 * kernels.FMLP_PANEL) // 2
    cdef cnp.ndarray panels = np.zeros(size + ALIGNMENT // sizeof(double))
    cdef size_t address = <size_t> data(panels), start = lines(address)     # vectors that lie in one line load faster
    kernels.pack_root(_ops, n, <const double *> data(S), n, <double *> start)
    return panels[(start - address) // sizeof(double):]


cdef void share_of_squares(size_t n, const double *panels, size_t m, size_t n_slots, const double *J, double *V,
                           double *sums, Watch *watch) noexcept nogil:
    """One thread's share."""
    cdef size_t slot = team.next_slot(watch, n_slots), first, rows
    while slot < n_slots:
        first = slot * VECTORS
        rows = min(<size_t> VECTORS, m - first)
        if team.keep_on(watch, rows * n * n // 2):
            kernels.root_squares(_ops, n, panels, rows, J + first * n, n, V, sums + first)
        slot = team.next_slot(watch, n_slots)


def squares(cnp.ndarray panels not None, J, int n_threads):
    """|S'j|^2 (...) for the rows j of J (..., n), S as it is packed."""
    cdef cnp.ndarray rows = np.ascontiguousarray(J), result = np.empty(J.shape[:J.ndim - 1])
    cdef size_t n = cnp.PyArray_DIM(rows, J.ndim - 1), m = cnp.PyArray_SIZE(result)
    cdef size_t slots = (m + VECTORS - 1) // VECTORS
    cdef size_t threads = min(<size_t> n_threads, slots) if m * n * n // 2 >= PARALLEL_WORK else 1
    cdef size_t stride = min(m, <size_t> VECTORS) * kernels.FMLP_PANEL
    cdef cnp.ndarray work = np.empty(threads * stride + ALIGNMENT // sizeof(double))
    cdef const double *root = <const double *> data(panels)
    cdef const double *vectors = <const double *> data(rows)
    cdef double *V = <double *> lines(<size_t> data(work))
    cdef double *sums = <double *> data(result)
    cdef Watch watch = team.watch()
    with nogil:
        threads = team.crew_of(<int> threads, &watch)
        if threads == 1:
            share_of_squares(n, root, m, slots, vectors, V, sums, &watch)
        else:
            with parallel(num_threads=<int> threads):
                share_of_squares(n, root, m, slots, vectors, V + threadid() * stride, sums, &watch)
    team.check(&watch)
    return result
