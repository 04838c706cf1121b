/* z = W a + b for one sample, lanes along the inputs: LANES inner products at a time, folded into one vector.
 *
 * For n_in >= LANES. The last inputs of a row, fewer than LANES, are read as its last whole vector, without the numbers
 * that were taken before. The last units, fewer than LANES, are a group that overlaps the one before, or, where they are
 * very few, computed one by one: by the same sums of the same pairs, so that it makes no difference to the result.
 */
#undef KEPT
#undef TOGETHER
#define KEPT(p) ((VEC)(*(const LANED(mask) *)(p) & kept))
#define TOGETHER (LANES < 8 ? LANES : 8) /* rows of W at a time: there are registers for so many addresses */

/* Which numbers of a row's last whole vector are in no earlier one. */
ALWAYS_INLINE LANED(mask) LANED(not_taken)(size_t n_in)
{
    return (LANED(mask))((LANED(mask)){EACH_LANE(LANE, 0)} >= (bits_t)(LANES - n_in % LANES));
}

/* Inner products with so many rows of W, at most TOGETHER, not summed over the lanes yet. */
ALWAYS_INLINE void LANED(products_of_rows)(size_t rows, size_t n_in, const real *W, const real *a, LANED(mask) kept,
                                         VEC *sum)
{
    const size_t whole = n_in / LANES * LANES, last = n_in - LANES;
    const real *w[TOGETHER];
    w[0] = W;
    sum[0] = (VEC){0};
    UNROLL for (size_t r = 1; r < rows; r++) {
        w[r] = w[r - 1] + n_in;
        sum[r] = (VEC){0};
    }
    for (size_t j = 0; j < whole; j += LANES) {
        const VEC x = LOAD(a + j);
        UNROLL for (size_t r = 0; r < rows; r++) sum[r] = MADD(LOAD(w[r] + j), x, sum[r]);
    }
    if (whole < n_in) {
        const VEC x = KEPT(a + last); /* both: zero times infinity is not zero */
        UNROLL for (size_t r = 0; r < rows; r++) sum[r] = MADD(KEPT(w[r] + last), x, sum[r]);
    }
}

/* LANES units, the first rows of W. */
ALWAYS_INLINE void LANED(group)(size_t n_in, const real *W, const real *b, const real *a, LANED(mask) kept, real *z)
{
    VEC sum[LANES];
    UNROLL for (size_t r = 0; r < LANES; r += TOGETHER)
        LANED(products_of_rows)(TOGETHER, n_in, W + r * n_in, a, kept, sum + r);
    LANED(fold)(sum);
    STORE(z, sum[0] + LOAD(b));
}

static void LANED(sample)(size_t n_out, size_t n_in, const real *W, const real *b, const real *a, real *z)
{
    const LANED(mask) kept = LANED(not_taken)(n_in);
    size_t i = 0;
    for (; i + LANES <= n_out; i += LANES)
        LANED(group)(n_in, W + i * n_in, b + i, a, kept, z + i);
    /* A quarter: one output, or the last 2 of 50 units, do not cost a whole group. Refused: up to half a vector, since
     * long rows wait for their single sums. */
    if (n_out - i > LANES / 4 && n_out >= LANES) {
        i = n_out - LANES;
        LANED(group)(n_in, W + i * n_in, b + i, a, kept, z + i);
        return;
    }
    for (; i < n_out; i++) {
        VEC sum;
        LANED(products_of_rows)(1, n_in, W + i * n_in, a, kept, &sum);
        z[i] = LANED(total)(sum) + b[i];
    }
}
