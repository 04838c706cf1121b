# How the sums of curvature by units are cut into tiles, and where what they are made of lies.

from libc.math cimport sqrt

from cython cimport floating
from fastmlp._core.curvature.chosen cimport Chosen
from fastmlp._core.storage.memory cimport times
from fastmlp._core.sums.plan cimport Layout, Net
from fastmlp._core.threads.team cimport Watch


# Of the matrix: that of the sums, or double where these are float.
ctypedef fused number:
    float
    double


cdef enum:
    GGN                 # Gauss-Newton
    EXACT               # the Hessian
    EMPIRICAL_FISHER    # sum of s_n g_n g_n'
    BACKPROP            # diagonal only: PRML 5.79-5.81, which drops what is off the diagonal on the way back


# What second derivatives are formed, how, and where those of a block lie, in rows of `ld` samples behind those of `at`.
cdef struct Curvature:
    const Net *net
    Layout at
    int kind
    bint separable      # d2E / dz_k dz_k' at the output is zero for k != k',
    bint per_output     # and there are so few outputs that their shares of the matrix are summed one by one
    bint by_samples     # the Gauss-Newton part comes from the rows of the Jacobian, see by_samples.pyx
    const Chosen *chosen    # the parameters whose rows and columns are wanted, NULL: all
    bint by_free        # those alone are formed, see by_free.pyx
    bint by_columns     # not all layers are dense, see by_columns.pyx; of the places `rows` alone counts
    bint by_gradients   # so it is, but the matrix comes from gradients of single samples, see by_gradients.pyx
    size_t seed         # a direction at the outputs
    size_t bend         # h'' * (W' delta) of the layer at hand
    size_t output_curvature     # per_output: d2E / dz_L,k^2 without what bends the outputs,
    size_t output_slopes        # dz_L,k / dz_m of output k, see `output_slope`,
    size_t scaled       # and the product of both for the layer at hand: the first row that by_bands.pyx does not keep
    size_t D, S         # a band of products of units, and a chunk of products of activations
    size_t t            # q[m-1,m], [p][i]
    size_t other[2]     # q[l,m] of l < m-1 in turns; later sensitivities of activations
    size_t q            # Q_m, [p][i], of the layer at hand; of the output: one row for each k where it is separable
    size_t J, LJ        # by_samples, the Jacobian (P rows, and one behind), and that times d2e / dz2
    size_t rows         # the size of it all
    size_t n_pairs      # multiply-adds for a sample without the cross terms: numbers in the tiles of all pairs
    size_t n_tiles      # numbers in all tiles


# Some rows of a pair of layers, and all columns.
cdef struct Band:
    int l, m
    size_t row, rows    # no rows: there are no more bands
    size_t cols


cdef Curvature lay_out_curvature(const Net *net, int kind) noexcept nogil
# What the Hessian has besides the pairs: multiply-adds for a sample.
cdef size_t cross_work(const Curvature *c) noexcept nogil
cdef void store_tiles(const Curvature *c, floating *tiles, size_t stride, size_t n_slots, number *matrix,
                      Watch *watch) noexcept nogil
# The parts of it that by_bands.pyx shares: before and between the bands,
cdef void clear_outputs(const Curvature *c, number *matrix) noexcept nogil
cdef void store_band(const Curvature *c, const Band *band, const floating *tiles, number *matrix,
                     Watch *watch) noexcept nogil
# and those that by_samples.pyx shares.
cdef void store_cross_terms(const Curvature *c, floating *tiles, size_t stride, size_t n_slots, number *matrix,
                            Watch *watch) noexcept nogil
cdef void store_separable(const Curvature *c, int m, size_t first_row, size_t rows, const floating *tile, bint add,
                          number *matrix) noexcept nogil
cdef void sum_slots(const Curvature *c, floating *tile, size_t numbers, size_t stride, size_t n_slots) noexcept nogil


# So high, in blocks of 256 samples, that products of activations are formed half as often: Gauss-Newton of 8-50-50-1
# beside NumPy with BLAS, with large pages, was 1.15 times as fast before, and is 1.36. Refused: products of activations
# formed row by row, sample-major (as slow to write as they are to transpose).
cdef enum:
    ROWS = 256          # products of units in a tile, and in a band,
    COLS = 128          # and products of activations


cdef inline void copy(size_t n, const floating *numbers, number *to) noexcept nogil:
    cdef size_t i
    for i in range(n):
        to[i] = numbers[i]


# ---- sizes ----

cdef inline size_t width(const Net *net, int l) noexcept nogil:
    return net.n_inputs if l == 0 else net.layers[l - 1].n_out


cdef inline size_t order(const Curvature *c) noexcept nogil:
    """Rows of the matrix."""
    return c.net.n_params if c.chosen == NULL else c.chosen.n


cdef inline size_t triangle(size_t n) noexcept nogil:
    return times(n // 2, n + 1) if n % 2 == 0 else times(n, n // 2 + 1)


cdef inline bint is_separable(const Curvature *c, int l, int m) noexcept nogil:
    """Whether the pair is the output layer with itself, and only i = p counts."""
    return c.separable and l == m == c.net.n_layers


cdef inline size_t output_slope(const Curvature *c, size_t k, int m) noexcept nogil:
    """Where dz_L,k / dz_m lies."""
    return c.output_slopes + (k * c.net.n_layers + m - 1) * c.net.max_width


cdef inline size_t unit_products(const Curvature *c, int l, int m) noexcept nogil:
    if is_separable(c, l, m):
        return times(width(c.net, m), width(c.net, m - 1) + 1 if c.per_output else 1)
    return triangle(width(c.net, m)) if l == m else times(width(c.net, l), width(c.net, m))


cdef inline size_t activation_products(const Curvature *c, int l, int m) noexcept nogil:
    cdef size_t n = width(c.net, l - 1) + 1
    if is_separable(c, l, m) and c.per_output:
        return n
    return triangle(n) if l == m else times(n, width(c.net, m - 1) + 1)


cdef inline size_t cross_products(const Curvature *c, int l, int m) noexcept nogil:
    """Rows (p, i), or (p, i, r), of the cross term."""
    cdef size_t n = times(width(c.net, l), width(c.net, m))
    return n if m == l + 1 else times(n, width(c.net, m - 1))


cdef inline size_t own_products(const Curvature *c) noexcept nogil:
    """Rows (p, j) of what the Hessian adds to the Gram matrix within the hidden layer."""
    return times(width(c.net, 0) + 1, width(c.net, 1))


# ---- bands, in the order of their tiles ----

cdef inline Band band_of(const Curvature *c, int l, int m, size_t row) noexcept nogil:
    cdef Band band
    band.l = l
    band.m = m
    band.row = row
    band.rows = min(<size_t> ROWS, unit_products(c, l, m) - row)
    band.cols = activation_products(c, l, m)
    return band


cdef inline Band first_band(const Curvature *c) noexcept nogil:
    return band_of(c, c.net.n_layers, c.net.n_layers, 0)


cdef inline void next_band(const Curvature *c, Band *band) noexcept nogil:
    cdef size_t row = band.row + band.rows
    if row < unit_products(c, band.l, band.m):
        band[0] = band_of(c, band.l, band.m, row)
    elif band.l > 1:
        band[0] = band_of(c, band.l - 1, band.m, 0)
    elif band.m > 1:
        band[0] = band_of(c, band.m - 1, band.m - 1, 0)
    else:
        band.rows = 0


# ---- rows (x, y), y running fastest, y <= x in a triangle ----

cdef struct Walk:
    size_t x, y, width
    bint triangle


cdef inline Walk walk(size_t width, bint triangular, size_t first) noexcept nogil:
    """Stand at row number `first`."""
    cdef Walk at
    at.width = width
    at.triangle = triangular
    if triangular:
        at.x = <size_t> (0.5 * (sqrt(8.0 * <double> first + 1.0) - 1.0))
        while triangle(at.x) > first:
            at.x -= 1
        while triangle(at.x + 1) <= first:
            at.x += 1
        at.y = first - triangle(at.x)
    else:
        at.x = first // width
        at.y = first - at.x * width
    return at


cdef inline size_t run(const Walk *at, size_t most) noexcept nogil:
    """How many rows from here on share x, at most so many."""
    return min(most, (at.x + 1 if at.triangle else at.width) - at.y)


cdef inline void go(Walk *at, size_t rows) noexcept nogil:
    """Past a run, or into it."""
    at.y += rows
    if at.y == (at.x + 1 if at.triangle else at.width):
        at.x += 1
        at.y = 0
