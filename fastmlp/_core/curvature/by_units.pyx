"""Curvature by units: second derivatives of the loss by pre-activations, and the products they are summed in.

For layers l <= m, units i of l and p of m, let q[l,m] = d2E / dz_l,i dz_m,p. The weights from input j to i and from
input r to p have the second derivative

    sum_n q[l,m][p,i] a_(m-1),r a_(l-1),j,     a_bias = 1,

and for m > l the cross term besides (cross_terms.pyx). README.md of _core derives it, and the recursion for q. So a
pair of layers is one product over the samples of the block: rows (p, i), the products of units, times rows (r, j), the
products of activations. Within a layer i <= p and j <= r suffice.

Where there are few outputs k, and the loss bends along each of them alone, the Gauss-Newton part of q[l,m] is

    sum_k (d2E / dz_L,k^2) (dz_L,k / dz_m,p) (dz_L,k / dz_l,i)

without a recursion, which carries only what the Hessian has besides; that is zero where there are no residuals. Sums
are kept as tiles (tiles.pyx).
"""

from libc.string cimport memcpy, memset

from cython cimport floating
from fastmlp._core.bridge cimport dense_ops, vector_ops
from fastmlp._core.sums cimport sweeps
from fastmlp._core.threads cimport team
from fastmlp._core.curvature.cross_terms cimport Rows, add_cross_terms, add_rows, products
from fastmlp._core.curvature.tiles cimport (
    BACKPROP, COLS, EMPIRICAL_FISHER, EXACT, GGN, ROWS, Band, Curvature, Walk, first_band, go, is_separable, next_band,
    output_slope, run, unit_products, walk, width,
)
from fastmlp._core.sums.block cimport Block, weights
from fastmlp._core.sums.kinds cimport Layer
from fastmlp._core.sums.plan cimport Net


# ---- the recursion for q ----

cdef inline bint recurs(const Curvature *c) noexcept nogil:
    """Whether there is anything for it to carry."""
    return c.kind != EMPIRICAL_FISHER and not (c.per_output and c.kind == GGN)


cdef void begin(const Curvature *c, const Block *b, floating *work) noexcept nogil:
    """What all blocks share: ones below the activations; behind the blocks, for BACKPROP, squares of the parameters."""
    cdef const floating *params = <const floating *> b.params
    cdef int l
    cdef size_t s, i
    cdef floating *row
    for l in range(c.net.n_layers):
        row = work + (c.at.a[l] + width(c.net, l)) * b.ld
        for s in range(b.ld):
            row[s] = 1.0
    if c.kind == BACKPROP:
        for i in range(c.net.n_params):
            work[c.rows * b.ld + i] = params[i] * params[i]


cdef void loss_curvature(const Curvature *c, const Block *b, bint ggn, floating *work, floating *Q) noexcept nogil:
    """Q of the output layer: the loss's Hessian at the logits, or its Gauss-Newton part."""
    cdef size_t K = c.net.n_outputs, k, s
    cdef floating *seed = work + c.seed * b.ld
    for k in range(1 if c.separable else K):
        for s in range(K * b.ld):
            seed[s] = 1.0 if c.separable or s // b.ld == k else 0.0
        sweeps.loss_product(b, ggn, <const floating *> work, <const floating *> seed, Q + k * K * b.ld)


cdef void start_layer(const Curvature *c, const Block *b, int m, floating *work) noexcept nogil:
    """What Q_m needs besides q[m,m+1]."""
    cdef const floating *weight = weights(b, <const floating *> work)
    cdef const floating *delta = work + c.at.delta[m] * b.ld
    cdef floating *unweighted = work + c.t * b.ld
    cdef size_t i, s
    if c.kind == EMPIRICAL_FISHER:
        for i in range(width(c.net, m)):
            for s in range(b.ld):
                if weight == NULL:
                    unweighted[i * b.ld + s] = delta[i * b.ld + s]
                else:
                    unweighted[i * b.ld + s] = delta[i * b.ld + s] / weight[s] if weight[s] > 0.0 else 0.0
    elif m == c.net.n_layers:
        loss_curvature(c, b, c.kind == GGN, work, work + c.q * b.ld)
    elif c.kind != GGN:
        backward(b, m, <const floating *> b.params, <const floating *> work + c.at.delta[m + 1] * b.ld,
                 <const floating *> work + c.at.d2[m] * b.ld, work + c.bend * b.ld)


cdef void backward(const Block *b, int l, const floating *params, const floating *above, const floating *factor,
                   floating *to) noexcept nogil:
    """factor * (W_(l+1)' above)"""
    dense_ops.dense_backward_part(b.net.ops, width(b.net, l + 1), width(b.net, l), b.n, params + b.net.layers[l].W,
                                  width(b.net, l), above, b.ld, factor, to, b.ld)


cdef void step_down(const Curvature *c, const Block *b, int l, int m, floating *work) noexcept nogil:
    """q[l,m][p] = h'_l * (W_(l+1)' q[l+1,m][p]), from Q_m or from q[l+1,m]."""
    cdef const floating *params = <const floating *> b.params
    cdef const floating *d1 = work + c.at.d1[l] * b.ld
    cdef const floating *above = work + (c.q if l == m - 1 else q_of(c, l + 1, m)) * b.ld
    cdef floating *to = work + q_of(c, l, m) * b.ld
    cdef size_t p, n_l = width(c.net, l), n_above = width(c.net, l + 1)
    for p in range(width(c.net, m)):
        if is_separable(c, l + 1, m):
            dense_ops.dense_backward_part(c.net.ops, 1, n_l, b.n, params + c.net.layers[l].W + p * n_l, n_l,
                                          above + p * b.ld, b.ld, d1, to + p * n_l * b.ld, b.ld)
        else:
            backward(b, l, params, above + p * n_above * b.ld, d1, to + p * n_l * b.ld)


cdef inline size_t q_of(const Curvature *c, int l, int m) noexcept nogil:
    """Where q[l,m] lies, l < m."""
    return c.t if l == m - 1 else c.other[l % 2]


cdef void own_run(const Curvature *c, const Block *b, int m, Walk at, size_t length, floating *work,
                  floating *to) noexcept nogil:
    """Rows of Q_m[p] = h'_m * (W_(m+1)' q[m,m+1][., p]) + h''_m,p (W_(m+1)' delta_(m+1))_p, m < L, from p, i on."""
    cdef const Net *net = c.net
    cdef size_t n_m = width(net, m), p = at.x, i = at.y
    cdef const floating *above = work + (c.t + p) * b.ld
    dense_ops.dense_backward_part(net.ops, width(net, m + 1), length, b.n,
                                  <const floating *> b.params + net.layers[m].W + i, n_m, above, n_m * b.ld,
                                  <const floating *> work + (c.at.d1[m] + i) * b.ld, to, b.ld)
    if c.kind == EXACT and i + length == p + 1:
        vector_ops.add(net.ops, b.n, <const floating *> work + (c.bend + p) * b.ld, to + (length - 1) * b.ld)


cdef void own_rows(const Curvature *c, const Block *b, int m, size_t first, size_t rows, floating *work) noexcept nogil:
    """Rows (p, i) of Q_m at D; where the recursion goes on, all of Q_m at q."""
    cdef size_t n_m = width(c.net, m), row = b.ld * sizeof(floating), length, i
    cdef Walk at = walk(n_m, True, first)
    cdef floating *to = work + c.D * b.ld
    cdef floating *Q = work + c.q * b.ld
    while rows:
        length = run(&at, rows)
        if m == c.net.n_layers:
            memcpy(to, Q + (at.x * n_m + at.y) * b.ld, length * row)
        else:
            own_run(c, b, m, at, length, work, to)
            if m > 1:
                memcpy(Q + (at.x * n_m + at.y) * b.ld, to, length * row)
                for i in range(length):
                    memcpy(Q + ((at.y + i) * n_m + at.x) * b.ld, to + i * b.ld, row)
        to += length * b.ld
        rows -= length
        go(&at, length)


# ---- the Gauss-Newton part, output by output ----

cdef void sweep_slopes(const Curvature *c, const Block *b, floating *work) noexcept nogil:
    """dz_L,k / dz_m of all outputs and layers, and the Gauss-Newton part of d2E / dz_L,k^2."""
    cdef int m
    cdef size_t k, s
    cdef floating *top
    for k in range(c.net.n_outputs):
        top = work + output_slope(c, k, c.net.n_layers) * b.ld
        memset(top, 0, c.net.n_outputs * b.ld * sizeof(floating))
        for s in range(b.ld):
            top[k * b.ld + s] = 1.0
        for m in range(c.net.n_layers - 1, 0, -1):
            backward(b, m, <const floating *> b.params, <const floating *> work + output_slope(c, k, m + 1) * b.ld,
                     <const floating *> work + c.at.d1[m] * b.ld, work + output_slope(c, k, m) * b.ld)
    loss_curvature(c, b, True, work, work + c.output_curvature * b.ld)


cdef void scale_slopes(const Curvature *c, const Block *b, int m, floating *work) noexcept nogil:
    """The product of both for layer m."""
    cdef size_t k, n_m = width(c.net, m)
    for k in range(c.net.n_outputs):
        dense_ops.multiply_rows(c.net.ops, n_m, b.n, <const floating *> work + (c.output_curvature + k) * b.ld,
                                <const floating *> work + output_slope(c, k, m) * b.ld, False,
                                work + (c.scaled + k * c.net.max_width) * b.ld, b.ld)


cdef void add_gauss_newton(const Curvature *c, const Block *b, const Band *band, bint add, floating *work,
                           floating *to) noexcept nogil:
    """The band's rows (p, i) of the Gauss-Newton part of q[l,m]: added to what is there, or stored."""
    cdef size_t k
    for k in range(c.net.n_outputs):
        products(b, <const floating *> work + (c.scaled + k * c.net.max_width) * b.ld,
                 <const floating *> work + output_slope(c, k, band.l) * b.ld,
                 walk(width(c.net, band.l), band.l == band.m, band.row), band.rows, add or k > 0, to)


cdef void subtract_gauss_newton(const Curvature *c, const Block *b, floating *work) noexcept nogil:
    """Leave to the recursion what the Gauss-Newton part has not."""
    cdef size_t s
    for s in range(c.net.n_outputs * b.ld):
        work[c.q * b.ld + s] -= work[c.output_curvature * b.ld + s]


# ---- tiles ----

cdef void add_tiles(const Curvature *c, const Block *b, floating *work, floating *tiles) noexcept nogil:
    """Set the tiles of all pairs of layers to the block's sums, or add these to them."""
    cdef int l, m
    cdef Band band = first_band(c)
    if c.per_output:
        sweep_slopes(c, b, work)
    for m in range(c.net.n_layers, 0, -1):
        start_layer(c, b, m, work)
        if c.per_output:
            scale_slopes(c, b, m, work)
        for l in range(m, 0, -1):
            if l < m and recurs(c):
                step_down(c, b, l, m, work)
            while band.rows and band.l == l and band.m == m:
                tiles = add_band(c, b, &band, work, tiles)
                next_band(c, &band)
            if c.per_output and recurs(c) and l == c.net.n_layers:
                subtract_gauss_newton(c, b, work)
    if c.kind == EXACT:
        add_cross_terms(c, b, work, tiles)


cdef const floating *unit_rows(const Curvature *c, const Block *b, const Band *band, floating *work) noexcept nogil:
    """The rows (p, i) of q[l,m] that are the band's."""
    cdef int l = band.l, m = band.m
    cdef floating *D = work + c.D * b.ld
    if c.kind == EMPIRICAL_FISHER:
        products(b, <const floating *> work + c.t * b.ld, <const floating *> work + c.at.delta[l] * b.ld,
                 walk(width(c.net, l), l == m, band.row), band.rows, False, D)
    elif is_separable(c, l, m):
        return work + (c.q + band.row) * b.ld
    elif not c.per_output and l < m:
        return work + (q_of(c, l, m) + band.row) * b.ld
    else:
        if recurs(c) and l < m:
            memcpy(D, work + (q_of(c, l, m) + band.row) * b.ld, band.rows * b.ld * sizeof(floating))
        elif recurs(c):
            own_rows(c, b, m, band.row, band.rows, work)
        if c.per_output:
            add_gauss_newton(c, b, band, recurs(c), work, D)
    return D


cdef floating *add_band(const Curvature *c, const Block *b, const Band *band, floating *work,
                        floating *tiles) noexcept nogil:
    """Sums of the products of a band; the place behind its tiles."""
    cdef const floating *right = work + c.at.a[band.l - 1] * b.ld
    cdef const floating *left = work + c.at.a[band.m - 1] * b.ld
    cdef const floating *D
    cdef const floating *upper[COLS]
    cdef const floating *lower[COLS]
    cdef Walk at = walk(width(c.net, band.l - 1) + 1, band.l == band.m, 0)
    cdef size_t col = 0, cols, j
    cdef Rows of
    if is_separable(c, band.l, band.m) and c.per_output:
        of = Rows(work + c.q * b.ld, right, band.cols, band.m - 1)
        return add_rows(c, b, &of, walk(band.cols, False, band.row), band.rows, work, tiles)
    D = unit_rows(c, b, band, work)
    while col < band.cols:
        cols = min(<size_t> COLS, band.cols - col)
        for j in range(cols):
            upper[j] = left + at.x * b.ld
            lower[j] = right + at.y * b.ld
            go(&at, 1)
        if team.keep_on(b.watch, band.rows * cols * b.n):
            dense_ops.product_gradient(c.net.ops, band.rows, cols, b.n, D, <const floating *const *> upper,
                                       <const floating *const *> lower, work + c.S * b.ld, b.add, tiles, b.ld)
        tiles += band.rows * cols
        col += cols
    return tiles


# ---- the diagonal ----

cdef void add_diagonal(const Curvature *c, const Block *b, floating *work, floating *diagonal) noexcept nogil:
    """sum_n q[l,l][i,i] a_(l-1),j^2, as the gradient with q for delta and squares for activations."""
    cdef const Net *net = c.net
    cdef const Layer *layer
    cdef const floating *a
    cdef floating *squares = work + c.S * b.ld
    cdef size_t j, row, all_rows
    cdef int m
    if c.per_output:
        sweep_slopes(c, b, work)
    for m in range(net.n_layers, 0, -1):
        if not team.keep_on(b.watch, b.n * net.max_width * net.max_width):
            return
        layer = &net.layers[m - 1]
        start_layer(c, b, m, work)
        if c.per_output:
            scale_slopes(c, b, m, work)
        own_diagonal(c, b, m, work)
        if c.per_output and recurs(c) and m == net.n_layers:
            subtract_gauss_newton(c, b, work)
        for j in range(layer.n_in):
            a = work + (c.at.a[m - 1] + j) * b.ld
            dense_ops.multiply_rows(net.ops, 1, b.n, a, a, False, squares + j * b.ld, b.ld)
        dense_ops.dense_gradient(net.ops, layer.n_out, layer.n_in, b.n, <const floating *> work + c.D * b.ld,
                                 <const floating *> squares, b.add, diagonal + layer.W, diagonal + layer.b, b.ld)
        if m > 1 and recurs(c) and c.kind != BACKPROP:
            row = 0
            all_rows = unit_products(c, m, m) if m < net.n_layers else 0
            while row < all_rows and team.keep_on(b.watch, b.n * ROWS * width(net, m + 1)):
                own_rows(c, b, m, row, min(<size_t> ROWS, all_rows - row), work)
                row += ROWS
            step_down(c, b, m - 1, m, work)


cdef void own_diagonal(const Curvature *c, const Block *b, int m, floating *work) noexcept nogil:
    """The diagonal of Q_m, a row each, at D."""
    cdef const Net *net = c.net
    cdef size_t n_m = width(net, m), ld = b.ld, i, k, step
    cdef floating *D = work + c.D * ld
    cdef floating *T = work + c.t * ld
    cdef const floating *d1 = work + c.at.d1[m] * ld
    if c.kind == EMPIRICAL_FISHER:
        for i in range(n_m):
            dense_ops.multiply_rows(net.ops, 1, b.n, <const floating *> T + i * ld,
                                    <const floating *> work + (c.at.delta[m] + i) * ld, False, D + i * ld, ld)
        return
    if m == net.n_layers:
        step = 1 if c.separable else n_m + 1
        for i in range(n_m):
            memcpy(D + i * ld, work + (c.q + i * step) * ld, ld * sizeof(floating))
    elif c.kind == BACKPROP:
        backward(b, m, <const floating *> work + c.rows * ld, <const floating *> T, d1, D)
        for i in range(n_m):
            dense_ops.multiply_rows(net.ops, 1, b.n, d1 + i * ld, <const floating *> D + i * ld, False, D + i * ld, ld)
            vector_ops.add(net.ops, b.n, <const floating *> work + (c.bend + i) * ld, D + i * ld)
    else:
        for i in range(n_m if recurs(c) else 0):
            own_run(c, b, m, Walk(i, i, n_m, True), 1, work, D + i * ld)
        for k in range(c.net.n_outputs if c.per_output else 0):
            for i in range(n_m):
                dense_ops.multiply_rows(net.ops, 1, b.n,
                                        <const floating *> work + (c.scaled + k * net.max_width + i) * ld,
                                        <const floating *> work + (output_slope(c, k, m) + i) * ld, recurs(c) or k > 0,
                                        D + i * ld, ld)
    if c.kind == BACKPROP:
        memcpy(T, D, n_m * ld * sizeof(floating))
