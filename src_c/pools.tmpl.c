/* Pools: means and largest numbers over windows that do not overlap. What is left over at the far edges belongs to none. */

/* E[at] = factor[at] (value + (add ? E[at] : 0)), whole vectors; the factor may be NULL */
ALWAYS_INLINE void NAME(put_pool)(VEC value, int add, const real *factor, real *E, size_t at)
{
    if (add)
        value += LOAD(E + at);
    if (factor)
        value *= LOAD(factor + at);
    STORE(E + at, value);
}

/* The same where no window is: value 0. */
static void NAME(put_left_over)(const fmlp_window *g, size_t n, int add, const real *factor, real *E, size_t ld)
{
    const size_t columns = NAME(round_up)(n), height = g->out_height * g->rows, width = g->out_width * g->cols;
    for (size_t y = 0; y < g->channels * g->height; y++)
        for (size_t x = y % g->height < height ? width : 0; x < g->width; x++)
            for (size_t s = 0; s < columns; s += LANES)
                NAME(put_pool)((VEC){0}, add, factor, E, (y * g->width + x) * ld + s);
}

/* DO(at, to) for the first place `at` of each window and its output `to`, in rows of a block. */
#define EACH_WINDOW(DO)                                                                                          \
    for (size_t c = 0, to = 0; c < g->channels; c++)                                                             \
        for (size_t y = 0; y < g->out_height; y++)                                                               \
            for (size_t x = 0; x < g->out_width; x++, to++)                                                      \
                DO(((c * g->height + y * g->rows) * g->width + x * g->cols), to)

/* ---- means ---- */

static void NAME(mean_forward)(const fmlp_window *g, size_t n, const real *A, int add, real *Z, size_t ld)
{
    const size_t columns = NAME(round_up)(n);
    const real share = R(1.0) / (real)(g->rows * g->cols);
#define MEAN(at, to)                                                          \
    for (size_t s = 0; s < columns; s += LANES) {                             \
        VEC sum = {0};                                                        \
        for (size_t p = 0; p < g->rows; p++)                                  \
            for (size_t q = 0; q < g->cols; q++)                              \
                sum += LOAD(A + ((at) + p * g->width + q) * ld + s);            \
        NAME(put_pool)(sum * share, add, NULL, Z, (to) * ld + s);             \
    }
    EACH_WINDOW(MEAN)
#undef MEAN
}

static void NAME(mean_backward)(const fmlp_window *g, size_t n, const real *D, int add, const real *factor, real *E,
                                size_t ld)
{
    const size_t columns = NAME(round_up)(n);
    const real share = R(1.0) / (real)(g->rows * g->cols);
#define SPREAD(at, to)                                                                                  \
    for (size_t s = 0; s < columns; s += LANES) {                                                       \
        const VEC each = LOAD(D + (to) * ld + s) * share;                                                 \
        for (size_t p = 0; p < g->rows; p++)                                                            \
            for (size_t q = 0; q < g->cols; q++)                                                        \
                NAME(put_pool)(each, add, factor, E, ((at) + p * g->width + q) * ld + s);                 \
    }
    EACH_WINDOW(SPREAD)
#undef SPREAD
    NAME(put_left_over)(g, n, add, factor, E, ld);
}

/* Of images in rows; the columns of a window are a constant after inlining. */
ALWAYS_INLINE void NAME(mean_of_row)(const fmlp_window *g, size_t cols, const real *A, real *Z)
{
    const real share = R(1.0) / (real)(g->rows * cols);
    for (size_t c = 0; c < g->channels; c++)
        for (size_t y = 0; y < g->out_height; y++, Z += g->out_width) {
            const real *a = A + (c * g->height + y * g->rows) * g->width;
            for (size_t x = 0; x < g->out_width; x++) {
                real sum = R(0.0);
                for (size_t p = 0; p < g->rows; p++)
                    for (size_t q = 0; q < cols; q++)
                        sum += a[p * g->width + x * cols + q];
                Z[x] = sum * share;
            }
        }
}

static void NAME(mean_rows)(const fmlp_window *g, size_t n_rows, const real *A, real *Z)
{
    for (size_t s = 0; s < n_rows; s++) {
        if (g->cols == 2)
            NAME(mean_of_row)(g, 2, A, Z);
        else
            NAME(mean_of_row)(g, g->cols, A, Z);
        A += g->channels * g->height * g->width;
        Z += g->maps * g->out_height * g->out_width;
    }
}

/* ---- the largest ---- */

/* The number, row by row, of the first of the largest numbers in a window, for each lane; of a nan if there is one. */
ALWAYS_INLINE LANED(mask) NAME(largest)(const fmlp_window *g, const real *window, size_t ld)
{
    LANED(mask) place = {0};
    VEC best = LOAD(window);
    for (size_t p = 0; p < g->rows; p++)
        for (size_t q = 0; q < g->cols; q++) {
            const VEC next = LOAD(window + (p * g->width + q) * ld);
            const LANED(mask) number = (LANED(mask)){0} + (bits_t)(p * g->cols + q);
            const LANED(mask) larger = (LANED(mask))((next > best) | (next != next));
            best = SELECT(larger, next, best);
            place = SELECT(larger, number, place);
        }
    return place;
}

static void NAME(max_forward)(const fmlp_window *g, size_t n, const real *point, const real *A, int add, real *Z,
                              size_t ld)
{
    const size_t columns = NAME(round_up)(n);
#define PICK(at, to)                                                                                    \
    for (size_t s = 0; s < columns; s += LANES) {                                                       \
        const LANED(mask) place = NAME(largest)(g, point + (at) * ld + s, ld);                          \
        VEC picked = {0};                                                                               \
        for (size_t p = 0; p < g->rows; p++)                                                            \
            for (size_t q = 0; q < g->cols; q++) {                                                      \
                const LANED(mask) number = (LANED(mask)){0} + (bits_t)(p * g->cols + q);                \
                picked = SELECT(place == number, LOAD(A + ((at) + p * g->width + q) * ld + s), picked); \
            }                                                                                           \
        NAME(put_pool)(picked, add, NULL, Z, (to) * ld + s);                                            \
    }
    EACH_WINDOW(PICK)
#undef PICK
}

static void NAME(max_backward)(const fmlp_window *g, size_t n, const real *point, const real *D, int add,
                               const real *factor, real *E, size_t ld)
{
    const size_t columns = NAME(round_up)(n);
#define GIVE(at, to)                                                                                    \
    for (size_t s = 0; s < columns; s += LANES) {                                                       \
        const LANED(mask) place = NAME(largest)(g, point + (at) * ld + s, ld);                          \
        const VEC d = LOAD(D + (to) * ld + s), none = {0};                                              \
        for (size_t p = 0; p < g->rows; p++)                                                            \
            for (size_t q = 0; q < g->cols; q++) {                                                      \
                const LANED(mask) number = (LANED(mask)){0} + (bits_t)(p * g->cols + q);                \
                NAME(put_pool)(SELECT(place == number, d, none), add, factor, E,                        \
                               ((at) + p * g->width + q) * ld + s);                                     \
            }                                                                                           \
    }
    EACH_WINDOW(GIVE)
#undef GIVE
    NAME(put_left_over)(g, n, add, factor, E, ld);
}

static void NAME(max_rows)(const fmlp_window *g, size_t n_rows, const real *A, real *Z)
{
    for (size_t s = 0; s < n_rows; s++, A += g->channels * g->height * g->width) {
#define TAKE(at, to)                                                \
    {                                                               \
        real best = A[at];                                          \
        for (size_t p = 0; p < g->rows; p++)                        \
            for (size_t q = 0; q < g->cols; q++) {                  \
                const real next = A[(at) + p * g->width + q];       \
                best = next > best || next != next ? next : best;   \
            }                                                       \
        Z[to] = best;                                               \
    }
        EACH_WINDOW(TAKE)
#undef TAKE
        Z += g->maps * g->out_height * g->out_width;
    }
}
#undef EACH_WINDOW
