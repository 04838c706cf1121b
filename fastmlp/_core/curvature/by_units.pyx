"""Curvature by units: second derivatives of the loss by pre-activations, and the products they are summed in.

For layers l <= m, units i of l and p of m, let q[l,m] = d2E / dz_l,i dz_m,p. The weights from input j to i and from
input r to p have the second derivative

    sum_n q[l,m][p,i] a_(m-1),r a_(l-1),j  +  sum_n delta_m,p F[i,r] a_(l-1),j,     F = d a_(m-1),r / d z_l,i,

where a_bias = 1, and the second sum, the *cross term*, exists for m > l and weights r only. README.md in this folder
derives it, and the recursion for q. So a pair of layers is one product over the samples of the block: rows (p, i), the
products of units, times rows (r, j), the products of activations; the cross term has rows (p, i) or (p, i, r), and the
activations j. Within a layer i <= p and j <= r suffice.

Where there are few outputs k, and the loss bends along each of them alone, the Gauss-Newton part of q[l,m] is

    sum_k (d2E / dz_L,k^2) (dz_L,k / dz_m,p) (dz_L,k / dz_l,i)

without a recursion, which carries only what the Hessian has besides; that is zero where there are no residuals. Sums
are kept as tiles (tiles.pyx).
"""

from libc.string cimport memcpy, memset

from cython cimport floating
from fastmlp._core.bridge cimport kernels
from fastmlp._core.sums cimport sweeps
from fastmlp._core.threads cimport team
from fastmlp._core.curvature.tiles cimport (
    BACKPROP, COLS, EMPIRICAL_FISHER, EXACT, GGN, ROWS, Band, Units, Walk, chain, cross_products, first_band, go,
    is_alone, next_band, run, unit_products, walk, width,
)
from fastmlp._core.sums.block cimport Block, weights
from fastmlp._core.sums.kinds cimport Layer
from fastmlp._core.sums.plan cimport Net


cdef void products(const Block *b, const floating *left, const floating *right, Walk at, size_t rows, bint add,
                   floating *to) noexcept nogil:
    """So many rows left[x] * right[y] from where the walk stands; added to what is there, or stored."""
    cdef size_t length
    while rows:
        length = run(&at, rows)
        kernels.multiply_rows(b.net.ops, length, b.n, left + at.x * b.ld, right + at.y * b.ld, add, to, b.ld)
        to += length * b.ld
        rows -= length
        go(&at, length)


# ---- the recursion for q ----

cdef inline bint recurs(const Units *u) noexcept nogil:
    """Whether there is anything for it to carry."""
    return u.kind != EMPIRICAL_FISHER and not (u.few and u.kind == GGN)


cdef void begin(const Units *u, const Block *b, floating *work) noexcept nogil:
    """What all blocks share: ones below the activations; behind the blocks, for BACKPROP, squares of the parameters."""
    cdef const floating *params = <const floating *> b.params
    cdef int l
    cdef size_t s, i
    cdef floating *row
    for l in range(u.net.n_layers):
        row = work + (u.at.a[l] + width(u.net, l)) * b.ld
        for s in range(b.ld):
            row[s] = 1.0
    if u.kind == BACKPROP:
        for i in range(u.net.n_params):
            work[u.rows * b.ld + i] = params[i] * params[i]


cdef void output_curvature(const Units *u, const Block *b, bint ggn, floating *work, floating *Q) noexcept nogil:
    """Q of the output layer: the loss's Hessian at the logits, or its Gauss-Newton part."""
    cdef size_t K = u.net.n_outputs, k, s
    cdef floating *seed = work + u.seed * b.ld
    for k in range(1 if u.alone else K):
        for s in range(K * b.ld):
            seed[s] = 1.0 if u.alone or s // b.ld == k else 0.0
        sweeps.loss_product(b, ggn, <const floating *> work, <const floating *> seed, Q + k * K * b.ld)


cdef void start_layer(const Units *u, const Block *b, int m, floating *work) noexcept nogil:
    """What Q_m needs besides q[m,m+1]."""
    cdef const floating *weight = weights(b, <const floating *> work)
    cdef const floating *delta = work + u.at.delta[m] * b.ld
    cdef floating *unweighted = work + u.t * b.ld
    cdef size_t i, s
    if u.kind == EMPIRICAL_FISHER:
        for i in range(width(u.net, m)):
            for s in range(b.ld):
                if weight == NULL:
                    unweighted[i * b.ld + s] = delta[i * b.ld + s]
                else:
                    unweighted[i * b.ld + s] = delta[i * b.ld + s] / weight[s] if weight[s] > 0.0 else 0.0
    elif m == u.net.n_layers:
        output_curvature(u, b, u.kind == GGN, work, work + u.q * b.ld)
    elif u.kind != GGN:
        backward(b, m, <const floating *> b.params, <const floating *> work + u.at.delta[m + 1] * b.ld,
                 <const floating *> work + u.at.d2[m] * b.ld, work + u.curve * b.ld)


cdef void backward(const Block *b, int l, const floating *params, const floating *above, const floating *factor,
                   floating *to) noexcept nogil:
    """factor * (W_(l+1)' above)"""
    kernels.dense_backward_part(b.net.ops, width(b.net, l + 1), width(b.net, l), b.n, params + b.net.layers[l].W,
                                width(b.net, l), above, b.ld, factor, to, b.ld)


cdef void step_down(const Units *u, const Block *b, int l, int m, floating *work) noexcept nogil:
    """q[l,m][p] = h'_l * (W_(l+1)' q[l+1,m][p]), from Q_m or from q[l+1,m]."""
    cdef const floating *params = <const floating *> b.params
    cdef const floating *d1 = work + u.at.d1[l] * b.ld
    cdef const floating *above = work + (u.q if l == m - 1 else place(u, l + 1, m)) * b.ld
    cdef floating *to = work + place(u, l, m) * b.ld
    cdef size_t p, n_l = width(u.net, l), n_above = width(u.net, l + 1)
    for p in range(width(u.net, m)):
        if is_alone(u, l + 1, m):
            kernels.dense_backward_part(u.net.ops, 1, n_l, b.n, params + u.net.layers[l].W + p * n_l, n_l,
                                        above + p * b.ld, b.ld, d1, to + p * n_l * b.ld, b.ld)
        else:
            backward(b, l, params, above + p * n_above * b.ld, d1, to + p * n_l * b.ld)


cdef inline size_t place(const Units *u, int l, int m) noexcept nogil:
    """Where q[l,m] lies, l < m."""
    return u.t if l == m - 1 else u.other[l % 2]


cdef void own_run(const Units *u, const Block *b, int m, size_t p, size_t i, size_t length, floating *work,
                  floating *to) noexcept nogil:
    """Rows i, i + 1, ... of Q_m[p] = h'_m * (W_(m+1)' q[m,m+1][., p]) + h''_m,p (W_(m+1)' delta_(m+1))_p, m < L."""
    cdef const Net *net = u.net
    cdef size_t n_m = width(net, m)
    cdef const floating *above = work + (u.t + p) * b.ld
    kernels.dense_backward_part(net.ops, width(net, m + 1), length, b.n,
                                <const floating *> b.params + net.layers[m].W + i, n_m, above, n_m * b.ld,
                                <const floating *> work + (u.at.d1[m] + i) * b.ld, to, b.ld)
    if u.kind == EXACT and i + length == p + 1:
        kernels.add(net.ops, b.n, <const floating *> work + (u.curve + p) * b.ld, to + (length - 1) * b.ld)


cdef void own_rows(const Units *u, const Block *b, int m, size_t first, size_t rows, floating *work) noexcept nogil:
    """Rows (p, i) of Q_m at D; where the recursion goes on, all of Q_m at q."""
    cdef size_t n_m = width(u.net, m), row = b.ld * sizeof(floating), length, i
    cdef Walk at = walk(n_m, True, first)
    cdef floating *to = work + u.D * b.ld
    cdef floating *Q = work + u.q * b.ld
    while rows:
        length = run(&at, rows)
        if m == u.net.n_layers:
            memcpy(to, Q + (at.x * n_m + at.y) * b.ld, length * row)
        else:
            own_run(u, b, m, at.x, at.y, length, work, to)
            if m > 1:
                memcpy(Q + (at.x * n_m + at.y) * b.ld, to, length * row)
                for i in range(length):
                    memcpy(Q + ((at.y + i) * n_m + at.x) * b.ld, to + i * b.ld, row)
        to += length * b.ld
        rows -= length
        go(&at, length)


# ---- few outputs ----

cdef void follow_outputs(const Units *u, const Block *b, floating *work) noexcept nogil:
    """dz_L,k / dz_m of all outputs and layers, and the Gauss-Newton part of d2E / dz_L,k^2."""
    cdef int m
    cdef size_t k, s
    cdef floating *top
    for k in range(u.net.n_outputs):
        top = work + chain(u, k, u.net.n_layers) * b.ld
        memset(top, 0, u.net.n_outputs * b.ld * sizeof(floating))
        for s in range(b.ld):
            top[k * b.ld + s] = 1.0
        for m in range(u.net.n_layers - 1, 0, -1):
            backward(b, m, <const floating *> b.params, <const floating *> work + chain(u, k, m + 1) * b.ld,
                     <const floating *> work + u.at.d1[m] * b.ld, work + chain(u, k, m) * b.ld)
    output_curvature(u, b, True, work, work + u.bowl * b.ld)


cdef void scale_outputs(const Units *u, const Block *b, int m, floating *work) noexcept nogil:
    """The product of both for layer m."""
    cdef size_t k, n_m = width(u.net, m)
    for k in range(u.net.n_outputs):
        kernels.multiply_rows(u.net.ops, n_m, b.n, <const floating *> work + (u.bowl + k) * b.ld,
                              <const floating *> work + chain(u, k, m) * b.ld, False,
                              work + (u.scaled + k * u.net.max_width) * b.ld, b.ld)


cdef void add_outputs(const Units *u, const Block *b, int l, int m, size_t first, size_t rows, bint add, floating *work,
                      floating *to) noexcept nogil:
    """Rows (p, i) of the Gauss-Newton part of q[l,m]: added to what is there, or stored."""
    cdef size_t k
    for k in range(u.net.n_outputs):
        products(b, <const floating *> work + (u.scaled + k * u.net.max_width) * b.ld,
                 <const floating *> work + chain(u, k, l) * b.ld, walk(width(u.net, l), l == m, first), rows,
                 add or k > 0, to)


cdef void leave_rest(const Units *u, const Block *b, floating *work) noexcept nogil:
    """Leave to the recursion what the Gauss-Newton part has not."""
    cdef size_t s
    for s in range(u.net.n_outputs * b.ld):
        work[u.q * b.ld + s] -= work[u.bowl * b.ld + s]


# ---- tiles ----

cdef void add_tiles(const Units *u, const Block *b, floating *work, floating *tiles) noexcept nogil:
    """Set the tiles of all pairs of layers to the block's sums, or add these to them."""
    cdef int l, m
    cdef Band band = first_band(u)
    if u.few:
        follow_outputs(u, b, work)
    for m in range(u.net.n_layers, 0, -1):
        start_layer(u, b, m, work)
        if u.few:
            scale_outputs(u, b, m, work)
        for l in range(m, 0, -1):
            if l < m and recurs(u):
                step_down(u, b, l, m, work)
            while band.rows and band.l == l and band.m == m:
                tiles = add_band(u, b, &band, work, tiles)
                next_band(u, &band)
            if u.few and recurs(u) and l == u.net.n_layers:
                leave_rest(u, b, work)
    if u.kind == EXACT:
        add_cross_terms(u, b, work, tiles)


cdef const floating *unit_rows(const Units *u, const Block *b, const Band *band, floating *work) noexcept nogil:
    """The rows (p, i) of q[l,m] that are the band's."""
    cdef int l = band.l, m = band.m
    cdef floating *D = work + u.D * b.ld
    if u.kind == EMPIRICAL_FISHER:
        products(b, <const floating *> work + u.t * b.ld, <const floating *> work + u.at.delta[l] * b.ld,
                 walk(width(u.net, l), l == m, band.row), band.rows, False, D)
    elif is_alone(u, l, m):
        return work + (u.q + band.row) * b.ld
    elif not u.few and l < m:
        return work + (place(u, l, m) + band.row) * b.ld
    else:
        if recurs(u) and l < m:
            memcpy(D, work + (place(u, l, m) + band.row) * b.ld, band.rows * b.ld * sizeof(floating))
        elif recurs(u):
            own_rows(u, b, m, band.row, band.rows, work)
        if u.few:
            add_outputs(u, b, l, m, band.row, band.rows, recurs(u), work, D)
    return D


cdef floating *add_band(const Units *u, const Block *b, const Band *band, floating *work,
                        floating *tiles) noexcept nogil:
    """Sums of the products of a band; the place behind its tiles."""
    cdef const floating *right = work + u.at.a[band.l - 1] * b.ld
    cdef const floating *left = work + u.at.a[band.m - 1] * b.ld
    cdef const floating *D
    cdef const floating *upper[COLS]
    cdef const floating *lower[COLS]
    cdef Walk at = walk(width(u.net, band.l - 1) + 1, band.l == band.m, 0)
    cdef size_t col = 0, cols, j
    if is_alone(u, band.l, band.m) and u.few:
        return add_rows(u, b, <const floating *> work + u.q * b.ld, right, walk(band.cols, False, band.row), band.rows,
                        band.m - 1, work, tiles)
    D = unit_rows(u, b, band, work)
    while col < band.cols:
        cols = min(<size_t> COLS, band.cols - col)
        for j in range(cols):
            upper[j] = left + at.x * b.ld
            lower[j] = right + at.y * b.ld
            go(&at, 1)
        if team.keep_on(b.watch, band.rows * cols * b.n):
            kernels.product_gradient(u.net.ops, band.rows, cols, b.n, D, <const floating *const *> upper,
                                     <const floating *const *> lower, work + u.S * b.ld, b.add, tiles, b.ld)
        tiles += band.rows * cols
        col += cols
    return tiles


cdef void add_cross_terms(const Units *u, const Block *b, floating *work, floating *tiles) noexcept nogil:
    """Sums of delta_m,p F[i,r] a_(l-1),j for all l < m. Where m = l + 1, F is h'_l, for r = i only."""
    cdef int l, m
    for l in range(1, u.net.n_layers):
        tiles = add_products(u, b, <const floating *> work + u.at.delta[l + 1] * b.ld,
                             <const floating *> work + u.at.d1[l] * b.ld, width(u.net, l),
                             cross_products(u, l, l + 1), l - 1, work, tiles)
        for m in range(l + 2, u.net.n_layers + 1):
            sensitivities(u, b, l, m - 1, work)
            tiles = add_products(u, b, <const floating *> work + u.at.delta[m] * b.ld,
                                 <const floating *> work + u.other[m % 2] * b.ld, width(u.net, l) * width(u.net, m - 1),
                                 cross_products(u, l, m), l - 1, work, tiles)


cdef void sensitivities(const Units *u, const Block *b, int l, int m, floating *work) noexcept nogil:
    """F[i,r] = d a_m,r / d z_l,i for l < m, from those of a_(m-1), at the other place."""
    cdef const Net *net = u.net
    cdef size_t n_l = width(net, l), n_m = width(net, m), below = width(net, m - 1), i, r, s
    cdef const floating *W = <const floating *> b.params + net.layers[m - 1].W
    cdef const floating *d1 = work + u.at.d1[m] * b.ld
    cdef const floating *first = work + u.at.d1[l] * b.ld
    cdef const floating *F = work + u.other[m % 2] * b.ld
    cdef floating *to = work + u.other[(m + 1) % 2] * b.ld
    for i in range(n_l):
        if m > l + 1:
            kernels.dense_forward(net.ops, n_m, below, b.n, W, <const floating *> NULL, F + i * below * b.ld, False, to,
                                  b.ld)
        for r in range(n_m):
            for s in range(b.ld if m == l + 1 else 0):
                to[s] = W[r * below + i] * first[i * b.ld + s]
            kernels.multiply_rows(net.ops, 1, b.n, d1 + r * b.ld, <const floating *> to, False, to, b.ld)
            to += b.ld


cdef floating *add_products(const Units *u, const Block *b, const floating *left, const floating *right, size_t n_right,
                            size_t n_rows, int below, floating *work, floating *tiles) noexcept nogil:
    """Sums of left * right times the activations of layer `below`; the place behind their tiles."""
    cdef size_t row = 0, rows
    while row < n_rows:
        rows = min(<size_t> ROWS, n_rows - row)
        tiles = add_rows(u, b, left, right, walk(n_right, False, row), rows, below, work, tiles)
        row += rows
    return tiles


cdef floating *add_rows(const Units *u, const Block *b, const floating *left, const floating *right, Walk at,
                        size_t rows, int below, floating *work, floating *tiles) noexcept nogil:
    """Some rows of them."""
    cdef size_t n_cols = width(u.net, below) + 1
    cdef floating *D = work + u.D * b.ld
    if team.keep_on(b.watch, rows * n_cols * b.n):
        products(b, left, right, at, rows, False, D)
        kernels.dense_gradient(u.net.ops, rows, n_cols, b.n, <const floating *> D,
                               <const floating *> work + u.at.a[below] * b.ld, b.add, tiles, <floating *> NULL, b.ld)
    return tiles + rows * n_cols


# ---- the diagonal ----

cdef void add_diagonal(const Units *u, const Block *b, floating *work, floating *diagonal) noexcept nogil:
    """sum_n q[l,l][i,i] a_(l-1),j^2, as the gradient with q for delta and squares for activations."""
    cdef const Net *net = u.net
    cdef const Layer *layer
    cdef const floating *a
    cdef floating *squares = work + u.S * b.ld
    cdef size_t j, row, all_rows
    cdef int m
    if u.few:
        follow_outputs(u, b, work)
    for m in range(net.n_layers, 0, -1):
        if not team.keep_on(b.watch, b.n * net.max_width * net.max_width):
            return
        layer = &net.layers[m - 1]
        start_layer(u, b, m, work)
        if u.few:
            scale_outputs(u, b, m, work)
        own_diagonal(u, b, m, work)
        if u.few and recurs(u) and m == net.n_layers:
            leave_rest(u, b, work)
        for j in range(layer.n_in):
            a = work + (u.at.a[m - 1] + j) * b.ld
            kernels.multiply_rows(net.ops, 1, b.n, a, a, False, squares + j * b.ld, b.ld)
        kernels.dense_gradient(net.ops, layer.n_out, layer.n_in, b.n, <const floating *> work + u.D * b.ld,
                               <const floating *> squares, b.add, diagonal + layer.W, diagonal + layer.b, b.ld)
        if m > 1 and recurs(u) and u.kind != BACKPROP:
            row = 0
            all_rows = unit_products(u, m, m) if m < net.n_layers else 0
            while row < all_rows and team.keep_on(b.watch, b.n * ROWS * width(net, m + 1)):
                own_rows(u, b, m, row, min(<size_t> ROWS, all_rows - row), work)
                row += ROWS
            step_down(u, b, m - 1, m, work)


cdef void own_diagonal(const Units *u, const Block *b, int m, floating *work) noexcept nogil:
    """The diagonal of Q_m, a row each, at D."""
    cdef const Net *net = u.net
    cdef size_t n_m = width(net, m), ld = b.ld, i, k, step
    cdef floating *D = work + u.D * ld
    cdef floating *T = work + u.t * ld
    cdef const floating *d1 = work + u.at.d1[m] * ld
    if u.kind == EMPIRICAL_FISHER:
        for i in range(n_m):
            kernels.multiply_rows(net.ops, 1, b.n, <const floating *> T + i * ld,
                                  <const floating *> work + (u.at.delta[m] + i) * ld, False, D + i * ld, ld)
        return
    if m == net.n_layers:
        step = 1 if u.alone else n_m + 1
        for i in range(n_m):
            memcpy(D + i * ld, work + (u.q + i * step) * ld, ld * sizeof(floating))
    elif u.kind == BACKPROP:
        backward(b, m, <const floating *> work + u.rows * ld, <const floating *> T, d1, D)
        for i in range(n_m):
            kernels.multiply_rows(net.ops, 1, b.n, d1 + i * ld, <const floating *> D + i * ld, False, D + i * ld, ld)
            kernels.add(net.ops, b.n, <const floating *> work + (u.curve + i) * ld, D + i * ld)
    else:
        for i in range(n_m if recurs(u) else 0):
            own_run(u, b, m, i, i, 1, work, D + i * ld)
        for k in range(u.net.n_outputs if u.few else 0):
            for i in range(n_m):
                kernels.multiply_rows(net.ops, 1, b.n,
                                      <const floating *> work + (u.scaled + k * net.max_width + i) * ld,
                                      <const floating *> work + (chain(u, k, m) + i) * ld, recurs(u) or k > 0,
                                      D + i * ld, ld)
    if u.kind == BACKPROP:
        memcpy(T, D, n_m * ld * sizeof(floating))
