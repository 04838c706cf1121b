"""Curvature of networks that have layers of other kinds than dense ones, from the gradients of single samples.

With J_k (P, n), whose column s is the gradient of logit k of sample s, and Lambda = d2e / dz dz of each sample,

    G = sum_k Q_k J_k',        Q_k = sum_k' Lambda_kk' J_k',

two sweeps back for each output, from the unit vector e_k and from Lambda e_k, and K P^2 / 2 multiply-adds for each
sample. The empirical Fisher matrix, sum_s g_s g_s' / w_s with the gradients g_s of the weighted losses, is one such
product. The exact Hessian has no such form (by_columns.pyx).
"""

from libc.string cimport memcpy

from cython cimport floating
from fastmlp._core.bridge cimport dense_ops, unit_ops
from fastmlp._core.curvature.tiles cimport EMPIRICAL_FISHER, EXACT, Curvature, order, triangle
from fastmlp._core.storage.memory cimport plus, times
from fastmlp._core.storage.vectors cimport total
from fastmlp._core.sums cimport sweeps
from fastmlp._core.sums.block cimport Block, weights
from fastmlp._core.sums.kinds cimport Layer
from fastmlp._core.sums.layers cimport room_of_gradients, sample_gradients
from fastmlp._core.sums.plan cimport Net
from fastmlp._core.threads cimport team

cdef enum:
    OUTPUT = 6          # predictions that an output takes: two sweeps back, and the gradients


cdef bint pays(const Curvature *c, bint diagonal, size_t by_columns) noexcept nogil:
    cdef const Net *net = c.net
    cdef size_t work = 0, pairs = 0 if diagonal else triangle(order(c))
    cdef int l
    if c.kind != EMPIRICAL_FISHER:
        for l in range(net.n_layers):   # those that have no way for single samples take a vector for each
            work = plus(work, times(net.layers[l].work, 1 if net.layers[l].products.columns != NULL else net.lanes))
        return c.kind != EXACT and times(net.n_outputs, plus(pairs, times(OUTPUT, work))) <= by_columns
    return True


cdef size_t room(const Curvature *c, size_t ld) noexcept nogil:
    """Two sets of gradients, a row of factors, and what layers need."""
    cdef size_t single = 0
    cdef int l
    for l in range(c.net.n_layers):
        single = max(single, room_of_gradients(&c.net.layers[l]))
    return plus(times(plus(times(2, c.net.n_params), 1), ld), single)


# ---- one block ----

cdef void gradients(const Curvature *c, const Block *b, floating *work, floating *room, floating *G) noexcept nogil:
    """Those of all samples, from the deltas of all layers; of the parameters that are chosen."""
    cdef const Layer *layer
    cdef size_t i
    cdef int l
    for l in range(1, c.net.n_layers + 1):
        layer = &c.net.layers[l - 1]
        if layer.n_params > 0:
            sample_gradients(b, layer, <const floating *> work + b.at.delta[l] * b.ld,
                             <const floating *> work + b.at.a[l - 1] * b.ld, room, G + layer.W * b.ld)
    if c.chosen != NULL:
        for i in range(c.chosen.n):     # they are in ascending order
            if <size_t> c.chosen.params[i] != i:
                memcpy(G + i * b.ld, G + c.chosen.params[i] * b.ld, b.ld * sizeof(floating))


cdef void logit_gradients(const Curvature *c, const Block *b, size_t k, floating *work, floating *room, floating *Q,
                          floating *J) noexcept nogil:
    """Q_k and J_k."""
    cdef size_t numbers = c.net.n_outputs * b.ld, s
    cdef floating *e = work + b.at.Rz[c.net.n_layers] * b.ld
    cdef floating *delta = work + b.at.delta[c.net.n_layers] * b.ld
    for s in range(numbers):
        e[s] = 0
    for s in range(b.n):
        e[k * b.ld + s] = 1
    memcpy(delta, e, numbers * sizeof(floating))
    sweeps.bprop(b, work, <floating *> NULL)
    gradients(c, b, work, room, J)
    sweeps.loss_product(b, True, <const floating *> work, <const floating *> e, delta)
    sweeps.bprop(b, work, <floating *> NULL)
    gradients(c, b, work, room, Q)


cdef void loss_gradients(const Curvature *c, const Block *b, floating *work, floating *room, floating *factor,
                         floating *Q, floating *J) noexcept nogil:
    """Those of the weighted losses, and with a factor 1 / weight."""
    cdef const floating *weight = weights(b, <const floating *> work)
    cdef size_t s
    for s in range(b.ld):
        factor[s] = 0
    for s in range(b.n):
        factor[s] = 1 if weight == NULL else 1 / weight[s] if weight[s] > 0 else 0
    gradients(c, b, work, room, J)
    dense_ops.multiply_rows(c.net.ops, order(c), b.n, <const floating *> factor, <const floating *> J, False, Q, b.ld)


cdef void add_products(const Curvature *c, const Block *b, bint diagonal, floating *work,
                       floating *sums) noexcept nogil:
    """sum_k Q_k J_k', or its diagonal."""
    cdef size_t n = order(c), k, n_products = 1 if c.kind == EMPIRICAL_FISHER else c.net.n_outputs
    cdef floating *Q = work + c.rows * b.ld
    cdef floating *J = Q + c.net.n_params * b.ld
    cdef floating *factor = J + c.net.n_params * b.ld
    cdef floating *room = factor + b.ld
    for k in range(n_products):
        if not team.keep_on(b.watch, b.n * (triangle(n) + OUTPUT * c.net.work)):
            return
        if c.kind == EMPIRICAL_FISHER:
            loss_gradients(c, b, work, room, factor, Q, J)
        else:
            logit_gradients(c, b, k, work, room, Q, J)
        if not diagonal:
            dense_ops.gram(c.net.ops, n, b.n, <const floating *> Q, <const floating *> J, b.ld, b.add or k > 0, sums)
        else:
            unit_ops.multiply(c.net.ops, n, b.n, <const floating *> Q, <const floating *> J, False, Q, b.ld)
            add_rows(b, n, <const floating *> Q, b.add or k > 0, sums)


cdef void add_rows(const Block *b, size_t n, const floating *Q, bint add, floating *sums) noexcept nogil:
    """The sum of each row over the samples."""
    cdef size_t i
    for i in range(n):
        sums[i] = <floating> total(b.n, Q + i * b.ld) + (sums[i] if add else 0)


cdef void add_matrix(const Curvature *c, const Block *b, floating *work, floating *sums) noexcept nogil:
    add_products(c, b, False, work, sums)


cdef void add_diagonal(const Curvature *c, const Block *b, floating *work, floating *sums) noexcept nogil:
    add_products(c, b, True, work, sums)
