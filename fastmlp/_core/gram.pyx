"""Curvature of a network with one hidden layer and one output, sample by sample: a weighted Gram matrix.

There each sample has one row of the Jacobian of the logit z, dz/dw = (s_p x_j, s_p, a_p, 1) with s = h' * W_2', and the
Gauss-Newton matrix is

    sum_n lambda_n (dz_n/dw) (dz_n/dw)',      lambda = d2e / dz2.

P (P + 1) / 2 multiply-adds for a sample are more than by units (units.pyx), but hardly any numbers are formed for them,
and with few inputs that is what counts: `tiles.lay_out_units` has the rule. With lambda of the full second derivative
the Hessian adds the terms that bend the hidden units, h''_p W_2,p delta_2 x_r x_j for the weights (p, r) and (p, j),
and the cross terms. Where there are no residuals these are zero, so that the two are equal to the bit.

The Jacobian ends where the activations lie. Behind it comes a row of delta, so that the last row of the sums is the
gradient. The sums are one tile (P + 1, P + 1), of which the lower triangle counts, but for its last number; then those
terms.
"""

from libc.string cimport memcpy

from cython cimport floating
from fastmlp._core cimport kernels, team, tiles, units
from fastmlp._core.plan cimport Layer
from fastmlp._core.team cimport Watch
from fastmlp._core.tiles cimport EXACT, Units, number, own_products, width


cdef void add_tiles(const Units *u, const floating *params, floating *work, const floating *weight,
                    const floating *scale, size_t n, size_t ld, bint add, floating *gradient, floating *sums,
                    Watch *watch) noexcept nogil:
    """Set gradient, unless that is NULL, and tiles to the block's sums, or add these to them."""
    cdef size_t n_params = u.net.n_params, rows = n_params + 1
    cdef floating *J = work + u.J * ld
    cdef floating *left = J
    if not team.keep_on(watch, n * u.n_pairs):
        return
    units.start_layer(u, 2, params, work, weight, scale, n, ld)
    units.start_layer(u, 1, params, work, weight, scale, n, ld)
    jacobian(u, params, work, n, ld)
    if is_one(n, <const floating *> work + u.q * ld):
        clear_padding(u, n_params, n, ld, J)
    else:
        left = work + u.LJ * ld
        kernels.multiply_rows(u.net.ops, n_params, n, <const floating *> work + u.q * ld, <const floating *> J, False,
                              left, ld)
    memcpy(left + n_params * ld, work + u.at.delta[2] * ld, ld * sizeof(floating))
    kernels.gram(u.net.ops, rows, n, <const floating *> left, <const floating *> J, ld, add, sums)
    if gradient != NULL:
        memcpy(gradient, sums + n_params * rows, n_params * sizeof(floating))
    if u.kind == EXACT:
        sums = units.add_products(u, <const floating *> work + u.curve * ld, <const floating *> work + u.at.a[0] * ld,
                                  width(u.net, 0) + 1, own_products(u), 0, work, n, ld, add, sums + rows * rows,
                                  watch)
        units.add_cross_terms(u, params, work, n, ld, add, sums, watch)


cdef inline bint is_one(size_t n, const floating *x) noexcept nogil:
    cdef size_t i
    cdef int others = 0
    for i in range(n):  # without a way out, so that it is vectorised
        others |= x[i] != 1.0
    return others == 0


cdef inline void clear_padding(const Units *u, size_t rows, size_t n, size_t ld, floating *J) noexcept nogil:
    cdef size_t row, s
    for row in range(rows):
        for s in range(n, (n + u.net.lanes - 1) // u.net.lanes * u.net.lanes):
            J[row * ld + s] = 0.0


cdef void jacobian(const Units *u, const floating *params, floating *work, size_t n, size_t ld) noexcept nogil:
    """dz/dw of the block's samples: a_p and 1 are there."""
    cdef const Layer *hidden = &u.net.layers[0]
    cdef floating *J = work + u.J * ld
    cdef floating *slope = J + hidden.b * ld
    units.backward(u.net, 1, params, <const floating *> work + (u.at.a[0] + hidden.n_in) * ld,
                   <const floating *> work + u.at.d1[1] * ld, slope, n, ld)
    units.products(u.net.ops, <const floating *> slope, <const floating *> work + u.at.a[0] * ld, hidden.n_in, False, 0,
                   hidden.n_out * hidden.n_in, False, J + hidden.W * ld, n, ld)


cdef void store_tiles(const Units *u, floating *sums, size_t stride, size_t n_slots, number *matrix,
                      Watch *watch) noexcept nogil:
    """Sum the tiles of the slots, `stride` numbers apart, in their order, and store them in the matrix."""
    cdef size_t n_params = u.net.n_params, rows = n_params + 1, row, n_cols = width(u.net, 0) + 1
    if not team.keep_on(watch, n_slots * u.n_tiles):
        return
    tiles.sum_slots(u, sums, rows * n_params, stride, n_slots)
    for row in range(n_params):
        tiles.copy(row + 1, <const floating *> sums + row * rows, matrix + row * n_params)
    if u.kind != EXACT:
        return
    sums += rows * rows
    tiles.sum_slots(u, sums, own_products(u) * n_cols, stride, n_slots)
    tiles.store_few(u, 1, 0, own_products(u), <const floating *> sums, True, matrix)
    tiles.store_cross_terms(u, sums + own_products(u) * n_cols, stride, n_slots, matrix, watch)
