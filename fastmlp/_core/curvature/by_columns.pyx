"""Curvature of networks that have layers of other kinds than dense ones, by nothing but the products of the layers.

The Hessian and the Gauss-Newton matrix come column by column, as products with the unit vectors e_j of the parameters:
P times two sweeps of tangents, about 4 P multiply-adds where curvature by units (by_units.pyx) takes P / 2. The
empirical Fisher matrix, sum_n s_n g_n g_n', comes sample by sample from the gradients g_n of single losses. The
diagonals are as much work, but need no sums of (P, P).

The sums of a slot are the whole matrix, of which the lower triangle counts; of its rows and columns those that are
chosen.
"""

from libc.string cimport memset

from cython cimport floating
from fastmlp._core.bridge cimport kernels
from fastmlp._core.curvature cimport tiles
from fastmlp._core.curvature.tiles cimport EMPIRICAL_FISHER, EXACT, Curvature, number, order
from fastmlp._core.sums cimport sweeps
from fastmlp._core.sums.block cimport Block, weights
from fastmlp._core.sums.layers cimport sample_gradient, single_numbers
from fastmlp._core.sums.plan cimport Net
from fastmlp._core.threads cimport team
from fastmlp._core.threads.team cimport Watch

cdef enum:
    WORK = 4            # of a product with a unit vector, in predictions


cdef size_t room(const Curvature *c) noexcept nogil:
    """A unit vector or a gradient, a product with the matrix, and the block of a single sample."""
    cdef size_t single = 0
    cdef int l
    for l in range(c.net.n_layers):
        single = max(single, single_numbers(&c.net.layers[l]))
    return 2 * c.net.n_params + single


# ---- one block ----

cdef void product(const Curvature *c, const Block *b, size_t j, floating *e, floating *work,
                  floating *Be) noexcept nogil:
    """Column j of the block's matrix, with e = e_j on the way, which is zero before and after; stored or added to."""
    e[j] = 1
    sweeps.rfprop(b, <const floating *> e, False, work)
    sweeps.loss_tangent(b, c.kind == EXACT, work)
    sweeps.rbprop(b, <const floating *> e, False, c.kind == EXACT, work, Be)
    e[j] = 0


cdef double single_gradient(const Curvature *c, const Block *b, size_t s, floating *work, floating *g) noexcept nogil:
    """The gradient s g of the weighted loss of one sample; the factor 1 / s that makes s g g' of its square."""
    cdef const floating *weight = weights(b, <const floating *> work)
    cdef floating *own = g + 2 * c.net.n_params
    cdef int l
    for l in range(1, c.net.n_layers + 1):
        sample_gradient(b, &c.net.layers[l - 1], s, <const floating *> work + b.at.delta[l] * b.ld,
                        <const floating *> work + b.at.a[l - 1] * b.ld, own, g)
    if weight == NULL:
        return 1.0
    return 1.0 / weight[s] if weight[s] > 0.0 else 0.0


cdef void choose(const Curvature *c, const floating *vector, bint add, floating *chosen) noexcept nogil:
    """Of a vector of all parameters those that are chosen; it may be the same vector."""
    cdef size_t i
    if c.chosen == NULL and chosen == vector:
        return
    for i in range(order(c)):
        if add:
            chosen[i] += vector[c.chosen.params[i] if c.chosen != NULL else i]
        else:
            chosen[i] = vector[c.chosen.params[i] if c.chosen != NULL else i]


cdef void add_matrix(const Curvature *c, const Block *b, floating *work, floating *sums) noexcept nogil:
    cdef const Net *net = c.net
    cdef floating *v = work + c.rows * b.ld
    cdef floating *column = v + net.n_params
    cdef size_t n = order(c), i, s
    cdef Block alone = b[0]
    cdef double factor
    if c.kind == EMPIRICAL_FISHER:
        if not b.add:
            memset(sums, 0, n * n * sizeof(floating))
        for s in range(b.n):
            if not team.keep_on(b.watch, n * n):
                return
            factor = single_gradient(c, b, s, work, v)
            choose(c, <const floating *> v, False, v)
            for i in range(n):
                kernels.add_multiple(net.ops, i + 1, <floating> (factor * v[i]), <const floating *> v, sums + i * n)
        return
    alone.add = False
    memset(v, 0, net.n_params * sizeof(floating))
    for i in range(n):
        if not team.keep_on(b.watch, b.n * net.work * WORK):
            return
        if c.chosen == NULL:
            product(c, b, i, v, work, sums + i * n)
        else:
            product(c, &alone, c.chosen.params[i], v, work, column)
            choose(c, <const floating *> column, b.add, sums + i * n)


cdef void add_diagonal(const Curvature *c, const Block *b, floating *work, floating *sums) noexcept nogil:
    cdef const Net *net = c.net
    cdef floating *v = work + c.rows * b.ld
    cdef floating *column = v + net.n_params
    cdef size_t n_params = net.n_params, i, s
    cdef Block alone = b[0]
    cdef double factor
    alone.add = False
    if not b.add:
        memset(sums, 0, n_params * sizeof(floating))
    if c.kind == EMPIRICAL_FISHER:
        for s in range(b.n):
            if not team.keep_on(b.watch, n_params):
                return
            factor = single_gradient(c, b, s, work, v)
            for i in range(n_params):
                sums[i] += <floating> (factor * v[i] * v[i])
        return
    memset(v, 0, n_params * sizeof(floating))
    for i in range(n_params):
        if not team.keep_on(b.watch, b.n * net.work * WORK):
            return
        product(c, &alone, i, v, work, column)
        sums[i] += column[i]


# ---- all blocks ----

cdef void store(const Curvature *c, floating *sums, size_t stride, size_t n_slots, number *matrix,
                Watch *watch) noexcept nogil:
    """Sum the matrices of the slots, `stride` numbers apart, in their order, and store the lower triangle."""
    cdef size_t n = order(c), row
    for row in range(n):
        if team.keep_on(watch, n_slots * n):
            tiles.sum_slots(c, sums, row + 1, stride, n_slots)
            tiles.copy(row + 1, <const floating *> sums, matrix + row * n)
        sums += n
