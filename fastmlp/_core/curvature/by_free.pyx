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
weights that leave them alone, and Gauss-Newton has no tiles at all.

The tiles are the sums of a slot; with delta = 0 the Hessian has the bits of the Gauss-Newton matrix, but for the sign
of zeros.
"""

from libc.string cimport memcpy, memset

from cython cimport floating
from fastmlp._core.bridge cimport kernels
from fastmlp._core.curvature cimport by_units, tiles
from fastmlp._core.curvature.chosen cimport Chosen, Unit
from fastmlp._core.curvature.tiles cimport EXACT, GGN, Curvature, number, output_slope, triangle, width
from fastmlp._core.storage.memory cimport plus, times
from fastmlp._core.sums cimport sweeps
from fastmlp._core.sums.block cimport Block
from fastmlp._core.sums.plan cimport Net
from fastmlp._core.threads cimport team
from fastmlp._core.threads.team cimport Watch

cdef enum:
    ROW = 4             # multiply-adds that the product of two rows costs, which is written and read again
    BAND = 128          # rows of a Gram matrix that are formed together, with the columns up to there


# ---- which rows there are ----

cdef inline size_t below(const Net *net, int m) noexcept nogil:
    """Curvature of the layers 1 .. m - 1."""
    cdef size_t count = 0
    cdef int l
    for l in range(1, m):
        count += width(net, l)
    return count


cdef inline int top(const Curvature *c) noexcept nogil:
    """The highest layer that sensitivities are sent to."""
    return c.net.n_layers - 1 if c.per_output else c.net.n_layers


cdef inline bint has_tiles(const Curvature *c) noexcept nogil:
    return c.kind == EXACT or not c.per_output


cdef inline bint meets(const Curvature *c, const Unit *lower, const Unit *upper, size_t input) noexcept nogil:
    """Whether a parameter of the upper unit has a row in the tile of the lower one."""
    cdef int last = c.net.n_layers
    if not c.per_output:
        return True
    if upper.l == last:
        return lower.l < last and input < width(c.net, last - 1) and (lower.l < last - 1 or input == lower.i)
    return lower.l < last - 1 or lower == upper


cdef inline bint has_second(const Curvature *c, const Unit *lower, const Unit *upper) noexcept nogil:
    """Whether q_uv of both is part of the tile."""
    cdef int last = c.net.n_layers
    return not c.per_output or (upper.l < last and (lower.l < last - 1 or lower == upper))


cdef size_t tile_rows(const Curvature *c, size_t x) noexcept nogil:
    """Of unit number x."""
    cdef const Chosen *chosen = c.chosen
    cdef size_t t, count = 0
    for t in range(chosen.units[x].first, chosen.n if has_tiles(c) else 0):
        count += meets(c, &chosen.units[x], &chosen.units[chosen.unit[t]], chosen.input[t])
    return count


cdef size_t gram_rows(const Curvature *c, size_t k) noexcept nogil:
    """Parameters that the logit k depends on."""
    cdef const Chosen *chosen = c.chosen
    cdef size_t x, count = 0
    for x in range(chosen.n_units):
        if chosen.units[x].l < c.net.n_layers or chosen.units[x].i == k:
            count += chosen.units[x].n
    return count


cdef size_t gram_numbers(size_t rows) noexcept nogil:
    """Of its bands."""
    cdef size_t first = 0, count = 0
    while first < rows:
        count = plus(count, times(min(<size_t> BAND, rows - first), min(rows, first + BAND)))
        first += BAND
    return count


# ---- what it costs, and where all lies ----

cdef void lay_out(Curvature *c, const Chosen *chosen) noexcept nogil:
    cdef Curvature new = c[0]
    if c.kind != GGN and c.kind != EXACT:
        return
    new.chosen, new.by_free, new.by_samples = chosen, True, False
    count(&new)
    if new.n_pairs >= plus(c.n_pairs, tiles.cross_work(c)):
        return
    new.at = c.net.units
    new.at.order = 2 if c.kind == EXACT else 1
    new.seed = new.at.rows
    new.q = new.seed + c.net.n_outputs
    new.output_curvature = new.q + c.net.n_outputs
    new.output_slopes = new.output_curvature + c.net.n_outputs
    new.bend = new.output_slopes + (c.net.n_outputs * c.net.n_layers * c.net.max_width if c.per_output else 0)
    new.t = new.bend + below(c.net, c.net.n_layers)
    new.D = new.t + below(c.net, c.net.n_layers + 1)
    new.S = new.D + 1
    new.J = plus(new.S, times(chosen.n_units if has_tiles(&new) else 0, stride(&new)))
    new.LJ = plus(new.J, chosen.n)
    new.rows = plus(new.LJ, chosen.n)
    c[0] = new


cdef inline size_t stride(const Curvature *c) noexcept nogil:
    """Rows of the sensitivities of a unit, of z and of a."""
    return 2 * (below(c.net, top(c) + 1) - min(below(c.net, top(c) + 1), width(c.net, 1)))


cdef void count(Curvature *c) noexcept nogil:
    """Multiply-adds for a sample, and numbers of the tiles."""
    cdef const Chosen *chosen = c.chosen
    cdef const Unit *unit
    cdef size_t k, x, rows, work = 0, numbers = 0
    cdef int m
    for k in range(c.net.n_outputs if c.per_output else 0):
        rows = gram_rows(c, k)
        work = plus(work, plus(triangle(rows), 2 * ROW * rows))
        numbers = plus(numbers, gram_numbers(rows))
    for x in range(chosen.n_units if has_tiles(c) else 0):
        unit = &chosen.units[x]
        for m in range(unit.l + 1, top(c) + 1):
            work = plus(work, width(c.net, m) * (2 * ROW + (width(c.net, m - 1) if m > unit.l + 1 else 0)))
        rows = tile_rows(c, x)
        work = plus(work, plus(times(rows, unit.n + 2 * ROW), ROW * seconds(c, x)))
        numbers = plus(numbers, times(rows, unit.n))
    c.n_pairs, c.n_tiles = work, numbers


cdef size_t seconds(const Curvature *c, size_t x) noexcept nogil:
    """Products of rows for all q_uv of unit number x."""
    cdef const Chosen *chosen = c.chosen
    cdef size_t y, total = 0
    cdef int m
    for y in range(x, chosen.n_units):
        if has_second(c, &chosen.units[x], &chosen.units[y]):
            for m in range(chosen.units[y].l + 1, top(c) + 1):
                total += width(c.net, m)
    return total


# ---- one block ----

cdef void add_tiles(const Curvature *c, const Block *b, floating *work, floating *sums) noexcept nogil:
    """Set the tiles to the block's sums, or add these; after `loss`, and `bprop` where deltas are needed."""
    cdef size_t k, x
    if c.per_output:
        by_units.sweep_slopes(c, b, work)
        by_units.start_layer(c, b, c.net.n_layers, work)
        for k in range(c.net.n_outputs):
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
        kernels.multiply_rows(b.net.ops, length, b.n, x, a + input[t] * b.ld, False, to, b.ld)
        to += length * b.ld
        t += length
    return to


cdef floating *add_gram(const Curvature *c, const Block *b, size_t k, floating *work, floating *sums) noexcept nogil:
    """Sums of Lambda_kk (dz_k/dw) (dz_k/dw)'; the place behind."""
    cdef const Chosen *chosen = c.chosen
    cdef const Unit *unit
    cdef floating *J = work + c.J * b.ld
    cdef floating *LJ = work + c.LJ * b.ld
    cdef floating *to = J
    cdef size_t x, rows = gram_rows(c, k), row = 0, height
    for x in range(chosen.n_units):
        unit = &chosen.units[x]
        if unit.l < c.net.n_layers or unit.i == k:
            to = weighed(c, b, unit, <const floating *> work + (output_slope(c, k, unit.l) + unit.i) * b.ld,
                         <const floating *> work, to)
    kernels.multiply_rows(b.net.ops, rows, b.n, <const floating *> work + (c.q + k) * b.ld, <const floating *> J, False,
                          LJ, b.ld)
    while row < rows:
        height = min(<size_t> BAND, rows - row)
        if not team.keep_on(b.watch, b.n * height * (row + height)):
            pass
        elif row == 0:
            kernels.gram(b.net.ops, height, b.n, <const floating *> LJ, <const floating *> J, b.ld, b.add, sums)
        else:
            kernels.dense_gradient(b.net.ops, height, row + height, b.n, <const floating *> LJ + row * b.ld,
                                   <const floating *> J, b.add, sums, <floating *> NULL, b.ld)
        sums += height * (row + height)
        row += height
    return sums


# ---- sensitivities ----

cdef void bends(const Curvature *c, const Block *b, floating *work) noexcept nogil:
    """c_m of all hidden layers."""
    cdef int m
    for m in range(1, c.net.n_layers):
        by_units.backward(b, m, <const floating *> b.params, <const floating *> work + c.at.delta[m + 1] * b.ld,
                          <const floating *> work + c.at.d2[m] * b.ld, work + (c.bend + below(c.net, m)) * b.ld)


cdef inline size_t reached(const Curvature *c, size_t x, int m) noexcept nogil:
    """Where S_(x,m) lies; behind it, of hidden layers, the derivatives of their activations."""
    return c.S + x * stride(c) + 2 * (below(c.net, m) - width(c.net, 1))


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
            kernels.dense_forward(net.ops, n_m, n_below, b.n, W, <const floating *> NULL, from_below, False, to, b.ld)
        if m < net.n_layers:
            kernels.multiply(net.ops, n_m, b.n, <const floating *> work + c.at.d1[m] * b.ld, <const floating *> to,
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
        kernels.multiply(net.ops, width(net, m), b.n, <const floating *> work + (c.bend + below(net, m)) * b.ld,
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
                kernels.multiply_rows(net.ops, 1, b.n, T + p * b.ld, S + p * b.ld, True, q, b.ld)


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
            kernels.multiply_rows(b.net.ops, 1, b.n, delta, F, add, to, b.ld)
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
    kernels.dense_gradient(b.net.ops, rows, unit.n, b.n, <const floating *> D, <const floating *> A, b.add, sums,
                           <floating *> NULL, b.ld)
    return sums + rows * unit.n


# ---- all blocks ----

cdef void store_tiles(const Curvature *c, floating *sums, size_t stride, size_t n_slots, number *matrix,
                      Watch *watch) noexcept nogil:
    """Sum the tiles of the slots, `stride` numbers apart, in their order, and store the lower triangle (n, n)."""
    cdef const Chosen *chosen = c.chosen
    cdef size_t k, x, rows, row
    for row in range(chosen.n):
        memset(matrix + row * chosen.n, 0, (row + 1) * sizeof(number))
    for k in range(c.net.n_outputs if c.per_output else 0):
        rows = gram_numbers(gram_rows(c, k))
        if team.keep_on(watch, n_slots * rows):
            tiles.sum_slots(c, sums, rows, stride, n_slots)
            store_gram(c, k, gram_rows(c, k), <const floating *> sums, matrix)
        sums += rows
    for x in range(chosen.n_units if has_tiles(c) else 0):
        rows = tile_rows(c, x) * chosen.units[x].n
        if rows and team.keep_on(watch, n_slots * rows):
            tiles.sum_slots(c, sums, rows, stride, n_slots)
            store_tile(c, x, <const floating *> sums, matrix)
        sums += rows


cdef inline void put(const Chosen *chosen, size_t s, size_t t, double value, number *matrix) noexcept nogil:
    cdef size_t i = chosen.row[s], j = chosen.row[t]
    matrix[max(i, j) * chosen.n + min(i, j)] += <number> value


cdef void store_gram(const Curvature *c, size_t k, size_t rows, const floating *tile, number *matrix) noexcept nogil:
    cdef const Chosen *chosen = c.chosen
    cdef size_t s, t, column, row = 0, length = 0
    for s in range(chosen.n):
        if chosen.units[chosen.unit[s]].l == c.net.n_layers and chosen.units[chosen.unit[s]].i != k:
            continue
        if row % BAND == 0:
            length = min(rows, row + BAND)
        column = 0
        for t in range(s + 1):
            if chosen.units[chosen.unit[t]].l == c.net.n_layers and chosen.units[chosen.unit[t]].i != k:
                continue
            put(chosen, s, t, tile[column], matrix)
            column += 1
        tile += length
        row += 1


cdef void store_tile(const Curvature *c, size_t x, const floating *tile, number *matrix) noexcept nogil:
    cdef const Chosen *chosen = c.chosen
    cdef const Unit *unit = &chosen.units[x]
    cdef size_t s, t
    for s in range(unit.first, chosen.n):
        if not meets(c, unit, &chosen.units[chosen.unit[s]], chosen.input[s]):
            continue
        for t in range(unit.first, min(s + 1, unit.first + unit.n)):
            put(chosen, s, t, tile[t - unit.first], matrix)
        tile += unit.n
