"""Curvature of networks that have layers of other kinds than dense ones, by nothing but the products of the layers.

The Hessian, and the Gauss-Newton matrix where that is quicker than by_gradients.pyx, come column by column, as products
with the unit vectors e_j of the parameters. A parameter of layer l moves nothing below l, and what its column has for
the parameters there stands in their own columns already. So both sweeps of tangents begin and end at l,

    Rz_l = V_l a_(l-1) + v_l,    Rz_m = W_m Ra_(m-1)    and down, without terms in V,    Rdelta_(m-1)    for m > l,

about 4 multiply-adds for each one of the layers from l up, where curvature by units (by_units.pyx) takes P / 2 for a
parameter. The diagonals are as much work, but need no sums of (P, P).

The sums of a slot are the whole matrix, of which the lower triangle counts; of its rows and columns those that are
chosen.
"""

from libc.string cimport memset

from cython cimport floating
from fastmlp._core.curvature cimport tiles
from fastmlp._core.curvature.tiles cimport EXACT, Curvature, number, order
from fastmlp._core.storage.memory cimport plus, times
from fastmlp._core.sums cimport sweeps
from fastmlp._core.sums.block cimport Block
from fastmlp._core.sums.kinds cimport Layer
from fastmlp._core.sums.layers cimport backward, forward, gradient, multiply
from fastmlp._core.sums.plan cimport Net
from fastmlp._core.threads cimport team
from fastmlp._core.threads.team cimport Watch

cdef enum:
    WORK = 4            # of a product with a unit vector, in predictions


cdef size_t room(const Curvature *c) noexcept nogil:
    """A unit vector, and a product with the matrix."""
    return 2 * c.net.n_params


cdef size_t multiply_adds(const Curvature *c) noexcept nogil:
    """Those of a sample."""
    cdef size_t above = 0, total = 0, n = order(c), first
    cdef const Layer *layer
    cdef int l
    for l in range(c.net.n_layers, 0, -1):
        layer = &c.net.layers[l - 1]
        first = place(c, layer.W)
        above = plus(above, layer.work)
        if layer.n_params > 0:
            total = plus(total, times(times(WORK, n - first), above))
            n = first
    return total


# ---- one block ----

cdef inline size_t param(const Curvature *c, size_t i) noexcept nogil:
    """Which parameter row and column i of the sums are."""
    return i if c.chosen == NULL else <size_t> c.chosen.params[i]


cdef size_t place(const Curvature *c, size_t j) noexcept nogil:
    """The first row and column of a parameter from j on."""
    cdef size_t i = j
    if c.chosen != NULL:
        i = 0
        while i < c.chosen.n and <size_t> c.chosen.params[i] < j:
            i += 1
    return i


cdef void up(const Block *b, int l, const floating *V, floating *work) noexcept nogil:
    """Tangents of z and a from layer l on, in a direction of its parameters."""
    cdef const floating *params = <const floating *> b.params
    cdef size_t ld = b.ld
    cdef int m
    forward(b, &b.net.layers[l - 1], work, V, True, <const floating *> work + b.at.a[l - 1] * ld, False,
            work + b.at.Rz[l] * ld)
    for m in range(l, b.net.n_layers):
        multiply(b, m, <const floating *> work + b.at.d1[m] * ld, <const floating *> work + b.at.Rz[m] * ld, False,
                 work + b.at.Ra[m] * ld)
        forward(b, &b.net.layers[m], work, params, False, <const floating *> work + b.at.Ra[m] * ld, False,
                work + b.at.Rz[m + 1] * ld)


cdef void down(const Block *b, int l, bint exact, floating *work, floating *sums) noexcept nogil:
    """Tangents of the gradient by the parameters of layer l and of those above, from Rdelta of the output layer."""
    cdef const Layer *layer
    cdef size_t ld = b.ld
    cdef int m
    for m in range(b.net.n_layers, l - 1, -1):
        layer = &b.net.layers[m - 1]
        gradient(b, layer, <const floating *> work + b.at.Rdelta[m] * ld,
                 <const floating *> work + b.at.a[m - 1] * ld, b.add, True, sums)
        if m == l:
            return
        if exact:
            gradient(b, layer, <const floating *> work + b.at.delta[m] * ld,
                     <const floating *> work + b.at.Ra[m - 1] * ld, True, False, sums)
        backward(b, layer, work, <const floating *> b.params, <const floating *> work + b.at.Rdelta[m] * ld, False,
                 <const floating *> work + b.at.d1[m - 1] * ld, work + b.at.Rdelta[m - 1] * ld)
        if exact:
            multiply(b, m - 1, <const floating *> work + b.at.bend[m - 1] * ld,
                     <const floating *> work + b.at.Rz[m - 1] * ld, True, work + b.at.Rdelta[m - 1] * ld)


cdef void product(const Curvature *c, const Block *b, int l, size_t j, floating *e, floating *work,
                  floating *Be) noexcept nogil:
    """Column j of the block's matrix, from its layer l on, with e = e_j on the way, which is zero before and after.

    It is stored, or added to what is there.
    """
    e[j] = 1
    up(b, l, <const floating *> e, work)
    sweeps.loss_tangent(b, c.kind == EXACT, work)
    down(b, l, c.kind == EXACT, work, Be)
    e[j] = 0


cdef void add_matrix(const Curvature *c, const Block *b, floating *work, floating *sums) noexcept nogil:
    cdef const Net *net = c.net
    cdef floating *v = work + c.rows * b.ld
    cdef floating *column = v + net.n_params
    cdef size_t n = order(c), first = 0, i, k
    cdef int l = 1
    cdef Block alone = b[0]
    alone.add = False
    memset(v, 0, net.n_params * sizeof(floating))
    for i in range(n):
        if not team.keep_on(b.watch, b.n * net.work * WORK):
            return
        while param(c, i) >= net.layers[l - 1].W + net.layers[l - 1].n_params:
            l += 1
            first = i
        if c.chosen == NULL:
            product(c, b, l, i, v, work, sums + i * n)
        else:
            product(c, &alone, l, param(c, i), v, work, column)
            for k in range(first, n):
                sums[i * n + k] = column[param(c, k)] + (sums[i * n + k] if b.add else 0)
        for k in range(first):      # the columns of layers below have these
            sums[i * n + k] = sums[k * n + i]


cdef void add_diagonal(const Curvature *c, const Block *b, floating *work, floating *sums) noexcept nogil:
    cdef const Net *net = c.net
    cdef floating *v = work + c.rows * b.ld
    cdef floating *column = v + net.n_params
    cdef size_t n_params = net.n_params, i
    cdef int l = 1
    cdef Block alone = b[0]
    alone.add = False
    if not b.add:
        memset(sums, 0, n_params * sizeof(floating))
    memset(v, 0, n_params * sizeof(floating))
    for i in range(n_params):
        if not team.keep_on(b.watch, b.n * net.work * WORK):
            return
        while i >= net.layers[l - 1].W + net.layers[l - 1].n_params:
            l += 1
        product(c, &alone, l, i, v, work, column)
        sums[i] += column[i]


# ---- all blocks ----

cdef void store(const Curvature *c, floating *sums, size_t stride, size_t n_slots, number *matrix,
                Watch *watch) noexcept nogil:
    """Sum the matrices of the slots, `stride` numbers apart, in their order, and store the lower triangle."""
    cdef size_t n = order(c), row
    for row in range(n):
        if team.keep_on(watch, n_slots * n * sizeof(number)):
            tiles.sum_slots(c, sums, row + 1, stride, n_slots)
            tiles.copy(row + 1, <const floating *> sums, matrix + row * n)
        sums += n
