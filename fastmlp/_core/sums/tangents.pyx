"""Derivatives of the network in directions of its inputs, as a term of an objective: its value and gradient.


    w/2 sum_n s_n sum_m |R_nm - d_nm|^2,  R_nm = J_n tau_nm

with the Jacobian J_n of the outputs, or logits, by the inputs at sample n, its weight s_n, directions tau, targets d.
The README of the floor derives the sweeps, in these letters. One direction after the other goes through a block, up and
down, and all share the sweeps of the loss:

up      tangents in direction m, by `rfprop`; at the logits u = w s (R - d) is mu, at the outputs it comes through dy/dz
down    mu_(l-1) = h' W' mu_l,  dE/dW_l += mu_l Ra_(l-1)',  and h'' Rz W' mu_l is summed up for the deltas,
        which go down at last, once for all directions and the loss: delta_(l-1) = h' W' delta_l + that sum

`tangent_products` has second derivatives, `tangent_rows` those of single residuals.
"""

import numpy as np

cimport numpy as cnp
from cython cimport floating
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from fastmlp._core.bridge cimport dense_ops, loss_ops, vector_ops
from fastmlp._core.bridge.kernels cimport FMLP_LOSS_squared_error, FMLP_PAD
from fastmlp._core.storage.arrays cimport data
from fastmlp._core.storage.vectors cimport total
from fastmlp._core.sums cimport slots, sweeps
from fastmlp._core.sums.batch cimport Batch, prepare_loss
from fastmlp._core.sums.block cimport Block, load, load_rows, weights
from fastmlp._core.sums.kinds cimport Layer
from fastmlp._core.sums.layers cimport backward, gradient, multiply
from fastmlp._core.sums.plan cimport GRADIENT_WORK, Layout, Net
from fastmlp._core.sums.slots cimport Pass, Step
from fastmlp._core.threads cimport team

cnp.import_array()


# ---- up ----

cdef void bring(const Block *b, const Directions *of, size_t m, floating *work) noexcept nogil:
    """Direction m of each sample, to the tangents of the inputs."""
    cdef size_t D = b.net.n_inputs, j, s
    cdef const floating *tau = <const floating *> of.tau
    cdef floating *Ra = work + b.at.Ra[0] * b.ld
    if not of.shared:
        load_rows(b, tau + m * of.rows * D, D, Ra)
        return
    for j in range(D):
        for s in range(b.ld):
            Ra[j * b.ld + s] = tau[m * D + j]


cdef const floating *derivatives(const Block *b, const Directions *of, size_t m, floating *work) noexcept nogil:
    """The derivatives R in direction m, with all tangents on the way."""
    cdef int last = b.net.n_layers
    bring(b, of, m, work)
    sweeps.rfprop(b, <const floating *> NULL, True, work)
    if of.of_logits:
        return work + b.at.Rz[last] * b.ld
    sweeps.output_product(b, <const floating *> work, <const floating *> work + b.at.Rz[last] * b.ld,
                          work + b.at.Ra[last] * b.ld)
    return work + b.at.Ra[last] * b.ld


cdef double differences(const Block *b, const Directions *of, size_t m, floating *work, floating *u) noexcept nogil:
    """w s/2 |R - d|^2 in direction m, and u = w s (R - d) unless it is NULL."""
    cdef size_t K = b.net.n_outputs
    cdef const floating *R = derivatives(b, of, m, work)
    cdef floating *d = work + b.at.rows * b.ld
    cdef floating *value = work + b.at.value * b.ld
    if of.targets != NULL:
        load_rows(b, <const floating *> of.targets + m * of.rows * K, K, d)
    else:
        memset(d, 0, K * b.ld * sizeof(floating))
    loss_ops.loss_gradient(b.net.ops, FMLP_LOSS_squared_error, K, b.n, R, R, <const floating *> NULL,
                           <const floating *> d, weights(b, <const floating *> work), <const floating *> of.weight,
                           <const floating *> NULL, value, u, b.ld)
    return total(b.n, <const floating *> value)


# ---- down ----

cdef void seed(const Block *b, const Directions *of, const floating *u, floating *work) noexcept nogil:
    """mu of the output layer, and what curved outputs add to delta, from u at the logits or outputs."""
    cdef int last = b.net.n_layers
    cdef size_t K = b.net.n_outputs
    cdef floating *mu = work + b.at.Rdelta[last] * b.ld
    cdef floating *curved = work + (b.at.rows + 2 * K) * b.ld
    if of.of_logits:
        memcpy(mu, u, K * b.ld * sizeof(floating))
        return
    sweeps.output_product(b, <const floating *> work, u, mu)
    sweeps.output_product_tangent(b, <const floating *> work, u, curved)
    vector_ops.add(b.net.ops, K * b.ld, <const floating *> curved, work + b.at.delta[last] * b.ld)


cdef void curve(const Block *b, floating *work) noexcept nogil:
    """h'' Rz of the hidden layers, in place of Rz."""
    cdef const Layout *at = b.at
    cdef int l
    for l in range(1, b.net.n_layers):
        multiply(b, l, <const floating *> work + at.d2[l] * b.ld, <const floating *> work + at.Rz[l] * b.ld, False,
                 work + at.Rz[l] * b.ld)


cdef void along(const Block *b, const Directions *of, size_t m, floating *work, floating *sums) noexcept nogil:
    """mu tau' of the first layer is added to the sums.

    It is a product like W A, with mu in place of W: of whole blocks it takes the rows of tau from where they lie, and
    turns nothing back (1.1 times as fast for 40 units, 1.0 for 256).
    """
    cdef const Layer *layer = &b.net.layers[0]
    cdef size_t D = layer.n_in
    cdef const floating *mu = work + b.at.Rdelta[1] * b.ld
    cdef const floating *tau = <const floating *> of.tau + (m * of.rows + b.first) * D
    if (layer.products.is_dense and b.n == b.ld and D % FMLP_PAD == 0
            and not of.shared and b.source.index == NULL):
        dense_ops.dense_forward(
            b.net.ops, layer.n_out, b.n, D, mu, <const floating *> NULL, tau, True, sums + layer.W, D)
    else:
        gradient(b, layer, mu, <const floating *> work + b.at.Ra[0] * b.ld, True, False, sums)


cdef void down(const Block *b, const Directions *of, size_t m, floating *work, floating *sums) noexcept nogil:
    """mu Ra' of direction m is added to the sums, and h'' Rz W'mu to the bends; after `curve`."""
    cdef const Layout *at = b.at
    cdef const Layer *layer
    cdef const floating *mu
    cdef floating *below
    cdef int l
    for l in range(b.net.n_layers, 1, -1):
        layer = &b.net.layers[l - 1]
        mu, below = work + at.Rdelta[l] * b.ld, work + at.Rdelta[l - 1] * b.ld
        gradient(b, layer, mu, <const floating *> work + at.Ra[l - 1] * b.ld, True, False, sums)
        backward(b, layer, work, <const floating *> b.params, mu, False, <const floating *> NULL, below)
        multiply(b, l - 1, <const floating *> work + at.Rz[l - 1] * b.ld, <const floating *> below, True,
                 work + at.bend[l - 1] * b.ld)
        multiply(b, l - 1, <const floating *> work + at.d1[l - 1] * b.ld, <const floating *> below, False, below)
    along(b, of, m, work, sums)


cdef void bent_bprop(const Block *b, floating *work, floating *sums) noexcept nogil:
    """`bprop` from the deltas of the output layer, with the bends of all directions; added to the sums."""
    cdef const Layout *at = b.at
    cdef const Layer *layer
    cdef const floating *delta
    cdef floating *below
    cdef int l
    for l in range(b.net.n_layers, 0, -1):
        layer = &b.net.layers[l - 1]
        delta, below = work + at.delta[l] * b.ld, work + at.delta[l - 1] * b.ld
        gradient(b, layer, delta, <const floating *> work + at.a[l - 1] * b.ld, True, True, sums)
        if l > 1:
            backward(b, layer, work, <const floating *> b.params, delta, False,
                     <const floating *> work + at.d1[l - 1] * b.ld, below)
            vector_ops.add(b.net.ops, layer.n_in * b.ld, <const floating *> work + at.bend[l - 1] * b.ld, below)


cdef void clear(const Block *b, bint delta, floating *work) noexcept nogil:
    """No bends, and with `delta` none of the output layer."""
    cdef int l
    for l in range(1, b.net.n_layers):
        memset(work + b.at.bend[l] * b.ld, 0, b.net.layers[l - 1].n_out * b.ld * sizeof(floating))
    if delta:
        memset(work + b.at.delta[b.net.n_layers] * b.ld, 0, b.net.n_outputs * b.ld * sizeof(floating))


# ---- value and gradient ----

cdef double start(const Block *b, const Term *term, bint curved, floating *work) noexcept nogil:
    """Forward; the loss and its deltas if they are wanted, else 0; and the outputs where they are needed."""
    cdef double value = 0.0
    load(b, work)
    sweeps.fprop(b, work, 2 if curved else 1)
    if term.with_loss:
        value = sweeps.loss(b, work, curved)
    if curved:
        clear(b, not term.with_loss, work)
    if term.of_outputs and not (term.with_loss and b.net.elementwise):
        sweeps.output(b, work, 2)
    return value


cdef double block_sums(const Pass *job, const Block *b, floating *work, floating *sums) noexcept nogil:
    """The loss of a block and, beside it, the term; the gradient of both, unless it is NULL."""
    cdef const Term *term = <const Term *> job.more
    cdef const Directions *of
    cdef floating *u = <floating *> NULL
    cdef double value = start(b, term, sums != NULL, work)
    cdef size_t i, m
    if sums != NULL:
        u = work + (b.at.rows + b.net.n_outputs) * b.ld
        if not b.add:
            memset(sums, 0, b.net.n_params * sizeof(floating))
    for i in range(term.n_sets):
        of = &term.sets[i]
        for m in range(of.n):
            b.beside[0] += differences(b, of, m, work, u)
            if not team.keep_on(b.watch, GRADIENT_WORK * b.n * b.net.work):
                return value
            if sums != NULL:
                seed(b, of, <const floating *> u, work)
                curve(b, work)
                down(b, of, m, work, sums)
    if sums != NULL:
        bent_bprop(b, work, sums)
    return value


cdef void join(Pass *job, Term *term, bint slopes) noexcept nogil:
    cdef const Net *net = job.block.net
    job.step = <Step> &block_sums[float] if net.itemsize == sizeof(float) else <Step> &block_sums[double]
    job.block.at, job.more = &net.tangents, term
    job.rows = net.tangents.rows + SEEDS * net.n_outputs
    job.work = (1 + term.n) * net.work * (GRADIENT_WORK if slopes else 1)


# ---- the Python face ----

cdef class Tangents:
    """Directions at the samples of a batch, and what the derivatives in them are to be.

    Parameters
    ----------
    batch : Batch
        Inputs and weights, and the loss.
    sets : tuple
        One tuple for each term of the sum: tau (M, N, D) or, the same for all samples, (M, D); d (M, N, K) or None; the
        weight w; whether the derivatives are those of the logits. Trusted to be native and of the network's type.
    """

    def __cinit__(self, Batch batch not None, tuple sets not None):
        cdef size_t i
        self.batch, self.arrays = batch, []
        self.term.sets = <Directions *> calloc(max(1, len(sets)), sizeof(Directions))
        if self.term.sets == NULL:
            raise MemoryError(f"no memory for {len(sets)} sets of directions")
        self.term.n_sets = len(sets)
        for i in range(self.term.n_sets):
            tau, targets, weight, of_logits = sets[i]
            self.take(&self.term.sets[i], tau, targets, weight, of_logits)
        self.n_rows = self.term.n * batch.plan.net.n_outputs

    cdef int take(self, Directions *of, cnp.ndarray tau, targets, double weight, bint of_logits) except -1:
        w = np.full(self.batch.plan.net.n_outputs, weight, tau.dtype)
        self.arrays.append((tau, targets, w))
        of.n, of.rows, of.shared, of.of_logits = tau.shape[0], self.batch.source.n, tau.ndim == 2, of_logits
        of.tau, of.targets, of.weight = data(tau), data(targets), data(w)
        self.term.n += of.n
        self.term.of_outputs = self.term.of_outputs or not of_logits
        return 0

    def __dealloc__(self):
        free(self.term.sets)

    cdef void prepare(self, Pass *job, Term *term, cnp.ndarray params, bint slopes):
        """A pass for the loss and the term, of which it reads a copy."""
        term[0] = self.term
        prepare_loss(job, &self.batch.plan.net, &self.batch.source, self.batch.plan.partition(self.batch.source.n),
                     slopes)
        join(job, term, slopes)
        job.block.params = data(params)

    def value(self, cnp.ndarray params not None, int n_threads, bint with_loss=False):
        """(The loss, or 0; the term)."""
        cdef Term term
        cdef Pass job
        self.prepare(&job, &term, params, False)
        term.with_loss, job.sums = with_loss, NULL
        loss = slots.run(&job, n_threads, &self.batch.choice)
        return loss, job.beside

    def value_and_grad(self, cnp.ndarray params not None, int n_threads, bint with_loss=False):
        """(The loss, or 0; the term; the gradient of their sum (P,))."""
        cdef Term term
        cdef Pass job
        self.prepare(&job, &term, params, True)
        g = np.empty_like(params)
        term.with_loss, job.sums = with_loss, data(g)
        loss = slots.run(&job, n_threads, &self.batch.choice)
        return loss, job.beside, g
