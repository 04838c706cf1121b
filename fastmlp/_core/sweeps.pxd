# Recursions over the layers, on one block of n samples held feature-major with leading dimension ld.

from cython cimport floating
from fastmlp._core.plan cimport Layout, Net


cdef void fprop(const Net *net, const Layout *at, const floating *params, floating *work, size_t n,
                size_t ld) noexcept nogil
cdef void output(const Net *net, const Layout *at, floating *work, size_t n, size_t ld) noexcept nogil
cdef double loss(const Net *net, const Layout *at, floating *work, const floating *weight, const floating *scale,
                 bint deltas, size_t n, size_t ld) noexcept nogil
cdef void bprop(const Net *net, const Layout *at, const floating *params, floating *work, size_t n, size_t ld,
                bint add, floating *gradient) noexcept nogil
