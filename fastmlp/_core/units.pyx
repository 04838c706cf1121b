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

without a recursion, which carries only what the Hessian has besides; that is zero where there are no residuals.

The sums are kept as tiles, see `tiles.pyx`.
"""

from libc.string cimport memcpy, memset

from cython cimport floating
from fastmlp._core cimport kernels, team
from fastmlp._core.plan cimport Layer, Layout, Net
from fastmlp._core.team cimport Watch
from fastmlp._core.tiles cimport (
    BACKPROP, COLS, EMPIRICAL_FISHER, EXACT, GGN, ROWS, Band, Units, Walk, chain, cross_products, first_band, go,
    is_alone, next_band, run, unit_products, walk, width,
)


cdef void products(const void *ops, const floating *left, const floating *right, size_t n_right, bint triangular,
                   size_t first, size_t rows, bint add, floating *to, size_t n, size_t ld) noexcept nogil:
    """Rows left[x] * right[y] from number `first` on; added to what is there, or stored."""
    cdef Walk at = walk(n_right, triangular, first)
    cdef size_t length
    while rows:
        length = run(&at, rows)
        kernels.multiply_rows(ops, length, n, left + at.x * ld, right + at.y * ld, add, to, ld)
        to += length * ld
        rows -= length
        go(&at, length)


# ---- the recursion for q ----

cdef inline bint recurs(const Units *u) noexcept nogil:
    """Whether there is anything for it to carry."""
    return u.kind != EMPIRICAL_FISHER and not (u.few and u.kind == GGN)


cdef void begin(const Units *u, const floating *params, floating *work, size_t ld) noexcept nogil:
    """What all blocks share: ones below the activations; behind the blocks, for BACKPROP, squares of the parameters."""
    cdef int l
    cdef size_t s, i
    cdef floating *row
    for l in range(u.net.n_layers):
        row = work + (u.at.a[l] + width(u.net, l)) * ld
        for s in range(ld):
            row[s] = 1.0
    if u.kind == BACKPROP:
        for i in range(u.net.n_params):
            work[u.rows * ld + i] = params[i] * params[i]


cdef void output_curvature(const Units *u, bint ggn, floating *work, const floating *weight, const floating *scale,
                           floating *Q, size_t n, size_t ld) noexcept nogil:
    """Q of the output layer: the loss's Hessian at the logits, or its Gauss-Newton part."""
    cdef const Net *net = u.net
    cdef const Layout *at = &u.at
    cdef int last = net.n_layers
    cdef size_t K = net.n_outputs, k, s
    cdef floating *seed = work + u.seed * ld
    for k in range(1 if u.alone else K):
        for s in range(K * ld):
            seed[s] = 1.0 if u.alone or s // ld == k else 0.0
        kernels.loss_hessp(net.ops, net.loss, ggn, K, n, <const floating *> work + at.z[last] * ld,
                           <const floating *> work + at.y * ld, <const floating *> work + at.d1[last] * ld,
                           <const floating *> work + at.d2[last] * ld, <const floating *> work + at.T * ld, weight,
                           scale, <const floating *> seed, Q + k * K * ld, ld)


cdef void start_layer(const Units *u, int m, const floating *params, floating *work, const floating *weight,
                      const floating *scale, size_t n, size_t ld) noexcept nogil:
    """What Q_m needs besides q[m,m+1]."""
    cdef const Net *net = u.net
    cdef const floating *delta = work + u.at.delta[m] * ld
    cdef floating *unweighted = work + u.t * ld
    cdef size_t i, s
    if u.kind == EMPIRICAL_FISHER:
        for i in range(width(net, m)):
            for s in range(ld):
                if weight == NULL:
                    unweighted[i * ld + s] = delta[i * ld + s]
                else:
                    unweighted[i * ld + s] = delta[i * ld + s] / weight[s] if weight[s] > 0.0 else 0.0
    elif m == net.n_layers:
        output_curvature(u, u.kind == GGN, work, weight, scale, work + u.q * ld, n, ld)
    elif u.kind != GGN:
        backward(net, m, params, <const floating *> work + u.at.delta[m + 1] * ld,
                 <const floating *> work + u.at.d2[m] * ld, work + u.curve * ld, n, ld)


cdef void backward(const Net *net, int l, const floating *params, const floating *above, const floating *factor,
                   floating *to, size_t n, size_t ld) noexcept nogil:
    """factor * (W_(l+1)' above)"""
    kernels.dense_backward_part(net.ops, width(net, l + 1), width(net, l), n, params + net.layers[l].W, width(net, l),
                                above, ld, factor, to, ld)


cdef void step_down(const Units *u, int l, int m, const floating *params, floating *work, size_t n,
                    size_t ld) noexcept nogil:
    """q[l,m][p] = h'_l * (W_(l+1)' q[l+1,m][p]), from Q_m or from q[l+1,m]."""
    cdef const Net *net = u.net
    cdef const floating *d1 = work + u.at.d1[l] * ld
    cdef const floating *above = work + (u.q if l == m - 1 else place(u, l + 1, m)) * ld
    cdef floating *to = work + place(u, l, m) * ld
    cdef size_t p, n_l = width(net, l), n_above = width(net, l + 1)
    for p in range(width(net, m)):
        if is_alone(u, l + 1, m):
            kernels.dense_backward_part(net.ops, 1, n_l, n, params + net.layers[l].W + p * n_l, n_l, above + p * ld, ld,
                                        d1, to + p * n_l * ld, ld)
        else:
            backward(net, l, params, above + p * n_above * ld, d1, to + p * n_l * ld, n, ld)


cdef inline size_t place(const Units *u, int l, int m) noexcept nogil:
    """Where q[l,m] lies, l < m."""
    return u.t if l == m - 1 else u.other[l % 2]


cdef void own_run(const Units *u, int m, size_t p, size_t i, size_t length, const floating *params, floating *work,
                  floating *to, size_t n, size_t ld) noexcept nogil:
    """Rows i, i + 1, ... of Q_m[p] = h'_m * (W_(m+1)' q[m,m+1][., p]) + h''_m,p (W_(m+1)' delta_(m+1))_p, m < L."""
    cdef const Net *net = u.net
    cdef size_t n_m = width(net, m)
    cdef const floating *above = work + (u.t + p) * ld
    kernels.dense_backward_part(net.ops, width(net, m + 1), length, n, params + net.layers[m].W + i, n_m, above,
                                n_m * ld, <const floating *> work + (u.at.d1[m] + i) * ld, to, ld)
    if u.kind == EXACT and i + length == p + 1:
        kernels.add(net.ops, n, <const floating *> work + (u.curve + p) * ld, to + (length - 1) * ld)


cdef void own_rows(const Units *u, int m, size_t first, size_t rows, const floating *params, floating *work, size_t n,
                   size_t ld) noexcept nogil:
    """Rows (p, i) of Q_m at D; where the recursion goes on, all of Q_m at q."""
    cdef size_t n_m = width(u.net, m), length, i
    cdef Walk at = walk(n_m, True, first)
    cdef floating *to = work + u.D * ld
    cdef floating *Q = work + u.q * ld
    while rows:
        length = run(&at, rows)
        if m == u.net.n_layers:
            memcpy(to, Q + (at.x * n_m + at.y) * ld, length * ld * sizeof(floating))
        else:
            own_run(u, m, at.x, at.y, length, params, work, to, n, ld)
            if m > 1:
                memcpy(Q + (at.x * n_m + at.y) * ld, to, length * ld * sizeof(floating))
                for i in range(length):
                    memcpy(Q + ((at.y + i) * n_m + at.x) * ld, to + i * ld, ld * sizeof(floating))
        to += length * ld
        rows -= length
        go(&at, length)


# ---- few outputs ----

cdef void follow_outputs(const Units *u, const floating *params, floating *work, const floating *weight,
                         const floating *scale, size_t n, size_t ld) noexcept nogil:
    """dz_L,k / dz_m of all outputs and layers, and the Gauss-Newton part of d2E / dz_L,k^2."""
    cdef const Net *net = u.net
    cdef int m
    cdef size_t k, s
    cdef floating *top
    for k in range(net.n_outputs):
        top = work + chain(u, k, net.n_layers) * ld
        memset(top, 0, net.n_outputs * ld * sizeof(floating))
        for s in range(ld):
            top[k * ld + s] = 1.0
        for m in range(net.n_layers - 1, 0, -1):
            backward(net, m, params, <const floating *> work + chain(u, k, m + 1) * ld,
                     <const floating *> work + u.at.d1[m] * ld, work + chain(u, k, m) * ld, n, ld)
    output_curvature(u, True, work, weight, scale, work + u.bowl * ld, n, ld)


cdef void scale_outputs(const Units *u, int m, floating *work, size_t n, size_t ld) noexcept nogil:
    """The product of both for layer m."""
    cdef size_t k, n_m = width(u.net, m)
    for k in range(u.net.n_outputs):
        kernels.multiply_rows(u.net.ops, n_m, n, <const floating *> work + (u.bowl + k) * ld,
                              <const floating *> work + chain(u, k, m) * ld, False,
                              work + (u.scaled + k * u.net.max_width) * ld, ld)


cdef void add_outputs(const Units *u, int l, int m, size_t first, size_t rows, bint add, floating *work, floating *to,
                      size_t n, size_t ld) noexcept nogil:
    """Rows (p, i) of the Gauss-Newton part of q[l,m]: added to what is there, or stored."""
    cdef size_t k
    for k in range(u.net.n_outputs):
        products(u.net.ops, <const floating *> work + (u.scaled + k * u.net.max_width) * ld,
                 <const floating *> work + chain(u, k, l) * ld, width(u.net, l), l == m, first, rows, add or k > 0, to,
                 n, ld)


cdef void leave_rest(const Units *u, floating *work, size_t ld) noexcept nogil:
    """Leave to the recursion what the Gauss-Newton part has not."""
    cdef size_t s
    for s in range(u.net.n_outputs * ld):
        work[u.q * ld + s] -= work[u.bowl * ld + s]


# ---- tiles ----

cdef void add_tiles(const Units *u, const floating *params, floating *work, const floating *weight,
                    const floating *scale, size_t n, size_t ld, bint add, floating *tiles,
                    Watch *watch) noexcept nogil:
    """Set the tiles of all pairs of layers to the block's sums, or add these to them."""
    cdef int l, m
    cdef Band band = first_band(u)
    if u.few:
        follow_outputs(u, params, work, weight, scale, n, ld)
    for m in range(u.net.n_layers, 0, -1):
        start_layer(u, m, params, work, weight, scale, n, ld)
        if u.few:
            scale_outputs(u, m, work, n, ld)
        for l in range(m, 0, -1):
            if l < m and recurs(u):
                step_down(u, l, m, params, work, n, ld)
            while band.rows and band.l == l and band.m == m:
                tiles = add_band(u, &band, params, work, n, ld, add, tiles, watch)
                next_band(u, &band)
            if u.few and recurs(u) and l == u.net.n_layers:
                leave_rest(u, work, ld)
    if u.kind == EXACT:
        add_cross_terms(u, params, work, n, ld, add, tiles, watch)


cdef const floating *unit_rows(const Units *u, int l, int m, size_t first, size_t rows, const floating *params,
                               floating *work, size_t n, size_t ld) noexcept nogil:
    """Rows (p, i) of q[l,m] from number `first` on."""
    if u.kind == EMPIRICAL_FISHER:
        products(u.net.ops, <const floating *> work + u.t * ld, <const floating *> work + u.at.delta[l] * ld,
                 width(u.net, l), l == m, first, rows, False, work + u.D * ld, n, ld)
    elif is_alone(u, l, m):
        return work + (u.q + first) * ld
    elif not u.few and l < m:
        return work + (place(u, l, m) + first) * ld
    else:
        if recurs(u) and l < m:
            memcpy(work + u.D * ld, work + (place(u, l, m) + first) * ld, rows * ld * sizeof(floating))
        elif recurs(u):
            own_rows(u, m, first, rows, params, work, n, ld)
        if u.few:
            add_outputs(u, l, m, first, rows, recurs(u), work, work + u.D * ld, n, ld)
    return work + u.D * ld


cdef floating *add_band(const Units *u, const Band *band, const floating *params, floating *work, size_t n, size_t ld,
                        bint add, floating *tiles, Watch *watch) noexcept nogil:
    """Sums of the products of a band; the place behind its tiles."""
    cdef const floating *right = work + u.at.a[band.l - 1] * ld
    cdef const floating *left = work + u.at.a[band.m - 1] * ld
    cdef const floating *D
    cdef const floating *upper[COLS]
    cdef const floating *lower[COLS]
    cdef Walk at = walk(width(u.net, band.l - 1) + 1, band.l == band.m, 0)
    cdef size_t col = 0, cols, j
    if is_alone(u, band.l, band.m) and u.few:
        return add_rows(u, <const floating *> work + u.q * ld, right, band.cols, band.row, band.rows, band.m - 1, work,
                        n, ld, add, tiles, watch)
    D = unit_rows(u, band.l, band.m, band.row, band.rows, params, work, n, ld)
    while col < band.cols:
        cols = min(<size_t> COLS, band.cols - col)
        for j in range(cols):
            upper[j] = left + at.x * ld
            lower[j] = right + at.y * ld
            go(&at, 1)
        if team.keep_on(watch, band.rows * cols * n):
            kernels.product_gradient(u.net.ops, band.rows, cols, n, D, <const floating *const *> upper,
                                     <const floating *const *> lower, work + u.S * ld, add, tiles, ld)
        tiles += band.rows * cols
        col += cols
    return tiles


cdef void add_cross_terms(const Units *u, const floating *params, floating *work, size_t n, size_t ld, bint add,
                          floating *tiles, Watch *watch) noexcept nogil:
    """Sums of delta_m,p F[i,r] a_(l-1),j for all l < m. Where m = l + 1, F is h'_l, for r = i only."""
    cdef int l, m
    cdef size_t n_l
    for l in range(1, u.net.n_layers):
        n_l = width(u.net, l)
        tiles = add_products(u, <const floating *> work + u.at.delta[l + 1] * ld,
                             <const floating *> work + u.at.d1[l] * ld, n_l, cross_products(u, l, l + 1), l - 1, work,
                             n, ld, add, tiles, watch)
        for m in range(l + 2, u.net.n_layers + 1):
            sensitivities(u, l, m - 1, params, work, n, ld)
            tiles = add_products(u, <const floating *> work + u.at.delta[m] * ld,
                                 <const floating *> work + u.other[m % 2] * ld, n_l * width(u.net, m - 1),
                                 cross_products(u, l, m), l - 1, work, n, ld, add, tiles, watch)


cdef void sensitivities(const Units *u, int l, int m, const floating *params, floating *work, size_t n,
                        size_t ld) noexcept nogil:
    """F[i,r] = d a_m,r / d z_l,i for l < m, from those of a_(m-1), at the other place."""
    cdef const Net *net = u.net
    cdef size_t n_l = width(net, l), n_m = width(net, m), below = width(net, m - 1), i, r, s
    cdef const floating *W = params + net.layers[m - 1].W
    cdef const floating *d1 = work + u.at.d1[m] * ld
    cdef const floating *first = work + u.at.d1[l] * ld
    cdef const floating *F = work + u.other[m % 2] * ld
    cdef floating *to = work + u.other[(m + 1) % 2] * ld
    for i in range(n_l):
        if m == l + 1:
            for r in range(n_m):
                for s in range(ld):
                    to[r * ld + s] = W[r * below + i] * first[i * ld + s]
        else:
            kernels.dense_forward(net.ops, n_m, below, n, W, <const floating *> NULL, F + i * below * ld, False, to,
                                  ld)
        for r in range(n_m):
            kernels.multiply_rows(net.ops, 1, n, d1 + r * ld, <const floating *> to + r * ld, False, to + r * ld, ld)
        to += n_m * ld


cdef floating *add_products(const Units *u, const floating *left, const floating *right, size_t n_right, size_t n_rows,
                            int below, floating *work, size_t n, size_t ld, bint add, floating *tiles,
                            Watch *watch) noexcept nogil:
    """Sums of left * right times the activations of layer `below`; the place behind their tiles."""
    cdef size_t row = 0, rows
    while row < n_rows:
        rows = min(<size_t> ROWS, n_rows - row)
        tiles = add_rows(u, left, right, n_right, row, rows, below, work, n, ld, add, tiles, watch)
        row += rows
    return tiles


cdef floating *add_rows(const Units *u, const floating *left, const floating *right, size_t n_right, size_t row,
                        size_t rows, int below, floating *work, size_t n, size_t ld, bint add, floating *tiles,
                        Watch *watch) noexcept nogil:
    """Some rows of them."""
    cdef size_t n_cols = width(u.net, below) + 1
    cdef floating *D = work + u.D * ld
    if team.keep_on(watch, rows * n_cols * n):
        products(u.net.ops, left, right, n_right, False, row, rows, False, D, n, ld)
        kernels.dense_gradient(u.net.ops, rows, n_cols, n, <const floating *> D,
                               <const floating *> work + u.at.a[below] * ld, add, tiles, <floating *> NULL, ld)
    return tiles + rows * n_cols


# ---- the diagonal ----

cdef void add_diagonal(const Units *u, const floating *params, floating *work, const floating *weight,
                       const floating *scale, size_t n, size_t ld, bint add, floating *diagonal,
                       Watch *watch) noexcept nogil:
    """sum_n q[l,l][i,i] a_(l-1),j^2, as the gradient with q for delta and squares for activations."""
    cdef const Net *net = u.net
    cdef const Layer *layer
    cdef const floating *a
    cdef floating *squares = work + u.S * ld
    cdef size_t j, row, rows, all_rows
    cdef int m
    if u.few:
        follow_outputs(u, params, work, weight, scale, n, ld)
    for m in range(net.n_layers, 0, -1):
        if not team.keep_on(watch, n * net.max_width * net.max_width):
            return
        layer = &net.layers[m - 1]
        start_layer(u, m, params, work, weight, scale, n, ld)
        if u.few:
            scale_outputs(u, m, work, n, ld)
        own_diagonal(u, m, params, work, n, ld)
        if u.few and recurs(u) and m == net.n_layers:
            leave_rest(u, work, ld)
        for j in range(layer.n_in):
            a = work + (u.at.a[m - 1] + j) * ld
            kernels.multiply_rows(net.ops, 1, n, a, a, False, squares + j * ld, ld)
        kernels.dense_gradient(net.ops, layer.n_out, layer.n_in, n, <const floating *> work + u.D * ld,
                               <const floating *> squares, add, diagonal + layer.W, diagonal + layer.b, ld)
        if m > 1 and recurs(u) and u.kind != BACKPROP:
            row = 0
            all_rows = unit_products(u, m, m) if m < net.n_layers else 0
            while row < all_rows and team.keep_on(watch, n * ROWS * width(net, m + 1)):
                rows = min(<size_t> ROWS, all_rows - row)
                own_rows(u, m, row, rows, params, work, n, ld)
                row += rows
            step_down(u, m - 1, m, params, work, n, ld)


cdef void own_diagonal(const Units *u, int m, const floating *params, floating *work, size_t n,
                       size_t ld) noexcept nogil:
    """The diagonal of Q_m, a row each, at D."""
    cdef const Net *net = u.net
    cdef size_t n_m = width(net, m), i, k, step
    cdef floating *D = work + u.D * ld
    cdef floating *T = work + u.t * ld
    cdef const floating *d1 = work + u.at.d1[m] * ld
    if u.kind == EMPIRICAL_FISHER:
        for i in range(n_m):
            kernels.multiply_rows(net.ops, 1, n, <const floating *> T + i * ld,
                                  <const floating *> work + (u.at.delta[m] + i) * ld, False, D + i * ld, ld)
        return
    if m == net.n_layers:
        step = 1 if u.alone else n_m + 1
        for i in range(n_m):
            memcpy(D + i * ld, work + (u.q + i * step) * ld, ld * sizeof(floating))
    elif u.kind == BACKPROP:
        backward(net, m, <const floating *> work + u.rows * ld, <const floating *> T, d1, D, n, ld)
        for i in range(n_m):
            kernels.multiply_rows(net.ops, 1, n, d1 + i * ld, <const floating *> D + i * ld, False, D + i * ld, ld)
            kernels.add(net.ops, n, <const floating *> work + (u.curve + i) * ld, D + i * ld)
    else:
        for i in range(n_m if recurs(u) else 0):
            own_run(u, m, i, i, 1, params, work, D + i * ld, n, ld)
        for k in range(u.net.n_outputs if u.few else 0):
            for i in range(n_m):
                kernels.multiply_rows(net.ops, 1, n, <const floating *> work + (u.scaled + k * net.max_width + i) * ld,
                                      <const floating *> work + (chain(u, k, m) + i) * ld, recurs(u) or k > 0,
                                      D + i * ld, ld)
    if u.kind == BACKPROP:
        memcpy(T, D, n_m * ld * sizeof(floating))
