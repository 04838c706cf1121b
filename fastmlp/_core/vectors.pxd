# Sums over vectors of doubles.

from libc.math cimport fabs


# v'w, in an order of its own that does not depend on the machine
cdef inline double dot(size_t n, const double *v, const double *w) noexcept nogil:
    cdef double a = 0.0, b = 0.0, c = 0.0, d = 0.0, e = 0.0, f = 0.0, g = 0.0, h = 0.0
    cdef size_t i = 0
    while i + 8 <= n:
        a += v[i] * w[i]
        b += v[i + 1] * w[i + 1]
        c += v[i + 2] * w[i + 2]
        d += v[i + 3] * w[i + 3]
        e += v[i + 4] * w[i + 4]
        f += v[i + 5] * w[i + 5]
        g += v[i + 6] * w[i + 6]
        h += v[i + 7] * w[i + 7]
        i += 8
    while i < n:
        a += v[i] * w[i]
        i += 1
    return ((a + e) + (c + g)) + ((b + f) + (d + h))


# w += factor v
cdef inline void add(size_t n, double factor, const double *v, double *w) noexcept nogil:
    cdef size_t i
    for i in range(n):
        w[i] += factor * v[i]


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
