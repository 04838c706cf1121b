/* The three products of a dense layer on feature-major blocks.
 *
 * All three are one product, of tiles (tile.tmpl.h). Forward and backward the lanes are samples. For the gradient they are
 * inputs: B is a transposed panel of activations, and what is left over, fewer columns than lanes, is summed along the
 * samples (inner.tmpl.c).
 */

/* STRIP(cols) over all columns s, which it counts, from the widest strips down to single vectors. */
#if TILE_COLS == 4
#define STRIPS STRIP(4) STRIP(3) STRIP(2) STRIP(1)
#else
#define STRIPS STRIP(2) STRIP(1)
#endif

/* Few samples in a last vector take half of one: half of the time, where a processor goes twice over 64 bytes. */
#undef HALF_LANES
#if VECTOR_BYTES == 64 && LANES == 16
#define HALF_LANES 8
#elif VECTOR_BYTES == 64 && LANES == 8
#define HALF_LANES 4
#endif

/* Of n columns those in whole vectors; what is left is a half, where the rest of the product, m x depth, is not too small
 * to be worth a strip of its own. */
ALWAYS_INLINE size_t NAME(whole_columns)(size_t m, size_t depth, size_t n)
{
#ifdef HALF_LANES
    enum { LITTLE = 256 };
    if ((n + HALF_LANES - 1) / HALF_LANES % 2 && m * depth >= LITTLE)
        return n / LANES * LANES;
#endif
    (void)m, (void)depth;
    return NAME(round_up)(n);
}

/* The half of the last vector that was left out: copies of the other one, or zeros. */
static void NAME(fill_half)(size_t m, size_t depth, size_t n, int copies, real *C, size_t ld)
{
#ifdef HALF_LANES
    typedef LANED_NAME(NAME(vec), HALF_LANES) half;
    const size_t s = NAME(whole_columns)(m, depth, n);
    for (size_t i = 0; s < n && i < m; i++)
        *(half *)(C + i * ld + s + HALF_LANES) = copies ? *(half *)(C + i * ld + s) : (half){0};
#else
    (void)m, (void)depth, (void)n, (void)copies, (void)C, (void)ld;
#endif
}

/* C[i,s] for all m rows and n columns, in whole vectors or with a half at the end. Where W is read across its rows, elements
 * that lie a row apart may all claim the same lines of the cache: a few at a time stay there until the next tile, which reads
 * their neighbours. `ahead` is that of the terms. */
ALWAYS_INLINE void NAME(strided_product)(size_t ahead, size_t m, size_t depth, size_t n, const real *W, size_t row_stride,
                                         size_t depth_stride, const real *B, size_t ldb, NAME(finish) finish, real *C,
                                         size_t ldc)
{
    /* 1024 x 1024: from 40 to 85 % of the peak. Refused: a transposed copy of W for each gradient (more memory, a pass
     * more for each minibatch), chunks in the forward product (10 to 20 % slower there). */
    enum { FEW = 64 };
    const size_t most = depth_stride == 1 ? depth : FEW;
    const size_t columns = NAME(whole_columns)(m, depth, n);
    size_t k = 0, count;
    do {
        count = depth - k < 2 * most ? depth - k : most;
        const int last = k + count == depth;
        const real *Wk = W + k * depth_stride, *Bk = B + k * ldb;
        size_t s = 0;
#define STRIP_OF(lanes, cols)                                                                                     \
    {                                                                                                             \
        const NAME(finish) here = {finish.add || k, last ? finish.bias : NULL,                                    \
                                   last && finish.factor ? finish.factor + s : NULL, 1};                          \
        const NAME(terms) line = {                                                                                \
            {1, 1, count}, {0, 0, depth_stride}, {0, 0, ldb}, ahead};                                             \
        LANED_NAME(NAME(strip), lanes)((cols), m, line, Wk, row_stride, Bk + s, here, C + s, ldc);                \
    }
#define STRIP(cols)                                                                                               \
    for (; s + (cols)*LANES <= columns; s += (cols)*LANES)                                                        \
    STRIP_OF(LANES, cols)
        STRIPS
#ifdef HALF_LANES
        if (s < n)
            STRIP_OF(HALF_LANES, 1)
#endif
#undef STRIP
#undef STRIP_OF
        k += count;
    } while (k < depth);
}

/* C = W B. That one stride is 1 is known to the compiler: 1-3-1 on 50 rows takes 0.96 of the time. */
static void NAME(product)(size_t m, size_t depth, size_t columns, const real *W, size_t ldw, const real *B, size_t ldb,
                          NAME(finish) finish, real *C, size_t ldc)
{
    NAME(strided_product)(0, m, depth, columns, W, ldw, 1, B, ldb, finish, C, ldc);
}

/* C = W' B. Rows of W lie apart, so that no processor guesses what the next tiles read: it is fetched two lines ahead. */
static void NAME(transposed_product)(size_t m, size_t depth, size_t columns, const real *W, size_t ldw, const real *B,
                                     size_t ldb, NAME(finish) finish, real *C, size_t ldc)
{
    enum { AHEAD = 128 / sizeof(real) };
    NAME(strided_product)(AHEAD, m, depth, columns, W, 1, ldw, B, ldb, finish, C, ldc);
}

/* Beyond n stand copies of samples, or what stood there and was added to. */
static void NAME(dense_forward)(size_t n_out, size_t n_in, size_t n, const real *W, const real *b, const real *A,
                                int add, real *Z, size_t ld)
{
    NAME(product)(n_out, n_in, n, W, n_in, A, ld, (NAME(finish)){add, b, NULL, 1}, Z, ld);
    if (!add)
        NAME(fill_half)(n_out, n_in, n, 1, Z, ld);
}

/* Beyond n stand zeros, where D has them. */
static void NAME(dense_backward)(size_t n_out, size_t n_in, size_t n, const real *W, const real *D, int add,
                                 const real *factor, real *E, size_t ld)
{
    NAME(transposed_product)(n_in, n_out, n, W, n_in, D, ld, (NAME(finish)){add, NULL, factor, 1}, E, ld);
    if (!add)
        NAME(fill_half)(n_in, n_out, n, 0, E, ld);
}

static void NAME(dense_backward_part)(size_t n_out, size_t n_in, size_t n, const real *W, size_t ldw, const real *D,
                                      size_t ldd, const real *factor, real *E, size_t ld)
{
    NAME(transposed_product)(n_in, n_out, n, W, ldw, D, ldd, (NAME(finish)){0, NULL, factor, 1}, E, ld);
    NAME(fill_half)(n_in, n_out, n, 0, E, ld);
}

static void NAME(multiply_rows)(size_t m, size_t n, const real *x, const real *Y, int add, real *P, size_t ld)
{
    const size_t columns = NAME(round_up)(n);
    for (size_t i = 0; i < m; i++, Y += ld, P += ld)
        if (add)
            for (size_t s = 0; s < columns; s += LANES)
                STORE(P + s, MADD(LOAD(x + s), LOAD(Y + s), LOAD(P + s)));
        else
            for (size_t s = 0; s < columns; s += LANES)
                STORE(P + s, LOAD(x + s) * LOAD(Y + s));
}

/* ---- the gradient ---- */

enum {
    NAME(PANEL) = TILE_COLS * LANES, /* columns of a panel, */
    NAME(PANEL_DEPTH) = 128,         /* and its samples: 32 KB at most */
};

static void NAME(dense_gradient)(size_t n_out, size_t n_in, size_t n, const real *D, const real *A, int add, real *gW,
                                 real *gb, size_t ld)
{
    enum { WIDTH = NAME(PANEL), DEPTH = NAME(PANEL_DEPTH) };
    const size_t columns = NAME(round_up)(n);
    const size_t whole = n_out >= PANEL_ROWS && n_in >= PANEL_COLUMNS ? n_in / LANES * LANES : 0;
    const size_t pieces = columns ? (columns + DEPTH - 1) / DEPTH : 1; /* of about the same depth */
    const size_t most = NAME(round_up)((columns + pieces - 1) / pieces);
    _Alignas(64) real panel[WIDTH * DEPTH];
    for (size_t j = 0; j < whole; j += WIDTH)
        for (size_t s = 0; s < columns; s += most) {
            const size_t width = whole - j < WIDTH ? whole - j : WIDTH;
            const size_t rows = columns - s < most ? columns - s : most;
            const size_t depth = n - s < rows ? n - s : rows; /* no terms of zero for columns beyond n */
            NAME(transpose_block)(width, rows, A + j * ld + s, ld, panel, WIDTH);
            NAME(product)(n_out, depth, width, D + s, ld, panel, WIDTH, (NAME(finish)){add || s, NULL, NULL, 1}, gW + j,
                          n_in);
        }
    if (whole < n_in)
        NAME(inner_products)(n_out, n_in - whole, columns, D, A + whole * ld, ld, add, gW + whole, n_in);
    if (gb)
        NAME(row_sums)(n_out, columns, D, ld, add, gb);
}

/* For PRODUCT_ROWS rows of D it pays to form the products once for all; fewer form them anew for each tile. */
static void NAME(product_gradient)(size_t m, size_t n, size_t samples, const real *D, const real *const *x,
                                   const real *const *y, real *S, int add, real *G, size_t ld)
{
    enum { COLS = INNER_COLS };
    _Static_assert(INNER_TALL <= 6, "heights of tiles are listed below");
    const size_t columns = NAME(round_up)(samples);
    if (m >= PRODUCT_ROWS) {
        for (size_t j = 0; j < n; j++)
            NAME(multiply_rows)(1, samples, x[j], y[j], 0, S + j * ld, ld);
        NAME(dense_gradient)(m, n, samples, D, S, add, G, NULL, ld);
        return;
    }
    for (size_t left = m, rows; left; left -= rows, D += rows * ld, G += rows * n) {
        const size_t tiles = (left + INNER_TALL - 1) / INNER_TALL;
        rows = (left + tiles - 1) / tiles; /* tiles of about the same height */
#define TALL(height)                                                                                         \
    for (size_t j = 0; height <= INNER_TALL && rows == height && j < n; j += COLS)                           \
        NAME(inner_sums)(height, COLS, 1, height, n - j, columns, D, ld, x + j, y + j, add, G + j, n);
        TALL(1) TALL(2) TALL(3) TALL(4) TALL(5) TALL(6)
#undef TALL
    }
}
