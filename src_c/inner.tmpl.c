/* Sums along the samples of a block: inner products, rows x cols of them at a time, of what is too small for panels. */

enum {
    NAME(SUMS) = INNER_ROWS * INNER_COLS, /* formed together, a multiple of LANES and of 4, */
    NAME(MORE) = INNER_TALL * INNER_COLS, /* and where columns are products, which should be formed for many rows; */
    NAME(MOST_SUMS) = (NAME(MORE) > NAME(SUMS) ? NAME(MORE) : NAME(SUMS)) + LANES,
};

/* y[0..4) (+)= x[0..4) */
ALWAYS_INLINE void NAME(put_four)(const real *x, int add, real *y)
{
#if LANES >= 4
    typedef LANED_NAME(NAME(vec), 4) four;
    four sum = *(const four *)x;
    if (add)
        sum += *(four *)y;
    *(four *)y = sum;
#else
    for (int i = 0; i < 4; i++)
        y[i] = add ? y[i] + x[i] : x[i];
#endif
}

/* gW[i,j] (+)= the sum of the lanes of sum[i * cols + j], which are used up, for i < m, j < n, at most rows x cols. */
ALWAYS_INLINE void NAME(put_sums)(size_t rows, size_t cols, size_t m, size_t n, VEC *sum, int add, real *gW, size_t ldg)
{
    real total[NAME(MOST_SUMS)] = {0};
    for (size_t i = 0; i < rows * cols; i += LANES) {
        LANED(fold)(sum + i);
        STORE(total + i, sum[i]);
    }
    for (size_t i = 0; i < rows && i < m; i++) {
        size_t j = 0;
        for (; j + 4 <= cols && j + 4 <= n; j += 4)
            NAME(put_four)(total + i * cols + j, add, gW + i * ldg + j);
        for (; j < cols && j < n; j++)
            gW[i * ldg + j] = add ? gW[i * ldg + j] + total[i * cols + j] : total[i * cols + j];
    }
}

/* gW[i,j] (+)= sum_s D[i,s] x[j][s], of `products` times y[j][s], for i < m, j < n, at most rows x cols; these and
 * `products` are constants after inlining. Where there are fewer, the last ones are computed several times. */
ALWAYS_INLINE void NAME(inner_sums)(size_t rows, size_t cols, int products, size_t m, size_t n, size_t columns,
                                    const real *D, size_t ld, const real *const *x, const real *const *y, int add,
                                    real *gW, size_t ldg)
{
    enum { MOST = NAME(MOST_SUMS) };
    const size_t all = (rows * cols + LANES - 1) / LANES * LANES;
    VEC sum[MOST];
    const real *d[MOST], *a[MOST], *b[MOST];
    for (size_t i = 0; i < all; i++)
        sum[i] = (VEC){0};
    for (size_t i = 0; i < rows; i++)
        d[i] = D + (i < m ? i : m - 1) * ld;
    for (size_t j = 0; j < cols; j++) {
        a[j] = x[j < n ? j : n - 1];
        b[j] = products ? y[j < n ? j : n - 1] : NULL;
    }
    for (size_t s = 0; s < columns; s += LANES) {
        VEC right[MOST];
        for (size_t j = 0; j < cols; j++) {
            right[j] = LOAD(a[j] + s);
            if (products)
                right[j] *= LOAD(b[j] + s);
        }
        for (size_t i = 0; i < rows; i++) {
            const VEC left = LOAD(d[i] + s);
            for (size_t j = 0; j < cols; j++)
                sum[i * cols + j] = MADD(left, right[j], sum[i * cols + j]);
        }
    }
    NAME(put_sums)(rows, cols, m, n, sum, add, gW, ldg);
}

/* The same with the rows of a block. */
ALWAYS_INLINE void NAME(inner_tile)(size_t rows, size_t cols, size_t m, size_t n, size_t columns, const real *D,
                                    const real *A, size_t ld, int add, real *gW, size_t ldg)
{
    const real *x[NAME(SUMS)];
    for (size_t j = 0; j < cols; j++)
        x[j] = A + (j < n ? j : n - 1) * ld;
    NAME(inner_sums)(rows, cols, 0, m, n, columns, D, ld, x, NULL, add, gW, ldg);
}

/* The same for ROWS x COLS of them, or as many as there are. */
ALWAYS_INLINE void NAME(inner_block)(size_t m, size_t n, size_t columns, const real *D, const real *A, size_t ld, int add,
                                     real *gW, size_t ldg)
{
    enum { ROWS = INNER_ROWS, COLS = INNER_COLS };
    if (m >= ROWS && n >= COLS)
        NAME(inner_tile)(ROWS, COLS, ROWS, COLS, columns, D, A, ld, add, gW, ldg);
    else
        NAME(inner_tile)(ROWS, COLS, m, n, columns, D, A, ld, add, gW, ldg);
}

static void NAME(inner_products)(size_t m, size_t n, size_t columns, const real *D, const real *A, size_t ld, int add,
                                 real *gW, size_t ldg)
{
    enum { ROWS = INNER_ROWS, COLS = INNER_COLS, ALL = NAME(SUMS) };
    const size_t left = m % ROWS, tall = left && ALL % left == 0 ? m - left : m; /* one or two rows take wider tiles */
    for (size_t i = 0; i < tall; i += ROWS)
        for (size_t j = 0; j < n; j += COLS)
            NAME(inner_block)(m - i, n - j, columns, D + i * ld, A + j * ld, ld, add, gW + i * ldg + j, ldg);
    D += tall * ld;
    gW += tall * ldg;
    if (m - tall == 2)
        for (size_t j = 0; j < n; j += ALL / 2)
            NAME(inner_tile)(2, ALL / 2, 2, n - j, columns, D, A + j * ld, ld, add, gW + j, ldg);
    else if (m - tall == 1)
        for (size_t j = 0; j < n; j += ALL)
            NAME(inner_tile)(1, ALL, 1, n - j, columns, D, A + j * ld, ld, add, gW + j, ldg);
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

/* ---- the Gram matrix ---- */

static void NAME(gram)(size_t m, size_t n, const real *L, const real *R, size_t ld, int add, real *C)
{
    enum { ROWS = INNER_ROWS, COLS = INNER_COLS };
    const size_t columns = NAME(round_up)(n);
    const size_t rows = (1 << 14) / (columns * sizeof(real) + 1) / COLS * COLS; /* of R that stay in the nearest cache */
    const size_t panel = rows > 4 * COLS ? rows : 4 * COLS;
    for (size_t first = 0; first < m; first += panel)
        for (size_t i = first / ROWS * ROWS; i < m; i += ROWS)
            for (size_t j = first; j < first + panel && j < i + ROWS && j < m; j += COLS)
                NAME(inner_block)(m - i, m - j, columns, L + i * ld, R + j * ld, ld, add, C + i * m + j, m);
}
