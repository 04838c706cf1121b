"""What every layer computes, for `Network.trace`, and what its activation alone does, for `activations`."""

import numpy as np

cimport numpy as cnp
from cython cimport floating
from libc.stdlib cimport free, malloc

from fastmlp._core.bridge cimport kernels, layout_ops, unit_ops
from fastmlp._core.sums cimport slots, sweeps
from fastmlp._core.storage.arrays cimport data
from fastmlp._core.sums.batch cimport Batch
from fastmlp._core.sums.block cimport Block, load
from fastmlp._core.sums.plan cimport GRADIENT_WORK, Layout, Net
from fastmlp._core.sums.slots cimport Pass, Step

from fastmlp._core.bridge.kernels import isa_index

cnp.import_array()


# Arrays (n, width) of each layer; deltas only where there are targets.
cdef struct Arrays:
    void *z
    void *a
    void *delta


cdef double block_layers(const Pass *job, const Block *b, floating *work, floating *_) noexcept nogil:
    """All layers of one block."""
    cdef const Layout *at = b.at
    cdef const Arrays *arrays = <const Arrays *> job.more
    cdef int l
    load(b, work)
    sweeps.fprop(b, work, 1)
    sweeps.output(b, work, 1)
    if arrays[1].delta != NULL:
        sweeps.loss(b, work, True)
        sweeps.bprop(b, work, <floating *> NULL)
    for l in range(1, b.net.n_layers + 1):
        store(b, l, <const floating *> work + at.z[l] * b.ld, <floating *> arrays[l].z)
        store(b, l, <const floating *> work + at.a[l] * b.ld, <floating *> arrays[l].a)
        if arrays[l].delta != NULL:
            store(b, l, <const floating *> work + at.delta[l] * b.ld, <floating *> arrays[l].delta)
    return 0.0


cdef inline void store(const Block *b, int l, const floating *block, floating *array) noexcept nogil:
    cdef size_t width = b.net.layers[l - 1].n_out
    layout_ops.store_rows(b.net.ops, b.n, width, block, array + b.first * width, width, b.ld)


def trace(Batch batch not None, cnp.ndarray params not None, int n_threads):
    """Lists over the layers of z, a and delta, each (n, width); delta is None without targets."""
    cdef const Net *net = &batch.plan.net
    cdef int l, L = net.n_layers
    cdef bint targets = batch.source.T != NULL or batch.source.labels != NULL
    cdef Step step = <Step> &block_layers[float] if net.itemsize == sizeof(float) else <Step> &block_layers[double]
    cdef Pass job
    cdef Arrays *arrays = <Arrays *> malloc((L + 1) * sizeof(Arrays))
    if arrays == NULL:
        raise MemoryError(f"no memory for the places of {L} layers")
    try:
        z, a, delta = [[np.empty((batch.source.n, net.layers[l].n_out), params.dtype) for l in range(L)]
                       if wanted else None for wanted in (True, True, targets)]
        for l in range(1, L + 1):
            arrays[l].z, arrays[l].a = data(z[l - 1]), data(a[l - 1])
            arrays[l].delta = data(delta[l - 1]) if targets else NULL
        slots.prepare(&job, step, net, &net.trace, &batch.source, batch.plan.partition(batch.source.n))
        job.block.params, job.more = data(params), arrays
        job.work *= GRADIENT_WORK
        slots.run(&job, n_threads, &batch.choice)
    finally:
        free(arrays)
    return z, a, delta


def activation(int kind, int order, cnp.ndarray z not None):
    """h, or its first or second derivative, at each element of a native array."""
    cdef const void *ops = kernels.table(isa_index(None), cnp.PyArray_ITEMSIZE(z))
    results = [np.empty_like(z) for _ in range(order + 1)]
    cdef void *h = data(results[0])
    cdef void *d1 = data(results[1]) if order > 0 else NULL
    cdef void *d2 = data(results[2]) if order > 1 else NULL
    cdef const void *at = data(z)
    cdef size_t n = cnp.PyArray_SIZE(z)
    cdef bint single = cnp.PyArray_TYPE(z) == cnp.NPY_FLOAT32
    with nogil:
        if single:
            unit_ops.activation(ops, kind, n, <const float *> at, <float *> h, <float *> d1, <float *> d2)
        else:
            unit_ops.activation(ops, kind, n, <const double *> at, <double *> h, <double *> d1, <double *> d2)
    return results[order]


def softmax(cnp.ndarray z not None):
    """Softmax along the last axis, which is not empty, of a native array."""
    cdef const void *ops = kernels.table(isa_index(None), cnp.PyArray_ITEMSIZE(z))
    result = z.copy()
    cdef void *y = data(result)
    cdef size_t width = z.shape[z.ndim - 1], n = cnp.PyArray_SIZE(z) // width, row
    cdef bint single = cnp.PyArray_TYPE(z) == cnp.NPY_FLOAT32
    with nogil:
        for row in range(n):
            if single:
                unit_ops.softmax_row(ops, width, <float *> y + row * width)
            else:
                unit_ops.softmax_row(ops, width, <double *> y + row * width)
    return result
