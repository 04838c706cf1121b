"""Sums over samples of products with the curvature and with the Jacobian, without these matrices: H v, G v and u' J.

Several vectors v share the sweeps that do not depend on them.
"""

import numpy as np

cimport numpy as cnp
from cython cimport floating
from libc.string cimport memcpy, memset

from fastmlp._core.bridge.kernels cimport FMLP_PAD
from fastmlp._core.sums cimport slots, sweeps
from fastmlp._core.storage.arrays cimport data
from fastmlp._core.sums.batch cimport Batch
from fastmlp._core.sums.block cimport Block, Source, inputs, load
from fastmlp._core.sums.plan cimport Layout, Net, Partition, Plan
from fastmlp._core.sums.slots cimport Pass, Step

cnp.import_array()

cdef enum:
    MOST_TOGETHER = 8           # vectors taken through a block together, as long as
    PARTIAL_NUMBERS = 1 << 24   # there are no more partial sums than this
    WORK = 6                    # for one vector, in predictions


# What the passes read besides.
cdef struct Vectors:
    bint exact                  # H v, else G v
    bint of_logits              # u belongs to the logits, else to the outputs; it lies where targets do
    size_t n                    # vectors
    const void *V               # (n, n_params)


cdef double block_curvature(const Pass *job, const Block *b, floating *work, floating *sums) noexcept nogil:
    """H v or G v of a block, for each v."""
    cdef const Vectors *vectors = <const Vectors *> job.more
    cdef const floating *v = <const floating *> vectors.V
    cdef bint exact = vectors.exact
    load(b, work)
    sweeps.fprop(b, work, 2 if exact else 1)
    sweeps.loss(b, work, exact)
    if exact:
        sweeps.bprop(b, work, <floating *> NULL)
    for _ in range(vectors.n):
        sweeps.rfprop(b, v, False, work)
        sweeps.loss_tangent(b, exact, work)
        sweeps.rbprop(b, v, False, exact, work, sums)
        v += b.net.n_params
        sums += b.net.n_params
    return 0.0


cdef double block_vjp(const Pass *job, const Block *b, floating *work, floating *sums) noexcept nogil:
    """u' J of a block."""
    cdef floating *u = work + b.at.T * b.ld
    cdef floating *delta = work + b.at.delta[b.net.n_layers] * b.ld
    cdef size_t k, s
    load(b, work)
    for k in range(b.net.n_outputs):
        for s in range(b.n, b.ld):
            u[k * b.ld + s] = 0     # there is no such sample
    sweeps.fprop(b, work, 1)
    if (<const Vectors *> job.more).of_logits:
        memcpy(delta, u, b.net.n_outputs * b.ld * sizeof(floating))
    else:
        sweeps.output(b, work, 1)
        sweeps.output_product(b, <const floating *> work, <const floating *> u, delta)
    sweeps.bprop(b, work, sums)
    return 0.0


cdef double block_directed(const Pass *job, const Block *b, floating *work, floating *sums) noexcept nogil:
    """sum_k H_k v_k of a block of one sample, H_k the second derivatives of output k, or of a logit."""
    cdef const Layout *at = b.at
    cdef const Vectors *vectors = <const Vectors *> job.more
    cdef size_t K = b.net.n_outputs, bytes = K * b.ld * sizeof(floating), k
    cdef const floating *v = <const floating *> vectors.V + b.first * K * b.net.n_params
    cdef floating *u = work + at.T * b.ld
    cdef floating *delta = work + at.delta[b.net.n_layers] * b.ld
    cdef floating *Rdelta = work + at.Rdelta[b.net.n_layers] * b.ld
    cdef Block own = b[0]
    load(b, work)
    sweeps.fprop(b, work, 2)
    if not vectors.of_logits:
        sweeps.output(b, work, 2)
    for k in range(K):
        memset(u, 0, bytes)         # there are no other samples to be summed
        u[k * b.ld] = 1
        if vectors.of_logits:
            memcpy(delta, u, bytes)
        else:
            sweeps.output_product(b, <const floating *> work, <const floating *> u, delta)
        sweeps.bprop(b, work, <floating *> NULL)
        sweeps.rfprop(b, v, False, work)
        if vectors.of_logits:
            memset(Rdelta, 0, bytes)
        else:
            sweeps.output_product(b, <const floating *> work,
                                  <const floating *> work + at.Rz[b.net.n_layers] * b.ld,
                                  work + at.Ra[b.net.n_layers] * b.ld)
            sweeps.output_product_tangent(b, <const floating *> work, <const floating *> u, Rdelta)
        own.add = b.add or k > 0
        sweeps.rbprop(&own, v, False, True, work, sums)
        v += b.net.n_params
    return 0.0


def curvature_products(Batch batch not None, cnp.ndarray params not None, cnp.ndarray V not None, bint exact,
                       int n_threads):
    """H V' (`exact`) or G V' by rows: (m, n_params) for V (m, n_params), both native."""
    cdef const Net *net = &batch.plan.net
    cdef Partition parts = batch.plan.partition(batch.source.n)
    cdef size_t first = 0, n = cnp.PyArray_DIM(V, 0), bytes = net.n_params * net.itemsize
    cdef size_t together = max(<size_t> 1, min(<size_t> MOST_TOGETHER,
                                               PARTIAL_NUMBERS // (parts.n_slots * net.n_params)))
    cdef Step step = <Step> &block_curvature[float] if net.itemsize == sizeof(float) else (
        <Step> &block_curvature[double])
    cdef Pass job
    cdef Vectors vectors
    products = np.empty_like(V)
    vectors.exact = exact
    slots.prepare(&job, step, net, &net.tangents, &batch.source, parts)
    job.block.params, job.more = data(params), &vectors
    while first < n:
        vectors.n = min(together, n - first)
        vectors.V = <char *> data(V) + first * bytes
        job.n_sums = job.n_added = vectors.n * net.n_params
        job.work = WORK * vectors.n * net.work
        job.sums = <char *> data(products) + first * bytes
        slots.run(&job, n_threads, &batch.choice)
        first += vectors.n
    return products


def vjp(Batch batch not None, cnp.ndarray params not None, bint of_logits, int n_threads):
    """u' J summed over the samples, (n_params,), for the vectors u that lie where the targets of the batch do."""
    cdef const Net *net = &batch.plan.net
    cdef Step step = <Step> &block_vjp[float] if net.itemsize == sizeof(float) else <Step> &block_vjp[double]
    cdef Pass job
    cdef Vectors vectors
    product = np.empty_like(params)
    vectors.of_logits = of_logits
    slots.prepare(&job, step, net, &net.gradient, &batch.source, batch.plan.partition(batch.source.n))
    job.block.params, job.more, job.sums = data(params), &vectors, data(product)
    job.n_sums = job.n_added = net.n_params
    job.work *= WORK
    slots.run(&job, n_threads, &batch.choice)
    return product


def directed(Plan plan not None, cnp.ndarray params not None, cnp.ndarray X not None, cnp.ndarray V not None,
             bint of_logits, int n_threads):
    """sum_nk H_nk v_nk (n_params,) for V (n, K, n_params), with the second derivatives H_nk of y_nk or of its logit."""
    cdef const Net *net = &plan.net
    cdef Step step = <Step> &block_directed[float] if net.itemsize == sizeof(float) else (
        <Step> &block_directed[double])
    cdef Source source = inputs(cnp.PyArray_DIM(X, 0), data(X))
    cdef Pass job
    cdef Vectors vectors
    product = np.empty_like(params)
    vectors.of_logits, vectors.V = of_logits, data(V)
    slots.prepare(&job, step, net, &net.tangents, &source, plan.partition(source.n))
    job.block.params, job.more, job.sums = data(params), &vectors, data(product)
    job.n_sums = job.n_added = net.n_params
    job.parts.block, job.parts.ld = 1, FMLP_PAD
    job.work *= (1 + WORK * net.n_outputs) * net.lanes
    slots.run(&job, n_threads, &plan.choice)
    return product
