# Vectors: where they lie in memory, their sums and their largest elements.

from cython cimport floating
from libc.math cimport fabs

from fastmlp._core.storage.memory cimport SIZE_MAX

cdef enum:
    ALIGNMENT = 64      # bytes: a vector register, a line of the cache


# n_bytes rounded up to whole lines of the cache, SIZE_MAX as it is; an address likewise
cdef inline size_t lines(size_t n_bytes) noexcept nogil:
    return (n_bytes + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT if n_bytes <= SIZE_MAX - ALIGNMENT else SIZE_MAX


# sum v_i in double; every fourth, so that an addition need not wait for the one before
cdef inline double total(size_t n, const floating *v) noexcept nogil:
    cdef double sums[4]
    cdef size_t i
    sums[0] = sums[1] = sums[2] = sums[3] = 0.0
    for i in range(0, n - n % 4, 4):
        sums[0] += v[i]
        sums[1] += v[i + 1]
        sums[2] += v[i + 2]
        sums[3] += v[i + 3]
    for i in range(n - n % 4, n):
        sums[0] += v[i]
    return (sums[0] + sums[1]) + (sums[2] + sums[3])


# max |v_i|, nan where there is one
cdef inline double largest(size_t n, const double *v, size_t stride) noexcept nogil:
    cdef double most = 0.0
    cdef size_t i
    for i in range(n):
        if not fabs(v[i * stride]) <= most:
            most = fabs(v[i * stride])
            if most != most:
                break
    return most
