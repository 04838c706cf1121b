"""Pools over windows that do not overlap, without parameters; their geometry is the `fmlp_window` of the kernels.

MEAN       z = the mean of the window
LARGEST    z = the largest number of it, row by row the first of several: linear as long as it stays the same one
"""

from cython cimport floating

from fastmlp._core.bridge cimport kernels
from fastmlp._core.sums.kinds cimport Backward, CompiledKind, Forward, Gradient, Layer, Products


cdef inline const kernels.fmlp_window *window(const Layer *layer) noexcept nogil:
    return <const kernels.fmlp_window *> layer.geometry


cdef void no_gradient(const void *ops, const Layer *layer, size_t n, const floating *D, const floating *A, bint add,
                      floating *gW, floating *gb, size_t ld) noexcept nogil:
    """There are no parameters."""


# ---- means ----

cdef void mean_forward(const void *ops, const Layer *layer, size_t n, const floating *point, const floating *W,
                       const floating *b, const floating *A, bint add, floating *Z, size_t ld) noexcept nogil:
    kernels.mean_forward(ops, window(layer), n, A, add, Z, ld)


cdef void mean_backward(const void *ops, const Layer *layer, size_t n, const floating *point, const floating *W,
                        const floating *D, bint add, const floating *factor, floating *E, size_t ld) noexcept nogil:
    kernels.mean_backward(ops, window(layer), n, D, add, factor, E, ld)


cdef void fill_mean(Products *products, floating *_) noexcept:
    products.forward = <Forward> &mean_forward[floating]
    products.backward = <Backward> &mean_backward[floating]
    products.gradient = <Gradient> &no_gradient[floating]


# ---- the largest ----

cdef void max_forward(const void *ops, const Layer *layer, size_t n, const floating *point, const floating *W,
                      const floating *b, const floating *A, bint add, floating *Z, size_t ld) noexcept nogil:
    kernels.max_forward(ops, window(layer), n, point, A, add, Z, ld)


cdef void max_backward(const void *ops, const Layer *layer, size_t n, const floating *point, const floating *W,
                       const floating *D, bint add, const floating *factor, floating *E, size_t ld) noexcept nogil:
    kernels.max_backward(ops, window(layer), n, point, D, add, factor, E, ld)


cdef void fill_max(Products *products, floating *_) noexcept:
    products.forward = <Forward> &max_forward[floating]
    products.backward = <Backward> &max_backward[floating]
    products.gradient = <Gradient> &no_gradient[floating]


# ---- as Python has them ----

cdef CompiledKind mean():
    cdef CompiledKind kind = CompiledKind()
    fill_mean(&kind.single, <float *> NULL)
    fill_mean(&kind.double, <double *> NULL)
    return kind


cdef CompiledKind largest():
    cdef CompiledKind kind = CompiledKind()
    fill_max(&kind.single, <float *> NULL)
    fill_max(&kind.double, <double *> NULL)
    return kind


MEAN = mean()
LARGEST = largest()
