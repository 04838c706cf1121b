"""Curvature of a network with one hidden layer and one output, sample by sample: a weighted Gram matrix.

There each sample has one row of the Jacobian of the logit z, dz/dw = (s_p x_j, s_p, a_p, 1) with s = h' * W_2', and the
Gauss-Newton matrix is

    sum_n lambda_n (dz_n/dw) (dz_n/dw)',      lambda = d2e / dz2.

P (P + 1) / 2 multiply-adds for a sample are more than by units (by_units.pyx), but hardly any numbers are formed for
them, and with few inputs that is what counts: `tiles.lay_out_curvature` has the rule. With lambda of the full second
derivative the Hessian adds the terms that bend the hidden units, h''_p W_2,p delta_2 x_r x_j for the weights (p, r) and
(p, j), and the cross terms. Where there are no residuals these are zero, so that the two are equal to the bit.

The Jacobian ends where the activations lie. Behind it comes a row of delta, so that the last row of the sums is the
gradient. The sums are one tile (P + 1, P + 1), of which the lower triangle counts, but for its last number; then those
terms.
"""

from libc.string cimport memcpy

from cython cimport floating
from fastmlp._core.bridge cimport dense_ops
from fastmlp._core.curvature cimport by_units, cross_terms, tiles
from fastmlp._core.threads cimport team
from fastmlp._core.curvature.cross_terms cimport Rows
from fastmlp._core.curvature.tiles cimport EXACT, Curvature, number, own_products, walk, width
from fastmlp._core.storage.memory cimport ceil_to_power
from fastmlp._core.sums.block cimport Block
from fastmlp._core.sums.kinds cimport Layer
from fastmlp._core.threads.team cimport Watch


cdef void add_tiles(const Curvature *c, const Block *b, floating *work, floating *gradient,
                    floating *sums) noexcept nogil:
    """Set gradient, unless that is NULL, and tiles to the block's sums, or add these to them."""
    cdef size_t n_params = c.net.n_params, rows = n_params + 1
    cdef const floating *q = work + c.q * b.ld
    cdef floating *J = work + c.J * b.ld
    cdef floating *left = J
    cdef Rows bent
    if not team.keep_on(b.watch, b.n * c.n_pairs):
        return
    by_units.start_layer(c, b, 2, work)
    by_units.start_layer(c, b, 1, work)
    jacobian(c, b, work)
    if is_one(b.n, q):
        clear_padding(b, n_params, J)
    else:
        left = work + c.LJ * b.ld
        dense_ops.multiply_rows(c.net.ops, n_params, b.n, q, <const floating *> J, False, left, b.ld)
    memcpy(left + n_params * b.ld, work + c.at.delta[2] * b.ld, b.ld * sizeof(floating))
    dense_ops.gram(c.net.ops, rows, b.n, <const floating *> left, <const floating *> J, b.ld, b.add, sums)
    if gradient != NULL:
        memcpy(gradient, sums + n_params * rows, n_params * sizeof(floating))
    if c.kind == EXACT:
        bent = Rows(work + c.bend * b.ld, work + c.at.a[0] * b.ld, width(c.net, 0) + 1, 0)
        sums = cross_terms.add_products(c, b, &bent, own_products(c), work, sums + rows * rows)
        cross_terms.add_cross_terms(c, b, work, sums)


cdef inline bint is_one(size_t n, const floating *x) noexcept nogil:
    cdef size_t i
    cdef int others = 0
    for i in range(n):  # without a way out, so that it is vectorised
        others |= x[i] != 1.0
    return others == 0


cdef inline void clear_padding(const Block *b, size_t rows, floating *J) noexcept nogil:
    cdef size_t row, s, whole = ceil_to_power(b.n, b.net.lanes)
    for row in range(rows):
        for s in range(b.n, whole):
            J[row * b.ld + s] = 0.0


cdef void jacobian(const Curvature *c, const Block *b, floating *work) noexcept nogil:
    """dz/dw of the block's samples: a_p and 1 are there."""
    cdef const Layer *hidden = &c.net.layers[0]
    cdef floating *J = work + c.J * b.ld
    cdef floating *slope = J + hidden.b * b.ld
    by_units.backward(b, 1, <const floating *> b.params, <const floating *> work + (c.at.a[0] + hidden.n_in) * b.ld,
                      <const floating *> work + c.at.d1[1] * b.ld, slope)
    cross_terms.products(b, <const floating *> slope, <const floating *> work + c.at.a[0] * b.ld,
                         walk(hidden.n_in, False, 0), hidden.n_out * hidden.n_in, False, J + hidden.W * b.ld)


cdef void store_tiles(const Curvature *c, floating *sums, size_t stride, size_t n_slots, number *matrix,
                      Watch *watch) noexcept nogil:
    """Sum the tiles of the slots, `stride` numbers apart, in their order, and store them in the matrix."""
    cdef size_t n_params = c.net.n_params, rows = n_params + 1, row, n_cols = width(c.net, 0) + 1
    if not team.keep_on(watch, n_slots * c.n_tiles):
        return
    tiles.sum_slots(c, sums, rows * n_params, stride, n_slots)
    for row in range(n_params):
        tiles.copy(row + 1, <const floating *> sums + row * rows, matrix + row * n_params)
    if c.kind != EXACT:
        return
    sums += rows * rows
    tiles.sum_slots(c, sums, own_products(c) * n_cols, stride, n_slots)
    tiles.store_separable(c, 1, 0, own_products(c), <const floating *> sums, True, matrix)
    tiles.store_cross_terms(c, sums + own_products(c) * n_cols, stride, n_slots, matrix, watch)
