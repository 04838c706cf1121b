# Recursions over the layers, on one block of n samples held feature-major with leading dimension ld.

from cython cimport floating
from fastmlp._core.plan cimport Layout, Net


cdef void fprop(const Net *net, const Layout *at, const floating *params, floating *work, size_t n, size_t ld,
                int order) noexcept nogil
cdef void bprop(const Net *net, const Layout *at, const floating *params, floating *work, size_t n, size_t ld,
                bint add, floating *gradient) noexcept nogil
cdef void bprop_to_inputs(const Net *net, const floating *params, const floating *delta, size_t n, size_t ld,
                          floating *inputs) noexcept nogil
cdef void unit_to_inputs(const Net *net, const Layout *at, const floating *params, size_t k, const floating *delta,
                         floating *work, size_t n, size_t ld, floating *inputs) noexcept nogil
cdef void rfprop(const Net *net, const Layout *at, const floating *params, const floating *V, bint inputs,
                 floating *work, size_t n, size_t ld) noexcept nogil
cdef void rbprop(const Net *net, const Layout *at, const floating *params, const floating *V, bint inputs,
                 bint exact, floating *work, size_t n, size_t ld, bint add, floating *gradient) noexcept nogil

cdef void output(const Net *net, const Layout *at, floating *work, size_t n, size_t ld, int order) noexcept nogil
cdef void output_product(const Net *net, const Layout *at, const floating *work, const floating *U, size_t n,
                         size_t ld, floating *P) noexcept nogil
cdef void output_product_tangent(const Net *net, const Layout *at, const floating *work, const floating *U, size_t n,
                                 size_t ld, floating *RP) noexcept nogil
cdef double loss(const Net *net, const Layout *at, floating *work, const floating *weight, const floating *scale,
                 bint deltas, size_t n, size_t ld) noexcept nogil
cdef void loss_tangent(const Net *net, const Layout *at, floating *work, const floating *weight, const floating *scale,
                       bint exact, size_t n, size_t ld) noexcept nogil
