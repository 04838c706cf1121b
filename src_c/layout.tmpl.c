/* Between the user's row-major arrays and feature-major blocks. */

/* Columns n .. round_up(n) repeat the last sample, so that they never hold numbers that no sample produced. */
static inline void NAME(pad_columns)(size_t n, size_t width, real *block, size_t ld)
{
    for (size_t j = 0; j < width; j++)
        for (size_t s = n; s < NAME(round_up)(n); s++)
            block[j * ld + s] = block[j * ld + n - 1];
}

static void NAME(load_rows)(size_t n, size_t width, const real *X, const ptrdiff_t *index, real *block, size_t ld)
{
    for (size_t s = 0; s < n; s++) {
        const real *x = X + (index ? (size_t)index[s] : s) * width;
        for (size_t j = 0; j < width; j++)
            block[j * ld + s] = x[j];
    }
    NAME(pad_columns)(n, width, block, ld);
}

static void NAME(load_labels)(size_t n, size_t width, const ptrdiff_t *labels, const ptrdiff_t *index, real *block,
                              size_t ld)
{
    for (size_t k = 0; k < width; k++)
        for (size_t s = 0; s < n; s++)
            block[k * ld + s] = R(0.0);
    for (size_t s = 0; s < n; s++)
        block[(size_t)labels[index ? (size_t)index[s] : s] * ld + s] = R(1.0);
    NAME(pad_columns)(n, width, block, ld);
}

static void NAME(store_rows)(size_t n, size_t width, const real *block, real *X, size_t ld)
{
    for (size_t s = 0; s < n; s++)
        for (size_t j = 0; j < width; j++)
            X[s * width + j] = block[j * ld + s];
}
