/* Tiles of a product, held in registers: C[i,:] = sum_k W(i,k) B[k,:], with W read through strides and broadcast element by
 * element, B streamed along its rows. Included for each number of lanes. */

/* One tile, rows x cols vectors: both are constants after inlining. */
ALWAYS_INLINE void LANED(tile)(size_t rows, size_t cols, const NAME(terms) terms, const real *W, size_t row_stride,
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

/* A strip of cols vectors of C, all m rows: tiles as tall as registers allow, then smaller ones. Single vectors have eight
 * rows, for which there are registers that tell where they lie (twelve: halves of vectors take 1.2 times as long). Two rows
 * alone wait for their own sums: together with the last six they are two tiles of four (8 rows 1.13 times as fast, 50: 1.02).
 * Refused: prefetching B (0.9 to 1.0), aligned loops (1.0). */
ALWAYS_INLINE void LANED(strip)(size_t cols, size_t m, const NAME(terms) terms, const real *W, size_t row_stride,
                               const real *B, NAME(finish) finish, real *C, size_t ldc)
{
    const size_t tall = cols == 1 ? 8 : TILE_ROWS * TILE_COLS / cols;
    size_t i = 0;
#define ROWS(rows)                                                                                                     \
    for (; i + (rows) <= m && !((rows) == 6 && m - i == 8); i += (rows)) {                                             \
        const NAME(finish) here = {finish.add, finish.bias ? finish.bias + i * finish.bias_step : NULL,                \
                                   finish.factor ? finish.factor + i * ldc : NULL, finish.bias_step};                  \
        LANED(tile)((rows), cols, terms, W + i * row_stride, row_stride, B, here, C + i * ldc, ldc);                   \
    }
    ROWS(tall)
    ROWS(4)
    ROWS(2)
    ROWS(1)
#undef ROWS
}
