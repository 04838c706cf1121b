"""The dense layer, z = W a + b with W (n_out, n_in): its products are kernels."""

from cython cimport floating
from libc.string cimport memcpy

from fastmlp._core.bridge cimport dense_ops, layout_ops
from fastmlp._core.sums.kinds cimport (
    Backward, Columns, Fill, Forward, Gradient, Layer, Outer, Products, Rows, Unit, compiled,
)


cdef void forward(const void *ops, const Layer *layer, size_t n, const floating *point, const floating *W,
                  const floating *b, const floating *A, bint add, floating *Z, size_t ld) noexcept nogil:
    dense_ops.dense_forward(ops, layer.n_out, layer.n_in, n, W, b, A, add, Z, ld)


cdef void backward(const void *ops, const Layer *layer, size_t n, const floating *point, const floating *W,
                   const floating *D, bint add, const floating *factor, floating *E, size_t ld) noexcept nogil:
    dense_ops.dense_backward(ops, layer.n_out, layer.n_in, n, W, D, add, factor, E, ld)


cdef void gradient(const void *ops, const Layer *layer, size_t n, const floating *D, const floating *A, bint add,
                   floating *gW, floating *gb, size_t ld) noexcept nogil:
    dense_ops.dense_gradient(ops, layer.n_out, layer.n_in, n, D, A, add, gW, gb, ld)


cdef void rows(const void *ops, const Layer *layer, size_t n, const floating *W, const floating *b, const floating *A,
               floating *Z, floating *room) noexcept nogil:
    dense_ops.rows_forward(ops, n, layer.n_out, layer.n_in, W, b, A, Z)


cdef void outer(const void *ops, const Layer *layer, size_t n, const floating *D, const floating *A, floating *J,
                size_t stride) noexcept nogil:
    layout_ops.store_outer(ops, layer.n_out, layer.n_in, n, D, A, J, stride)


cdef void columns(const void *ops, const Layer *layer, size_t n, const floating *D, const floating *A, floating *G,
                  size_t ld) noexcept nogil:
    cdef size_t i
    for i in range(layer.n_out):
        dense_ops.multiply_rows(ops, layer.n_in, n, D + i * ld, A, False, G + i * layer.n_in * ld, ld)
    memcpy(G + layer.n_out * layer.n_in * ld, D, layer.n_out * ld * sizeof(floating))


cdef void unit(const void *ops, const Layer *layer, size_t n, size_t k, const floating *W, const floating *d,
               const floating *factor, floating *E, size_t ld) noexcept nogil:
    """One row of weights."""
    dense_ops.dense_backward_part(ops, 1, layer.n_in, n, W + k * layer.n_in, layer.n_in, d, ld, factor, E, ld)


cdef void fill(Products *products, floating *_) noexcept:
    products.forward = <Forward> &forward[floating]
    products.backward = <Backward> &backward[floating]
    products.gradient = <Gradient> &gradient[floating]
    products.rows = <Rows> &rows[floating]
    products.outer = <Outer> &outer[floating]
    products.columns = <Columns> &columns[floating]
    products.unit = <Unit> &unit[floating]
    products.is_dense = True


DENSE = compiled(<Fill> &fill[float], <Fill> &fill[double])
