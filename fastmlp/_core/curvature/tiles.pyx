"""The sums of curvature by units: *tiles*, chunk of rows by chunk of columns, which stay near the core while the
samples go by, and are brought into the lower triangle of the matrix at the end.

They come in the order of `by_units.add_tiles`: for m = L .. 1, l = m .. 1 those of the pair of layers l and m; then, of
the Hessian, those of the cross terms.
"""

from libc.string cimport memset

from cython cimport floating
from fastmlp._core.bridge cimport vector_ops
from fastmlp._core.threads cimport team
from fastmlp._core.storage.memory cimport plus, times
from fastmlp._core.sums.kinds cimport Layer
from fastmlp._core.sums.plan cimport SOFTMAX, Net
from fastmlp._core.threads.team cimport Watch

cdef enum:
    FEW_OUTPUTS = 4
    GRAM_PARAMS = 4096      # up to which the Jacobian of a block stays near the core, and a slot's sums take 128 MB

cdef double GRAM = 1.35     # so many more multiply-adds may the Gram matrix take, as fewer products are formed for it


# ---- where all lies ----

cdef Curvature lay_out_curvature(const Net *net, int kind) noexcept nogil:
    """Places of all blocks of a kind of curvature."""
    cdef Curvature c
    cdef int l, m, last = net.n_layers
    cdef size_t q, t = net.max_width, other = 0, n_swept
    c.net = net
    c.kind = kind
    c.chosen = NULL
    c.by_free = False
    c.by_columns = not net.is_dense
    c.by_gradients = False
    if c.by_columns:
        c.per_output = c.separable = c.by_samples = False
        c.at = net.tangents
        c.at.order = 2 if kind == EXACT else 1
        c.at.bends = kind == EXACT
        c.rows = c.at.rows
        c.n_tiles = c.n_pairs = times(net.n_params, net.n_params)
        return c
    c.separable = kind != EMPIRICAL_FISHER and net.layers[last - 1].activation != SOFTMAX
    c.per_output = c.separable and kind != BACKPROP and net.n_outputs < FEW_OUTPUTS
    n_swept = net.n_outputs if c.per_output else 0
    q = times(net.n_outputs, 1 if c.separable else net.n_outputs)
    c.n_tiles = c.n_pairs = 0
    for m in range(1, last + 1):
        if 1 < m < last:    # room for the recursion, needed or not: the Hessian's blocks are the Gauss-Newton matrix's
            q = max(q, times(width(net, m), width(net, m)))
        for l in range(1, m + 1):
            c.n_pairs = plus(c.n_pairs, times(unit_products(&c, l, m), activation_products(&c, l, m)))
            if l < m and kind == EXACT:
                c.n_tiles = plus(c.n_tiles, times(cross_products(&c, l, m), width(net, l - 1) + 1))
            if l == m - 1:
                t = max(t, times(width(net, l), width(net, m)))
            elif l < m:
                other = max(other, times(width(net, l), max(width(net, m), width(net, m - 1))))
    c.by_samples = (last == 2 and net.n_outputs == 1 and c.separable and (kind == GGN or kind == EXACT)
                    and net.n_params <= GRAM_PARAMS and triangle(net.n_params) <= GRAM * c.n_pairs)
    if c.by_samples:
        c.n_pairs = triangle(net.n_params)
        c.n_tiles = (net.n_params + 1) * (net.n_params + 1)
        if kind == EXACT:
            c.n_tiles += (own_products(&c) + cross_products(&c, 1, 2)) * (width(net, 0) + 1)
    else:
        c.n_tiles = plus(c.n_tiles, c.n_pairs)
    c.at = net.gram if c.by_samples else net.units
    c.at.order = 2 if kind == EXACT or kind == BACKPROP else 1
    c.seed = c.at.rows
    c.bend = c.seed + net.n_outputs
    c.output_curvature = c.bend + net.max_width
    c.output_slopes = c.output_curvature + net.n_outputs
    c.scaled = c.output_slopes + n_swept * last * net.max_width
    c.D = c.scaled + n_swept * net.max_width
    c.S = c.D + max(net.max_width, <size_t> ROWS)
    c.t = c.S + max(net.max_width, <size_t> COLS)
    c.other[0] = plus(c.t, t)
    c.other[1] = plus(c.other[0], other)
    c.q = plus(c.other[1], other)
    c.LJ = plus(c.q, q)
    c.rows = c.LJ
    if c.by_samples:
        c.J = c.at.a[1] - net.layers[1].W
        c.rows += net.n_params + 1
    if c.per_output and kind == GGN:
        c.q = c.output_curvature    # which is all of it
    return c


cdef size_t cross_work(const Curvature *c) noexcept nogil:
    cdef size_t count = 0
    cdef int l, m
    if c.kind != EXACT:
        return 0
    if c.by_samples:
        count = times(own_products(c), width(c.net, 0) + 1)
    for m in range(2, c.net.n_layers + 1):
        for l in range(1, m):
            count = plus(count, times(cross_products(c, l, m), width(c.net, l - 1) + 1))
    return count


# ---- from the tiles to the matrix ----

cdef void store_tiles(const Curvature *c, floating *tiles, size_t stride, size_t n_slots, number *matrix,
                      Watch *watch) noexcept nogil:
    """Sum the tiles of the slots, `stride` numbers apart, in their order, and store them in the matrix.

    Its pages may be new: a byte of them takes as long as a multiply-add, here and in the modules beside.
    """
    cdef Band band = first_band(c)
    cdef size_t numbers
    clear_outputs(c, matrix)
    while band.rows:
        numbers = band.rows * band.cols
        if team.keep_on(watch, numbers):
            sum_slots(c, tiles, numbers, stride, n_slots)
            store_band(c, &band, <const floating *> tiles, matrix, watch)
        tiles += numbers
        next_band(c, &band)
    if c.kind == EXACT:
        store_cross_terms(c, tiles, stride, n_slots, matrix, watch)


cdef void clear_outputs(const Curvature *c, number *matrix) noexcept nogil:
    """There are no tiles between the weights of different outputs."""
    cdef size_t row, n_params = c.net.n_params, last = c.net.layers[c.net.n_layers - 1].W
    for row in range(last, n_params if c.separable else last):
        memset(matrix + row * n_params + last, 0, (row + 1 - last) * sizeof(number))


cdef void store_band(const Curvature *c, const Band *band, const floating *tiles, number *matrix,
                     Watch *watch) noexcept nogil:
    cdef size_t col = 0, cols
    if is_separable(c, band.l, band.m) and c.per_output:
        store_separable(c, band.m, band.row, band.rows, tiles, False, matrix)
        return
    while col < band.cols:
        cols = min(<size_t> COLS, band.cols - col)
        if team.keep_on(watch, band.rows * cols * sizeof(number)):
            store_tile(c, band, col, cols, tiles, matrix)
        tiles += band.rows * cols
        col += cols


cdef void store_cross_terms(const Curvature *c, floating *tiles, size_t stride, size_t n_slots, number *matrix,
                            Watch *watch) noexcept nogil:
    cdef int l, m
    cdef size_t n_rows, n_cols, row, rows
    for l in range(1, c.net.n_layers):
        for m in range(l + 1, c.net.n_layers + 1):
            n_rows = cross_products(c, l, m)
            n_cols = width(c.net, l - 1) + 1
            row = 0
            while row < n_rows:
                rows = min(<size_t> ROWS, n_rows - row)
                if team.keep_on(watch, rows * n_cols * sizeof(number)):
                    sum_slots(c, tiles, rows * n_cols, stride, n_slots)
                    store_cross(c, l, m, row, rows, <const floating *> tiles, matrix)
                tiles += rows * n_cols
                row += rows


cdef void sum_slots(const Curvature *c, floating *tile, size_t numbers, size_t stride, size_t n_slots) noexcept nogil:
    cdef size_t slot
    for slot in range(1, n_slots):
        vector_ops.add(c.net.ops, numbers, <const floating *> tile + slot * stride, tile)


cdef inline size_t parameter(const Layer *layer, size_t i, size_t j) noexcept nogil:
    """Place of the weight from input j to unit i in the vector; the bias stands behind the inputs."""
    return layer.W + i * layer.n_in + j if j < layer.n_in else layer.b + i


cdef void store_tile(const Curvature *c, const Band *band, size_t first_col, size_t cols, const floating *tile,
                     number *matrix) noexcept nogil:
    """Entry (p, i), (r, j) is that of the parameters (p, r) and (i, j), within a layer of (p, j) and (i, r) too."""
    cdef const Layer *lower = &c.net.layers[band.l - 1]
    cdef const Layer *upper = &c.net.layers[band.m - 1]
    cdef bint separable = is_separable(c, band.l, band.m), within = band.l == band.m
    cdef size_t n_params = c.net.n_params, left, length, weights, i, p, r, j, a, b
    cdef Walk row = walk(1 if separable else lower.n_out, within and not separable, band.row), col
    cdef number *to
    for _ in range(band.rows):
        p = row.x
        i = p if separable else row.y
        col = walk(lower.n_in + 1, within, first_col)
        left = cols
        while left:
            length = run(&col, left)
            r = col.x
            to = matrix + parameter(upper, p, r) * n_params
            weights = min(length, lower.n_in - col.y)
            copy(weights, tile, to + parameter(lower, i, col.y))
            if weights < length:
                to[lower.b + i] = tile[weights]
            if within and i < p:
                a = parameter(upper, p, col.y)
                b = parameter(lower, i, r)
                if r < lower.n_in:
                    for j in range(length):
                        matrix[(a + j) * n_params + b] = tile[j]
                else:   # the bias of i stands behind the weights of p, and before the bias of p
                    copy(weights, tile, matrix + b * n_params + a)
                    if weights < length:
                        matrix[(upper.b + p) * n_params + b] = tile[weights]
            tile += length
            left -= length
            go(&col, length)
        go(&row, 1)


cdef void store_separable(const Curvature *c, int m, size_t first_row, size_t rows, const floating *tile, bint add,
                          number *matrix) noexcept nogil:
    """Entry (p, r), j is that of the parameters (p, r) and (p, j) of layer m, added to what is there or stored."""
    cdef const Layer *layer = &c.net.layers[m - 1]
    cdef Walk row = walk(layer.n_in + 1, False, first_row)
    cdef number *to
    cdef size_t j
    for _ in range(rows):
        to = matrix + parameter(layer, row.x, row.y) * c.net.n_params
        for j in range(row.y + 1):
            if add:
                to[parameter(layer, row.x, j)] += tile[j]
            else:
                to[parameter(layer, row.x, j)] = tile[j]
        tile += layer.n_in + 1
        go(&row, 1)


cdef void store_cross(const Curvature *c, int l, int m, size_t first_row, size_t rows, const floating *tile,
                      number *matrix) noexcept nogil:
    """Add the cross term of (p, r) and (i, j)."""
    cdef const Layer *lower = &c.net.layers[l - 1]
    cdef const Layer *upper = &c.net.layers[m - 1]
    cdef size_t i, r, j
    cdef Walk row = walk(lower.n_out * (1 if m == l + 1 else upper.n_in), False, first_row)
    cdef number *to
    while rows:
        i = row.y if m == l + 1 else row.y // upper.n_in
        r = i if m == l + 1 else row.y % upper.n_in
        to = matrix + parameter(upper, row.x, r) * c.net.n_params
        for j in range(lower.n_in + 1):
            to[parameter(lower, i, j)] += tile[j]
        tile += lower.n_in + 1
        go(&row, 1)
        rows -= 1
