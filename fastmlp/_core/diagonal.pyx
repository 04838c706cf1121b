"""A kind of layer for the tests, and for who writes another: the diagonal one, z_i = w_i a_i + b_i.

It is not the library's: the record that `fastmlp.Network` takes is in `tests/diagonal.py`. It has the three products
and none of the quicker ways, so that all that stands in for these is tested. Nothing in the library uses this module.
"""

from cython cimport floating

from fastmlp._core.bridge cimport kernels
from fastmlp._core.sums.kinds cimport Backward, Forward, Gradient, Kind, Layer, Products


cdef inline size_t columns(const void *ops, size_t n, const floating *_) noexcept nogil:
    """Those of whole vectors: what lies behind the samples is read by others."""
    cdef size_t lanes = kernels.lanes(ops, sizeof(floating))
    return (n + lanes - 1) // lanes * lanes


cdef void forward(const void *ops, const Layer *layer, size_t n, const floating *W, const floating *b,
                  const floating *A, bint add, floating *Z, size_t ld) noexcept nogil:
    cdef size_t i, s, at
    cdef floating bias
    for i in range(layer.n_out):
        bias = b[i] if b != NULL else <floating> 0
        for s in range(columns(ops, n, A)):
            at = i * ld + s
            Z[at] = (Z[at] if add else <floating> 0) + W[i] * A[at] + bias


cdef void backward(const void *ops, const Layer *layer, size_t n, const floating *W, const floating *D, bint add,
                   const floating *factor, floating *E, size_t ld) noexcept nogil:
    cdef size_t i, s, at
    for i in range(layer.n_out):
        for s in range(columns(ops, n, D)):
            at = i * ld + s
            E[at] = (E[at] if add else <floating> 0) + W[i] * D[at]
            if factor != NULL:
                E[at] *= factor[at]


cdef void gradient(const void *ops, const Layer *layer, size_t n, const floating *D, const floating *A, bint add,
                   floating *gW, floating *gb, size_t ld) noexcept nogil:
    cdef size_t i, s, at
    cdef floating by_weight, by_bias
    for i in range(layer.n_out):
        by_weight = by_bias = 0
        for s in range(n):
            at = i * ld + s
            by_weight += D[at] * A[at]
            by_bias += D[at]
        gW[i] = gW[i] + by_weight if add else by_weight
        if gb != NULL:
            gb[i] = gb[i] + by_bias if add else by_bias


cdef void fill(Products *products, floating *_) noexcept:
    products.forward = <Forward> &forward[floating]
    products.backward = <Backward> &backward[floating]
    products.gradient = <Gradient> &gradient[floating]


cdef Kind diagonal():
    cdef Kind kind = Kind()
    fill(&kind.single, <float *> NULL)
    fill(&kind.double, <double *> NULL)
    return kind


DIAGONAL = diagonal()
