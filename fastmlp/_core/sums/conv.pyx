"""Convolutional layers, z_(i,y,x) = sum_(c,p,q) W_(i,c,p,q) a_(c, y down + p - top, x across + q - left) + b_i.

Each position may have a bias of its own, and weights of its own: layers that are locally connected. The products are
kernels; the geometry is their `fmlp_window`.
"""

from cython cimport floating

from fastmlp._core.bridge cimport kernels
from fastmlp._core.sums.kinds cimport Backward, CompiledKind, Forward, Gradient, Layer, Products


cdef inline const kernels.fmlp_window *window(const Layer *layer) noexcept nogil:
    return <const kernels.fmlp_window *> layer.geometry


cdef void forward(const void *ops, const Layer *layer, size_t n, const floating *point, const floating *W,
                  const floating *b, const floating *A, bint add, floating *Z, size_t ld) noexcept nogil:
    kernels.conv_forward(ops, window(layer), n, W, b, A, add, Z, ld)


cdef void backward(const void *ops, const Layer *layer, size_t n, const floating *point, const floating *W,
                   const floating *D, bint add, const floating *factor, floating *E, size_t ld) noexcept nogil:
    kernels.conv_backward(ops, window(layer), n, W, D, add, factor, E, ld)


cdef void gradient(const void *ops, const Layer *layer, size_t n, const floating *D, const floating *A, bint add,
                   floating *gW, floating *gb, size_t ld) noexcept nogil:
    kernels.conv_gradient(ops, window(layer), n, D, A, add, gW, gb, ld)


cdef void fill(Products *products, floating *_) noexcept:
    products.forward = <Forward> &forward[floating]
    products.backward = <Backward> &backward[floating]
    products.gradient = <Gradient> &gradient[floating]


cdef CompiledKind conv():
    cdef CompiledKind kind = CompiledKind()
    fill(&kind.single, <float *> NULL)
    fill(&kind.double, <double *> NULL)
    return kind


CONV = conv()
