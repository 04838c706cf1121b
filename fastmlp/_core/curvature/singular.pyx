"""Singular values by rotations of rows, on one thread: as right as those of LAPACK, and none of BLAS's threads.

Rows A (k, D) are turned two at a time until all are orthogonal to rounding (Hestenes 1958). Where they are long, they
first become C Q with orthonormal rows Q and a triangle C (k, k), which is turned in their place.
"""

from libc.math cimport fabs, sqrt

import numpy as np

cimport numpy as cnp
from fastmlp._core.bridge cimport kernels
from fastmlp._core.bridge.vector_ops cimport add_multiple, dot
from fastmlp._core.storage.arrays cimport data
from fastmlp._core.threads cimport team
from fastmlp._core.threads.team cimport Watch

from fastmlp._core.bridge.kernels import isa_index

cnp.import_array()

cdef const void *_ops = kernels.table(isa_index(None), sizeof(double))

cdef enum:
    SWEEPS = 40         # over all pairs, at most; a handful is the rule
    PASSES = 4          # of Gram and Schmidt for a row

cdef double ORTHOGONAL = 1e-15      # cosine between two rows that counts as 0
cdef double KEPT = 0.7              # share of a row's length that a pass leaves if it was orthogonal before


cdef double split(size_t D, size_t r, const double *Q, double *row, double *shares) noexcept nogil:
    """The row becomes a unit vector beside the rows Q (r, D), of which it had these shares; what is left of its length.
    """
    cdef double before = sqrt(dot(_ops, D, row, row)), after = before, share
    cdef size_t i
    cdef int _
    for _ in range(PASSES):
        for i in range(r):
            share = dot(_ops, D, Q + i * D, row)
            shares[i] += share
            add_multiple(_ops, D, -share, Q + i * D, row)
        before, after = after, sqrt(dot(_ops, D, row, row))
        if after >= KEPT * before:
            break
    else:
        after = 0.0     # nothing but rounding
    for i in range(D):
        row[i] = row[i] / after if after > 0.0 else 0.0
    return after


cdef bint turn(size_t n, size_t k, double *p, double *q, double *own_p, double *own_q) noexcept nogil:
    """Make two rows (n,) orthogonal, and turn two rows (k,) with them; whether they were not."""
    cdef double alpha = dot(_ops, n, p, p), beta = dot(_ops, n, q, q), gamma = dot(_ops, n, p, q)
    cdef double zeta, t, c, s, x
    cdef size_t i
    if not fabs(gamma) > ORTHOGONAL * sqrt(alpha) * sqrt(beta):
        return False
    zeta = (beta - alpha) / (2.0 * gamma)
    t = 1.0 / (fabs(zeta) + sqrt(1.0 + zeta * zeta))
    t = -t if zeta < 0.0 else t
    c = 1.0 / sqrt(1.0 + t * t)
    s = c * t
    for i in range(n):
        x = p[i]
        p[i], q[i] = c * x - s * q[i], s * x + c * q[i]
    for i in range(k):
        x = own_p[i]
        own_p[i], own_q[i] = c * x - s * own_q[i], s * x + c * own_q[i]
    return True


cdef void turn_all(size_t k, size_t n, double *A, double *V, Watch *watch) noexcept nogil:
    """Sweeps over all pairs of rows of A (k, n), until none is turned any more; V (k, k) turns with them."""
    cdef size_t i, j
    cdef bint turned = True
    cdef int _
    for _ in range(SWEEPS):
        if not turned:
            return
        turned = False
        for i in range(k):
            if not team.keep_on(watch, (k - i) * (5 * n + 4 * k)):
                return
            for j in range(i + 1, k):
                turned |= turn(n, k, A + i * n, A + j * n, V + i * k, V + j * k)


def decomposed(cnp.ndarray rows not None):
    """V (k, k), s (k,) and B (k, D) with V'V = I, rows (k, D) = V' diag(s) B and B B' = I, s falling.

    Rows of B that belong to s = 0 are 0. k <= D; finite numbers whose squares are.
    """
    cdef size_t k = cnp.PyArray_DIM(rows, 0), D = cnp.PyArray_DIM(rows, 1), i, j, n = D
    cdef bint is_long = D > 2 * k
    cdef cnp.ndarray Q = np.array(rows), V = np.eye(k), C = Q
    cdef double *unit = <double *> data(Q)
    cdef double *share = unit
    cdef double *turned = <double *> data(V)
    cdef Watch watch = team.watch()
    if is_long:
        C, n = np.zeros((k, k)), k
        share = <double *> data(C)
        with nogil:
            for i in range(k):
                if not team.keep_on(&watch, 4 * i * D):
                    break
                share[i * k + i] = split(D, i, unit, unit + i * D, share + i * k)
    with nogil:
        turn_all(k, n, share, turned, &watch)
    team.check(&watch)
    s = np.sqrt((C * C).sum(axis=1))
    order = np.argsort(-s, kind="stable")
    s, V, C = s[order], V[order], C[order]
    C = np.divide(C, s[:, np.newaxis], out=np.zeros_like(C), where=s[:, np.newaxis] > 0)
    if not is_long:
        return V, s, C
    cdef cnp.ndarray B = np.zeros((k, D)), own = np.ascontiguousarray(C)
    cdef double *row = <double *> data(B)
    share = <double *> data(own)
    for i in range(k):
        for j in range(k):
            add_multiple(_ops, D, share[i * k + j], <const double *> unit + j * D, row + i * D)
    return V, s, B
