"""What every layer computes, for `Network.trace`: block by block, by one thread."""

import numpy as np

cimport numpy as cnp
from cython cimport floating
from libc.stdlib cimport free

from fastmlp._core cimport kernels, sweeps, team
from fastmlp._core.arrays cimport data
from fastmlp._core.batch cimport Batch, Scratch, Source, load, reserve
from fastmlp._core.plan cimport Layout, Net, Partition
from fastmlp._core.team cimport Watch

cnp.import_array()


cdef void trace_block(const Net *net, const Source *source, const floating *params, floating *work, floating *gradient,
                      size_t first, size_t n, size_t ld) noexcept nogil:
    """All layers of one block; deltas too where there are targets."""
    cdef const Layout *at = &net.trace
    cdef const floating *weight = work + at.weight * ld if source.weight != NULL else NULL
    load(net, at, source, first, n, work, ld)
    sweeps.fprop(net, at, params, work, n, ld, 1)
    sweeps.output(net, at, work, n, ld, 1)
    if source.T != NULL or source.labels != NULL:
        sweeps.loss(net, at, work, weight, <const floating *> NULL, True, n, ld)
        sweeps.bprop(net, at, params, work, n, ld, False, gradient)


cdef int trace_all(Batch batch, const floating *params, list z, list a, list delta, object gradient) except -1:
    cdef const Net *net = &batch.plan.net
    cdef const Layout *at = &net.trace
    cdef Partition parts = batch.plan.partition(batch.source.n)
    cdef Scratch scratch
    cdef Watch watch = team.watch()
    cdef size_t first = 0, n, width, place, ld = parts.ld
    cdef int l
    cdef const Source *source = &batch.source
    cdef floating *work
    cdef floating *g = <floating *> data(gradient)
    reserve(&scratch, net, at.rows, parts, 1, 0)
    work = <floating *> scratch.work
    try:
        while first < batch.source.n and team.keep_on(&watch, 3 * parts.block * net.n_params):
            n = min(parts.block, batch.source.n - first)
            with nogil:
                trace_block(net, source, params, work, g, first, n, ld)
            for l in range(net.n_layers):
                width = net.layers[l].n_out
                for place, arrays in ((at.z[l + 1], z), (at.a[l + 1], a), (at.delta[l + 1], delta)):
                    kernels.store_rows(net.ops, n, width, <const floating *> work + place * ld,
                                       <floating *> data(arrays[l]) + first * width, width, ld)
            first += n
    finally:
        free(scratch.memory)
    return team.check(&watch)


def trace(Batch batch not None, cnp.ndarray params not None):
    """Lists over the layers of z, a and delta, each (n, width); delta is None without targets."""
    cdef const Net *net = &batch.plan.net
    cdef size_t n = batch.source.n
    cdef int l
    dtype = params.dtype
    widths = [net.layers[l].n_out for l in range(net.n_layers)]
    z, a, delta = [[np.empty((n, width), dtype) for width in widths] for _ in range(3)]
    gradient = np.empty(net.n_params, dtype)
    if net.itemsize == sizeof(float):
        trace_all(batch, <const float *> data(params), z, a, delta, gradient)
    else:
        trace_all(batch, <const double *> data(params), z, a, delta, gradient)
    return z, a, delta if batch.source.T != NULL or batch.source.labels != NULL else None
