"""Symmetric positive definite systems by the Cholesky kernels of `src_c`, without LAPACK to load.

Matrices are float64 and C-contiguous; arguments are trusted.
"""

from libc.math cimport INFINITY, fabs

import numpy as np

cimport numpy as cnp

from fastmlp._core.bridge cimport kernels, root_ops, vector_ops
from fastmlp._core.threads cimport choice, team
from fastmlp._core.storage.arrays cimport data
from fastmlp._core.storage.vectors cimport ALIGNMENT, lines
from fastmlp._core.sums.plan cimport PARALLEL_WORK
from fastmlp._core.threads.team cimport Watch

from fastmlp._core.bridge.kernels import isa_index

cnp.import_array()

cdef const void *_ops = kernels.table(isa_index(None), 8)

cdef enum:
    COLUMNS = kernels.FMLP_PANEL    # that are factored between two looks at the clock
    PANELS = 32     # a multiple of every panel's width,
    ROWS = 64       # and of that, for how many rows is solved together
    VECTORS = 252   # that are multiplied by a root together, at most: they stay in the cache near the core;
    TALL = 12       # the tallest tiles of each instruction set divide both

cdef double GROWTH = 1e4    # of numbers, in L D L' without a choice of pivots: so many digits fewer


cdef size_t factored(const void *ops, size_t n, double *A, Watch *watch) noexcept nogil:
    """As `factor`, with signals answered between columns; once the watch has stopped A has no meaning."""
    cdef size_t first = 0, last, failed = 0
    while first < n and failed == 0 and team.keep_on(watch, COLUMNS * (first + COLUMNS) * (n - first)):
        last = min(n, first + COLUMNS)
        failed = root_ops.cholesky_factor(ops, n, A, n, first, last)
        first = last
    return failed


def factor(cnp.ndarray A not None):
    """Turn the lower triangle of A (n, n) into L with L L' = A, in place.

    Returns 0, or the number, from 1, of the first pivot that is not positive: A is not positive definite then, and what
    is left in it has no meaning.
    """
    cdef size_t n = cnp.PyArray_DIM(A, 0), failed
    cdef double *matrix = <double *> data(A)
    cdef Watch watch = team.watch()
    with nogil:
        failed = factored(_ops, n, matrix, &watch)
    team.check(&watch)
    return failed


def negative_pivots(cnp.ndarray A not None, double shift):
    """How many eigenvalues of A (n, n) + shift I are negative: as many as pivots of L D L' (Sylvester).

    None where the pivots, which are taken as they come, have let its numbers grow so that rounding may have changed it.
    """
    L = np.empty_like(A)
    cdef size_t n = cnp.PyArray_DIM(A, 0), i, j, count = 0
    cdef const double *matrix = <const double *> data(A)
    cdef double *rows = <double *> data(L)
    cdef cnp.ndarray vectors = np.empty((2, n))
    cdef double *w = <double *> data(vectors)       # row i of L D,
    cdef double *pivots = w + n                     # and D
    cdef double largest = 0.0, grown = 0.0, share
    cdef bint sound = True
    cdef Watch watch = team.watch()
    with nogil:
        for i in range(n):
            if not team.keep_on(&watch, i * i // 2):
                break
            pivots[i] = matrix[i * n + i] + shift
            largest = max(largest, fabs(pivots[i]))
            for j in range(i):
                w[j] = matrix[i * n + j] - vector_ops.dot(_ops, j, <const double *> w, <const double *> rows + j * n)
                rows[i * n + j] = w[j] / pivots[j]
                share = w[j] * rows[i * n + j]
                grown = max(grown, fabs(share))
                sound = sound and fabs(share) < INFINITY
                pivots[i] -= share
            count += pivots[i] < 0.0
    team.check(&watch)
    return count if sound and grown <= GROWTH * largest else None


def solve(cnp.ndarray L not None, B):
    """A^-1 b for each row b of B (m, n), or for B (n,), with A = L L'."""
    X = np.array(B, np.float64, order="C")
    cdef size_t n = cnp.PyArray_DIM(L, 0), m = X.size // n if n else 0
    cdef const double *factors = <const double *> data(L)
    cdef double *rows = <double *> data(X)
    with nogil:
        root_ops.cholesky_forward(_ops, n, factors, n, m, rows, n)
        root_ops.cholesky_backward(_ops, n, factors, n, m, rows, n)
    return X


def inverse_root(cnp.ndarray L not None):
    """L'^-1 (n, n), upper triangular: its product with its transpose is A^-1."""
    X = np.zeros_like(L)
    cdef size_t n = cnp.PyArray_DIM(L, 0), first = 0, row, m
    cdef const double *factors = <const double *> data(L)
    cdef double *result = <double *> data(X)
    cdef double *rows
    cdef Watch watch = team.watch()
    with nogil:
        while first < n:
            m = (n - first) % PANELS or min(<size_t> ROWS, n - first)   # only the first has a rest
            if not team.keep_on(&watch, m * (n - first) * (n - first) // 2):
                break
            rows = result + first * n + first
            for row in range(m):
                rows[row * n + row] = 1.0
            root_ops.cholesky_forward(_ops, n - first, factors + first * n + first, n, m, rows, n)
            first += m
    team.check(&watch)
    return X


def row_squares(cnp.ndarray S not None):
    """The diagonal (n,) of S S', for an upper triangle S (n, n)."""
    cdef size_t n = cnp.PyArray_DIM(S, 0), i
    cdef cnp.ndarray result = np.empty(n)
    cdef double *sums = <double *> data(result)
    cdef const double *row = <const double *> data(S)
    with nogil:
        for i in range(n):
            sums[i] = vector_ops.dot(_ops, n - i, row + i, row + i)
            row += n
    return result


def inverse(cnp.ndarray L not None):
    """A^-1 (n, n), symmetric, with A = L L'."""
    X = np.zeros_like(L)
    cdef size_t n = cnp.PyArray_DIM(L, 0), first = 0, i, k, m
    cdef const double *factors = <const double *> data(L)
    cdef const double *corner
    cdef double *result = <double *> data(X)
    cdef double *rows
    cdef Watch watch = team.watch()
    with nogil:
        while first < n:        # rows of the identity, which are zero up to there, with what L has from there on
            m = min(<size_t> ROWS, n - first)
            if not team.keep_on(&watch, m * (n - first) * (n - first)):
                break
            corner, rows = factors + first * n + first, result + first * n + first
            for i in range(m):
                rows[i * n + i] = 1.0
            root_ops.cholesky_forward(_ops, n - first, corner, n, m, rows, n)
            root_ops.cholesky_backward(_ops, n - first, corner, n, m, rows, n)
            first += m
        for i in range(n):
            for k in range(i):
                result[i * n + k] = result[k * n + i]
    team.check(&watch)
    return X


# ---- vectors times a root, by several threads ----

cdef struct Product:
    size_t n, m             # of rows J (m, n)
    const double *panels
    const double *J
    bint lower
    size_t rows             # of a slot
    double *V               # work space of each thread,
    size_t stride           # so many numbers
    double *sums            # squares (m,) or
    double *P               # products (m, n)


def packed(cnp.ndarray S not None, bint lower=False):
    """An upper triangle S (n, n), or S', in the order in which `squares` (of S) and `products` read it."""
    cdef size_t n = cnp.PyArray_DIM(S, 0), size = (n + kernels.FMLP_PANEL) * (n + 2 * kernels.FMLP_PANEL) // 2
    cdef cnp.ndarray panels = np.zeros(size + ALIGNMENT // sizeof(double))
    cdef size_t address = <size_t> data(panels), start = lines(address)     # vectors that lie in one line load faster
    root_ops.pack_root(_ops, lower, n, <const double *> data(S), n, <double *> start)
    return panels[(start - address) // sizeof(double):]


cdef void some_rows(void *context, size_t slot, int thread, Watch *watch) noexcept nogil:
    """Those of one slot."""
    cdef const Product *job = <const Product *> context
    cdef size_t n = job.n, first = slot * job.rows, rows = min(job.rows, job.m - first)
    cdef double *V = job.V + thread * job.stride
    if not team.keep_on(watch, rows * n * n // 2):
        return
    if job.P == NULL:
        root_ops.root_squares(_ops, n, job.panels, rows, job.J + first * n, n, V, job.sums + first)
    else:
        root_ops.root_products(_ops, job.lower, n, job.panels, rows, job.J + first * n, n, V, job.P + first * n, n)


cdef int run(Product *job, cnp.ndarray panels, cnp.ndarray J, int n_threads) except -1:
    """A row's bits are its own, so that slots are as long as the threads like them."""
    cdef size_t n = cnp.PyArray_DIM(J, cnp.PyArray_NDIM(J) - 1), m = cnp.PyArray_SIZE(J) // n, n_slots
    cdef size_t products = m * n * n // 2
    cdef int threads = choice.at_once(n_threads, <double> products) if products >= PARALLEL_WORK else 1
    cdef Watch watch = team.watch()
    cdef cnp.ndarray work
    job.n, job.m, job.panels, job.J = n, m, <const double *> data(panels), <const double *> data(J)
    job.rows = max(<size_t> TALL, min(<size_t> VECTORS, (m + threads * TALL - 1) // (threads * TALL) * TALL))
    n_slots = (m + job.rows - 1) // job.rows
    threads = <int> max(<size_t> 1, min(<size_t> threads, n_slots))
    job.stride = job.rows * kernels.FMLP_PANEL
    work = np.empty(threads * job.stride + ALIGNMENT // sizeof(double))
    job.V = <double *> lines(<size_t> data(work))
    with nogil:
        team.spread(some_rows, job, n_slots, threads, &watch)
    return team.check(&watch)


def squares(cnp.ndarray panels not None, J, int n_threads):
    """|S'j|^2 (...) for the rows j of J (..., n), n > 0, S an upper triangle as it is packed."""
    cdef cnp.ndarray rows = np.ascontiguousarray(J), result = np.empty(J.shape[:J.ndim - 1])
    cdef Product job
    job.lower, job.sums, job.P = False, <double *> data(result), NULL
    run(&job, panels, rows, n_threads)
    return result


def products(cnp.ndarray panels not None, J, bint lower, int n_threads):
    """J S (..., n), or J S' if that was packed, n > 0."""
    cdef cnp.ndarray rows = np.ascontiguousarray(J), result = np.empty(J.shape)
    cdef Product job
    job.lower, job.sums, job.P = lower, NULL, <double *> data(result)
    run(&job, panels, rows, n_threads)
    return result


def few_products(cnp.ndarray S not None, J, bint lower):
    """J S or J S' (..., n), n > 0, for an upper triangle S: row by row, where packing S does not pay."""
    cdef cnp.ndarray rows = np.ascontiguousarray(J), result = np.zeros(J.shape)
    cdef size_t n = cnp.PyArray_DIM(S, 0), m = cnp.PyArray_SIZE(rows) // n, k
    cdef const double *root = <const double *> data(S)
    cdef const double *vector = <const double *> data(rows)
    cdef double *out = <double *> data(result)
    with nogil:
        for _ in range(m):
            for k in range(n):
                if lower:
                    out[k] = vector_ops.dot(_ops, n - k, root + k * n + k, vector + k)
                else:
                    vector_ops.add_multiple(_ops, n - k, vector[k], root + k * n + k, out + k)
            vector += n
            out += n
    return result
