"""Drivers over a batch: the samples are cut into slots, slots are spread over threads, partial sums are added in order.

Arguments are trusted: C-contiguous, aligned, of the network's type, finite, of matching shapes (`_validation` sees to
it); `predict_rows` alone looks for itself. Every driver but `trace` releases the GIL.
"""

import numpy as np

cimport numpy as cnp
from cython cimport floating
from cpython.exc cimport PyErr_CheckSignals
from cython.parallel cimport parallel, threadid
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from fastmlp._core cimport kernels, sweeps, team
from fastmlp._core.plan cimport SOFTMAX, Layer, Layout, Net, Partition, Plan
from fastmlp._core.team cimport Watch

cnp.import_array()


cdef class Scratch:
    def __cinit__(self, Plan plan, size_t rows, Partition parts, int n_threads, bint partial):
        cdef size_t itemsize = plan.net.itemsize, align = 64
        cdef size_t numbers = rows * parts.ld
        cdef size_t line = align // itemsize
        self.work_numbers = (numbers + line - 1) // line * line
        cdef size_t work = self.work_numbers * itemsize * n_threads
        cdef size_t sums = plan.net.n_params * itemsize * (parts.n_slots - 1) if partial else 0
        sums = (sums + align - 1) // align * align
        self.memory = malloc(work + sums + parts.n_slots * sizeof(double) + align)
        if self.memory == NULL:
            raise MemoryError(f"no memory for the workspace of {n_threads} threads and {parts.n_slots} slots")
        self.work = <void *> ((<size_t> self.memory + align - 1) // align * align)
        self.partial = <char *> self.work + work
        self.values = <double *> (<char *> self.partial + sums)

    def __dealloc__(self):
        free(self.memory)


cdef Source make_source(size_t n, const floating[:, ::1] X, const floating[:, ::1] T, const Py_ssize_t[::1] labels,
                        const floating[::1] weight, const floating[::1] scale) noexcept:
    cdef Source source
    source.n = n
    source.index = NULL
    source.X = &X[0, 0] if n else NULL
    source.T = &T[0, 0] if T is not None and n else NULL
    source.labels = &labels[0] if labels is not None and n else NULL
    source.weight = &weight[0] if weight is not None and n else NULL
    source.scale = &scale[0] if scale is not None else NULL
    return source


cdef inline const floating *rows_from(const void *array, size_t first, size_t width, const Py_ssize_t *index,
                                      const floating *tag) noexcept nogil:
    """The row-major array from row `first` on; with an index it is the index that moves on."""
    return (<const floating *> array) + (0 if index != NULL else first * width)


cdef void load(const Net *net, const Layout *at, const Source *source, size_t first, size_t n, floating *work,
               size_t ld) noexcept nogil:
    """Bring n samples into a block: inputs, targets, weights."""
    cdef const Py_ssize_t *index = source.index + first if source.index != NULL else NULL
    cdef const floating *tag = NULL
    kernels.load_rows(net.ops, n, net.n_inputs, rows_from(source.X, first, net.n_inputs, index, tag), index,
                      work + at.a[0] * ld, ld)
    if source.labels != NULL:
        kernels.load_labels(net.ops, n, net.n_outputs, source.labels + (0 if index != NULL else first), index,
                            work + at.T * ld, ld)
    elif source.T != NULL:
        kernels.load_rows(net.ops, n, net.n_outputs, rows_from(source.T, first, net.n_outputs, index, tag), index,
                          work + at.T * ld, ld)
    if source.weight != NULL:
        kernels.load_rows(net.ops, n, 1, rows_from(source.weight, first, 1, index, tag), index,
                          work + at.weight * ld, ld)


cdef double slot_loss(const Net *net, Partition parts, size_t slot, const floating *params, const Source *source,
                      floating *work, floating *gradient, floating *sample_losses, Watch *watch) noexcept nogil:
    """The loss of one slot; its gradient and the losses of its samples where they are not NULL."""
    cdef const Layout *at = &net.gradient
    cdef size_t first = slot * parts.rows, stop = min(source.n, first + parts.rows), n, ld = parts.ld
    cdef const floating *weight = work + at.weight * ld if source.weight != NULL else NULL
    cdef double total = 0.0
    if gradient != NULL:
        memset(gradient, 0, net.n_params * sizeof(floating))
    while first < stop and team.keep_on(watch, parts.block * net.n_params):
        n = min(parts.block, stop - first)
        load(net, at, source, first, n, work, ld)
        sweeps.fprop(net, at, params, work, n, ld)
        total += sweeps.loss(net, at, work, weight, <const floating *> source.scale, gradient != NULL, n, ld)
        if gradient != NULL and team.keep_on(watch, 2 * n * net.n_params):
            sweeps.bprop(net, at, params, work, n, ld, gradient)
        if sample_losses != NULL:
            kernels.store_rows(net.ops, n, 1, <const floating *> work + at.value * ld, sample_losses + first, ld)
        first += n
    return total


cdef double loss_and_gradient(const Net *net, Partition parts, const floating *params, const Source *source,
                              Scratch scratch, floating *gradient, floating *sample_losses,
                              int n_threads, Watch *watch) noexcept nogil:
    """Sum of losses; gradient (P,) and losses of the samples (n,) where they are not NULL. Added in slot order."""
    cdef floating *work = <floating *> scratch.work
    cdef floating *partial = <floating *> scratch.partial
    cdef double *values = scratch.values
    cdef double total = 0.0
    cdef size_t stride = scratch.work_numbers, n_params = net.n_params
    cdef Py_ssize_t slot, n_slots = parts.n_slots
    team.deal(watch)
    if n_threads == 1:
        share_of_losses(net, parts, params, source, work, partial, values, gradient, sample_losses, watch)
    else:
        with parallel(num_threads=n_threads):
            share_of_losses(net, parts, params, source, work + threadid() * stride, partial, values, gradient,
                            sample_losses, watch)
    for slot in range(n_slots):
        total += values[slot]
        if slot > 0 and gradient != NULL:
            kernels.add(net.ops, n_params, <const floating *> partial + (slot - 1) * n_params, gradient)
    return total


cdef void share_of_losses(const Net *net, Partition parts, const floating *params, const Source *source,
                          floating *work, floating *partial, double *values, floating *gradient,
                          floating *sample_losses, Watch *watch) noexcept nogil:
    """One thread's share: slots, as long as there are any."""
    cdef size_t slot = team.next_slot(watch, parts.n_slots)
    while slot < parts.n_slots:
        values[slot] = slot_loss(net, parts, slot, params, source, work,
                                 slot_gradient(gradient, partial, slot, net.n_params), sample_losses, watch)
        slot = team.next_slot(watch, parts.n_slots)


cdef inline floating *slot_gradient(floating *gradient, floating *partial, size_t slot, size_t n_params) noexcept nogil:
    """The first slot sums into the gradient itself, the others into partial sums."""
    return gradient if gradient == NULL or slot == 0 else partial + (slot - 1) * n_params


def loss_grad(Plan plan, const floating[::1] params, const floating[:, ::1] X, const floating[:, ::1] T,
              const Py_ssize_t[::1] labels, const floating[::1] weight, const floating[::1] scale,
              floating[::1] gradient, floating[::1] sample_losses, int n_threads):
    """Sum of losses as a float; fills `gradient` and `sample_losses` where they are not None."""
    cdef size_t n = X.shape[0]
    cdef Partition parts = plan.partition(n)
    cdef int threads = plan.threads(n, parts, n_threads)
    cdef Scratch scratch = Scratch(plan, plan.net.gradient.rows, parts, threads, gradient is not None)
    cdef Source source = make_source(n, X, T, labels, weight, scale)
    cdef floating *g = &gradient[0] if gradient is not None else NULL
    cdef floating *e = &sample_losses[0] if sample_losses is not None and n else NULL
    cdef Watch watch = team.watch()
    cdef double total
    with nogil:
        total = loss_and_gradient(&plan.net, parts, &params[0], &source, scratch, g, e, threads, &watch)
    team.check(&watch)
    return total


def predict(Plan plan, const floating[::1] params, const floating[:, ::1] X, floating[:, ::1] Y, int n_threads):
    """Fill Y with the outputs for X."""
    cdef size_t n = X.shape[0]
    if n == 0:
        return
    cdef Partition parts = plan.partition(n)
    cdef int threads = plan.threads(n, parts, n_threads)
    cdef Scratch scratch = Scratch(plan, plan.net.values.rows, parts, threads, False)
    cdef Source source = make_source[floating](n, X, None, None, None, None)
    cdef const Net *net = &plan.net
    cdef const floating *w = &params[0]
    cdef floating *work = <floating *> scratch.work
    cdef floating *y = &Y[0, 0]
    cdef size_t stride = scratch.work_numbers
    cdef Watch watch = team.watch()
    with nogil:
        if threads == 1:
            share_of_values(net, parts, w, &source, work, y, &watch)
        else:
            with parallel(num_threads=threads):
                share_of_values(net, parts, w, &source, work + threadid() * stride, y, &watch)
    team.check(&watch)


cdef void share_of_values(const Net *net, Partition parts, const floating *params, const Source *source,
                          floating *work, floating *Y, Watch *watch) noexcept nogil:
    """One thread's share: slots, as long as there are any."""
    cdef size_t slot = team.next_slot(watch, parts.n_slots)
    while slot < parts.n_slots:
        slot_values(net, parts, slot, params, source, work, Y, watch)
        slot = team.next_slot(watch, parts.n_slots)


cdef void slot_values(const Net *net, Partition parts, size_t slot, const floating *params, const Source *source,
                      floating *work, floating *Y, Watch *watch) noexcept nogil:
    """Outputs of one slot."""
    cdef const Layout *at = &net.values
    cdef size_t first = slot * parts.rows, stop = min(source.n, first + parts.rows), n, ld = parts.ld
    while first < stop and team.keep_on(watch, parts.block * net.n_params):
        n = min(parts.block, stop - first)
        load(net, at, source, first, n, work, ld)
        sweeps.fprop(net, at, params, work, n, ld)
        sweeps.output(net, at, work, n, ld)
        kernels.store_rows(net.ops, n, net.n_outputs, <const floating *> work + at.y * ld, Y + first * net.n_outputs,
                           ld)
        first += n


def trace(Plan plan, const floating[::1] params, const floating[:, ::1] X, const floating[:, ::1] T,
          const Py_ssize_t[::1] labels, const floating[::1] weight):
    """Lists over the layers of z, a and delta, each (n, width); delta is None without targets. One thread."""
    cdef size_t n = X.shape[0], first = 0, count, width
    cdef const Net *net = &plan.net
    cdef const Layout *at = &net.trace
    cdef Partition parts = plan.partition(n)
    cdef Scratch scratch = Scratch(plan, at.rows, parts, 1, False)
    cdef Source source = make_source[floating](n, X, T, labels, weight, None)
    cdef floating *work = <floating *> scratch.work
    cdef const floating *w = work + at.weight * parts.ld if source.weight != NULL else NULL
    cdef bint targets = T is not None or labels is not None
    cdef int l
    cdef floating[:, ::1] rows
    dtype = np.asarray(params).dtype
    gradient = np.zeros(net.n_params, dtype)
    cdef floating[::1] g = gradient
    widths = [net.layers[l].n_out for l in range(net.n_layers)]
    z, a, delta = [[np.empty((n, width), dtype) for width in widths] for _ in range(3)]
    while first < n:
        PyErr_CheckSignals()
        count = min(parts.block, n - first)
        load(net, at, &source, first, count, work, parts.ld)
        sweeps.fprop(net, at, &params[0], work, count, parts.ld)
        sweeps.output(net, at, work, count, parts.ld)
        if targets:
            sweeps.loss(net, at, work, w, <const floating *> NULL, True, count, parts.ld)
            sweeps.bprop(net, at, &params[0], work, count, parts.ld, &g[0])
        for l in range(net.n_layers):
            for place, arrays in ((at.z[l + 1], z), (at.a[l + 1], a), (at.delta[l + 1], delta)):
                rows = arrays[l]
                kernels.store_rows(net.ops, count, net.layers[l].n_out,
                                   <const floating *> work + <size_t> place * parts.ld, &rows[first, 0], parts.ld)
        first += count
    return z, a, delta if targets else None


# ---- one to eight rows ----

cdef enum:
    FEW_ROWS = 8
    STACK_NUMBERS = 2048        # two buffers of this many numbers lie on the stack
    RELEASE_WORK = 50_000       # multiply-adds from which on other threads are let run


cdef void rows_values(const Net *net, const floating *params, const floating *X, size_t n, floating *even,
                      floating *odd, floating *Y) noexcept nogil:
    """Outputs of a few row-major samples; activations alternate between two buffers, the last layer writes Y."""
    cdef int l
    cdef size_t s
    cdef const Layer *layer
    cdef const floating *a = X
    cdef floating *z
    for l in range(net.n_layers):
        layer = &net.layers[l]
        z = Y if l == net.n_layers - 1 else (odd if l % 2 else even)
        kernels.rows_forward(net.ops, n, layer.n_out, layer.n_in, params + layer.W, params + layer.b, a, z)
        if layer.activation == SOFTMAX:
            for s in range(n):
                kernels.softmax(net.ops, layer.n_out, 1, <const floating *> z + s * layer.n_out,
                                z + s * layer.n_out, 1)
        else:
            kernels.activation(net.ops, layer.activation, n * layer.n_out, <const floating *> z, z,
                               <floating *> NULL, <floating *> NULL)
        a = z


cdef object few_rows(Plan plan, const floating *params, const floating *X, cnp.npy_intp n, int typenum):
    cdef const Net *net = &plan.net
    cdef floating stack[2 * STACK_NUMBERS]
    cdef floating *even = stack
    cdef size_t i, numbers = n * net.max_width
    cdef floating zero = 0
    cdef cnp.npy_intp shape[2]
    for i in range(n * net.n_inputs):
        zero += X[i] - X[i]         # nan as soon as one is not finite
    if zero != 0:
        return None
    if numbers > STACK_NUMBERS:
        even = <floating *> malloc(2 * numbers * sizeof(floating))
        if even == NULL:
            raise MemoryError("no memory for the activations of a few rows")
    shape[0] = n
    shape[1] = net.n_outputs
    try:
        result = cnp.PyArray_EMPTY(2, shape, typenum, 0)
        y = <floating *> cnp.PyArray_DATA(result)
        if n * net.n_params < RELEASE_WORK:
            rows_values(net, params, X, n, even, even + numbers, y)
        else:
            with nogil:
                rows_values(net, params, X, n, even, even + numbers, y)
    finally:
        if even != stack:
            free(even)
    return result


def predict_rows(Plan plan, cnp.ndarray params, X):
    """Outputs for one to eight rows of the network's exact type, aligned, C-contiguous and finite; None for all else.

    This is how one row costs less than a microsecond: no conversion, no views, every check made here.
    """
    if type(X) is not cnp.ndarray:
        return None
    cdef cnp.ndarray rows = X
    cdef int typenum = cnp.PyArray_TYPE(params)
    if (cnp.PyArray_NDIM(rows) != 2 or cnp.PyArray_TYPE(rows) != typenum or not cnp.PyArray_ISCARRAY_RO(rows)
            or not 1 <= cnp.PyArray_DIM(rows, 0) <= FEW_ROWS
            or <size_t> cnp.PyArray_DIM(rows, 1) != plan.net.n_inputs):
        return None
    if typenum == cnp.NPY_FLOAT32:
        return few_rows(plan, <const float *> cnp.PyArray_DATA(params), <const float *> cnp.PyArray_DATA(rows),
                        cnp.PyArray_DIM(rows, 0), typenum)
    return few_rows(plan, <const double *> cnp.PyArray_DATA(params), <const double *> cnp.PyArray_DATA(rows),
                    cnp.PyArray_DIM(rows, 0), typenum)
