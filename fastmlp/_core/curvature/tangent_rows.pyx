"""Residuals of the term of `tangents`, sqrt(w s) (R - d): their derivatives, and the Gauss-Newton matrix of these."""

import numpy as np

cimport numpy as cnp
from cython cimport floating
from libc.math cimport sqrt
from libc.string cimport memcpy, memset

from fastmlp._core.bridge cimport dense_ops
from fastmlp._core.bridge.kernels cimport FMLP_PAD
from fastmlp._core.storage.arrays cimport data
from fastmlp._core.sums cimport slots
from fastmlp._core.sums.block cimport Block, weights
from fastmlp._core.sums.kinds cimport Layer
from fastmlp._core.sums.layers cimport backward, multiply
from fastmlp._core.sums.plan cimport GRADIENT_WORK, Layout, Net, Partition
from fastmlp._core.sums.slots cimport Pass, Step
from fastmlp._core.sums.tangents cimport (
    SEEDS, Directions, Tangents, Term, bent_bprop, clear, curve, derivatives, down, seed, start,
)
from fastmlp._core.threads cimport team

cnp.import_array()

cdef enum:
    PARTIAL_NUMBERS = 1 << 24   # no more partial sums than this, where there are more than two slots


cdef void unit(const Block *b, const Directions *of, size_t k, const floating *work, floating *u) noexcept nogil:
    """sqrt(w s) e_k."""
    cdef const floating *weight = weights(b, work)
    cdef double w = (<const floating *> of.weight)[0]
    cdef size_t s
    memset(u, 0, b.net.n_outputs * b.ld * sizeof(floating))
    for s in range(b.n):
        u[k * b.ld + s] = <floating> sqrt(w * weight[s] if weight != NULL else w)


cdef double block_rows(const Pass *job, const Block *b, floating *work, floating *out) noexcept nogil:
    """The rows of one sample, direction by direction, output by output."""
    cdef const Term *term = <const Term *> job.more
    cdef const Directions *of
    cdef floating *u = work + (b.at.rows + b.net.n_outputs) * b.ld
    cdef size_t n_params = b.net.n_params, i, m, k
    start(b, term, True, work)
    out += b.first * term.n * b.net.n_outputs * n_params
    for i in range(term.n_sets):
        of = &term.sets[i]
        for m in range(of.n):
            derivatives(b, of, m, work)
            curve(b, work)
            for k in range(b.net.n_outputs):
                clear(b, True, work)
                unit(b, of, k, <const floating *> work, u)
                seed(b, of, <const floating *> u, work)
                memset(out, 0, n_params * sizeof(floating))
                down(b, of, m, work, out)
                bent_bprop(b, work, out)
                out += n_params
    return 0.0


cdef void columns(const Block *b, floating *work, floating *J) noexcept nogil:
    """The rows of all samples, of dense layers, with a row of J for each parameter; mu and delta go down together."""
    cdef const Layout *at = b.at
    cdef const Layer *layer
    cdef const floating *mu
    cdef const floating *delta
    cdef floating *mu_below
    cdef floating *delta_below
    cdef size_t ld = b.ld, i
    cdef int l
    for l in range(b.net.n_layers, 0, -1):
        layer = &b.net.layers[l - 1]
        mu, mu_below = work + at.Rdelta[l] * ld, work + at.Rdelta[l - 1] * ld
        delta, delta_below = work + at.delta[l] * ld, work + at.delta[l - 1] * ld
        for i in range(layer.n_out):
            dense_ops.multiply_rows(b.net.ops, layer.n_in, b.n, mu + i * ld,
                                    <const floating *> work + at.Ra[l - 1] * ld, False,
                                    J + (layer.W + i * layer.n_in) * ld, ld)
            dense_ops.multiply_rows(b.net.ops, layer.n_in, b.n, delta + i * ld,
                                    <const floating *> work + at.a[l - 1] * ld, True,
                                    J + (layer.W + i * layer.n_in) * ld, ld)
        memcpy(J + layer.b * ld, delta, layer.n_out * ld * sizeof(floating))
        if l == 1:
            return
        backward(b, layer, work, <const floating *> b.params, mu, False, <const floating *> NULL, mu_below)
        backward(b, layer, work, <const floating *> b.params, delta, False,
                 <const floating *> work + at.d1[l - 1] * ld, delta_below)
        multiply(b, l - 1, <const floating *> work + at.Rz[l - 1] * ld, <const floating *> mu_below, True, delta_below)
        multiply(b, l - 1, <const floating *> work + at.d1[l - 1] * ld, <const floating *> mu_below, False, mu_below)


cdef double block_gram(const Pass *job, const Block *b, floating *work, floating *sums) noexcept nogil:
    """The lower triangle of the Gauss-Newton matrix of a block, and something above it."""
    cdef const Term *term = <const Term *> job.more
    cdef const Directions *of
    cdef size_t K = b.net.n_outputs, n_params = b.net.n_params, i, m, k
    cdef floating *u = work + (b.at.rows + K) * b.ld
    cdef floating *J = work + (b.at.rows + SEEDS * K) * b.ld
    cdef bint add = b.add
    start(b, term, True, work)
    for i in range(term.n_sets):
        of = &term.sets[i]
        for m in range(of.n):
            derivatives(b, of, m, work)
            curve(b, work)
            for k in range(K):
                if not team.keep_on(b.watch, b.n * n_params * n_params):
                    return 0.0
                clear(b, True, work)
                unit(b, of, k, <const floating *> work, u)
                seed(b, of, <const floating *> u, work)
                columns(b, work, J)
                dense_ops.gram(b.net.ops, n_params, b.n, <const floating *> J, <const floating *> J, b.ld, add, sums)
                add = True
    return 0.0


cdef Partition fewer(Partition parts, size_t n, size_t most) noexcept nogil:
    """At most so many slots, where their sums are large."""
    if parts.n_slots > most:
        parts.rows = (n + most - 1) // most
        parts.n_slots = (n + parts.rows - 1) // parts.rows
    return parts


def gauss_newton(Tangents tangents not None, cnp.ndarray params not None, int n_threads):
    """The term's Gauss-Newton matrix (P, P), for dense layers, symmetric to the last bit."""
    cdef const Net *net = &tangents.batch.plan.net
    cdef Term term
    cdef Pass job
    tangents.prepare(&job, &term, params, True)
    cdef size_t n = tangents.batch.source.n, squares = net.n_params * net.n_params
    matrix = np.empty((net.n_params, net.n_params), params.dtype)
    job.step = <Step> &block_gram[float] if net.itemsize == sizeof(float) else <Step> &block_gram[double]
    job.parts = fewer(job.parts, n, max(<size_t> 2, PARTIAL_NUMBERS // squares))
    job.rows += net.n_params
    job.n_sums = job.n_added = squares
    job.work = term.n * net.n_outputs * squares
    job.sums = data(matrix)
    slots.run(&job, n_threads, &tangents.batch.choice_of_matrices)
    lower = np.tril(matrix)
    return lower + np.tril(lower, -1).T


def rows(Tangents tangents not None, cnp.ndarray params not None, int n_threads):
    """The derivatives of the residuals sqrt(w s) (R - d) by the parameters (N, n_rows, P)."""
    cdef const Net *net = &tangents.batch.plan.net
    cdef Term term
    cdef Pass job
    tangents.prepare(&job, &term, params, True)
    J = np.empty((tangents.batch.source.n, tangents.n_rows, net.n_params), params.dtype)
    job.step = <Step> &block_rows[float] if net.itemsize == sizeof(float) else <Step> &block_rows[double]
    job.parts.block, job.parts.ld = 1, FMLP_PAD
    job.n_sums = job.n_added = 0
    job.work = GRADIENT_WORK * tangents.n_rows * net.lanes * net.work
    job.sums = data(J)
    slots.run(&job, n_threads, &tangents.batch.choice)
    return J
