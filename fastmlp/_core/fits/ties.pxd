# All parameters of a network, w, from the free ones, v: w_i = offset_i + coefficient_i v_(index_i), or the offset alone
# where the index is -1. See fastmlp/terms/reparam.py.

from cython cimport floating

# the type of v, whatever that of w
ctypedef fused number:
    float
    double


cdef struct Map:
    size_t n_params             # of w
    size_t n                    # of v
    const Py_ssize_t *index
    const double *coefficient
    const double *offset


# Owns the arrays.
cdef class Ties:
    cdef Map map
    cdef Map used               # the same of the parameters that are not fixed, of which these
    cdef object places
    cdef object arrays


cdef inline void expand(const Map *map, const number *v, floating *w) noexcept nogil:
    cdef size_t i
    for i in range(map.n_params):
        w[i] = <floating> (map.coefficient[i] * v[map.index[i]] if map.index[i] >= 0 else map.offset[i])


# v = J'w
cdef inline void pull(const Map *map, const floating *w, number *v) noexcept nogil:
    cdef size_t i
    for i in range(map.n):
        v[i] = 0.0
    for i in range(map.n_params):
        if map.index[i] >= 0:
            v[map.index[i]] += <number> (map.coefficient[i] * w[i])


# whether w has the order of v, and no more
cdef inline bint is_scaling(const Map *map) noexcept nogil:
    cdef size_t i
    for i in range(map.n_params):
        if map.index[i] != <Py_ssize_t> i:
            return False
    return True


# C = J'B J, lower triangles of symmetric matrices
cdef inline void project(const Map *map, const floating *B, double *C) noexcept nogil:
    cdef size_t n = map.n, i, j
    cdef Py_ssize_t p, q
    cdef double value
    if is_scaling(map):
        for i in range(n):
            for j in range(i + 1):
                C[i * n + j] = map.coefficient[i] * map.coefficient[j] * B[i * n + j]
        return
    for i in range(n):
        for j in range(i + 1):
            C[i * n + j] = 0.0
    for i in range(map.n_params):
        p = map.index[i]
        if p < 0:
            continue
        for j in range(i + 1):
            q = map.index[j]
            if q < 0:
                continue
            value = map.coefficient[i] * map.coefficient[j] * B[i * map.n_params + j]
            if p == q and i != j:
                value *= 2.0
            C[max(p, q) * <Py_ssize_t> n + min(p, q)] += value
