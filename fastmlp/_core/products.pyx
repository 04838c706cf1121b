"""Sums over samples of products with the curvature and with the Jacobian, without these matrices: H v, G v and u' J.

Blocks, slots and threads are those of `batch`. Several vectors v share the sweeps that do not depend on them.
"""

import numpy as np

cimport numpy as cnp
from cython cimport floating
from cython.parallel cimport parallel, threadid
from libc.stdlib cimport free
from libc.string cimport memcpy, memset

from fastmlp._core cimport kernels, sweeps, team
from fastmlp._core.arrays cimport data
from fastmlp._core.batch cimport Batch, Scratch, Source, load, reserve
from fastmlp._core.plan cimport Layout, Net, Partition
from fastmlp._core.team cimport Watch

cnp.import_array()

cdef enum:
    MOST_TOGETHER = 8           # vectors taken through a block together, as long as
    PARTIAL_NUMBERS = 1 << 24   # there are no more partial sums than this
    PASSES = 6                  # work for one vector, in predictions

cdef enum Kind:
    HESSIAN
    GGN
    OUTPUT_VJP                  # u belongs to the outputs, (n, n_outputs); it lies where targets do
    LOGIT_VJP                   # u belongs to the logits


cdef struct Job:
    Kind kind
    size_t n_vectors
    const void *V               # (n_vectors, n_params) for HESSIAN and GGN
    const Source *source
    const Layout *at


cdef void block_curvature(const Net *net, const Job *job, const floating *params, floating *work, size_t n, size_t ld,
                          bint add, floating *sums) noexcept nogil:
    """H v or G v of a block, for each v."""
    cdef const floating *weight = work + job.at.weight * ld if job.source.weight != NULL else NULL
    cdef const floating *scale = <const floating *> job.source.scale
    cdef const floating *v = <const floating *> job.V
    cdef bint exact = job.kind == HESSIAN
    cdef size_t m
    sweeps.fprop(net, job.at, params, work, n, ld, 2 if exact else 1)
    sweeps.loss(net, job.at, work, weight, scale, exact, n, ld)
    if exact:
        sweeps.bprop(net, job.at, params, work, n, ld, False, <floating *> NULL)
    for m in range(job.n_vectors):
        sweeps.rfprop(net, job.at, params, v + m * net.n_params, False, work, n, ld)
        sweeps.loss_tangent(net, job.at, work, weight, scale, exact, n, ld)
        sweeps.rbprop(net, job.at, params, v + m * net.n_params, False, exact, work, n, ld, add,
                      sums + m * net.n_params)


cdef void block_vjp(const Net *net, const Job *job, const floating *params, floating *work, size_t n, size_t ld,
                    bint add, floating *sums) noexcept nogil:
    """u' J of a block."""
    cdef floating *u = work + job.at.T * ld
    cdef floating *delta = work + job.at.delta[net.n_layers] * ld
    cdef size_t k, s
    for k in range(net.n_outputs):
        for s in range(n, ld):
            u[k * ld + s] = 0       # there is no such sample
    sweeps.fprop(net, job.at, params, work, n, ld, 1)
    if job.kind == LOGIT_VJP:
        memcpy(delta, u, net.n_outputs * ld * sizeof(floating))
    else:
        sweeps.output(net, job.at, work, n, ld, 1)
        sweeps.output_product(net, job.at, <const floating *> work, <const floating *> u, n, ld, delta)
    sweeps.bprop(net, job.at, params, work, n, ld, add, sums)


cdef void slot_sums(const Net *net, Partition parts, size_t slot, const Job *job, const floating *params,
                    floating *work, floating *sums, Watch *watch) noexcept nogil:
    """The sums of one slot."""
    cdef size_t first = slot * parts.rows, stop = min(job.source.n, first + parts.rows), n, ld = parts.ld
    if first >= stop:
        memset(sums, 0, job.n_vectors * net.n_params * sizeof(floating))
    while first < stop and team.keep_on(watch, PASSES * job.n_vectors * parts.block * net.n_params):
        n = min(parts.block, stop - first)
        load(net, job.at, job.source, first, n, work, ld)
        if job.kind == HESSIAN or job.kind == GGN:
            block_curvature(net, job, params, work, n, ld, first > slot * parts.rows, sums)
        else:
            block_vjp(net, job, params, work, n, ld, first > slot * parts.rows, sums)
        first += n


cdef void share_of_sums(const Net *net, Partition parts, const Job *job, const floating *params, floating *work,
                        floating *partial, floating *sums, Watch *watch) noexcept nogil:
    """One thread's share: slots, as long as there are any; the first slot sums into the result itself."""
    cdef size_t slot = team.next_slot(watch, parts.n_slots)
    while slot < parts.n_slots:
        slot_sums(net, parts, slot, job, params, work,
                  sums if slot == 0 else partial + (slot - 1) * job.n_vectors * net.n_params, watch)
        slot = team.next_slot(watch, parts.n_slots)


cdef void all_sums(const Net *net, Partition parts, const Job *job, const floating *params, const Scratch *scratch,
                   floating *sums, int n_threads, Watch *watch) noexcept nogil:
    cdef floating *work = <floating *> scratch.work
    cdef floating *partial = <floating *> scratch.partial
    cdef size_t stride = scratch.work_numbers, numbers = job.n_vectors * net.n_params, slot
    team.deal(watch)
    n_threads = team.crew_of(n_threads, watch)
    if n_threads == 1:
        share_of_sums(net, parts, job, params, work, partial, sums, watch)
    else:
        with parallel(num_threads=n_threads):
            share_of_sums(net, parts, job, params, work + threadid() * stride, partial, sums, watch)
    for slot in range(1, parts.n_slots):
        kernels.add(net.ops, numbers, <const floating *> partial + (slot - 1) * numbers, sums)


cdef int run(Batch batch, Job *job, const floating *params, const floating *V, size_t n_vectors, floating *sums,
             int n_threads) except -1:
    """All products, as many vectors at a time as memory for partial sums allows."""
    cdef const Net *net = &batch.plan.net
    cdef Partition parts = batch.plan.partition(batch.source.n)
    cdef size_t together = max(<size_t> 1, min(<size_t> MOST_TOGETHER,
                                               PARTIAL_NUMBERS // (parts.n_slots * net.n_params)))
    cdef size_t first = 0
    cdef int threads = batch.plan.threads(batch.source.n, PASSES * min(together, n_vectors), n_threads)
    cdef Scratch scratch
    cdef Watch watch = team.watch()
    together = min(together, n_vectors)
    reserve(&scratch, net, job.at.rows, parts, threads, together * net.n_params)
    while first < n_vectors and not watch.stopped:
        job.n_vectors = min(together, n_vectors - first)
        job.V = V + first * net.n_params
        with nogil:
            all_sums(net, parts, job, params, &scratch, sums + first * net.n_params, threads, &watch)
        first += together
    free(scratch.memory)
    return team.check(&watch)


def curvature_products(Batch batch not None, cnp.ndarray params not None, cnp.ndarray V not None, bint exact,
                       int n_threads):
    """H V' (`exact`) or G V' by rows: (m, n_params) for V (m, n_params), both native."""
    cdef const Net *net = &batch.plan.net
    cdef Job job
    job.kind = HESSIAN if exact else GGN
    job.source = &batch.source
    job.at = &net.tangents
    products = np.empty_like(V)
    if net.itemsize == sizeof(float):
        run(batch, &job, <const float *> data(params), <const float *> data(V), V.shape[0], <float *> data(products),
            n_threads)
    else:
        run(batch, &job, <const double *> data(params), <const double *> data(V), V.shape[0],
            <double *> data(products), n_threads)
    return products


def vjp(Batch batch not None, cnp.ndarray params not None, bint of_logits, int n_threads):
    """u' J summed over the samples, (n_params,), for the vectors u that lie where the targets of the batch do."""
    cdef const Net *net = &batch.plan.net
    cdef Job job
    job.kind = LOGIT_VJP if of_logits else OUTPUT_VJP
    job.source = &batch.source
    job.at = &net.gradient
    product = np.empty_like(params)
    if net.itemsize == sizeof(float):
        run(batch, &job, <const float *> data(params), <const float *> NULL, 1, <float *> data(product), n_threads)
    else:
        run(batch, &job, <const double *> data(params), <const double *> NULL, 1, <double *> data(product), n_threads)
    return product
