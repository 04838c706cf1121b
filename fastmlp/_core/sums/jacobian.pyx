"""Derivatives sample by sample: the Jacobian by inputs or parameters, its products, and the Hessian by inputs.

Blocks are the strips of `predict`. Rows of Jacobians come from backward sweeps, one for each output; columns of
products from forward tangents.
"""

cimport numpy as cnp
from cython cimport floating
from libc.string cimport memcpy, memset

from fastmlp._core.bridge cimport layout_ops
from fastmlp._core.bridge.kernels cimport FMLP_PAD
from fastmlp._core.storage cimport results
from fastmlp._core.sums cimport slots, sweeps
from fastmlp._core.storage.arrays cimport data
from fastmlp._core.sums.block cimport Block, Source, inputs, load
from fastmlp._core.sums.kinds cimport Layer
from fastmlp._core.sums.layers cimport room_of_gradients, sample_gradients
from fastmlp._core.sums.plan cimport SOFTMAX, Layout, Net, Plan, ceil_div
from fastmlp._core.sums.slots cimport Pass, Step

cnp.import_array()

cdef enum:
    WRITTEN = 4         # multiply-adds that a number of a large result counts for: its page may be new

cdef enum Kind:
    BY_INPUTS           # J (K, D), one output after the other by backward sweeps,
    BY_INPUTS_FORWARD   # or J' (D, K), one input after the other by forward tangents
    BY_PARAMS           # (K, P)
    JVP_INPUTS          # J v (K,) for v (D,) of each sample
    JVP_PARAMS          # J v (K,) for one v (P,)
    VJP_INPUTS          # J' u (D,) for u (K,) of each sample, which lies where targets do
    INPUT_HESSIAN       # (K, D, D)
    INPUT_PARAMS        # d2y_k / dx_d dw (D, K, P)


# What is asked for.
cdef struct Rows:
    Kind kind
    bint of_logits      # in place of the outputs
    size_t row          # numbers for each sample
    const void *v
    void *values        # where the outputs or logits (n, K) go, too; NULL: nowhere


# ---- one block ----

cdef void unit(const Block *b, size_t width, size_t j, floating *block) noexcept nogil:
    """The unit vector e_j for every sample."""
    cdef size_t s
    memset(block, 0, width * b.ld * sizeof(floating))
    for s in range(b.ld):
        block[j * b.ld + s] = 1


cdef void seed(const Block *b, bint of_logits, floating *work) noexcept nogil:
    """Delta of the output layer from the vectors u at T."""
    cdef floating *u = work + b.at.T * b.ld
    cdef floating *delta = work + b.at.delta[b.net.n_layers] * b.ld
    if of_logits:
        memcpy(delta, u, b.net.n_outputs * b.ld * sizeof(floating))
    else:
        sweeps.output_product(b, <const floating *> work, <const floating *> u, delta)


cdef void block_vjp_inputs(const Block *b, const Rows *rows, floating *work, floating *out) noexcept nogil:
    """J' u by inputs, for the vectors u at T."""
    cdef floating *by_inputs = work + b.at.delta[0] * b.ld
    seed(b, rows.of_logits, work)
    sweeps.bprop(b, work, <floating *> NULL)
    sweeps.bprop_to_inputs(b, work, <const floating *> work + b.at.delta[1] * b.ld, by_inputs)
    layout_ops.store_rows(b.net.ops, b.n, b.net.n_inputs, <const floating *> by_inputs, out, rows.row, b.ld)


cdef void block_by_inputs(const Block *b, const Rows *rows, floating *work, floating *out) noexcept nogil:
    """dy_k/dx = (dy_k/dz_k) dz_k/dx; outputs of softmax, which depend on all logits, take a whole vector back."""
    cdef const Net *net = b.net
    cdef floating *ones = work + b.at.T * b.ld
    cdef floating *slopes = work + b.at.d1[net.n_layers] * b.ld
    cdef floating *by_inputs = work + b.at.delta[0] * b.ld
    cdef size_t k
    if not rows.of_logits and net.layers[net.n_layers - 1].activation == SOFTMAX:
        for k in range(net.n_outputs):
            unit(b, net.n_outputs, k, work + b.at.T * b.ld)
            block_vjp_inputs(b, rows, work, out + k * net.n_inputs)
        return
    unit(b, 1, 0, ones)
    for k in range(net.n_outputs):
        sweeps.unit_to_inputs(b, k, <const floating *> (ones if rows.of_logits else slopes + k * b.ld), work, by_inputs)
        layout_ops.store_rows(net.ops, b.n, net.n_inputs, <const floating *> by_inputs, out + k * net.n_inputs,
                              rows.row, b.ld)


cdef void block_jvp(const Block *b, const Rows *rows, const floating *v, bint by_inputs, floating *work,
                    floating *out) noexcept nogil:
    """J v in the direction v of the parameters (NULL: none), and with `by_inputs` in that of the inputs at Ra[0]."""
    cdef floating *Rz = work + b.at.Rz[b.net.n_layers] * b.ld
    cdef floating *Ry = work + b.at.Ra[b.net.n_layers] * b.ld
    sweeps.rfprop(b, v, by_inputs, work)
    if not rows.of_logits:
        sweeps.output_product(b, <const floating *> work, <const floating *> Rz, Ry)
    layout_ops.store_rows(b.net.ops, b.n, b.net.n_outputs, <const floating *> (Rz if rows.of_logits else Ry), out,
                          rows.row, b.ld)


cdef void block_by_inputs_forward(const Block *b, const Rows *rows, floating *work, floating *out) noexcept nogil:
    cdef size_t d
    for d in range(b.net.n_inputs):
        unit(b, b.net.n_inputs, d, work + b.at.Ra[0] * b.ld)
        block_jvp(b, rows, <const floating *> NULL, True, work, out + d * b.net.n_outputs)


cdef void block_by_params(const Block *b, const Rows *rows, floating *work, floating *out) noexcept nogil:
    """dy_k/dparams, the gradients of each sample, layer by layer."""
    cdef const Net *net = b.net
    cdef const Layer *layer
    cdef floating *room = work + b.at.rows * b.ld
    cdef floating *a
    cdef floating *G = room + rows_of_inputs(net) * b.ld
    cdef size_t k
    cdef int l
    for k in range(net.n_outputs):
        unit(b, net.n_outputs, k, work + b.at.T * b.ld)
        seed(b, rows.of_logits, work)
        sweeps.bprop(b, work, <floating *> NULL)
        a = room + 2 * net.max_width * b.ld
        for l in range(1, net.n_layers + 1):
            layer = &net.layers[l - 1]
            if layer.products.outer != NULL:
                outer_gradients(b, rows, l, k == 0, work, a, out)
            elif layer.n_params > 0:
                sample_gradients(b, layer, <const floating *> work + b.at.delta[l] * b.ld,
                                 <const floating *> work + b.at.a[l - 1] * b.ld, G + layer.n_params * b.ld, G)
                layout_ops.store_rows(net.ops, b.n, layer.n_params, <const floating *> G, out + layer.W, rows.row, b.ld)
            a += layer.n_in * b.ld
        out += net.n_params


cdef size_t rows_of_inputs(const Net *net) noexcept nogil:
    """Room for row-major copies of delta and of the inputs of all layers."""
    cdef size_t count = 2 * net.max_width
    cdef int l
    for l in range(net.n_layers):
        count += net.layers[l].n_in
    return count


cdef size_t rows_of_gradients(const Net *net) noexcept nogil:
    """Room for the gradients of the samples by the parameters of a layer that has no `outer`."""
    cdef size_t count = 0
    cdef int l
    for l in range(net.n_layers):
        if net.layers[l].products.outer == NULL:
            count = max(count, net.layers[l].n_params + ceil_div(room_of_gradients(&net.layers[l]), FMLP_PAD))
    return count


cdef inline void outer_gradients(const Block *b, const Rows *rows, int l, bint first, floating *work, floating *a,
                                 floating *out) noexcept nogil:
    """Those of layer l, written sample by sample from row-major copies of delta and of a, which is made for the first
    output; both lie behind the layout's rows.
    """
    cdef const Net *net = b.net
    cdef const Layer *layer = &net.layers[l - 1]
    cdef floating *delta = work + b.at.rows * b.ld
    if first:
        layout_ops.store_rows(net.ops, b.n, layer.n_in, <const floating *> work + b.at.a[l - 1] * b.ld, a, layer.n_in,
                              b.ld)
    layout_ops.store_rows(net.ops, b.n, layer.n_out, <const floating *> work + b.at.delta[l] * b.ld, delta, layer.n_out,
                          b.ld)
    layer.products.outer(net.ops, layer, b.n, delta, a, out + layer.W, rows.row)


cdef void block_input_hessian(const Block *b, const Rows *rows, floating *work, floating *out) noexcept nogil:
    """R{J' e_k} in the direction of each input; the upper triangle is computed, and copied to the lower one."""
    cdef const Layout *at = b.at
    cdef size_t D = b.net.n_inputs, k, d, s
    cdef floating *u = work + at.T * b.ld
    cdef floating *by_inputs = work + at.Rdelta[0] * b.ld
    for k in range(b.net.n_outputs):
        unit(b, b.net.n_outputs, k, u)
        seed(b, rows.of_logits, work)
        sweeps.bprop(b, work, <floating *> NULL)
        for d in range(D):
            unit(b, D, d, work + at.Ra[0] * b.ld)
            block_tangent(b, work)
            sweeps.bprop_to_inputs(b, work, <const floating *> work + at.Rdelta[1] * b.ld, by_inputs)
            layout_ops.store_rows(b.net.ops, b.n, D, <const floating *> by_inputs, out + (k * D + d) * D, rows.row,
                                  b.ld)
        for s in range(b.n):
            mirror(D, out + s * rows.row + k * D * D)


cdef void block_tangent(const Block *b, floating *work) noexcept nogil:
    """Rdelta of all layers for the inputs' tangent at Ra[0] and the constant vectors u at T."""
    output_tangent(b, work)
    sweeps.rbprop(b, <const floating *> NULL, True, True, work, <floating *> NULL)


cdef void output_tangent(const Block *b, floating *work) noexcept nogil:
    """That of the output layer."""
    cdef const Layout *at = b.at
    cdef int last = b.net.n_layers
    sweeps.rfprop(b, <const floating *> NULL, True, work)
    sweeps.output_product(b, <const floating *> work, <const floating *> work + at.Rz[last] * b.ld,
                          work + at.Ra[last] * b.ld)
    sweeps.output_product_tangent(b, <const floating *> work, <const floating *> work + at.T * b.ld,
                                  work + at.Rdelta[last] * b.ld)


cdef void block_input_params(const Block *b, const Rows *rows, floating *work, floating *out) noexcept nogil:
    """R{dy_k/dw} in the direction of each input, of a block of one sample."""
    cdef const Layout *at = b.at
    cdef size_t K = b.net.n_outputs, D = b.net.n_inputs, k, d
    cdef floating *u = work + at.T * b.ld
    cdef Block own = b[0]
    own.add = False
    for k in range(K):
        memset(u, 0, K * b.ld * sizeof(floating))   # there are no other samples to be summed
        u[k * b.ld] = 1
        seed(b, rows.of_logits, work)
        sweeps.bprop(b, work, <floating *> NULL)
        for d in range(D):
            unit(b, D, d, work + at.Ra[0] * b.ld)
            output_tangent(b, work)
            sweeps.rbprop(&own, <const floating *> NULL, True, True, work, out + (d * K + k) * b.net.n_params)


cdef inline void mirror(size_t n, floating *H) noexcept nogil:
    cdef size_t d, e
    for d in range(n):
        for e in range(d):
            H[d * n + e] = H[e * n + d]


cdef double block_rows(const Pass *job, const Block *b, floating *work, floating *out) noexcept nogil:
    """What is asked for of one block."""
    cdef const Rows *rows = <const Rows *> job.more
    cdef const Net *net = b.net
    cdef int order = 2 if rows.kind == INPUT_HESSIAN or rows.kind == INPUT_PARAMS else 1
    load(b, work)
    sweeps.fprop(b, work, order)
    if not rows.of_logits:
        sweeps.output(b, work, order)
    if rows.values != NULL:
        layout_ops.store_rows(net.ops, b.n, net.n_outputs,
                              <const floating *> work + (b.at.z[net.n_layers] if rows.of_logits else b.at.y) * b.ld,
                              <floating *> rows.values + b.first * net.n_outputs, net.n_outputs, b.ld)
    out += b.first * rows.row
    if rows.kind == BY_INPUTS:
        block_by_inputs(b, rows, work, out)
    elif rows.kind == BY_INPUTS_FORWARD:
        block_by_inputs_forward(b, rows, work, out)
    elif rows.kind == BY_PARAMS:
        block_by_params(b, rows, work, out)
    elif rows.kind == JVP_PARAMS:
        block_jvp(b, rows, <const floating *> rows.v, False, work, out)
    elif rows.kind == JVP_INPUTS:
        layout_ops.load_rows(net.ops, b.n, net.n_inputs, <const floating *> rows.v + b.first * net.n_inputs,
                             <const Py_ssize_t *> NULL, work + b.at.Ra[0] * b.ld, b.ld)
        block_jvp(b, rows, <const floating *> NULL, True, work, out)
    elif rows.kind == VJP_INPUTS:
        block_vjp_inputs(b, rows, work, out)
    elif rows.kind == INPUT_PARAMS:
        block_input_params(b, rows, work, out)
    else:
        block_input_hessian(b, rows, work, out)
    return 0.0


# ---- all blocks ----

cdef size_t work_of(const Net *net, Kind kind) noexcept nogil:
    """Multiply-adds for each sample."""
    cdef size_t K = net.n_outputs, D = net.n_inputs, work = net.work
    if kind == BY_INPUTS:
        return (1 + 2 * K) * work
    if kind == BY_PARAMS:
        return (1 + 2 * K) * work + WRITTEN * K * net.n_params
    if kind == BY_INPUTS_FORWARD:
        return (1 + D) * work
    if kind == INPUT_HESSIAN:
        return (1 + K * (1 + 2 * D)) * work
    if kind == INPUT_PARAMS:
        return (1 + K * (1 + 4 * D)) * work * net.lanes + WRITTEN * K * D * net.n_params
    return 2 * work


cdef object fill(Plan plan, cnp.ndarray params, cnp.ndarray X, vector, Kind kind, bint of_logits, tuple shape,
                 int n_threads, cnp.ndarray values=None):
    """An array (n, *shape) of what `kind` says, with v or u where it takes one; arguments are trusted."""
    cdef const Net *net = &plan.net
    cdef const Layout *at = &net.tangents
    cdef Source source = inputs(cnp.PyArray_DIM(X, 0), data(X))
    cdef Step step = <Step> &block_rows[float] if net.itemsize == sizeof(float) else <Step> &block_rows[double]
    cdef Pass job
    cdef Rows rows
    cdef cnp.npy_intp dims[4]
    cdef int i
    dims[0] = source.n
    rows.row = 1
    for i in range(len(shape)):
        dims[i + 1] = shape[i]
        rows.row *= dims[i + 1]
    out = results.empty(len(shape) + 1, dims, cnp.PyArray_TYPE(params))
    rows.kind, rows.of_logits, rows.values = kind, of_logits, data(values)
    rows.v = NULL if kind == VJP_INPUTS else data(vector)
    source.T = data(vector) if kind == VJP_INPUTS else NULL
    if kind == BY_INPUTS or kind == VJP_INPUTS:
        at = &net.gradient
    elif kind == BY_PARAMS:
        at = &net.trace
    slots.prepare(&job, step, net, at, &source, plan.strips(source.n))
    job.block.params, job.more, job.sums, job.work = data(params), &rows, data(out), work_of(net, kind)
    if kind == INPUT_PARAMS:
        job.parts.block, job.parts.ld = 1, FMLP_PAD
    if kind == BY_PARAMS:
        job.rows += rows_of_inputs(net) + rows_of_gradients(net)
    slots.run(&job, n_threads, &plan.choice)
    return out


# ---- what Python calls ----

def by_inputs(Plan plan not None, params, X, bint of_logits, int n_threads, cnp.ndarray values=None):
    """dy/dx (n, K, D), by backward sweeps, or by forward ones where there are fewer inputs than outputs; `values`
    (n, K), if given, are filled with y.
    """
    cdef size_t D = plan.net.n_inputs, K = plan.net.n_outputs
    if K <= D:
        return fill(plan, params, X, None, BY_INPUTS, of_logits, (K, D), n_threads, values)
    columns = fill(plan, params, X, None, BY_INPUTS_FORWARD, of_logits, (D, K), n_threads, values)
    return columns.swapaxes(1, 2).copy()


def by_params(Plan plan not None, params, X, bint of_logits, int n_threads, cnp.ndarray values=None):
    """dy/dparams (n, K, P); `values` as above."""
    return fill(plan, params, X, None, BY_PARAMS, of_logits, (plan.net.n_outputs, plan.net.n_params), n_threads, values)


def jvp_params(Plan plan not None, params, X, v, bint of_logits, int n_threads):
    """dy/dparams v (n, K) for v (P,)."""
    return fill(plan, params, X, v, JVP_PARAMS, of_logits, (plan.net.n_outputs,), n_threads)


def jvp_inputs(Plan plan not None, params, X, v, bint of_logits, int n_threads):
    """dy/dx v (n, K) for v (n, D)."""
    return fill(plan, params, X, v, JVP_INPUTS, of_logits, (plan.net.n_outputs,), n_threads)


def vjp_inputs(Plan plan not None, params, X, U, bint of_logits, int n_threads):
    """u' dy/dx (n, D) for U (n, K)."""
    return fill(plan, params, X, U, VJP_INPUTS, of_logits, (plan.net.n_inputs,), n_threads)


def input_hessian(Plan plan not None, params, X, int n_threads):
    """d2y/dx dx (n, K, D, D), symmetric to the last bit."""
    cdef size_t D = plan.net.n_inputs
    return fill(plan, params, X, None, INPUT_HESSIAN, False, (plan.net.n_outputs, D, D), n_threads)


def input_params(Plan plan not None, params, X, int n_threads):
    """d2y/dx dparams (n, D, K, P), sample by sample: a vector of samples could be done in the time of one."""
    cdef size_t D = plan.net.n_inputs, K = plan.net.n_outputs, P = plan.net.n_params
    return fill(plan, params, X, None, INPUT_PARAMS, False, (D, K, P), n_threads)
