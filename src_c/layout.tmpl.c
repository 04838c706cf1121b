/* Between row-major arrays and feature-major blocks: transposition, LANES x LANES numbers at a time. */

static inline size_t NAME(round_up)(size_t n)
{
    return (n + LANES - 1) / LANES * LANES;
}

/* to[s * ld_to + j] = from[j * ld + s] for whole vectors of both */
static void NAME(transpose_block)(size_t rows, size_t columns, const real *from, size_t ld, real *to, size_t ld_to)
{
    for (size_t j = 0; j < rows; j += LANES)
        for (size_t s = 0; s < columns; s += LANES) {
            VEC v[LANES];
            UNROLL for (size_t r = 0; r < LANES; r++)
                v[r] = LOAD(from + (j + r) * ld + s);
            LANED(transpose)(v);
            UNROLL for (size_t r = 0; r < LANES; r++)
                STORE(to + (s + r) * ld_to + j, v[r]);
        }
}

/* Rows s .. s + LANES of X, or those that the index names; the last one again where there are no more. */
ALWAYS_INLINE void NAME(rows_from)(size_t s, size_t n, size_t width, const real *X, const ptrdiff_t *index,
                                   const real **x)
{
    for (size_t r = 0; r < LANES; r++) {
        const size_t sample = s + r < n ? s + r : n - 1;
        x[r] = X + (index ? (size_t)index[sample] : sample) * width;
    }
}

/* Columns n .. round_up(n) repeat the last sample, so that they never hold numbers that no sample produced. The next
 * rows are fetched meanwhile, as processors do not by themselves for so many at once: 256 inputs from far away take 0.55
 * to 0.7 of the time. Refused: into the nearest cache (0.75 to 0.95), four lines ahead (1.0), two turns ahead (0.6). */
static void NAME(load_rows)(size_t n, size_t width, const real *X, const ptrdiff_t *index, real *block, size_t ld)
{
    const size_t whole = width / LANES * LANES, plain = width == 1 && !index ? n / LANES * LANES : 0;
    memcpy(block, X, plain * sizeof(real));
    for (size_t s = plain; s < n; s += LANES) {
        const real *x[LANES], *next[LANES];
        NAME(rows_from)(s, n, width, X, index, x);
        NAME(rows_from)(s + LANES, n, width, X, index, next);
        for (size_t j = 0; j < whole; j += LANES) {
            VEC v[LANES];
            UNROLL for (size_t r = 0; r < LANES; r++) FETCH_LATER(next[r] + j);
            UNROLL for (size_t r = 0; r < LANES; r++) v[r] = LOAD(x[r] + j);
            LANED(transpose)(v);
            UNROLL for (size_t r = 0; r < LANES; r++) STORE(block + (j + r) * ld + s, v[r]);
        }
        for (size_t j = whole; j < width; j++)
            UNROLL for (size_t r = 0; r < LANES; r++) block[j * ld + s + r] = x[r][j];
    }
}

static void NAME(load_labels)(size_t n, size_t width, const ptrdiff_t *labels, const ptrdiff_t *index, real *block,
                              size_t ld)
{
    for (size_t k = 0; k < width; k++)
        for (size_t s = 0; s < NAME(round_up)(n); s++)
            block[k * ld + s] = R(0.0);
    for (size_t s = 0; s < NAME(round_up)(n); s++) {
        const size_t sample = s < n ? s : n - 1;
        block[(size_t)labels[index ? (size_t)index[sample] : sample] * ld + s] = R(1.0);
    }
}

static void NAME(store_rows)(size_t n, size_t width, const real *block, real *X, size_t stride, size_t ld)
{
    const size_t whole = n / LANES * LANES, square = width / LANES * LANES;
    if (square)
        NAME(transpose_block)(square, whole, block, ld, X, stride);
    for (size_t s = 0; s < n; s++)
        for (size_t j = s < whole ? square : 0; j < width; j++)
            X[s * stride + j] = block[j * ld + s];
}

static void NAME(store_outer)(size_t n_out, size_t n_in, size_t n, const real *D, const real *A, real *J, size_t stride)
{
    for (size_t s = 0; s < n; s++, J += stride, D += n_out, A += n_in) {
        if (n_in == 1) {
            INDEPENDENT
            for (size_t i = 0; i < n_out; i++)
                J[i] = D[i] * A[0];
        } else {
            for (size_t i = 0; i < n_out; i++)
                INDEPENDENT
                for (size_t j = 0; j < n_in; j++)
                    J[i * n_in + j] = D[i] * A[j];
        }
        for (size_t i = 0; i < n_out; i++)
            J[n_out * n_in + i] = D[i];
    }
}
