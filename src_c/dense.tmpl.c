/* The three products of a dense layer on feature-major blocks.
 *
 * All three are one product, C[i,:] = sum_k W(i,k) B[k,:], with W read through strides and broadcast element by element,
 * B streamed along its rows, and a tile of C held in registers. Forward and backward the lanes are samples. For the
 * gradient they are inputs: B is a transposed panel of activations, and what is left over, fewer columns than lanes, is
 * summed along the samples.
 */

/* What is done to a tile before it is stored: C = (sum + C + bias[i]) * factor[i,:], each where it is given.
 * The bias comes last: a large one would round every partial sum. */
typedef struct {
    int add;
    const real *bias, *factor;
} NAME(finish);

/* One tile, rows x cols vectors: both are constants after inlining. */
ALWAYS_INLINE void NAME(tile)(size_t rows, size_t cols, size_t depth, const real *W, size_t row_stride,
                              size_t depth_stride, const real *B, size_t ldb, NAME(finish) finish, real *C, size_t ldc)
{
    VEC sum[2 * TILE_ROWS][TILE_COLS];
    for (size_t i = 0; i < rows; i++)
        for (size_t v = 0; v < cols; v++)
            sum[i][v] = (VEC){0};
    for (size_t i = 0; finish.add && i < rows; i++) /* C may be far away: it comes while the sums are formed */
        for (size_t v = 0; v < cols; v++)
            FETCH(C + i * ldc + v * LANES);
    for (size_t k = 0; k < depth; k++) {
        VEC b[TILE_COLS];
        for (size_t v = 0; v < cols; v++)
            b[v] = LOAD(B + k * ldb + v * LANES);
        for (size_t i = 0; i < rows; i++) {
            const real w = W[i * row_stride + k * depth_stride];
            for (size_t v = 0; v < cols; v++)
                sum[i][v] = MADD(w, b[v], sum[i][v]);
        }
    }
    for (size_t i = 0; finish.add && i < rows; i++)
        for (size_t v = 0; v < cols; v++)
            sum[i][v] += LOAD(C + i * ldc + v * LANES);
    for (size_t i = 0; finish.bias && i < rows; i++)
        for (size_t v = 0; v < cols; v++)
            sum[i][v] += finish.bias[i];
    for (size_t i = 0; finish.factor && i < rows; i++)
        for (size_t v = 0; v < cols; v++)
            sum[i][v] *= LOAD(finish.factor + i * ldc + v * LANES);
    for (size_t i = 0; i < rows; i++)
        for (size_t v = 0; v < cols; v++)
            STORE(C + i * ldc + v * LANES, sum[i][v]);
}

/* A strip of cols vectors of C, all m rows: tiles as tall as registers allow, then smaller ones. */
ALWAYS_INLINE void NAME(strip)(size_t cols, size_t m, size_t depth, const real *W, size_t row_stride,
                               size_t depth_stride, const real *B, size_t ldb, NAME(finish) finish, real *C, size_t ldc)
{
    size_t i = 0;
#define ROWS(rows)                                                                                                     \
    for (; i + (rows) <= m; i += (rows)) {                                                                             \
        const NAME(finish) here = {finish.add, finish.bias ? finish.bias + i : NULL,                                   \
                                   finish.factor ? finish.factor + i * ldc : NULL};                                    \
        NAME(tile)((rows), cols, depth, W + i * row_stride, row_stride, depth_stride, B, ldb, here, C + i * ldc, ldc); \
    }
    ROWS(cols == 1 ? 2 * TILE_ROWS : TILE_ROWS * TILE_COLS / cols)
    ROWS(4)
    ROWS(2)
    ROWS(1)
#undef ROWS
}

/* C[i,s] for all m rows and whole vectors of columns. Where W is read across its rows, elements that lie a row apart may
 * all claim the same lines of the cache: a few at a time stay there until the next tile, which reads their neighbours. */
static void NAME(product)(size_t m, size_t depth, size_t columns, const real *W, size_t row_stride, size_t depth_stride,
                          const real *B, size_t ldb, NAME(finish) finish, real *C, size_t ldc)
{
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
                                   last && finish.factor ? finish.factor + s : NULL};                             \
        NAME(strip)((cols), m, count, Wk, row_stride, depth_stride, Bk + s, ldb, here, C + s, ldc);               \
    }
#if TILE_COLS == 4
        STRIP(4)
        STRIP(3)
#endif
        STRIP(2)
        STRIP(1)
#undef STRIP
        k += count;
    } while (k < depth);
}

static void NAME(dense_forward)(size_t n_out, size_t n_in, size_t n, const real *W, const real *b, const real *A,
                                int add, real *Z, size_t ld)
{
    NAME(product)(n_out, n_in, NAME(round_up)(n), W, n_in, 1, A, ld, (NAME(finish)){add, b, NULL}, Z, ld);
}

static void NAME(dense_backward)(size_t n_out, size_t n_in, size_t n, const real *W, const real *D, int add,
                                 const real *factor, real *E, size_t ld)
{
    NAME(product)(n_in, n_out, NAME(round_up)(n), W, 1, n_in, D, ld, (NAME(finish)){add, NULL, factor}, E, ld);
}

static void NAME(dense_backward_part)(size_t n_out, size_t n_in, size_t n, const real *W, size_t ldw, const real *D,
                                      size_t ldd, const real *factor, real *E, size_t ld)
{
    NAME(product)(n_in, n_out, NAME(round_up)(n), W, 1, ldw, D, ldd, (NAME(finish)){0, NULL, factor}, E, ld);
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
    NAME(SUMS) = INNER_ROWS * INNER_COLS, /* inner products formed together, a multiple of LANES and of 4 */
    NAME(PANEL) = TILE_COLS * LANES,      /* columns of a panel, */
    NAME(PANEL_DEPTH) = 128,              /* and its samples: 32 KB at most */
};

/* y[0..4) += x[0..4) */
ALWAYS_INLINE void NAME(add_four)(const real *x, real *y)
{
#if LANES >= 4
    typedef LANED_NAME(NAME(vec), 4) four;
    *(four *)y += *(const four *)x;
#else
    for (int i = 0; i < 4; i++)
        y[i] += x[i];
#endif
}

/* gW[i,j] += sum_s D[i,s] A[j,s] for i < m, j < n, at most rows x cols, which are constants after inlining.
 * Where there are fewer, the last ones are computed several times. */
ALWAYS_INLINE void NAME(inner_tile)(size_t rows, size_t cols, size_t m, size_t n, size_t columns, const real *D,
                                    const real *A, size_t ld, real *gW, size_t ldg)
{
    VEC sum[NAME(SUMS)];
    real total[NAME(SUMS)];
    const real *d[NAME(SUMS)], *a[NAME(SUMS)];
    for (size_t i = 0; i < NAME(SUMS); i++)
        sum[i] = (VEC){0};
    for (size_t i = 0; i < rows; i++)
        d[i] = D + (i < m ? i : m - 1) * ld;
    for (size_t j = 0; j < cols; j++)
        a[j] = A + (j < n ? j : n - 1) * ld;
    for (size_t s = 0; s < columns; s += LANES)
        for (size_t i = 0; i < rows; i++) {
            const VEC x = LOAD(d[i] + s);
            for (size_t j = 0; j < cols; j++)
                sum[i * cols + j] = MADD(x, LOAD(a[j] + s), sum[i * cols + j]);
        }
    for (size_t i = 0; i < NAME(SUMS); i += LANES) {
        LANED(fold)(sum + i);
        STORE(total + i, sum[i]);
    }
    for (size_t i = 0; i < rows && i < m; i++) {
        size_t j = 0;
        for (; j + 4 <= cols && j + 4 <= n; j += 4)
            NAME(add_four)(total + i * cols + j, gW + i * ldg + j);
        for (; j < cols && j < n; j++)
            gW[i * ldg + j] += total[i * cols + j];
    }
}

/* The same for ROWS x COLS of them, or as many as there are. */
ALWAYS_INLINE void NAME(inner_block)(size_t m, size_t n, size_t columns, const real *D, const real *A, size_t ld, real *gW,
                                     size_t ldg)
{
    enum { ROWS = INNER_ROWS, COLS = INNER_COLS };
    if (m >= ROWS && n >= COLS)
        NAME(inner_tile)(ROWS, COLS, ROWS, COLS, columns, D, A, ld, gW, ldg);
    else
        NAME(inner_tile)(ROWS, COLS, m, n, columns, D, A, ld, gW, ldg);
}

static void NAME(inner_products)(size_t m, size_t n, size_t columns, const real *D, const real *A, size_t ld, real *gW,
                                 size_t ldg)
{
    enum { ROWS = INNER_ROWS, COLS = INNER_COLS, ALL = NAME(SUMS) };
    const size_t left = m % ROWS, tall = left && ALL % left == 0 ? m - left : m; /* one or two rows take wider tiles */
    for (size_t i = 0; i < tall; i += ROWS)
        for (size_t j = 0; j < n; j += COLS)
            NAME(inner_block)(m - i, n - j, columns, D + i * ld, A + j * ld, ld, gW + i * ldg + j, ldg);
    D += tall * ld;
    gW += tall * ldg;
    if (m - tall == 2)
        for (size_t j = 0; j < n; j += ALL / 2)
            NAME(inner_tile)(2, ALL / 2, 2, n - j, columns, D, A + j * ld, ld, gW + j, ldg);
    else if (m - tall == 1)
        for (size_t j = 0; j < n; j += ALL)
            NAME(inner_tile)(1, ALL, 1, n - j, columns, D, A + j * ld, ld, gW + j, ldg);
}

/* sums[i] (+)= sum_s D[i,s] */
static void NAME(row_sums)(size_t m, size_t columns, const real *D, size_t ld, int add, real *sums)
{
    for (size_t i = 0; i < m; i += LANES) {
        VEC sum[LANES];
        real total[LANES];
        UNROLL for (size_t r = 0; r < LANES; r++)
            sum[r] = (VEC){0};
        for (size_t s = 0; s < columns; s += LANES)
            UNROLL for (size_t r = 0; r < LANES; r++)
                sum[r] += LOAD(D + (i + r < m ? i + r : m - 1) * ld + s);
        LANED(fold)(sum);
        STORE(total, sum[0]);
        for (size_t r = 0; r < LANES && i + r < m; r++)
            sums[i + r] = add ? sums[i + r] + total[r] : total[r];
    }
}

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
            NAME(product)(n_out, depth, width, D + s, ld, 1, panel, WIDTH, (NAME(finish)){add || s, NULL, NULL}, gW + j,
                          n_in);
        }
    for (size_t i = 0; !add && i < n_out; i++)
        for (size_t j = whole; j < n_in; j++)
            gW[i * n_in + j] = R(0.0);
    if (whole < n_in)
        NAME(inner_products)(n_out, n_in - whole, columns, D, A + whole * ld, ld, gW + whole, n_in);
    if (gb)
        NAME(row_sums)(n_out, columns, D, ld, add, gb);
}

/* ---- the Gram matrix ---- */

static void NAME(gram)(size_t m, size_t n, const real *L, const real *R, size_t ld, int add, real *C)
{
    enum { ROWS = INNER_ROWS, COLS = INNER_COLS };
    const size_t columns = NAME(round_up)(n);
    for (size_t i = 0; !add && i < m; i++)
        memset(C + i * m, 0, (i + 1) * sizeof(real));
    for (size_t i = 0; i < m; i += ROWS)
        for (size_t j = 0; j < i + ROWS && j < m; j += COLS)
            NAME(inner_block)(m - i, m - j, columns, L + i * ld, R + j * ld, ld, C + i * m + j, m);
}
