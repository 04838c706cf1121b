"""Two kinds of layers for the tests, and for who writes another.

DIAGONAL   z_i = w_i a_i + b_i
AVERAGES   z_i = (a_ic + ... + a_(ic+c-1)) / c, without parameters; c is all of its geometry

They have the three products and none of the quicker ways, so that all that stands in for these is tested. The records
that `fastmlp.Network` takes are in `tests/specimens.py`; nothing in the library uses this module.
"""

from cython cimport floating

from fastmlp._core.bridge cimport kernels
from fastmlp._core.storage.memory cimport ceil_to_power
from fastmlp._core.sums.kinds cimport Backward, CompiledKind, Forward, Gradient, Layer


cdef inline size_t columns(const void *ops, size_t n, size_t itemsize) noexcept nogil:
    """Those of whole vectors: what lies behind the samples is read by others."""
    return ceil_to_power(n, kernels.lanes(ops, <int> itemsize))


# ---- diagonal ----

cdef void diagonal_forward(const void *ops, const Layer *layer, size_t n, const floating *point, const floating *W,
                           const floating *b, const floating *A, bint add, floating *Z, size_t ld) noexcept nogil:
    cdef size_t i, s, at
    for i in range(layer.n_out):
        for s in range(columns(ops, n, sizeof(floating))):
            at = i * ld + s
            Z[at] = W[i] * A[at] + (Z[at] if add else 0) + (b[i] if b != NULL else 0)


cdef void diagonal_backward(const void *ops, const Layer *layer, size_t n, const floating *point, const floating *W,
                            const floating *D, bint add, const floating *factor, floating *E, size_t ld) noexcept nogil:
    cdef size_t i, s, at
    for i in range(layer.n_in):
        for s in range(columns(ops, n, sizeof(floating))):
            at = i * ld + s
            E[at] = (W[i] * D[at] + (E[at] if add else 0)) * (factor[at] if factor != NULL else 1)


cdef void diagonal_gradient(const void *ops, const Layer *layer, size_t n, const floating *D, const floating *A,
                            bint add, floating *gW, floating *gb, size_t ld) noexcept nogil:
    cdef size_t i, s
    cdef floating by_weight, by_bias
    for i in range(layer.n_out):
        by_weight = by_bias = 0
        for s in range(n):
            by_weight += D[i * ld + s] * A[i * ld + s]
            by_bias += D[i * ld + s]
        gW[i] = by_weight + (gW[i] if add else 0)
        if gb != NULL:
            gb[i] = by_bias + (gb[i] if add else 0)


# ---- averages ----

cdef void averages_forward(const void *ops, const Layer *layer, size_t n, const floating *point, const floating *W,
                           const floating *b, const floating *A, bint add, floating *Z, size_t ld) noexcept nogil:
    cdef size_t size = layer.geometry[0], i, j, s
    cdef floating total
    for i in range(layer.n_out):
        for s in range(columns(ops, n, sizeof(floating))):
            total = 0
            for j in range(size):
                total += A[(i * size + j) * ld + s]
            Z[i * ld + s] = total / <floating> size + (Z[i * ld + s] if add else 0)


cdef void averages_backward(const void *ops, const Layer *layer, size_t n, const floating *point, const floating *W,
                            const floating *D, bint add, const floating *factor, floating *E, size_t ld) noexcept nogil:
    cdef size_t size = layer.geometry[0], i, s, at
    for i in range(layer.n_in):
        for s in range(columns(ops, n, sizeof(floating))):
            at = i * ld + s
            E[at] = D[i // size * ld + s] / <floating> size + (E[at] if add else 0)
            E[at] *= factor[at] if factor != NULL else 1


cdef void averages_gradient(const void *ops, const Layer *layer, size_t n, const floating *D, const floating *A,
                            bint add, floating *gW, floating *gb, size_t ld) noexcept nogil:
    """There are no parameters."""


# ---- as Python has them ----

cdef CompiledKind diagonal():
    cdef CompiledKind kind = CompiledKind()
    kind.single.forward = <Forward> &diagonal_forward[float]
    kind.single.backward = <Backward> &diagonal_backward[float]
    kind.single.gradient = <Gradient> &diagonal_gradient[float]
    kind.double.forward = <Forward> &diagonal_forward[double]
    kind.double.backward = <Backward> &diagonal_backward[double]
    kind.double.gradient = <Gradient> &diagonal_gradient[double]
    return kind


cdef CompiledKind averages():
    cdef CompiledKind kind = CompiledKind()
    kind.single.forward = <Forward> &averages_forward[float]
    kind.single.backward = <Backward> &averages_backward[float]
    kind.single.gradient = <Gradient> &averages_gradient[float]
    kind.double.forward = <Forward> &averages_forward[double]
    kind.double.backward = <Backward> &averages_backward[double]
    kind.double.gradient = <Gradient> &averages_gradient[double]
    return kind


DIAGONAL = diagonal()
AVERAGES = averages()
