"""The recursions over the layers of which every derivative is composed, on one block of samples.

fprop    forward: z_l = W_l a_(l-1) + b_l,  a_l = h(z_l), h' and h'' as asked for; ends at the logits
bprop    backward: delta_(l-1) = h'(z_(l-1)) W_l' delta_l,  dE/dW_l += delta_l a_(l-1)',  dE/db_l += delta_l 1
rfprop   tangent of fprop in a direction of the parameters, of the inputs, or of both
rbprop   tangent of bprop; without the terms in delta and h'' it is the Gauss-Newton one

Between them stand `output`, `loss` and their tangents: from the logits to the outputs, and to the value and delta of
the loss. README.md in this folder derives them all, in these letters.
"""

from libc.string cimport memset

from cython cimport floating
from fastmlp._core.bridge cimport loss_ops, unit_ops
from fastmlp._core.storage.memory cimport ceil_to_power
from fastmlp._core.storage.vectors cimport total
from fastmlp._core.sums.block cimport Block, precisions, weights
from fastmlp._core.sums.kinds cimport Layer
from fastmlp._core.sums.layers cimport backward, forward, gradient, multiply, unit_backward
from fastmlp._core.sums.plan cimport SOFTMAX, Layout


# ---- the four sweeps ----

cdef inline void activate(const Block *b, const Layer *layer, const floating *z, floating *a, floating *d1,
                          floating *d2) noexcept nogil:
    """a = h(z), d1 = h'(z), d2 = h''(z) unless they are NULL, for the columns that hold samples."""
    cdef const void *ops = b.net.ops
    cdef size_t ld = b.ld, columns = ceil_to_power(b.n, b.net.lanes), j
    if columns == ld:
        unit_ops.activation(ops, layer.activation, layer.n_out * ld, z, a, d1, d2)
        return
    for j in range(layer.n_out):
        unit_ops.activation(ops, layer.activation, columns, z + j * ld, a + j * ld,
                            d1 + j * ld if d1 != NULL else d1, d2 + j * ld if d2 != NULL else d2)


cdef void fprop(const Block *b, floating *work, int order) noexcept nogil:
    """From the inputs at a[0] to the logits at z[n_layers], with derivatives of the activations up to `order`."""
    cdef const Layout *at = b.at
    cdef const floating *params = <const floating *> b.params
    cdef const Layer *layer
    cdef size_t ld = b.ld
    cdef int l
    for l in range(1, b.net.n_layers + 1):
        layer = &b.net.layers[l - 1]
        forward(b, layer, work, params, True, <const floating *> work + at.a[l - 1] * ld, False, work + at.z[l] * ld)
        if l < b.net.n_layers:
            activate(b, layer, <const floating *> work + at.z[l] * ld, work + at.a[l] * ld,
                     work + at.d1[l] * ld if order > 0 else <floating *> NULL,
                     work + at.d2[l] * ld if order > 1 else <floating *> NULL)


cdef void bprop(const Block *b, floating *work, floating *sums) noexcept nogil:
    """From the deltas of the output layer to the gradient; NULL for the deltas alone.

    Where the layout has a place for it, h'' * dE/da is kept for `rbprop`.
    """
    cdef const Layout *at = b.at
    cdef int l
    for l in range(b.net.n_layers, 0, -1):
        if sums != NULL:
            gradient(b, &b.net.layers[l - 1], <const floating *> work + at.delta[l] * b.ld,
                     <const floating *> work + at.a[l - 1] * b.ld, b.add, True, sums)
        if l > 1:
            step_back(b, l, work)


cdef void step_back(const Block *b, int l, floating *work) noexcept nogil:
    """From the deltas of layer l to those of the layer below."""
    cdef const Layout *at = b.at
    cdef const Layer *layer = &b.net.layers[l - 1]
    cdef const floating *d1 = work + at.d1[l - 1] * b.ld
    cdef floating *below = work + at.delta[l - 1] * b.ld
    backward(b, layer, work, <const floating *> b.params, <const floating *> work + at.delta[l] * b.ld, False,
             <const floating *> NULL if at.bends else d1, below)
    if at.bends:
        multiply(b, l - 1, <const floating *> work + at.d2[l - 1] * b.ld, <const floating *> below, False,
                 work + at.bend[l - 1] * b.ld)
        multiply(b, l - 1, d1, <const floating *> below, False, below)


cdef void unit_to_inputs(const Block *b, size_t k, const floating *delta, floating *work,
                         floating *inputs) noexcept nogil:
    """dz_k/dx times `delta` (one row), for the logit z_k: the first step may be quick."""
    cdef const Layout *at = b.at
    cdef int l = b.net.n_layers
    unit_backward(b, &b.net.layers[l - 1], work, k, <const floating *> b.params, delta,
                  <const floating *> NULL if l == 1 else <const floating *> work + at.d1[l - 1] * b.ld,
                  work + at.delta[l] * b.ld, inputs if l == 1 else work + at.delta[l - 1] * b.ld)
    if l == 1:
        return
    for l in range(b.net.n_layers - 1, 1, -1):
        step_back(b, l, work)
    bprop_to_inputs(b, work, <const floating *> work + at.delta[1] * b.ld, inputs)


cdef void bprop_to_inputs(const Block *b, floating *work, const floating *delta, floating *inputs) noexcept nogil:
    """The last step of `bprop` and of `rbprop`, which few need: dE/dx = W_1' delta_1, or the tangent of both."""
    backward(b, &b.net.layers[0], work, <const floating *> b.params, delta, False, <const floating *> NULL, inputs)


cdef void rfprop(const Block *b, const floating *V, bint inputs, floating *work) noexcept nogil:
    """Tangents of all z and a up to the logits, in the direction V of the parameters (NULL: none) and, with `inputs`,
    in that of the inputs at Ra[0].
    """
    cdef const Layout *at = b.at
    cdef const Layer *layer
    cdef floating *Rz
    cdef size_t ld = b.ld
    cdef bint own
    cdef int l
    for l in range(1, b.net.n_layers + 1):
        layer = &b.net.layers[l - 1]
        Rz = work + at.Rz[l] * ld
        own = V != NULL and layer.n_params > 0
        if own:
            forward(b, layer, work, V, True, <const floating *> work + at.a[l - 1] * ld, False, Rz)
        if l > 1 or inputs:
            forward(b, layer, work, <const floating *> b.params, False, <const floating *> work + at.Ra[l - 1] * ld,
                    own, Rz)
        elif not own:
            memset(Rz, 0, layer.n_out * ld * sizeof(floating))
        if l < b.net.n_layers:
            multiply(b, l, <const floating *> work + at.d1[l] * ld, <const floating *> Rz, False, work + at.Ra[l] * ld)


cdef void rbprop(const Block *b, const floating *V, bint inputs, bint exact, floating *work,
                 floating *sums) noexcept nogil:
    """From Rdelta of the output layer to the tangent of the gradient; NULL for Rdelta alone.

    V and `inputs` as in `rfprop`, which has gone before, as `bprop` has where it is `exact`.
    """
    cdef const Layout *at = b.at
    cdef const Layer *layer
    cdef const floating *delta
    cdef const floating *Rdelta
    cdef floating *below
    cdef size_t ld = b.ld
    cdef bint own
    cdef int l
    for l in range(b.net.n_layers, 0, -1):
        layer = &b.net.layers[l - 1]
        own = exact and V != NULL and layer.n_params > 0
        delta = work + at.delta[l] * ld
        Rdelta = work + at.Rdelta[l] * ld
        below = work + at.Rdelta[l - 1] * ld
        if sums != NULL:
            gradient(b, layer, Rdelta, <const floating *> work + at.a[l - 1] * ld, b.add, True, sums)
            if exact and (l > 1 or inputs):
                gradient(b, layer, delta, <const floating *> work + at.Ra[l - 1] * ld, True, False, sums)
        if l == 1:
            return
        if own:
            backward(b, layer, work, V, delta, False, <const floating *> NULL, below)
        backward(b, layer, work, <const floating *> b.params, Rdelta, own,
                 <const floating *> work + at.d1[l - 1] * ld, below)
        if exact:
            multiply(b, l - 1, <const floating *> work + at.bend[l - 1] * ld,
                     <const floating *> work + at.Rz[l - 1] * ld, True, below)


# ---- the output and the loss ----

cdef void output(const Block *b, floating *work, int order) noexcept nogil:
    """From the logits to the outputs y, with derivatives up to `order` of an elementwise output."""
    cdef const Layout *at = b.at
    cdef int last = b.net.n_layers
    cdef const Layer *layer = &b.net.layers[last - 1]
    cdef const floating *logits = work + at.z[last] * b.ld
    if layer.activation == SOFTMAX:
        unit_ops.softmax(b.net.ops, layer.n_out, b.n, logits, work + at.y * b.ld, b.ld)
    else:
        activate(b, layer, logits, work + at.y * b.ld,
                 work + at.d1[last] * b.ld if order > 0 else <floating *> NULL,
                 work + at.d2[last] * b.ld if order > 1 else <floating *> NULL)


cdef void output_product(const Block *b, const floating *work, const floating *U, floating *P) noexcept nogil:
    """P = (dy/dz) U at the logits z, a symmetric matrix; after `output` of order 1."""
    cdef int last = b.net.n_layers
    if b.net.layers[last - 1].activation == SOFTMAX:
        unit_ops.softmax_product(b.net.ops, b.net.n_outputs, b.n, work + b.at.y * b.ld, U, P, b.ld)
    else:
        multiply(b, last, work + b.at.d1[last] * b.ld, U, False, P)


cdef void output_curvature(const Block *b, const floating *work, const floating *Rz, const floating *Ry,
                           const floating *U, floating *P) noexcept nogil:
    """P_i = sum_jk (d2y_i / dz_j dz_k) U_j Rz_k, which may change any two of its indices, for Ry = (dy/dz) Rz; after
    `output` of order 2.
    """
    cdef int last = b.net.n_layers
    cdef size_t K = b.net.n_outputs
    if b.net.layers[last - 1].activation == SOFTMAX:
        unit_ops.softmax_product_tangent(b.net.ops, K, b.n, work + b.at.y * b.ld, Ry, U, P, b.ld)
    else:
        multiply(b, last, work + b.at.d2[last] * b.ld, Rz, False, P)
        multiply(b, last, <const floating *> P, U, False, P)


cdef void output_product_tangent(const Block *b, const floating *work, const floating *U,
                                 floating *RP) noexcept nogil:
    """RP = R(dy/dz) U, the tangent for constant U; after `output` of order 2, with Rz and Ra = Ry at the output."""
    cdef int last = b.net.n_layers
    output_curvature(b, work, work + b.at.Rz[last] * b.ld, work + b.at.Ra[last] * b.ld, U, RP)


cdef double loss(const Block *b, floating *work, bint deltas) noexcept nogil:
    """Sum of the block's losses; values of the samples at `value`, and deltas of the output layer if asked for.

    Losses with their canonical output need the logits only; squared error reads the outputs and h'.
    """
    cdef const Layout *at = b.at
    cdef int last = b.net.n_layers
    cdef floating *value = work + at.value * b.ld
    if b.net.elementwise:
        output(b, work, at.order)
    loss_ops.loss_gradient(b.net.ops, b.net.loss, b.net.n_outputs, b.n, <const floating *> work + at.z[last] * b.ld,
                           <const floating *> work + at.y * b.ld, <const floating *> work + at.d1[last] * b.ld,
                           <const floating *> work + at.T * b.ld, weights(b, <const floating *> work),
                           <const floating *> b.source.scale, precisions(b, <const floating *> work), value,
                           work + at.delta[last] * b.ld if deltas else <floating *> NULL, b.ld)
    return total(b.n, <const floating *> value)


cdef void loss_tangent(const Block *b, bint exact, floating *work) noexcept nogil:
    """Rdelta of the output layer from its Rz, after `loss`: all of it, or the Gauss-Newton part."""
    cdef int last = b.net.n_layers
    loss_product(b, not exact, work, <const floating *> work + b.at.Rz[last] * b.ld, work + b.at.Rdelta[last] * b.ld)


cdef void loss_product(const Block *b, bint ggn, const floating *work, const floating *U, floating *P) noexcept nogil:
    """P = (d2e / dz dz) U at the logits, or the Gauss-Newton part, after `loss`."""
    cdef const Layout *at = b.at
    cdef int last = b.net.n_layers
    loss_ops.loss_hessp(b.net.ops, b.net.loss, ggn, b.net.n_outputs, b.n, work + at.z[last] * b.ld, work + at.y * b.ld,
                        work + at.d1[last] * b.ld, work + at.d2[last] * b.ld, work + at.T * b.ld, weights(b, work),
                        <const floating *> b.source.scale, precisions(b, work), U, P, b.ld)
