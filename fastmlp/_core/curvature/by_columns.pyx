"""Curvature of networks that have layers of other kinds than dense ones, by nothing but the products of the layers.

The Hessian and the Gauss-Newton matrix come column by column, as products with the unit vectors e_j of the parameters:
P times two sweeps of tangents, about 4 P multiply-adds where curvature by units (by_units.pyx) takes P / 2. The
empirical Fisher matrix, sum_n s_n g_n g_n', comes sample by sample from the gradients g_n of single losses. The
diagonals are as much work, but need no sums of (P, P).

The sums of a slot are the whole matrix, of which the lower triangle counts.
"""

from libc.string cimport memset

from cython cimport floating
from fastmlp._core.bridge cimport kernels
from fastmlp._core.curvature cimport tiles
from fastmlp._core.curvature.tiles cimport EMPIRICAL_FISHER, EXACT, Curvature, number
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


cdef void add_matrix(const Curvature *c, const Block *b, floating *work, floating *sums) noexcept nogil:
    cdef const Net *net = c.net
    cdef floating *v = work + c.rows * b.ld
    cdef size_t n_params = net.n_params, i, s
    cdef double factor
    if c.kind == EMPIRICAL_FISHER:
        if not b.add:
            memset(sums, 0, n_params * n_params * sizeof(floating))
        for s in range(b.n):
            if not team.keep_on(b.watch, n_params * n_params):
                return
            factor = single_gradient(c, b, s, work, v)
            for i in range(n_params):
                kernels.add_multiple(net.ops, i + 1, <floating> (factor * v[i]), <const floating *> v,
                                     sums + i * n_params)
        return
    memset(v, 0, n_params * sizeof(floating))
    for i in range(n_params):
        if not team.keep_on(b.watch, b.n * net.work * WORK):
            return
        product(c, b, i, v, work, sums + i * n_params)


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
    cdef size_t n_params = c.net.n_params, row
    for row in range(n_params):
        if team.keep_on(watch, n_slots * n_params):
            tiles.sum_slots(c, sums, row + 1, stride, n_slots)
            tiles.copy(row + 1, <const floating *> sums, matrix + row * n_params)
        sums += n_params
