"""The dense layer, z = W a + b with W (n_out, n_in): its products are kernels."""

from cython cimport floating

from fastmlp._core.bridge cimport kernels
from fastmlp._core.sums.kinds cimport Backward, CompiledKind, Forward, Gradient, Layer, Outer, Products, Rows, Unit


cdef void forward(const void *ops, const Layer *layer, size_t n, const floating *point, const floating *W,
                  const floating *b, const floating *A, bint add, floating *Z, size_t ld) noexcept nogil:
    kernels.dense_forward(ops, layer.n_out, layer.n_in, n, W, b, A, add, Z, ld)


cdef void backward(const void *ops, const Layer *layer, size_t n, const floating *point, const floating *W,
                   const floating *D, bint add, const floating *factor, floating *E, size_t ld) noexcept nogil:
    kernels.dense_backward(ops, layer.n_out, layer.n_in, n, W, D, add, factor, E, ld)


cdef void gradient(const void *ops, const Layer *layer, size_t n, const floating *D, const floating *A, bint add,
                   floating *gW, floating *gb, size_t ld) noexcept nogil:
    kernels.dense_gradient(ops, layer.n_out, layer.n_in, n, D, A, add, gW, gb, ld)


cdef void rows(const void *ops, const Layer *layer, size_t n, const floating *W, const floating *b, const floating *A,
               floating *Z) noexcept nogil:
    kernels.rows_forward(ops, n, layer.n_out, layer.n_in, W, b, A, Z)


cdef void outer(const void *ops, const Layer *layer, size_t n, const floating *D, const floating *A, floating *J,
                size_t stride) noexcept nogil:
    kernels.store_outer(ops, layer.n_out, layer.n_in, n, D, A, J, stride)


cdef void unit(const void *ops, const Layer *layer, size_t n, size_t k, const floating *W, const floating *d,
               const floating *factor, floating *E, size_t ld) noexcept nogil:
    """One row of weights."""
    kernels.dense_backward_part(ops, 1, layer.n_in, n, W + k * layer.n_in, layer.n_in, d, ld, factor, E, ld)


cdef void fill(Products *products, floating *_) noexcept:
    products.forward = <Forward> &forward[floating]
    products.backward = <Backward> &backward[floating]
    products.gradient = <Gradient> &gradient[floating]
    products.rows = <Rows> &rows[floating]
    products.outer = <Outer> &outer[floating]
    products.unit = <Unit> &unit[floating]
    products.is_dense = True


cdef CompiledKind dense():
    cdef CompiledKind kind = CompiledKind()
    fill(&kind.single, <float *> NULL)
    fill(&kind.double, <double *> NULL)
    return kind


DENSE = dense()
