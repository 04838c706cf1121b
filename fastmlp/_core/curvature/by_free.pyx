"""Second derivatives by the parameters that are free, on one block of samples, where the others are fixed.

For parameters a = (l,i,j), the weight from input j to unit i of layer l, and b = (m,p,r), l <= m, by_units.pyx has

    sum_n q[l,m]_(i,p) a_(l-1),j a_(m-1),r  +  [m > l] delta_(m,p) F_(i,r) a_(l-1),j.

It forms this for all units and inputs at once. Here only units count that free parameters lead into: the *free units*.
Their pre-activations z_u = z_(l,i) send sensitivities up, S_(u,m) = dz_m / dz_u, and

    q_uv = sum_(k,k') S_(u,L),k Lambda_kk' S_(v,L),k'  +  sum_(m < L, p) c_(m,p) S_(u,m),p S_(v,m),p,
    c_m = h''_m * W_(m+1)' delta_(m+1),       Lambda = d2e / dz_L dz_L,       F_(u,r) = h'_(m-1),r S_(u,m-1),r,

where S_u is a unit vector at the unit itself. For a free unit u, the rows d delta_u / dw_b = q_uv a_r + delta_p F_(u,r)
of all b at or above it, times the activations of its own parameters, are one tile.

Where there are few outputs, and the loss bends along each of them alone, Lambda's part is a Gram matrix for each
output, of the rows dz_k / dw_b. Then the top hidden layer's units have tiles with their own parameters and with the
weights that leave them alone, and Gauss-Newton has no tiles at all. The empirical Fisher matrix is one Gram matrix, of
the samples' gradients delta_(l,i) a_(l-1),j.

The tiles are the sums of a slot (free_tiles.pyx); with delta = 0 the Hessian has the bits of the Gauss-Newton matrix,
but for the sign of zeros.
"""

from libc.math cimport INFINITY
from libc.string cimport memcpy, memset

from cython cimport floating
from fastmlp._core.bridge cimport dense_ops, unit_ops
from fastmlp._core.curvature cimport by_units
from fastmlp._core.curvature.chosen cimport Chosen, Unit
from fastmlp._core.curvature.free_tiles cimport (
    BAND, below, gram_rows, has_second, has_tiles, is_in_gram, meets, n_grams, reached, tile_rows, top,
)
from fastmlp._core.curvature.tiles cimport EMPIRICAL_FISHER, EXACT, GGN, Curvature, output_slope, width
from fastmlp._core.sums cimport sweeps
from fastmlp._core.sums.block cimport Block, weights
from fastmlp._core.sums.plan cimport Net
from fastmlp._core.threads cimport team


cdef void add_tiles(const Curvature *c, const Block *b, floating *work, floating *sums) noexcept nogil:
    """Set the tiles to the block's sums, or add these; after `loss`, and `bprop` where deltas are needed."""
    cdef size_t k, x
    if c.per_output:
        by_units.sweep_slopes(c, b, work)
        by_units.start_layer(c, b, c.net.n_layers, work)
    for k in range(n_grams(c)):
        sums = add_gram(c, b, k, work, sums)
    if not has_tiles(c):
        return
    if c.kind == EXACT:
        bends(c, b, work)
    for x in range(c.chosen.n_units):
        sensitivities(c, b, x, work)
    for x in range(c.chosen.n_units):
        sums = add_tile(c, b, x, work, sums)


cdef floating *weighed(const Curvature *c, const Block *b, const Unit *unit, const floating *x, const floating *work,
                       floating *to) noexcept nogil:
    """x times the activations of the unit's parameters; the place behind."""
    cdef const floating *a = work + c.at.a[unit.l - 1] * b.ld
    cdef const size_t *input = c.chosen.input + unit.first
    cdef size_t t = 0, length
    while t < unit.n:
        length = 1
        while t + length < unit.n and input[t + length] == input[t] + length:
            length += 1
        dense_ops.multiply_rows(b.net.ops, length, b.n, x, a + input[t] * b.ld, False, to, b.ld)
        to += length * b.ld
        t += length
    return to


cdef floating *add_gram(const Curvature *c, const Block *b, size_t k, floating *work, floating *sums) noexcept nogil:
    """Sums of Lambda_kk (dz_k/dw) (dz_k/dw)', or of s g g' = (s g) (s g)' / s; the place behind."""
    cdef const Chosen *chosen = c.chosen
    cdef const Unit *unit
    cdef floating *J = work + c.J * b.ld
    cdef floating *LJ = work + c.LJ * b.ld
    cdef floating *to = J
    cdef size_t x, slope, rows = gram_rows(c, k), row = 0, height
    for x in range(chosen.n_units):
        unit = &chosen.units[x]
        if is_in_gram(c, k, unit):
            slope = c.at.delta[unit.l] if c.kind == EMPIRICAL_FISHER else output_slope(c, k, unit.l)
            to = weighed(c, b, unit, <const floating *> work + (slope + unit.i) * b.ld, <const floating *> work, to)
    if c.kind == EMPIRICAL_FISHER:
        reciprocals(b, <const floating *> work, work + c.q * b.ld)
    dense_ops.multiply_rows(b.net.ops, rows, b.n, <const floating *> work + (c.q + k) * b.ld, <const floating *> J,
                            False, LJ, b.ld)
    while row < rows:
        height = min(<size_t> BAND, rows - row)
        if not team.keep_on(b.watch, b.n * height * (row + height)):
            pass
        elif row == 0:
            dense_ops.gram(b.net.ops, height, b.n, <const floating *> LJ, <const floating *> J, b.ld, b.add, sums)
        else:
            dense_ops.dense_gradient(b.net.ops, height, row + height, b.n, <const floating *> LJ + row * b.ld,
                                     <const floating *> J, b.add, sums, <floating *> NULL, b.ld)
        sums += height * (row + height)
        row += height
    return sums


cdef void reciprocals(const Block *b, const floating *work, floating *to) noexcept nogil:
    """1 / s, or 0 where that is no number: s is 0 or next to it, and so is the share of the sample."""
    cdef const floating *weight = weights(b, work)
    cdef floating share = 1.0
    cdef size_t s
    for s in range(b.ld):
        if weight != NULL:
            share = 1.0 / weight[s] if weight[s] > 0.0 else 0.0
        to[s] = share if share < INFINITY else 0.0


# ---- sensitivities ----

cdef void bends(const Curvature *c, const Block *b, floating *work) noexcept nogil:
    """c_m of all hidden layers."""
    cdef int m
    for m in range(1, c.net.n_layers):
        by_units.backward(b, m, <const floating *> b.params, <const floating *> work + c.at.delta[m + 1] * b.ld,
                          <const floating *> work + c.at.d2[m] * b.ld, work + (c.bend + below(c.net, m)) * b.ld)


cdef void sensitivities(const Curvature *c, const Block *b, size_t x, floating *work) noexcept nogil:
    """S of unit number x, layer by layer."""
    cdef const Net *net = c.net
    cdef const Unit *unit = &c.chosen.units[x]
    cdef const floating *slope = work + (c.at.d1[unit.l] + unit.i) * b.ld
    cdef const floating *W
    cdef const floating *from_below
    cdef floating *to
    cdef size_t n_m, n_below, p, s
    cdef int m
    for m in range(unit.l + 1, top(c) + 1):
        n_m, n_below = width(net, m), width(net, m - 1)
        W = <const floating *> b.params + net.layers[m - 1].W
        to = work + reached(c, x, m) * b.ld
        if m == unit.l + 1:
            for p in range(n_m):
                for s in range(b.ld):
                    to[p * b.ld + s] = W[p * n_below + unit.i] * slope[s]
        else:
            from_below = work + (reached(c, x, m - 1) + n_below) * b.ld
            dense_ops.dense_forward(net.ops, n_m, n_below, b.n, W, <const floating *> NULL, from_below, False, to, b.ld)
        if m < net.n_layers:
            unit_ops.multiply(net.ops, n_m, b.n, <const floating *> work + c.at.d1[m] * b.ld, <const floating *> to,
                              False, to + n_m * b.ld, b.ld)


# ---- tiles ----

cdef void bent(const Curvature *c, const Block *b, size_t x, floating *work) noexcept nogil:
    """T = c_m * S of the hidden layers above unit number x, Lambda S at the output."""
    cdef const Net *net = c.net
    cdef const Unit *unit = &c.chosen.units[x]
    cdef floating *seed = work + c.seed * b.ld
    cdef const floating *S = seed
    cdef size_t s
    cdef int m, last = net.n_layers
    for m in range(unit.l + 1, last if c.kind == EXACT else 0):
        unit_ops.multiply(net.ops, width(net, m), b.n, <const floating *> work + (c.bend + below(net, m)) * b.ld,
                          <const floating *> work + reached(c, x, m) * b.ld, False, work + (c.t + below(net, m)) * b.ld,
                          b.ld)
    if c.per_output:
        return
    if unit.l < last:
        S = work + reached(c, x, last) * b.ld
    else:
        memset(seed, 0, net.n_outputs * b.ld * sizeof(floating))
        for s in range(b.ld):
            seed[unit.i * b.ld + s] = 1.0
    sweeps.loss_product(b, c.kind == GGN, <const floating *> work, S, work + (c.t + below(net, last)) * b.ld)


cdef void second(const Curvature *c, const Block *b, size_t x, size_t y, floating *work) noexcept nogil:
    """q_uv of the units number x <= y at D, after `bent`."""
    cdef const Net *net = c.net
    cdef const Unit *lower = &c.chosen.units[x]
    cdef const Unit *upper = &c.chosen.units[y]
    cdef const floating *own = NULL
    cdef const floating *T
    cdef const floating *S
    cdef floating *q = work + c.D * b.ld
    cdef size_t p
    cdef int m, last = net.n_layers
    if lower.l < upper.l or upper.l == last:
        own = work + (c.t + below(net, upper.l) + upper.i) * b.ld if c.kind == EXACT or upper.l == last else NULL
    elif x == y and c.kind == EXACT:
        own = work + (c.bend + below(net, upper.l) + upper.i) * b.ld
    if own != NULL:
        memcpy(q, own, b.ld * sizeof(floating))
    else:
        memset(q, 0, b.ld * sizeof(floating))
    for m in range(upper.l + 1, top(c) + 1):
        if c.kind == EXACT or m == last:
            T, S = work + (c.t + below(net, m)) * b.ld, work + reached(c, y, m) * b.ld
            for p in range(width(net, m)):
                dense_ops.multiply_rows(net.ops, 1, b.n, T + p * b.ld, S + p * b.ld, True, q, b.ld)


cdef floating *slopes(const Curvature *c, const Block *b, size_t x, size_t y, floating *work,
                      floating *to) noexcept nogil:
    """Rows d delta_u / dw of the parameters of unit number y, u being number x; the place behind."""
    cdef const Chosen *chosen = c.chosen
    cdef const Unit *lower = &chosen.units[x]
    cdef const Unit *upper = &chosen.units[y]
    cdef bint add = has_second(c, lower, upper)
    cdef const floating *delta = work + (c.at.delta[upper.l] + upper.i) * b.ld
    cdef const floating *F
    cdef size_t t, r, n_below = width(c.net, upper.l - 1)
    if add:
        second(c, b, x, y, work)
        weighed(c, b, upper, <const floating *> work + c.D * b.ld, <const floating *> work, to)
    for t in range(upper.first, upper.first + upper.n):
        r = chosen.input[t]
        if not meets(c, lower, upper, r):
            continue
        F = NULL
        if c.kind == EXACT and upper.l == lower.l + 1 and r == lower.i:
            F = work + (c.at.d1[lower.l] + r) * b.ld
        elif c.kind == EXACT and upper.l > lower.l + 1 and r < n_below:
            F = work + (reached(c, x, upper.l - 1) + n_below + r) * b.ld
        if F != NULL:
            dense_ops.multiply_rows(b.net.ops, 1, b.n, delta, F, add, to, b.ld)
        to += b.ld
    return to


cdef floating *add_tile(const Curvature *c, const Block *b, size_t x, floating *work, floating *sums) noexcept nogil:
    """Sums of d delta_u / dw times the activations of the parameters of c, which is number x; the place behind."""
    cdef const Chosen *chosen = c.chosen
    cdef const Unit *unit = &chosen.units[x]
    cdef floating *D = work + c.J * b.ld
    cdef floating *A = work + c.LJ * b.ld
    cdef floating *to = D
    cdef size_t y, t, rows = tile_rows(c, x)
    if rows == 0 or not team.keep_on(b.watch, b.n * rows * unit.n):
        return sums + rows * unit.n
    bent(c, b, x, work)
    for y in range(x, chosen.n_units):
        to = slopes(c, b, x, y, work, to)
    for t in range(unit.n):
        memcpy(A + t * b.ld, work + (c.at.a[unit.l - 1] + chosen.input[unit.first + t]) * b.ld, b.ld * sizeof(floating))
    dense_ops.dense_gradient(b.net.ops, rows, unit.n, b.n, <const floating *> D, <const floating *> A, b.add, sums,
                             <floating *> NULL, b.ld)
    return sums + rows * unit.n
