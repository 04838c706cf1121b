"""Layers that look at images through windows: convolutions, and pools, which have no parameters.

CONV       z_(i,y,x) = sum_(c,p,q) W_(i,c,p,q) a_(c, y down + p - top, x across + q - left) + b_i; each position may
           have a bias of its own, and weights of its own: layers that are locally connected
MEAN       z = the mean of the window; windows do not overlap
LARGEST    z = the largest number of it, row by row the first of several: linear as long as it stays the same one

The products are kernels; the geometry is their `fmlp_window`.
"""

from cython cimport floating

from fastmlp._core.bridge cimport kernels, window_ops
from fastmlp._core.sums.kinds cimport (
    Backward, Columns, Fill, Forward, Gradient, Layer, Products, Rows, compiled,
)


cdef inline const kernels.fmlp_window *window(const Layer *layer) noexcept nogil:
    return <const kernels.fmlp_window *> layer.geometry


# ---- convolutions ----

cdef void conv_forward(const void *ops, const Layer *layer, size_t n, const floating *point, const floating *W,
                       const floating *b, const floating *A, bint add, floating *Z, size_t ld) noexcept nogil:
    window_ops.conv_forward(ops, window(layer), n, W, b, A, add, Z, ld)


cdef void conv_backward(const void *ops, const Layer *layer, size_t n, const floating *point, const floating *W,
                        const floating *D, bint add, const floating *factor, floating *E, size_t ld) noexcept nogil:
    window_ops.conv_backward(ops, window(layer), n, W, D, add, factor, E, ld)


cdef void conv_gradient(const void *ops, const Layer *layer, size_t n, const floating *D, const floating *A, bint add,
                        floating *gW, floating *gb, size_t ld) noexcept nogil:
    window_ops.conv_gradient(ops, window(layer), n, D, A, add, gW, gb, ld)


cdef void conv_columns(const void *ops, const Layer *layer, size_t n, const floating *D, const floating *A, floating *G,
                       size_t ld) noexcept nogil:
    window_ops.conv_columns(ops, window(layer), n, D, A, G, G + (layer.b - layer.W) * ld, ld)


cdef void conv_rows(const void *ops, const Layer *layer, size_t n, const floating *W, const floating *b,
                    const floating *A, floating *Z, floating *room) noexcept nogil:
    window_ops.conv_rows(ops, window(layer), n, W, b, A, Z, room)


cdef size_t conv_room(const Layer *layer) noexcept nogil:
    return kernels.fmlp_conv_room(window(layer))


cdef void fill_conv(Products *products, floating *_) noexcept:
    products.forward = <Forward> &conv_forward[floating]
    products.backward = <Backward> &conv_backward[floating]
    products.gradient = <Gradient> &conv_gradient[floating]
    products.columns = <Columns> &conv_columns[floating]
    products.rows = <Rows> &conv_rows[floating]
    products.room = &conv_room


# ---- pools: there are no parameters ----

cdef void no_gradient(const void *ops, const Layer *layer, size_t n, const floating *D, const floating *A, bint add,
                      floating *gW, floating *gb, size_t ld) noexcept nogil:
    pass


cdef void no_columns(const void *ops, const Layer *layer, size_t n, const floating *D, const floating *A, floating *G,
                     size_t ld) noexcept nogil:
    pass


cdef void mean_forward(const void *ops, const Layer *layer, size_t n, const floating *point, const floating *W,
                       const floating *b, const floating *A, bint add, floating *Z, size_t ld) noexcept nogil:
    window_ops.mean_forward(ops, window(layer), n, A, add, Z, ld)


cdef void mean_backward(const void *ops, const Layer *layer, size_t n, const floating *point, const floating *W,
                        const floating *D, bint add, const floating *factor, floating *E, size_t ld) noexcept nogil:
    window_ops.mean_backward(ops, window(layer), n, D, add, factor, E, ld)


cdef void mean_rows(const void *ops, const Layer *layer, size_t n, const floating *W, const floating *b,
                    const floating *A, floating *Z, floating *room) noexcept nogil:
    window_ops.mean_rows(ops, window(layer), n, A, Z)


cdef void max_forward(const void *ops, const Layer *layer, size_t n, const floating *point, const floating *W,
                      const floating *b, const floating *A, bint add, floating *Z, size_t ld) noexcept nogil:
    window_ops.max_forward(ops, window(layer), n, point, A, add, Z, ld)


cdef void max_backward(const void *ops, const Layer *layer, size_t n, const floating *point, const floating *W,
                       const floating *D, bint add, const floating *factor, floating *E, size_t ld) noexcept nogil:
    window_ops.max_backward(ops, window(layer), n, point, D, add, factor, E, ld)


cdef void max_rows(const void *ops, const Layer *layer, size_t n, const floating *W, const floating *b,
                   const floating *A, floating *Z, floating *room) noexcept nogil:
    window_ops.max_rows(ops, window(layer), n, A, Z)


cdef void fill_mean(Products *products, floating *_) noexcept:
    products.forward = <Forward> &mean_forward[floating]
    products.backward = <Backward> &mean_backward[floating]
    products.gradient = <Gradient> &no_gradient[floating]
    products.columns = <Columns> &no_columns[floating]
    products.rows = <Rows> &mean_rows[floating]


cdef void fill_max(Products *products, floating *_) noexcept:
    products.forward = <Forward> &max_forward[floating]
    products.backward = <Backward> &max_backward[floating]
    products.gradient = <Gradient> &no_gradient[floating]
    products.columns = <Columns> &no_columns[floating]
    products.rows = <Rows> &max_rows[floating]


CONV = compiled(<Fill> &fill_conv[float], <Fill> &fill_conv[double])
MEAN = compiled(<Fill> &fill_mean[float], <Fill> &fill_mean[double])
LARGEST = compiled(<Fill> &fill_max[float], <Fill> &fill_max[double])
