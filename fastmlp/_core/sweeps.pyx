"""The recursions over the layers of which every derivative is composed, on one block of samples.

fprop   forward:  z_l = W_l a_(l-1) + b_l,  a_l = h(z_l), h'(z_l) and h''(z_l) where the layout keeps them; ends at the logits
bprop   backward: delta_(l-1) = h'(z_(l-1)) W_l' delta_l,  dE/dW_l += delta_l a_(l-1)',  dE/db_l += delta_l 1

`output` and `loss` stand between them: from the logits to the outputs, and to the value and delta of the loss.
README.md in this folder derives them, in these letters, together with their tangents.
"""

from cython cimport floating
from fastmlp._core cimport kernels
from fastmlp._core.plan cimport SOFTMAX, Layer, Layout, Net


cdef inline void activate(const Net *net, const Layer *layer, const floating *z, floating *a, floating *d1,
                          floating *d2, size_t n, size_t ld) noexcept nogil:
    """a = h(z) and, unless they are NULL, d1 = h'(z) and d2 = h''(z), for the columns that hold samples."""
    cdef size_t columns = (n + net.lanes - 1) // net.lanes * net.lanes, j
    if columns == ld:
        kernels.activation(net.ops, layer.activation, layer.n_out * ld, z, a, d1, d2)
        return
    for j in range(layer.n_out):
        kernels.activation(net.ops, layer.activation, columns, z + j * ld, a + j * ld,
                           d1 + j * ld if d1 != NULL else d1, d2 + j * ld if d2 != NULL else d2)


cdef void fprop(const Net *net, const Layout *at, const floating *params, floating *work, size_t n,
                size_t ld) noexcept nogil:
    """From the inputs at a[0] to the logits at z[n_layers]."""
    cdef int l
    cdef const Layer *layer
    for l in range(1, net.n_layers + 1):
        layer = &net.layers[l - 1]
        kernels.dense_forward(net.ops, layer.n_out, layer.n_in, n, params + layer.W, params + layer.b,
                              <const floating *> work + at.a[l - 1] * ld, work + at.z[l] * ld, ld)
        if l < net.n_layers:
            activate(net, layer, <const floating *> work + at.z[l] * ld, work + at.a[l] * ld,
                     work + at.d1[l] * ld if at.keeps_derivatives else <floating *> NULL,
                     work + at.d2[l] * ld if at.keeps_second else <floating *> NULL, n, ld)


cdef void output(const Net *net, const Layout *at, floating *work, size_t n, size_t ld) noexcept nogil:
    """From the logits to the outputs y, and h', h'' of an elementwise output where the layout keeps them."""
    cdef int last = net.n_layers
    cdef const Layer *layer = &net.layers[last - 1]
    cdef const floating *logits = work + at.z[last] * ld
    if layer.activation == SOFTMAX:
        kernels.softmax(net.ops, layer.n_out, n, logits, work + at.y * ld, ld)
    else:
        activate(net, layer, logits, work + at.y * ld,
                 work + at.d1[last] * ld if at.keeps_derivatives else <floating *> NULL,
                 work + at.d2[last] * ld if at.keeps_second else <floating *> NULL, n, ld)


cdef double loss(const Net *net, const Layout *at, floating *work, const floating *weight, const floating *scale,
                 bint deltas, size_t n, size_t ld) noexcept nogil:
    """Sum of the block's losses; values of the samples at `value`, and deltas of the output layer if asked for.

    Losses with their canonical output need the logits only; squared error reads the outputs and h'.
    """
    cdef int last = net.n_layers
    cdef floating *value = work + at.value * ld
    cdef double total = 0.0
    cdef size_t s
    if net.elementwise:
        output(net, at, work, n, ld)
    kernels.loss_gradient(net.ops, net.loss, net.n_outputs, n, <const floating *> work + at.z[last] * ld,
                          <const floating *> work + at.y * ld, <const floating *> work + at.d1[last] * ld,
                          <const floating *> work + at.T * ld, weight, scale, value,
                          work + at.delta[last] * ld if deltas else <floating *> NULL, ld)
    for s in range(n):
        total += value[s]
    return total


cdef void bprop(const Net *net, const Layout *at, const floating *params, floating *work, size_t n, size_t ld,
                bint add, floating *gradient) noexcept nogil:
    """From the deltas of the output layer to those of all layers, and to the gradient unless it is NULL, which is added
    to if `add`.
    """
    cdef int l
    cdef const Layer *layer
    cdef const floating *delta
    for l in range(net.n_layers, 0, -1):
        layer = &net.layers[l - 1]
        delta = work + at.delta[l] * ld
        if gradient != NULL:
            kernels.dense_gradient(net.ops, layer.n_out, layer.n_in, n, delta,
                                   <const floating *> work + at.a[l - 1] * ld, add, gradient + layer.W,
                                   gradient + layer.b, ld)
        if l > 1:
            kernels.dense_backward(net.ops, layer.n_out, layer.n_in, n, params + layer.W, delta,
                                   <const floating *> work + at.d1[l - 1] * ld, work + at.delta[l - 1] * ld, ld)
