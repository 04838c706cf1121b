"""The cross terms of the Hessian, and the products of rows that these and all curvature by units are summed from.

For layers l < m the activation a_(m-1),r depends on z_l,i itself. So the weights from input j to unit i of l and from
input r to unit p of m have, beside the part of by_units.pyx, the second derivative

    sum_n delta_m,p F[i,r] a_(l-1),j,     F = d a_(m-1),r / d z_l,i,

none where r is the bias. The rows are the products (p, i, r), or (p, i) where m = l + 1 and F is diagonal.
"""

from cython cimport floating
from fastmlp._core.bridge cimport dense_ops
from fastmlp._core.threads cimport team
from fastmlp._core.curvature.tiles cimport ROWS, Curvature, Walk, cross_products, go, run, walk, width
from fastmlp._core.sums.block cimport Block
from fastmlp._core.sums.plan cimport Net


# ---- products of rows ----

cdef void products(const Block *b, const floating *left, const floating *right, Walk at, size_t rows, bint add,
                   floating *to) noexcept nogil:
    """So many rows left[x] * right[y] from where the walk stands; added to what is there, or stored."""
    cdef size_t length
    while rows:
        length = run(&at, rows)
        dense_ops.multiply_rows(b.net.ops, length, b.n, left + at.x * b.ld, right + at.y * b.ld, add, to, b.ld)
        to += length * b.ld
        rows -= length
        go(&at, length)


cdef floating *add_products(const Curvature *c, const Block *b, const Rows *of, size_t n_rows, floating *work,
                            floating *tiles) noexcept nogil:
    """Sums of left * right times the activations of layer `below`; the place behind their tiles."""
    cdef size_t row = 0, rows
    while row < n_rows:
        rows = min(<size_t> ROWS, n_rows - row)
        tiles = add_rows(c, b, of, walk(of.n_right, False, row), rows, work, tiles)
        row += rows
    return tiles


cdef floating *add_rows(const Curvature *c, const Block *b, const Rows *of, Walk at, size_t rows, floating *work,
                        floating *tiles) noexcept nogil:
    """Some rows of them."""
    cdef size_t n_cols = width(c.net, of.below) + 1
    cdef floating *D = work + c.D * b.ld
    if team.keep_on(b.watch, rows * n_cols * b.n):
        products(b, <const floating *> of.left, <const floating *> of.right, at, rows, False, D)
        dense_ops.dense_gradient(c.net.ops, rows, n_cols, b.n, <const floating *> D,
                                 <const floating *> work + c.at.a[of.below] * b.ld, b.add, tiles, <floating *> NULL,
                                 b.ld)
    return tiles + rows * n_cols


# ---- the cross terms ----

cdef void add_cross_terms(const Curvature *c, const Block *b, floating *work, floating *tiles) noexcept nogil:
    """Sums of delta_m,p F[i,r] a_(l-1),j for all l < m. Where m = l + 1, F is h'_l, for r = i only."""
    cdef Rows of
    cdef int l, m
    for l in range(1, c.net.n_layers):
        of = Rows(work + c.at.delta[l + 1] * b.ld, work + c.at.d1[l] * b.ld, width(c.net, l), l - 1)
        tiles = add_products(c, b, &of, cross_products(c, l, l + 1), work, tiles)
        for m in range(l + 2, c.net.n_layers + 1):
            sensitivities(c, b, l, m - 1, work)
            of.left, of.right = work + c.at.delta[m] * b.ld, work + c.other[m % 2] * b.ld
            of.n_right = width(c.net, l) * width(c.net, m - 1)
            tiles = add_products(c, b, &of, cross_products(c, l, m), work, tiles)


cdef void sensitivities(const Curvature *c, const Block *b, int l, int m, floating *work) noexcept nogil:
    """F[i,r] = d a_m,r / d z_l,i for l < m, from those of a_(m-1), at the other place."""
    cdef const Net *net = c.net
    cdef size_t n_l = width(net, l), n_m = width(net, m), below = width(net, m - 1), i, r, s
    cdef const floating *W = <const floating *> b.params + net.layers[m - 1].W
    cdef const floating *d1 = work + c.at.d1[m] * b.ld
    cdef const floating *first = work + c.at.d1[l] * b.ld
    cdef const floating *F = work + c.other[m % 2] * b.ld
    cdef floating *to = work + c.other[(m + 1) % 2] * b.ld
    for i in range(n_l):
        if m > l + 1:
            dense_ops.dense_forward(net.ops, n_m, below, b.n, W, <const floating *> NULL, F + i * below * b.ld, False,
                                    to, b.ld)
        for r in range(n_m):
            for s in range(b.ld if m == l + 1 else 0):
                to[s] = W[r * below + i] * first[i * b.ld + s]
            dense_ops.multiply_rows(net.ops, 1, b.n, d1 + r * b.ld, <const floating *> to, False, to, b.ld)
            to += b.ld
