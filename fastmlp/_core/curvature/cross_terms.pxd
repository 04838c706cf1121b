# Products of rows, their sums with activations, and the cross terms of the Hessian: what by_units.pyx rests on.

from cython cimport floating
from fastmlp._core.curvature.tiles cimport Curvature, Walk
from fastmlp._core.sums.block cimport Block


# Rows left[x] * right[y], y below n_right, whose sums with the activations of layer `below` are formed.
cdef struct Rows:
    const void *left
    const void *right
    size_t n_right
    int below


cdef void products(const Block *b, const floating *left, const floating *right, Walk at, size_t rows, bint add,
                   floating *to) noexcept nogil
cdef floating *add_products(const Curvature *c, const Block *b, const Rows *of, size_t n_rows, floating *work,
                            floating *tiles) noexcept nogil
cdef floating *add_rows(const Curvature *c, const Block *b, const Rows *of, Walk at, size_t rows, floating *work,
                        floating *tiles) noexcept nogil
cdef void add_cross_terms(const Curvature *c, const Block *b, floating *work, floating *tiles) noexcept nogil
