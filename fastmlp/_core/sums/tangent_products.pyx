"""Products of the term of `tangents` with its Hessian, H v, and its Gauss-Newton matrix, G v.

There is a third tangent S, of R in a direction V of the parameters. With C(x, y) = sum_jk (d2y_i / dz_j dz_k) x_j y_k
of the outputs and A = dy/dz,

up      S z = W S a + V R a,  S a = h' S z + h'' V z R z;  at the outputs S y = A S z + C(R, V),  V u = w s S
down    V mu = A V u + C(V, u),  V delta = C(R, V u) + C(S, u) + the third derivatives of y;  E = W' mu
        V E = W' V mu + V' mu,  V mu_(l-1) = h' V E + h'' V z E,
        and for the tangents of the deltas h''' V z R z E + h'' (S z E + R z V E)

The Gauss-Newton matrix is `down` with V u in place of u. Blocks of V, and those of S, lie in banks of their own, behind
the workspace and like it.
"""

import numpy as np

cimport numpy as cnp
from cython cimport floating
from libc.string cimport memcpy, memset

from fastmlp._core.bridge cimport loss_ops, unit_ops, vector_ops
from fastmlp._core.bridge.kernels cimport FMLP_LOSS_squared_error
from fastmlp._core.storage.arrays cimport data
from fastmlp._core.sums cimport slots, sweeps
from fastmlp._core.sums.block cimport Block, weights
from fastmlp._core.sums.kinds cimport Layer
from fastmlp._core.sums.layers cimport backward, forward, gradient, multiply
from fastmlp._core.sums.plan cimport SOFTMAX, Layout, Net
from fastmlp._core.sums.slots cimport Pass, Step
from fastmlp._core.sums.tangents cimport (
    SEEDS, Directions, Tangents, Term, bent_bprop, clear, curve, differences, down, seed, start,
)
from fastmlp._core.threads cimport team

cnp.import_array()

cdef enum:
    MOST_TOGETHER = 8           # vectors taken through a block together, as long as
    PARTIAL_NUMBERS = 1 << 24   # there are no more partial sums than this
    WORK = 12                   # for one direction and one vector, in predictions


cdef inline floating *bank(const Block *b, int number, floating *work) noexcept nogil:
    """A workspace like the first: of V, with h''' in place of h'', or of both tangents."""
    return work + number * (b.at.rows + SEEDS * b.net.n_outputs) * b.ld


cdef bint moves(const Layer *layer, const floating *V) noexcept nogil:
    """Whether the direction V has numbers other than 0 in this layer: unit vectors have in one."""
    cdef size_t i
    for i in range(layer.n_params):
        if V[layer.W + i] != 0:
            return True
    return False


cdef void thirds(const Block *b, floating *work) noexcept nogil:
    """h''' of all layers whose units answer alone, from z formed anew."""
    cdef const Layer *layer
    cdef floating *d3
    cdef int l
    for l in range(1, b.net.n_layers + 1):
        layer = &b.net.layers[l - 1]
        d3 = bank(b, 1, work) + b.at.d2[l] * b.ld
        if layer.activation != SOFTMAX:
            forward(b, layer, work, <const floating *> b.params, True, <const floating *> work + b.at.a[l - 1] * b.ld,
                    False, d3)
            unit_ops.activation_third(b.net.ops, layer.activation, layer.n_out * b.ld, <const floating *> d3, d3)


cdef void direct(const Block *b, const Term *term, const floating *V, floating *work) noexcept nogil:
    """The tangents in direction V, to their bank, with h'' V z in place of h', h''' V z in that of a; no bends yet."""
    cdef const Layout *at = b.at
    cdef floating *ofV = bank(b, 1, work)
    cdef size_t bytes, ld = b.ld
    cdef int l, last = b.net.n_layers
    sweeps.rfprop(b, V, False, work)
    if term.of_outputs:
        sweeps.output_product(b, <const floating *> work, <const floating *> work + at.Rz[last] * ld,
                              work + at.Ra[last] * ld)
    for l in range(1, last + 1):
        bytes = b.net.layers[l - 1].n_out * ld * sizeof(floating)
        memcpy(ofV + at.Rz[l] * ld, work + at.Rz[l] * ld, bytes)
        memcpy(ofV + at.Ra[l] * ld, work + at.Ra[l] * ld, bytes)
        if l < last:
            multiply(b, l, <const floating *> work + at.d2[l] * ld, <const floating *> ofV + at.Rz[l] * ld, False,
                     ofV + at.d1[l] * ld)
            if term.exact:
                multiply(b, l, <const floating *> ofV + at.d2[l] * ld, <const floating *> ofV + at.Rz[l] * ld, False,
                         ofV + at.a[l] * ld)
    clear(b, True, work)
    clear(b, True, ofV)


cdef void mixed_fprop(const Block *b, const floating *V, floating *work) noexcept nogil:
    """S z = W S a + V R a,  S a = h' S z + h'' V z R z."""
    cdef const Layout *at = b.at
    cdef const Layer *layer
    cdef floating *ofV = bank(b, 1, work)
    cdef floating *both = bank(b, 2, work)
    cdef floating *Sz
    cdef size_t ld = b.ld
    cdef bint own
    cdef int l
    for l in range(1, b.net.n_layers + 1):
        layer = &b.net.layers[l - 1]
        Sz = both + at.Rz[l] * ld
        own = moves(layer, V)
        if own:
            forward(b, layer, work, V, False, <const floating *> work + at.Ra[l - 1] * ld, False, Sz)
        if l > 1:
            forward(b, layer, work, <const floating *> b.params, False, <const floating *> both + at.Ra[l - 1] * ld,
                    own, Sz)
        elif not own:
            memset(Sz, 0, layer.n_out * ld * sizeof(floating))
        if l < b.net.n_layers:
            multiply(b, l, <const floating *> work + at.d1[l] * ld, Sz, False, both + at.Ra[l] * ld)
            multiply(b, l, <const floating *> ofV + at.d1[l] * ld, <const floating *> work + at.Rz[l] * ld, True,
                     both + at.Ra[l] * ld)


cdef void mixed_output(const Block *b, const Directions *of, floating *work, floating *Vu) noexcept nogil:
    """w s S of the logits or outputs: the tangent of u."""
    cdef int last = b.net.n_layers
    cdef size_t K = b.net.n_outputs
    cdef floating *ofV = bank(b, 1, work)
    cdef floating *both = bank(b, 2, work)
    cdef floating *zeros = ofV + b.at.rows * b.ld
    cdef floating *curved = work + (b.at.rows + 2 * K) * b.ld
    cdef floating *S = both + b.at.Rz[last] * b.ld
    if not of.of_logits:
        sweeps.output_product(b, <const floating *> work, <const floating *> S, both + b.at.Ra[last] * b.ld)
        sweeps.output_product_tangent(b, <const floating *> work, <const floating *> ofV + b.at.Rz[last] * b.ld, curved)
        S = both + b.at.Ra[last] * b.ld
        vector_ops.add(b.net.ops, K * b.ld, <const floating *> curved, S)
    memset(zeros, 0, K * b.ld * sizeof(floating))
    loss_ops.loss_gradient(b.net.ops, FMLP_LOSS_squared_error, K, b.n, <const floating *> S, <const floating *> S,
                           <const floating *> NULL, <const floating *> zeros, weights(b, <const floating *> work),
                           <const floating *> of.weight, <const floating *> NULL, work + b.at.value * b.ld, Vu, b.ld)


cdef void mixed_seed(const Block *b, const Directions *of, const floating *u, const floating *Vu,
                     floating *work) noexcept nogil:
    """The tangents of mu and of what curved outputs add to delta, in direction V: the derivatives of `seed`."""
    cdef int last = b.net.n_layers
    cdef size_t K = b.net.n_outputs, ld = b.ld
    cdef floating *ofV = bank(b, 1, work)
    cdef floating *both = bank(b, 2, work)
    cdef floating *Vmu = both + b.at.Rdelta[last] * ld
    cdef floating *Vdelta = ofV + b.at.delta[last] * ld
    cdef floating *curved = work + (b.at.rows + 2 * K) * ld
    if of.of_logits:
        memcpy(Vmu, Vu, K * ld * sizeof(floating))
        return
    sweeps.output_product(b, <const floating *> work, Vu, Vmu)
    sweeps.output_curvature(b, <const floating *> work, <const floating *> ofV + b.at.Rz[last] * ld,
                            <const floating *> ofV + b.at.Ra[last] * ld, u, curved)
    vector_ops.add(b.net.ops, K * ld, <const floating *> curved, Vmu)
    sweeps.output_product_tangent(b, <const floating *> work, Vu, curved)
    vector_ops.add(b.net.ops, K * ld, <const floating *> curved, Vdelta)
    sweeps.output_curvature(b, <const floating *> work, <const floating *> both + b.at.Rz[last] * ld,
                            <const floating *> both + b.at.Ra[last] * ld, u, curved)
    vector_ops.add(b.net.ops, K * ld, <const floating *> curved, Vdelta)
    add_third(b, u, work, Vdelta)


cdef void add_third(const Block *b, const floating *u, floating *work, floating *Vdelta) noexcept nogil:
    """sum_i u_i (d3y_i / dz dz dz) Rz Vz, less for softmax what S has of it: -Ry (Vy'u) - Vy (Ry'u)."""
    cdef int last = b.net.n_layers
    cdef size_t K = b.net.n_outputs, ld = b.ld, k, s
    cdef floating *ofV = bank(b, 1, work)
    cdef const floating *d3 = ofV + b.at.d2[last] * ld
    cdef const floating *R = work + b.at.Rz[last] * ld
    cdef const floating *V = ofV + b.at.Rz[last] * ld
    cdef double Ru, Vu
    if b.net.layers[last - 1].activation != SOFTMAX:
        for k in range(K * ld):
            Vdelta[k] += d3[k] * R[k] * V[k] * u[k]
        return
    R, V = work + b.at.Ra[last] * ld, ofV + b.at.Ra[last] * ld
    for s in range(b.n):
        Ru = Vu = 0.0
        for k in range(K):
            Ru += R[k * ld + s] * u[k * ld + s]
            Vu += V[k * ld + s] * u[k * ld + s]
        for k in range(K):
            Vdelta[k * ld + s] -= <floating> (R[k * ld + s] * Vu + V[k * ld + s] * Ru)


cdef void mixed_down(const Block *b, const floating *V, floating *work, floating *sums) noexcept nogil:
    """The tangent of `down` in direction V, and what that itself adds to the bends."""
    cdef const Layout *at = b.at
    cdef const Layer *layer
    cdef floating *both = bank(b, 2, work)
    cdef const floating *mu
    cdef const floating *Vmu
    cdef size_t ld = b.ld
    cdef int l
    for l in range(b.net.n_layers, 0, -1):
        layer = &b.net.layers[l - 1]
        mu, Vmu = work + at.Rdelta[l] * ld, both + at.Rdelta[l] * ld
        gradient(b, layer, Vmu, <const floating *> work + at.Ra[l - 1] * ld, True, False, sums)
        if l == 1:
            return
        gradient(b, layer, mu, <const floating *> both + at.Ra[l - 1] * ld, True, False, sums)
        step_down(b, layer, work, V, mu, Vmu, work + at.Rdelta[l - 1] * ld, both + at.Rdelta[l - 1] * ld)
        bend(b, l - 1, work)


cdef void step_down(const Block *b, const Layer *layer, floating *work, const floating *V, const floating *mu,
                    const floating *Vmu, floating *E, floating *VE) noexcept nogil:
    """E = W' mu and its tangent, VE = W' Vmu + V' mu."""
    cdef bint own = moves(layer, V)
    backward(b, layer, work, <const floating *> b.params, mu, False, <const floating *> NULL, E)
    if own:
        backward(b, layer, work, V, mu, False, <const floating *> NULL, VE)
    backward(b, layer, work, <const floating *> b.params, Vmu, own, <const floating *> NULL, VE)


cdef void bend(const Block *b, int l, floating *work) noexcept nogil:
    """h'' Rz E and its tangent are added to the bends of layer l; E and VE become mu = h' E and its tangent."""
    cdef const Layout *at = b.at
    cdef size_t ld = b.ld
    cdef floating *ofV = bank(b, 1, work)
    cdef floating *both = bank(b, 2, work)
    cdef const floating *d2 = work + at.d2[l] * ld
    cdef const floating *Rz = work + at.Rz[l] * ld
    cdef floating *E = work + at.Rdelta[l] * ld
    cdef floating *VE = both + at.Rdelta[l] * ld
    cdef floating *curved = both + at.d1[l] * ld        # h'' R z
    cdef floating *V_curved = both + at.d2[l] * ld      # and its tangent
    multiply(b, l, d2, Rz, False, curved)
    multiply(b, l, <const floating *> ofV + at.a[l] * ld, Rz, False, V_curved)
    multiply(b, l, d2, <const floating *> both + at.Rz[l] * ld, True, V_curved)
    multiply(b, l, <const floating *> curved, <const floating *> E, True, work + at.bend[l] * ld)
    multiply(b, l, <const floating *> V_curved, <const floating *> E, True, ofV + at.bend[l] * ld)
    multiply(b, l, <const floating *> curved, <const floating *> VE, True, ofV + at.bend[l] * ld)
    slope(b, l, work, E, VE)


cdef void slope(const Block *b, int l, floating *work, floating *E, floating *VE) noexcept nogil:
    """h' E of layer l and its tangent h' VE + h'' V z E, in place."""
    cdef const floating *d1 = work + b.at.d1[l] * b.ld
    multiply(b, l, d1, <const floating *> VE, False, VE)
    multiply(b, l, <const floating *> bank(b, 1, work) + b.at.d1[l] * b.ld, <const floating *> E, True, VE)
    multiply(b, l, d1, <const floating *> E, False, E)


cdef void mixed_bprop(const Block *b, const floating *V, floating *work, floating *sums) noexcept nogil:
    """The tangent of `bent_bprop` in direction V."""
    cdef const Layout *at = b.at
    cdef const Layer *layer
    cdef floating *ofV = bank(b, 1, work)
    cdef const floating *delta
    cdef const floating *Vdelta
    cdef floating *E
    cdef floating *VE
    cdef size_t ld = b.ld
    cdef int l
    for l in range(b.net.n_layers, 0, -1):
        layer = &b.net.layers[l - 1]
        delta, Vdelta = work + at.delta[l] * ld, ofV + at.delta[l] * ld
        gradient(b, layer, Vdelta, <const floating *> work + at.a[l - 1] * ld, True, True, sums)
        if l == 1:
            return
        gradient(b, layer, delta, <const floating *> ofV + at.Ra[l - 1] * ld, True, False, sums)
        E, VE = work + at.delta[l - 1] * ld, ofV + at.delta[l - 1] * ld
        step_down(b, layer, work, V, delta, Vdelta, E, VE)
        slope(b, l - 1, work, E, VE)
        vector_ops.add(b.net.ops, layer.n_in * ld, <const floating *> work + at.bend[l - 1] * ld, E)
        vector_ops.add(b.net.ops, layer.n_in * ld, <const floating *> ofV + at.bend[l - 1] * ld, VE)


cdef double block_products(const Pass *job, const Block *b, floating *work, floating *sums) noexcept nogil:
    """H v or G v of a block, for each v."""
    cdef const Term *term = <const Term *> job.more
    cdef const Directions *of
    cdef const floating *v = <const floating *> term.V
    cdef floating *u = work + (b.at.rows + b.net.n_outputs) * b.ld
    cdef floating *Vu = bank(b, 1, work) + (b.at.rows + b.net.n_outputs) * b.ld
    cdef size_t i, m
    start(b, term, True, work)
    if term.exact:
        thirds(b, work)
    if not b.add:
        memset(sums, 0, term.n_vectors * b.net.n_params * sizeof(floating))
    for _ in range(term.n_vectors):
        direct(b, term, v, work)
        for i in range(term.n_sets):
            of = &term.sets[i]
            for m in range(of.n):
                if not team.keep_on(b.watch, WORK * b.n * b.net.work):
                    return 0.0
                differences(b, of, m, work, u)
                mixed_fprop(b, v, work)
                mixed_output(b, of, work, Vu)
                seed(b, of, <const floating *> (u if term.exact else Vu), work)
                if term.exact:
                    mixed_seed(b, of, <const floating *> u, <const floating *> Vu, work)
                    mixed_down(b, v, work, sums)
                else:
                    curve(b, work)
                    down(b, of, m, work, sums)
        if term.exact:
            mixed_bprop(b, v, work, sums)
        else:
            bent_bprop(b, work, sums)
        v += b.net.n_params
        sums += b.net.n_params
    return 0.0


def products(Tangents tangents not None, cnp.ndarray params not None, cnp.ndarray V not None, bint exact,
             int n_threads):
    """The term's H V' (`exact`) or G V' by rows: (m, P) for V (m, P), native."""
    cdef const Net *net = &tangents.batch.plan.net
    cdef Term term
    cdef Pass job
    tangents.prepare(&job, &term, params, True)
    cdef size_t first = 0, n = V.shape[0], row = net.n_params * net.itemsize
    cdef size_t together = max(<size_t> 1, min(<size_t> MOST_TOGETHER,
                                               PARTIAL_NUMBERS // (job.parts.n_slots * net.n_params)))
    products = np.empty_like(V)
    job.step = <Step> &block_products[float] if net.itemsize == sizeof(float) else <Step> &block_products[double]
    job.rows *= 3
    term.exact = exact
    while first < n:
        term.n_vectors = min(together, n - first)
        term.V = <char *> data(V) + first * row
        job.n_sums = job.n_added = term.n_vectors * net.n_params
        job.work = (1 + WORK * term.n * term.n_vectors) * net.work
        job.sums = <char *> data(products) + first * row
        slots.run(&job, n_threads, &tangents.batch.choice)
        first += term.n_vectors
    return products
