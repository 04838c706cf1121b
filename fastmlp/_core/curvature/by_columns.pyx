"""Curvature of networks that have layers of other kinds than dense ones, by nothing but the products of the layers.

The Hessian, and the Gauss-Newton matrix where that is quicker than by_gradients.pyx, come column by column, as products
with the unit vectors e_j of the parameters: P times two sweeps of tangents, about 4 P multiply-adds where curvature by
units (by_units.pyx) takes P / 2. The diagonals are as much work, but need no sums of (P, P).

The sums of a slot are the whole matrix, of which the lower triangle counts; of its rows and columns those that are
chosen.
"""

from libc.string cimport memset

from cython cimport floating
from fastmlp._core.curvature cimport tiles
from fastmlp._core.curvature.tiles cimport EXACT, Curvature, number, order
from fastmlp._core.sums cimport sweeps
from fastmlp._core.sums.block cimport Block
from fastmlp._core.sums.plan cimport Net
from fastmlp._core.threads cimport team
from fastmlp._core.threads.team cimport Watch

cdef enum:
    WORK = 4            # of a product with a unit vector, in predictions


cdef size_t room(const Curvature *c) noexcept nogil:
    """A unit vector, and a product with the matrix."""
    return 2 * c.net.n_params


# ---- one block ----

cdef void product(const Curvature *c, const Block *b, size_t j, floating *e, floating *work,
                  floating *Be) noexcept nogil:
    """Column j of the block's matrix, with e = e_j on the way, which is zero before and after; stored or added to."""
    e[j] = 1
    sweeps.rfprop(b, <const floating *> e, False, work)
    sweeps.loss_tangent(b, c.kind == EXACT, work)
    sweeps.rbprop(b, <const floating *> e, False, c.kind == EXACT, work, Be)
    e[j] = 0


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
    cdef size_t n = order(c), i
    cdef Block alone = b[0]
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
    cdef size_t n_params = net.n_params, i
    cdef Block alone = b[0]
    alone.add = False
    if not b.add:
        memset(sums, 0, n_params * sizeof(floating))
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
