/* The three products of a dense layer on feature-major blocks.
 *
 * All three are one product, C[i,:] = sum_k W(i,k) B[k,:], with W read through strides and broadcast element by element,
 * B streamed along its rows, and a tile of C held in registers. Forward and backward the lanes are samples. For the
 * gradient they are inputs: B is a transposed panel of activations, and what is left over, fewer columns than lanes, is
 * summed along the samples (inner.tmpl.c).
 */

/* What is done to a tile before it is stored: C = (sum + C + bias[i bias_step]) * factor[i,:], each where it is given.
 * The bias comes last: a large one would round every partial sum. */
typedef struct {
    int add;
    const real *bias, *factor;
    size_t bias_step;
} NAME(finish);

/* The terms of a sum: a box, count[0] x count[1] x count[2], and how far its steps lead in W and in B. A dense layer's is a
 * line; that of a convolution has channels, rows and columns of a window. */
typedef struct {
    size_t count[3];
    size_t in_W[3], in_B[3]; /* these wrap, so that there are steps back */
    size_t ahead;            /* how far beyond each step's weights their row is fetched, in numbers; 0: it is not */
} NAME(terms);

/* One tile, rows x cols vectors: both are constants after inlining. */
ALWAYS_INLINE void NAME(tile)(size_t rows, size_t cols, const NAME(terms) terms, const real *W, size_t row_stride,
                              const real *B, NAME(finish) finish, real *C, size_t ldc)
{
    VEC sum[2 * TILE_ROWS][TILE_COLS];
    for (size_t i = 0; i < rows; i++)
        for (size_t v = 0; v < cols; v++)
            sum[i][v] = (VEC){0};
    for (size_t i = 0; finish.add && i < rows; i++) /* C may be far away: it comes while the sums are formed */
        for (size_t v = 0; v < cols; v++)
            FETCH(C + i * ldc + v * LANES);
    for (size_t p = 0; p < terms.count[0]; p++)
        for (size_t q = 0; q < terms.count[1]; q++) {
            const real *Wq = W + (ptrdiff_t)(p * terms.in_W[0] + q * terms.in_W[1]);
            const real *Bq = B + (ptrdiff_t)(p * terms.in_B[0] + q * terms.in_B[1]);
            for (size_t k = 0; k < terms.count[2]; k++) {
                VEC b[TILE_COLS];
                for (size_t v = 0; v < cols; v++)
                    b[v] = LOAD(Bq + (ptrdiff_t)(k * terms.in_B[2]) + v * LANES);
                if (terms.ahead)
                    FETCH(Wq + (ptrdiff_t)(k * terms.in_W[2]) + terms.ahead);
                for (size_t i = 0; i < rows; i++) {
                    const real w = Wq[(ptrdiff_t)(i * row_stride + k * terms.in_W[2])];
                    for (size_t v = 0; v < cols; v++)
                        sum[i][v] = MADD(w, b[v], sum[i][v]);
                }
            }
        }
    for (size_t i = 0; finish.add && i < rows; i++)
        for (size_t v = 0; v < cols; v++)
            sum[i][v] += LOAD(C + i * ldc + v * LANES);
    for (size_t i = 0; finish.bias && i < rows; i++)
        for (size_t v = 0; v < cols; v++)
            sum[i][v] += finish.bias[i * finish.bias_step];
    for (size_t i = 0; finish.factor && i < rows; i++)
        for (size_t v = 0; v < cols; v++)
            sum[i][v] *= LOAD(finish.factor + i * ldc + v * LANES);
    for (size_t i = 0; i < rows; i++)
        for (size_t v = 0; v < cols; v++)
            STORE(C + i * ldc + v * LANES, sum[i][v]);
}

/* A strip of cols vectors of C, all m rows: tiles as tall as registers allow, then smaller ones. Two rows alone wait for
 * their own sums: together with the last six they are two tiles of four (8 rows 1.13 times as fast, 50: 1.02). Refused:
 * prefetching B (0.9 to 1.0), aligned loops (1.0). */
ALWAYS_INLINE void NAME(strip)(size_t cols, size_t m, const NAME(terms) terms, const real *W, size_t row_stride,
                               const real *B, NAME(finish) finish, real *C, size_t ldc)
{
    const size_t tall = cols == 1 ? 2 * TILE_ROWS : TILE_ROWS * TILE_COLS / cols;
    size_t i = 0;
#define ROWS(rows)                                                                                                     \
    for (; i + (rows) <= m && !((rows) == 6 && m - i == 8); i += (rows)) {                                             \
        const NAME(finish) here = {finish.add, finish.bias ? finish.bias + i * finish.bias_step : NULL,                \
                                   finish.factor ? finish.factor + i * ldc : NULL, finish.bias_step};                  \
        NAME(tile)((rows), cols, terms, W + i * row_stride, row_stride, B, here, C + i * ldc, ldc);                    \
    }
    ROWS(tall)
    ROWS(4)
    ROWS(2)
    ROWS(1)
#undef ROWS
}

/* STRIP(cols) over all columns s, which it counts, from the widest strips down to single vectors. */
#if TILE_COLS == 4
#define STRIPS STRIP(4) STRIP(3) STRIP(2) STRIP(1)
#else
#define STRIPS STRIP(2) STRIP(1)
#endif

/* C[i,s] for all m rows and whole vectors of columns. Where W is read across its rows, elements that lie a row apart may
 * all claim the same lines of the cache: a few at a time stay there until the next tile, which reads their neighbours.
 * `ahead` is that of the terms. */
ALWAYS_INLINE void NAME(strided_product)(size_t ahead, size_t m, size_t depth, size_t columns, const real *W,
                                         size_t row_stride, size_t depth_stride, const real *B, size_t ldb,
                                         NAME(finish) finish, real *C, size_t ldc)
{
    /* 1024 x 1024: from 40 to 85 % of the peak. Refused: a transposed copy of W for each gradient (more memory, a pass
     * more for each minibatch), chunks in the forward product (10 to 20 % slower there). */
    enum { FEW = 64 };
    const size_t most = depth_stride == 1 ? depth : FEW;
    size_t k = 0, count;
    do {
        count = depth - k < 2 * most ? depth - k : most;
        const int last = k + count == depth;
        const real *Wk = W + k * depth_stride, *Bk = B + k * ldb;
        size_t s = 0;
#define STRIP(cols)                                                                                               \
    for (; s + (cols)*LANES <= columns; s += (cols)*LANES) {                                                      \
        const NAME(finish) here = {finish.add || k, last ? finish.bias : NULL,                                    \
                                   last && finish.factor ? finish.factor + s : NULL, 1};                          \
        const NAME(terms) line = {                                                                                \
            {1, 1, count}, {0, 0, depth_stride}, {0, 0, ldb}, ahead};                                             \
        NAME(strip)((cols), m, line, Wk, row_stride, Bk + s, here, C + s, ldc);                                   \
    }
        STRIPS
#undef STRIP
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

static void NAME(dense_forward)(size_t n_out, size_t n_in, size_t n, const real *W, const real *b, const real *A,
                                int add, real *Z, size_t ld)
{
    NAME(product)(n_out, n_in, NAME(round_up)(n), W, n_in, A, ld, (NAME(finish)){add, b, NULL, 1}, Z, ld);
}

static void NAME(dense_backward)(size_t n_out, size_t n_in, size_t n, const real *W, const real *D, int add,
                                 const real *factor, real *E, size_t ld)
{
    NAME(transposed_product)(n_in, n_out, NAME(round_up)(n), W, n_in, D, ld, (NAME(finish)){add, NULL, factor, 1}, E,
                             ld);
}

static void NAME(dense_backward_part)(size_t n_out, size_t n_in, size_t n, const real *W, size_t ldw, const real *D,
                                      size_t ldd, const real *factor, real *E, size_t ld)
{
    NAME(transposed_product)(n_in, n_out, NAME(round_up)(n), W, ldw, D, ldd, (NAME(finish)){0, NULL, factor, 1}, E, ld);
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
            const size_t depth = columns - s < most ? columns - s : most;
            NAME(transpose_block)(width, depth, A + j * ld + s, ld, panel, WIDTH);
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
