# Vectors: where they lie in memory, and their largest elements.

from libc.math cimport fabs

cdef enum:
    ALIGNMENT = 64      # bytes: a vector register, a line of the cache


# n_bytes rounded up to whole lines of the cache; an address likewise
cdef inline size_t lines(size_t n_bytes) noexcept nogil:
    return (n_bytes + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT


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
