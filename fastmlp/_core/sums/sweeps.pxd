# Recursions over the layers, on one block of samples held feature-major.

from cython cimport floating
from fastmlp._core.sums.block cimport Block


cdef void fprop(const Block *b, floating *work, int order) noexcept nogil
cdef void bprop(const Block *b, floating *work, floating *sums) noexcept nogil
cdef void bprop_to_inputs(const Block *b, floating *work, const floating *delta, floating *inputs) noexcept nogil
cdef void unit_to_inputs(const Block *b, size_t k, const floating *delta, floating *work,
                         floating *inputs) noexcept nogil
cdef void rfprop(const Block *b, const floating *V, bint inputs, floating *work) noexcept nogil
cdef void rbprop(const Block *b, const floating *V, bint inputs, bint exact, floating *work,
                 floating *sums) noexcept nogil

cdef void output(const Block *b, floating *work, int order) noexcept nogil
cdef void output_product(const Block *b, const floating *work, const floating *U, floating *P) noexcept nogil
cdef void output_curvature(const Block *b, const floating *work, const floating *Rz, const floating *Ry,
                           const floating *U, floating *P) noexcept nogil
cdef void output_product_tangent(const Block *b, const floating *work, const floating *U, floating *RP) noexcept nogil
cdef double loss(const Block *b, floating *work, bint deltas) noexcept nogil
cdef void loss_tangent(const Block *b, bint exact, floating *work) noexcept nogil
cdef void loss_product(const Block *b, bint ggn, const floating *work, const floating *U, floating *P) noexcept nogil
