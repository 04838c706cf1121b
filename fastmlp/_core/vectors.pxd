# Vectors of doubles.

from libc.math cimport fabs


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
