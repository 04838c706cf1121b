"""Rows in an orthonormal basis of their span: the basis, coordinates, and back.

All sums are those of one thread, so that what is trained in such coordinates has the same bits for any number of them.
"""

from libc.math cimport sqrt
from libc.string cimport memcpy, memset

import numpy as np

cimport numpy as cnp
from fastmlp._core.bridge cimport dense_ops, kernels
from fastmlp._core.bridge.kernels cimport FMLP_PAD
from fastmlp._core.bridge.vector_ops cimport add_multiple, dot
from fastmlp._core.storage.arrays cimport data
from fastmlp._core.storage.memory cimport ceil_to, plus, times
from fastmlp._core.storage.vectors cimport largest
from fastmlp._core.threads cimport team
from fastmlp._core.threads.team cimport Watch

from fastmlp._core.bridge.kernels import isa_index

cnp.import_array()

cdef const void *_ops = kernels.table(isa_index(None), sizeof(double))

cdef double LEFT = 1e-13        # of a row's length: less is what rounding has left of a row within the span


cdef size_t room(const Basis *basis) noexcept nogil:
    return times(basis.n_units, plus(basis.ld, basis.r))


cdef double largest_behind(const Basis *basis, const void *ops, const double *V, double *work) noexcept nogil:
    cdef size_t M = basis.n_units, r = basis.r, ld = basis.ld, unit, i
    cdef double *G = work               # (n_units, ld) = V Q
    cdef double *turned = work + M * ld
    for unit in range(M):
        for i in range(r):
            turned[i * M + unit] = V[unit * (r + 1) + i]
    dense_ops.dense_backward(ops, r, M, basis.D, <const double *> turned, basis.Q, False, <const double *> NULL, G, ld)
    for unit in range(M):
        add_multiple(ops, basis.D, V[unit * (r + 1) + r], basis.E + unit * ld, G + unit * ld)
    return most_of(M, basis.D, ld, G)


cdef double most_of(size_t rows, size_t columns, size_t ld, const double *G) noexcept nogil:
    """max |G_ij|, nan where there is one."""
    cdef double most = 0.0, own
    cdef size_t row
    for row in range(rows):
        own = largest(columns, G + row * ld, 1)
        if not own <= most:
            most = own
    return most


cdef class Span:
    """Basis and directions as the compiled objective has them.

    Parameters
    ----------
    Q : ndarray of shape (r, D), float64
    E : ndarray of shape (n_units, D), float64
    """

    def __cinit__(self, cnp.ndarray Q not None, cnp.ndarray E not None):
        cdef size_t r = cnp.PyArray_DIM(Q, 0), D = cnp.PyArray_DIM(Q, 1), ld = ceil_to(D, FMLP_PAD)
        padded = [np.zeros((len(rows), ld)) for rows in (Q, E)]
        for rows, given in zip(padded, (Q, E)):
            rows[:, :D] = given
        self.arrays = tuple(padded)
        self.basis = Basis(cnp.PyArray_DIM(E, 0), r, D, ld, <const double *> data(padded[0]),
                           <const double *> data(padded[1]))


cdef bint unit_beside(size_t D, double *q, size_t r, const double *Q) noexcept nogil:
    """q becomes the unit vector of what it has besides the span of Q (r, D); whether that is more than rounding."""
    cdef double before = sqrt(dot(_ops, D, q, q)), after
    cdef size_t i
    cdef int _
    for _ in range(2):
        for i in range(r):
            add_multiple(_ops, D, -dot(_ops, D, Q + i * D, q), Q + i * D, q)
    after = sqrt(dot(_ops, D, q, q))
    for i in range(D if after > LEFT * before else 0):
        q[i] /= after
    return after > LEFT * before


def orthonormal(cnp.ndarray rows not None):
    """An orthonormal basis (r, D) of the span of rows (k, D), by Gram and Schmidt, twice: r k D multiply-adds each."""
    cdef size_t k = cnp.PyArray_DIM(rows, 0), D = cnp.PyArray_DIM(rows, 1), r = 0, i
    cdef cnp.ndarray basis = np.empty((min(k, D), D))
    cdef const double *given = <const double *> data(rows)
    cdef double *Q = <double *> data(basis)
    cdef Watch watch = team.watch()
    with nogil:
        for i in range(k):
            if r == min(k, D) or not team.keep_on(&watch, 4 * r * D):
                break
            memcpy(Q + r * D, given + i * D, D * sizeof(double))
            r += unit_beside(D, Q + r * D, r, Q)
    team.check(&watch)
    return basis[:r].copy()


def orthonormal_each(cnp.ndarray rows not None, cnp.ndarray Q not None):
    """Unit vectors (k, D) along what each of rows (k, D) has besides the span of Q (r, D); 0 where it has nothing."""
    cdef size_t D = cnp.PyArray_DIM(rows, 1), i
    cdef cnp.ndarray left = np.array(rows)
    cdef double *row = <double *> data(left)
    for i in range(<size_t> cnp.PyArray_DIM(rows, 0)):
        if not unit_beside(D, row + i * D, cnp.PyArray_DIM(Q, 0), <const double *> data(Q)):
            left[i] = 0.0
    return left


def coordinates(cnp.ndarray rows not None, cnp.ndarray Q not None):
    """Those (k, r) of rows (k, D): products with the basis Q (r, D)."""
    cdef size_t k = cnp.PyArray_DIM(rows, 0), r = cnp.PyArray_DIM(Q, 0), D = cnp.PyArray_DIM(Q, 1), i, j
    cdef cnp.ndarray result = np.empty((k, r))
    cdef double *V = <double *> data(result)
    cdef const double *basis = <const double *> data(Q)
    cdef const double *row = <const double *> data(rows)
    cdef Watch watch = team.watch()
    with nogil:
        for i in range(k):
            if not team.keep_on(&watch, r * D):
                break
            for j in range(r):
                V[i * r + j] = dot(_ops, D, row + i * D, basis + j * D)
    team.check(&watch)
    return result


def combined(cnp.ndarray V not None, cnp.ndarray Q not None):
    """The rows (k, D) of coordinates V (k, r)."""
    cdef size_t k = cnp.PyArray_DIM(V, 0), r = cnp.PyArray_DIM(Q, 0), D = cnp.PyArray_DIM(Q, 1), i, j
    cdef cnp.ndarray rows = np.empty((k, D))
    cdef const double *basis = <const double *> data(Q)
    cdef const double *numbers = <const double *> data(V)
    cdef double *result = <double *> data(rows)
    for i in range(k):
        memset(result + i * D, 0, D * sizeof(double))
        for j in range(r):
            add_multiple(_ops, D, numbers[i * r + j], basis + j * D, result + i * D)
    return rows
