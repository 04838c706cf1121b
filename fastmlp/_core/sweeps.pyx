"""The recursions over the layers of which every derivative is composed, on one block of samples.

fprop    forward: z_l = W_l a_(l-1) + b_l,  a_l = h(z_l), h' and h'' as asked for; ends at the logits
bprop    backward: delta_(l-1) = h'(z_(l-1)) W_l' delta_l,  dE/dW_l += delta_l a_(l-1)',  dE/db_l += delta_l 1
rfprop   tangent of fprop in a direction of the parameters, of the inputs, or of both
rbprop   tangent of bprop; without the terms in delta and h'' it is the Gauss-Newton one

Between them stand `output`, `loss` and their tangents: from the logits to the outputs, and to the value and delta of
the loss. README.md in this folder derives them all, in these letters.
"""

from cython cimport floating
from fastmlp._core cimport kernels
from fastmlp._core.plan cimport SOFTMAX, Layer, Layout, Net
from fastmlp._core.vectors cimport total


# ---- the four sweeps ----

cdef inline void activate(const Net *net, const Layer *layer, const floating *z, floating *a, floating *d1,
                          floating *d2, size_t n, size_t ld) noexcept nogil:
    """a = h(z), d1 = h'(z), d2 = h''(z) unless they are NULL, for the columns that hold samples."""
    cdef size_t columns = (n + net.lanes - 1) // net.lanes * net.lanes, j
    if columns == ld:
        kernels.activation(net.ops, layer.activation, layer.n_out * ld, z, a, d1, d2)
        return
    for j in range(layer.n_out):
        kernels.activation(net.ops, layer.activation, columns, z + j * ld, a + j * ld,
                           d1 + j * ld if d1 != NULL else d1, d2 + j * ld if d2 != NULL else d2)


cdef void fprop(const Net *net, const Layout *at, const floating *params, floating *work, size_t n, size_t ld,
                int order) noexcept nogil:
    """From the inputs at a[0] to the logits at z[n_layers], with derivatives of the activations up to `order`."""
    cdef int l
    cdef const Layer *layer
    for l in range(1, net.n_layers + 1):
        layer = &net.layers[l - 1]
        kernels.dense_forward(net.ops, layer.n_out, layer.n_in, n, params + layer.W, params + layer.b,
                              <const floating *> work + at.a[l - 1] * ld, False, work + at.z[l] * ld, ld)
        if l < net.n_layers:
            activate(net, layer, <const floating *> work + at.z[l] * ld, work + at.a[l] * ld,
                     work + at.d1[l] * ld if order > 0 else <floating *> NULL,
                     work + at.d2[l] * ld if order > 1 else <floating *> NULL, n, ld)


cdef void bprop(const Net *net, const Layout *at, const floating *params, floating *work, size_t n, size_t ld,
                bint add, floating *gradient) noexcept nogil:
    """From the deltas of the output layer to the gradient, which is added to if `add`; NULL for the deltas alone.

    Where the layout has a place for it, h'' * dE/da is kept for `rbprop`.
    """
    cdef int l
    cdef const Layer *layer
    for l in range(net.n_layers, 0, -1):
        layer = &net.layers[l - 1]
        if gradient != NULL:
            kernels.dense_gradient(net.ops, layer.n_out, layer.n_in, n, <const floating *> work + at.delta[l] * ld,
                                   <const floating *> work + at.a[l - 1] * ld, add, gradient + layer.W,
                                   gradient + layer.b, ld)
        if l > 1:
            step_back(net, at, params, l, work, n, ld)


cdef void step_back(const Net *net, const Layout *at, const floating *params, int l, floating *work, size_t n,
                    size_t ld) noexcept nogil:
    """From the deltas of layer l to those of the layer below."""
    cdef const Layer *layer = &net.layers[l - 1]
    cdef const floating *d1 = work + at.d1[l - 1] * ld
    cdef floating *below = work + at.delta[l - 1] * ld
    kernels.dense_backward(net.ops, layer.n_out, layer.n_in, n, params + layer.W,
                           <const floating *> work + at.delta[l] * ld, False,
                           <const floating *> NULL if at.bends else d1, below, ld)
    if at.bends:
        kernels.multiply(net.ops, layer.n_in, n, <const floating *> work + at.d2[l - 1] * ld,
                         <const floating *> below, False, work + at.bend[l - 1] * ld, ld)
        kernels.multiply(net.ops, layer.n_in, n, d1, <const floating *> below, False, below, ld)


cdef void unit_to_inputs(const Net *net, const Layout *at, const floating *params, size_t k, const floating *delta,
                         floating *work, size_t n, size_t ld, floating *inputs) noexcept nogil:
    """dz_k/dx times `delta` (one row), for the logit z_k: the first step takes one row of weights."""
    cdef int l = net.n_layers
    cdef const Layer *layer = &net.layers[l - 1]
    kernels.dense_backward_part(net.ops, 1, layer.n_in, n, params + layer.W + k * layer.n_in, layer.n_in, delta, ld,
                                <const floating *> NULL if l == 1 else <const floating *> work + at.d1[l - 1] * ld,
                                inputs if l == 1 else work + at.delta[l - 1] * ld, ld)
    if l == 1:
        return
    for l in range(net.n_layers - 1, 1, -1):
        step_back(net, at, params, l, work, n, ld)
    bprop_to_inputs(net, params, <const floating *> work + at.delta[1] * ld, n, ld, inputs)


cdef void bprop_to_inputs(const Net *net, const floating *params, const floating *delta, size_t n, size_t ld,
                          floating *inputs) noexcept nogil:
    """The last step of `bprop` and of `rbprop`, which few need: dE/dx = W_1' delta_1, or the tangent of both."""
    kernels.dense_backward(net.ops, net.layers[0].n_out, net.n_inputs, n, params + net.layers[0].W, delta, False,
                           <const floating *> NULL, inputs, ld)


cdef void rfprop(const Net *net, const Layout *at, const floating *params, const floating *V, bint inputs,
                 floating *work, size_t n, size_t ld) noexcept nogil:
    """Tangents of all z and a up to the logits, in the direction V of the parameters (NULL: none) and, with `inputs`,
    in that of the inputs at Ra[0].
    """
    cdef int l
    cdef const Layer *layer
    cdef floating *Rz
    for l in range(1, net.n_layers + 1):
        layer = &net.layers[l - 1]
        Rz = work + at.Rz[l] * ld
        if V != NULL:
            kernels.dense_forward(net.ops, layer.n_out, layer.n_in, n, V + layer.W, V + layer.b,
                                  <const floating *> work + at.a[l - 1] * ld, False, Rz, ld)
        if l > 1 or inputs:
            kernels.dense_forward(net.ops, layer.n_out, layer.n_in, n, params + layer.W, <const floating *> NULL,
                                  <const floating *> work + at.Ra[l - 1] * ld, V != NULL, Rz, ld)
        if l < net.n_layers:
            kernels.multiply(net.ops, layer.n_out, n, <const floating *> work + at.d1[l] * ld, <const floating *> Rz,
                             False, work + at.Ra[l] * ld, ld)


cdef void rbprop(const Net *net, const Layout *at, const floating *params, const floating *V, bint inputs,
                 bint exact, floating *work, size_t n, size_t ld, bint add, floating *gradient) noexcept nogil:
    """From Rdelta of the output layer to the tangent of the gradient, added to if `add`; NULL for Rdelta alone.

    V and `inputs` as in `rfprop`, which has gone before, as `bprop` has where it is `exact`.
    """
    cdef int l
    cdef const Layer *layer
    cdef const floating *delta
    cdef const floating *Rdelta
    cdef floating *below
    for l in range(net.n_layers, 0, -1):
        layer = &net.layers[l - 1]
        delta = work + at.delta[l] * ld
        Rdelta = work + at.Rdelta[l] * ld
        below = work + at.Rdelta[l - 1] * ld
        if gradient != NULL:
            kernels.dense_gradient(net.ops, layer.n_out, layer.n_in, n, Rdelta,
                                   <const floating *> work + at.a[l - 1] * ld, add, gradient + layer.W,
                                   gradient + layer.b, ld)
            if exact and (l > 1 or inputs):
                kernels.dense_gradient(net.ops, layer.n_out, layer.n_in, n, delta,
                                       <const floating *> work + at.Ra[l - 1] * ld, True, gradient + layer.W,
                                       <floating *> NULL, ld)
        if l == 1:
            return
        if exact and V != NULL:
            kernels.dense_backward(net.ops, layer.n_out, layer.n_in, n, V + layer.W, delta, False,
                                   <const floating *> NULL, below, ld)
        kernels.dense_backward(net.ops, layer.n_out, layer.n_in, n, params + layer.W, Rdelta, exact and V != NULL,
                               <const floating *> work + at.d1[l - 1] * ld, below, ld)
        if exact:
            kernels.multiply(net.ops, layer.n_in, n, <const floating *> work + at.bend[l - 1] * ld,
                             <const floating *> work + at.Rz[l - 1] * ld, True, below, ld)


# ---- the output and the loss ----

cdef void output(const Net *net, const Layout *at, floating *work, size_t n, size_t ld, int order) noexcept nogil:
    """From the logits to the outputs y, with derivatives up to `order` of an elementwise output."""
    cdef int last = net.n_layers
    cdef const Layer *layer = &net.layers[last - 1]
    cdef const floating *logits = work + at.z[last] * ld
    if layer.activation == SOFTMAX:
        kernels.softmax(net.ops, layer.n_out, n, logits, work + at.y * ld, ld)
    else:
        activate(net, layer, logits, work + at.y * ld,
                 work + at.d1[last] * ld if order > 0 else <floating *> NULL,
                 work + at.d2[last] * ld if order > 1 else <floating *> NULL, n, ld)


cdef void output_product(const Net *net, const Layout *at, const floating *work, const floating *U, size_t n,
                         size_t ld, floating *P) noexcept nogil:
    """P = (dy/dz) U at the logits z, a symmetric matrix; after `output` of order 1."""
    if net.layers[net.n_layers - 1].activation == SOFTMAX:
        kernels.softmax_product(net.ops, net.n_outputs, n, work + at.y * ld, U, P, ld)
    else:
        kernels.multiply(net.ops, net.n_outputs, n, work + at.d1[net.n_layers] * ld, U, False, P, ld)


cdef void output_product_tangent(const Net *net, const Layout *at, const floating *work, const floating *U, size_t n,
                                 size_t ld, floating *RP) noexcept nogil:
    """RP = R(dy/dz) U, the tangent for constant U; after `output` of order 2, with Rz and Ra = Ry at the output."""
    cdef int last = net.n_layers
    if net.layers[last - 1].activation == SOFTMAX:
        kernels.softmax_product_tangent(net.ops, net.n_outputs, n, work + at.y * ld, work + at.Ra[last] * ld, U, RP, ld)
    else:
        kernels.multiply(net.ops, net.n_outputs, n, work + at.d2[last] * ld, work + at.Rz[last] * ld, False, RP, ld)
        kernels.multiply(net.ops, net.n_outputs, n, <const floating *> RP, U, False, RP, ld)


cdef double loss(const Net *net, const Layout *at, floating *work, const floating *weight, const floating *scale,
                 bint deltas, size_t n, size_t ld) noexcept nogil:
    """Sum of the block's losses; values of the samples at `value`, and deltas of the output layer if asked for.

    Losses with their canonical output need the logits only; squared error reads the outputs and h'.
    """
    cdef int last = net.n_layers
    cdef floating *value = work + at.value * ld
    if net.elementwise:
        output(net, at, work, n, ld, at.order)
    kernels.loss_gradient(net.ops, net.loss, net.n_outputs, n, <const floating *> work + at.z[last] * ld,
                          <const floating *> work + at.y * ld, <const floating *> work + at.d1[last] * ld,
                          <const floating *> work + at.T * ld, weight, scale, value,
                          work + at.delta[last] * ld if deltas else <floating *> NULL, ld)
    return total(n, <const floating *> value)


cdef void loss_tangent(const Net *net, const Layout *at, floating *work, const floating *weight, const floating *scale,
                       bint exact, size_t n, size_t ld) noexcept nogil:
    """Rdelta of the output layer from its Rz, after `loss`: all of it, or the Gauss-Newton part."""
    cdef int last = net.n_layers
    kernels.loss_hessp(net.ops, net.loss, not exact, net.n_outputs, n, <const floating *> work + at.z[last] * ld,
                       <const floating *> work + at.y * ld, <const floating *> work + at.d1[last] * ld,
                       <const floating *> work + at.d2[last] * ld, <const floating *> work + at.T * ld, weight, scale,
                       <const floating *> work + at.Rz[last] * ld, work + at.Rdelta[last] * ld, ld)
