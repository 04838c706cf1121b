/* z = W a + b for one sample, lanes along the inputs: LANES inner products at a time, folded into one vector.
 *
 * For n_in >= LANES. The last inputs of a row, fewer than LANES, are read as its last whole vector, without the numbers
 * that were taken before. The last units, fewer than LANES, are a group that overlaps the one before; where there is
 * none, the last unit is computed several times.
 */
#undef KEPT
#define KEPT(p) ((VEC)(*(const LANED(mask) *)(p) & *kept))

ALWAYS_INLINE void LANED(sample_units)(size_t count, size_t n_in, const real *W, const real *b, const real *a,
                                       const LANED(mask) *kept, real *z)
{
    const size_t whole = n_in / LANES * LANES, last = n_in - LANES;
    const real *w[LANES];
    VEC sum[LANES];
    UNROLL for (size_t r = 0; r < LANES; r++) {
        w[r] = W + (r < count ? r : count - 1) * n_in;
        sum[r] = (VEC){0};
    }
    for (size_t j = 0; j < whole; j += LANES) {
        const VEC x = LOAD(a + j);
        UNROLL for (size_t r = 0; r < LANES; r++) sum[r] = MADD(LOAD(w[r] + j), x, sum[r]);
    }
    if (kept) {
        const VEC x = KEPT(a + last); /* both: zero times infinity is not zero */
        UNROLL for (size_t r = 0; r < LANES; r++) sum[r] = MADD(KEPT(w[r] + last), x, sum[r]);
    }
    LANED(fold)(sum);
    if (count >= LANES)
        STORE(z, sum[0] + LOAD(b));
    else {
        real total[LANES];
        STORE(total, sum[0]);
        for (size_t r = 0; r < count; r++)
            z[r] = total[r] + b[r];
    }
}

static void LANED(sample)(size_t n_out, size_t n_in, const real *W, const real *b, const real *a, real *z)
{
    const size_t rest = n_in % LANES;
    LANED(mask) kept;
    bits_t keep[LANES];
    for (size_t k = 0; k < LANES; k++)
        keep[k] = k < LANES - rest ? 0 : ~(bits_t)0;
    memcpy(&kept, keep, sizeof kept);
    if (n_out < LANES) {
        LANED(sample_units)(n_out, n_in, W, b, a, rest ? &kept : NULL, z);
        return;
    }
    for (size_t next = 0; next < n_out; next += LANES) {
        const size_t i = next + LANES <= n_out ? next : n_out - LANES;
        LANED(sample_units)(LANES, n_in, W + i * n_in, b + i, a, rest ? &kept : NULL, z + i);
    }
}
