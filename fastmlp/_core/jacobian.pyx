"""Derivatives sample by sample: the Jacobian by inputs or parameters, its products, and the Hessian by inputs.

Strips, slots and threads are those of `predict`. Rows of Jacobians come from backward sweeps, one for each output;
columns of products from forward tangents.
"""

cimport numpy as cnp
from cython cimport floating
from cython.parallel cimport parallel, threadid
from libc.stdlib cimport free
from libc.string cimport memcpy, memset

from fastmlp._core cimport kernels, results, sweeps, team
from fastmlp._core.arrays cimport data
from fastmlp._core.batch cimport Scratch, Source, load, reserve
from fastmlp._core.plan cimport SOFTMAX, Layer, Layout, Net, Partition, Plan
from fastmlp._core.team cimport Watch

cnp.import_array()

cdef enum Kind:
    BY_INPUTS           # J (K, D), one output after the other by backward sweeps,
    BY_INPUTS_FORWARD   # or J' (D, K), one input after the other by forward tangents
    BY_PARAMS           # (K, P)
    JVP_INPUTS          # J v (K,) for v (D,) of each sample
    JVP_PARAMS          # J v (K,) for one v (P,)
    VJP_INPUTS          # J' u (D,) for u (K,) of each sample, which lies where targets do
    INPUT_HESSIAN       # (K, D, D)


cdef struct Job:
    Kind kind
    bint of_logits      # in place of the outputs
    size_t row          # numbers for each sample
    size_t rows         # of the workspace: those of the layout, and row-major copies behind it
    const Layout *at
    const void *v
    void *values        # where the outputs or logits (n, K) go, too; NULL: nowhere
    Source source


# ---- one block ----

cdef void unit(floating *block, size_t width, size_t j, size_t ld) noexcept nogil:
    """The unit vector e_j for every sample."""
    cdef size_t s
    memset(block, 0, width * ld * sizeof(floating))
    for s in range(ld):
        block[j * ld + s] = 1


cdef void seed(const Net *net, const Job *job, floating *work, size_t n, size_t ld) noexcept nogil:
    """Delta of the output layer from the vectors u at T."""
    cdef floating *u = work + job.at.T * ld
    cdef floating *delta = work + job.at.delta[net.n_layers] * ld
    if job.of_logits:
        memcpy(delta, u, net.n_outputs * ld * sizeof(floating))
    else:
        sweeps.output_product(net, job.at, <const floating *> work, <const floating *> u, n, ld, delta)


cdef void block_vjp_inputs(const Net *net, const Job *job, const floating *params, floating *work, size_t n, size_t ld,
                           floating *out, size_t stride) noexcept nogil:
    """J' u by inputs, for the vectors u at T."""
    cdef floating *inputs = work + job.at.delta[0] * ld
    seed(net, job, work, n, ld)
    sweeps.bprop(net, job.at, params, work, n, ld, False, <floating *> NULL)
    sweeps.bprop_to_inputs(net, params, <const floating *> work + job.at.delta[1] * ld, n, ld, inputs)
    kernels.store_rows(net.ops, n, net.n_inputs, <const floating *> inputs, out, stride, ld)


cdef void block_by_inputs(const Net *net, const Job *job, const floating *params, floating *work, size_t n, size_t ld,
                          floating *out) noexcept nogil:
    """dy_k/dx = (dy_k/dz_k) dz_k/dx; outputs of softmax, which depend on all logits, take a whole vector back."""
    cdef size_t k
    cdef floating *ones = work + job.at.T * ld
    cdef floating *slopes = work + job.at.d1[net.n_layers] * ld
    cdef floating *inputs = work + job.at.delta[0] * ld
    if not job.of_logits and net.layers[net.n_layers - 1].activation == SOFTMAX:
        for k in range(net.n_outputs):
            unit(work + job.at.T * ld, net.n_outputs, k, ld)
            block_vjp_inputs(net, job, params, work, n, ld, out + k * net.n_inputs, job.row)
        return
    unit(ones, 1, 0, ld)
    for k in range(net.n_outputs):
        sweeps.unit_to_inputs(net, job.at, params, k, <const floating *> (ones if job.of_logits else slopes + k * ld),
                              work, n, ld, inputs)
        kernels.store_rows(net.ops, n, net.n_inputs, <const floating *> inputs, out + k * net.n_inputs, job.row, ld)


cdef void block_jvp(const Net *net, const Job *job, const floating *params, const floating *v, bint inputs,
                    floating *work, size_t n, size_t ld, floating *out) noexcept nogil:
    """J v in the direction v of the parameters (NULL: none), and with `inputs` in that of the inputs at Ra[0]."""
    cdef const Layout *at = job.at
    cdef floating *Rz = work + at.Rz[net.n_layers] * ld
    cdef floating *Ry = work + at.Ra[net.n_layers] * ld
    sweeps.rfprop(net, at, params, v, inputs, work, n, ld)
    if not job.of_logits:
        sweeps.output_product(net, at, <const floating *> work, <const floating *> Rz, n, ld, Ry)
    kernels.store_rows(net.ops, n, net.n_outputs, <const floating *> (Rz if job.of_logits else Ry), out, job.row, ld)


cdef void block_by_inputs_forward(const Net *net, const Job *job, const floating *params, floating *work, size_t n,
                                  size_t ld, floating *out) noexcept nogil:
    cdef size_t d
    for d in range(net.n_inputs):
        unit(work + job.at.Ra[0] * ld, net.n_inputs, d, ld)
        block_jvp(net, job, params, <const floating *> NULL, True, work, n, ld, out + d * net.n_outputs)


cdef void block_by_params(const Net *net, const Job *job, const floating *params, floating *work, size_t n, size_t ld,
                          floating *out) noexcept nogil:
    """dy_k/dW = delta a', written sample by sample from row-major copies of delta and a."""
    cdef const Layout *at = job.at
    cdef const Layer *layer
    cdef floating *delta = work + at.rows * ld
    cdef floating *a
    cdef size_t k
    cdef int l
    for k in range(net.n_outputs):
        unit(work + at.T * ld, net.n_outputs, k, ld)
        seed(net, job, work, n, ld)
        sweeps.bprop(net, at, params, work, n, ld, False, <floating *> NULL)
        a = delta + net.max_width * ld
        for l in range(1, net.n_layers + 1):
            layer = &net.layers[l - 1]
            if k == 0:
                kernels.store_rows(net.ops, n, layer.n_in, <const floating *> work + at.a[l - 1] * ld, a, layer.n_in,
                                   ld)
            kernels.store_rows(net.ops, n, layer.n_out, <const floating *> work + at.delta[l] * ld, delta, layer.n_out,
                               ld)
            kernels.store_outer(net.ops, layer.n_out, layer.n_in, n, <const floating *> delta, <const floating *> a,
                                out + k * net.n_params + layer.W, job.row)
            a += layer.n_in * ld


cdef void block_input_hessian(const Net *net, const Job *job, const floating *params, floating *work, size_t n,
                              size_t ld, floating *out) noexcept nogil:
    """R{J' e_k} in the direction of each input; the upper triangle is computed, and copied to the lower one."""
    cdef const Layout *at = job.at
    cdef int last = net.n_layers
    cdef size_t D = net.n_inputs, k, d, e, s
    cdef floating *u = work + at.T * ld
    cdef floating *inputs = work + at.Rdelta[0] * ld
    cdef floating *H
    for k in range(net.n_outputs):
        unit(u, net.n_outputs, k, ld)
        seed(net, job, work, n, ld)
        sweeps.bprop(net, at, params, work, n, ld, False, <floating *> NULL)
        for d in range(D):
            unit(work + at.Ra[0] * ld, D, d, ld)
            sweeps.rfprop(net, at, params, <const floating *> NULL, True, work, n, ld)
            sweeps.output_product(net, at, <const floating *> work, <const floating *> work + at.Rz[last] * ld, n, ld,
                                  work + at.Ra[last] * ld)
            sweeps.output_product_tangent(net, at, <const floating *> work, <const floating *> u, n, ld,
                                          work + at.Rdelta[last] * ld)
            sweeps.rbprop(net, at, params, <const floating *> NULL, True, True, work, n, ld, False, <floating *> NULL)
            sweeps.bprop_to_inputs(net, params, <const floating *> work + at.Rdelta[1] * ld, n, ld, inputs)
            kernels.store_rows(net.ops, n, D, <const floating *> inputs, out + (k * D + d) * D, job.row, ld)
        for s in range(n):
            H = out + s * job.row + k * D * D
            for d in range(D):
                for e in range(d):
                    H[d * D + e] = H[e * D + d]


cdef void block_rows(const Net *net, const Job *job, const floating *params, size_t first, floating *work, size_t n,
                     size_t ld, floating *out) noexcept nogil:
    """What is asked for of one loaded block."""
    cdef const Layout *at = job.at
    cdef int order = 2 if job.kind == INPUT_HESSIAN else 1
    sweeps.fprop(net, at, params, work, n, ld, order)
    if not job.of_logits:
        sweeps.output(net, at, work, n, ld, order)
    if job.values != NULL:
        kernels.store_rows(net.ops, n, net.n_outputs,
                           <const floating *> work + (at.z[net.n_layers] if job.of_logits else at.y) * ld,
                           <floating *> job.values + first * net.n_outputs, net.n_outputs, ld)
    if job.kind == BY_INPUTS:
        block_by_inputs(net, job, params, work, n, ld, out)
    elif job.kind == BY_INPUTS_FORWARD:
        block_by_inputs_forward(net, job, params, work, n, ld, out)
    elif job.kind == BY_PARAMS:
        block_by_params(net, job, params, work, n, ld, out)
    elif job.kind == JVP_PARAMS:
        block_jvp(net, job, params, <const floating *> job.v, False, work, n, ld, out)
    elif job.kind == JVP_INPUTS:
        kernels.load_rows(net.ops, n, net.n_inputs, <const floating *> job.v + first * net.n_inputs,
                          <const Py_ssize_t *> NULL, work + at.Ra[0] * ld, ld)
        block_jvp(net, job, params, <const floating *> NULL, True, work, n, ld, out)
    elif job.kind == VJP_INPUTS:
        block_vjp_inputs(net, job, params, work, n, ld, out, job.row)
    else:
        block_input_hessian(net, job, params, work, n, ld, out)


# ---- all blocks ----

cdef size_t passes(const Net *net, Kind kind) noexcept nogil:
    """Work for each sample, in predictions."""
    if kind == BY_INPUTS or kind == BY_PARAMS:
        return 1 + 2 * net.n_outputs
    if kind == BY_INPUTS_FORWARD:
        return 1 + net.n_inputs
    if kind == INPUT_HESSIAN:
        return 1 + net.n_outputs * (1 + 2 * net.n_inputs)
    return 2


cdef void share_of_rows(const Net *net, Partition parts, const Job *job, const floating *params, floating *work,
                        floating *out, Watch *watch) noexcept nogil:
    """One thread's share: slots, as long as there are any."""
    cdef size_t slot = team.next_slot(watch, parts.n_slots), first, stop, n
    while slot < parts.n_slots:
        first = slot * parts.rows
        stop = min(job.source.n, first + parts.rows)
        while first < stop and team.keep_on(watch, passes(net, job.kind) * parts.block * net.n_params):
            n = min(parts.block, stop - first)
            load(net, job.at, &job.source, first, n, work, parts.ld)
            block_rows(net, job, params, first, work, n, parts.ld, out + first * job.row)
            first += n
        slot = team.next_slot(watch, parts.n_slots)


cdef int run(Plan plan, const Job *job, const floating *params, floating *out, int n_threads) except -1:
    cdef const Net *net = &plan.net
    cdef Partition parts = plan.strips(job.source.n)
    cdef int threads = plan.threads(job.source.n, passes(net, job.kind), n_threads)
    cdef Scratch scratch
    cdef Watch watch = team.watch()
    cdef floating *work
    cdef size_t stride
    reserve(&scratch, net, job.rows, parts, threads, 0)
    work = <floating *> scratch.work
    stride = scratch.work_numbers
    with nogil:
        threads = team.crew_of(threads, &watch)
        if threads == 1:
            share_of_rows(net, parts, job, params, work, out, &watch)
        else:
            with parallel(num_threads=threads):
                share_of_rows(net, parts, job, params, work + threadid() * stride, out, &watch)
    free(scratch.memory)
    return team.check(&watch)


cdef object fill(Plan plan, cnp.ndarray params, cnp.ndarray X, v, U, Kind kind, bint of_logits, tuple shape,
                 int n_threads, cnp.ndarray values=None):
    """An array (n, *shape) of what `kind` says; arguments are trusted."""
    cdef const Net *net = &plan.net
    cdef Job job
    cdef cnp.npy_intp dims[4]
    cdef int i, l
    dims[0] = cnp.PyArray_DIM(X, 0)
    job.row = 1
    for i in range(len(shape)):
        dims[i + 1] = shape[i]
        job.row *= dims[i + 1]
    out = results.empty(len(shape) + 1, dims, cnp.PyArray_TYPE(params))
    job.kind = kind
    job.of_logits = of_logits
    job.v = data(v)
    job.values = data(values)
    job.source.n = dims[0]
    job.source.X = data(X)
    job.source.T = data(U)
    job.source.labels = job.source.index = NULL
    job.source.weight = job.source.scale = NULL
    if kind == BY_INPUTS or kind == VJP_INPUTS:
        job.at = &net.gradient
    elif kind == BY_PARAMS:
        job.at = &net.trace
    else:
        job.at = &net.tangents
    job.rows = job.at.rows
    if kind == BY_PARAMS:
        job.rows += net.max_width
        for l in range(net.n_layers):
            job.rows += net.layers[l].n_in
    if net.itemsize == sizeof(float):
        run(plan, &job, <const float *> data(params), <float *> data(out), n_threads)
    else:
        run(plan, &job, <const double *> data(params), <double *> data(out), n_threads)
    return out


# ---- what Python calls ----

def by_inputs(Plan plan not None, params, X, bint of_logits, int n_threads):
    """dy/dx (n, K, D), by backward sweeps, or by forward ones where there are fewer inputs than outputs."""
    cdef size_t D = plan.net.n_inputs, K = plan.net.n_outputs
    if K <= D:
        return fill(plan, params, X, None, None, BY_INPUTS, of_logits, (K, D), n_threads)
    columns = fill(plan, params, X, None, None, BY_INPUTS_FORWARD, of_logits, (D, K), n_threads)
    return columns.swapaxes(1, 2).copy()


def by_params(Plan plan not None, params, X, bint of_logits, int n_threads):
    """dy/dparams (n, K, P)."""
    return fill(plan, params, X, None, None, BY_PARAMS, of_logits, (plan.net.n_outputs, plan.net.n_params), n_threads)


def linearise(Plan plan not None, cnp.ndarray params, cnp.ndarray X, bint of_logits, int n_threads):
    """Outputs or logits y (n, K), and dy/dparams (n, K, P), in one pass."""
    cdef cnp.npy_intp shape[2]
    shape[0] = cnp.PyArray_DIM(X, 0)
    shape[1] = plan.net.n_outputs
    values = cnp.PyArray_EMPTY(2, shape, cnp.PyArray_TYPE(params), 0)
    J = fill(plan, params, X, None, None, BY_PARAMS, of_logits, (plan.net.n_outputs, plan.net.n_params), n_threads,
             values)
    return values, J


def jvp_params(Plan plan not None, params, X, v, bint of_logits, int n_threads):
    """dy/dparams v (n, K) for v (P,)."""
    return fill(plan, params, X, v, None, JVP_PARAMS, of_logits, (plan.net.n_outputs,), n_threads)


def jvp_inputs(Plan plan not None, params, X, v, bint of_logits, int n_threads):
    """dy/dx v (n, K) for v (n, D)."""
    return fill(plan, params, X, v, None, JVP_INPUTS, of_logits, (plan.net.n_outputs,), n_threads)


def vjp_inputs(Plan plan not None, params, X, U, bint of_logits, int n_threads):
    """u' dy/dx (n, D) for U (n, K)."""
    return fill(plan, params, X, None, U, VJP_INPUTS, of_logits, (plan.net.n_inputs,), n_threads)


def input_hessian(Plan plan not None, params, X, int n_threads):
    """d2y/dx dx (n, K, D, D), symmetric to the last bit."""
    cdef size_t D = plan.net.n_inputs
    return fill(plan, params, X, None, None, INPUT_HESSIAN, False, (plan.net.n_outputs, D, D), n_threads)
