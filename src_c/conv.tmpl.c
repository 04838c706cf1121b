/* The three products of a convolution on feature-major blocks.
 *
 * Nothing is copied together from under the windows. Forward and back, the numbers at one position are a dense product,
 * whose terms are a box: the channels, rows and columns of the window there, or of what of it lies inside. So zeros
 * around the inputs cost nothing. The gradient sums along positions and samples: tiles of maps and of places of the
 * window.
 */

/* What a window and one axis of the image have in common: so many numbers, the first of them at a place of the window
 * and at a position of the image. */
typedef struct {
    size_t place, position, count;
} NAME(overlap);

/* What of the window of an output lies inside: places from the first on, and the input under that. */
ALWAYS_INLINE NAME(overlap) NAME(inside)(size_t output, size_t step, size_t before, size_t size, size_t n_in)
{
    const size_t start = output * step, first = before > start ? before - start : 0;
    const size_t end = n_in + before - start < size ? n_in + before - start : size;
    return (NAME(overlap)){first, start + first - before, end - first};
}

/* The windows that an input lies in: at which place of the last of them, its output, and how many there are; each one
 * before has it `step` places on. */
ALWAYS_INLINE NAME(overlap) NAME(covering)(size_t input, size_t step, size_t before, size_t size, size_t n_out)
{
    const size_t at = input + before, last = at / step < n_out ? at / step : n_out - 1, place = at - last * step;
    if (place >= size)
        return (NAME(overlap)){0, 0, 0};
    const size_t more = (size - 1 - place) / step;
    return (NAME(overlap)){place, last, 1 + (more < last ? more : last)};
}

/* Outputs [position, position + count) whose window has an input under a place. */
ALWAYS_INLINE NAME(overlap) NAME(reached)(size_t place, size_t step, size_t before, size_t n_in, size_t n_out)
{
    const size_t first = place < before ? (before - place + step - 1) / step : 0;
    const size_t last = n_in + before > place ? (n_in + before - place - 1) / step + 1 : 0;
    const size_t end = last < n_out ? last : n_out;
    return (NAME(overlap)){place, first, end > first ? end - first : 0};
}

/* Weights of a window, and how far it is from those of one position and of one map to the next. */
typedef struct {
    size_t all, position, map;
} NAME(strides);

ALWAYS_INLINE NAME(strides) NAME(strides_of)(const fmlp_window *g)
{
    const size_t all = g->channels * g->rows * g->cols;
    return (NAME(strides)){all, g->local ? all : 0, g->local ? g->out_height * g->out_width * all : all};
}

/* ---- forward ---- */

ALWAYS_INLINE void NAME(conv_forward_strip)(size_t cols, const fmlp_window *g, const real *W, const real *b,
                                            const real *A, int add, real *Z, size_t ld)
{
    const NAME(strides) weights = NAME(strides_of)(g);
    const size_t positions = g->out_height * g->out_width, row = g->width * ld;
    for (size_t y = 0; y < g->out_height; y++) {
        const NAME(overlap) p = NAME(inside)(y, g->down, g->top, g->rows, g->height);
        for (size_t x = 0; x < g->out_width; x++) {
            const NAME(overlap) q = NAME(inside)(x, g->across, g->left, g->cols, g->width);
            const size_t at = y * g->out_width + x;
            const NAME(terms) terms = {
                {g->channels, p.count, q.count}, {g->rows * g->cols, g->cols, 1}, {g->height * row, row, ld}};
            const NAME(finish) finish = {add, !b || !g->biases ? NULL : g->biases > 1 ? b + at : b, NULL, g->biases};
            NAME(strip)(cols, g->maps, terms, W + at * weights.position + p.place * g->cols + q.place, weights.map,
                        A + (p.position * g->width + q.position) * ld, finish, Z + at * ld, positions * ld);
        }
    }
}

static void NAME(conv_forward)(const fmlp_window *g, size_t n, const real *W, const real *b, const real *A, int add,
                               real *Z, size_t ld)
{
    const size_t columns = NAME(round_up)(n);
    size_t s = 0;
#define STRIP(cols)                                            \
    for (; s + (cols)*LANES <= columns; s += (cols)*LANES)     \
        NAME(conv_forward_strip)((cols), g, W, b, A + s, add, Z + s, ld);
    STRIPS
#undef STRIP
}

/* ---- back to the inputs ---- */

ALWAYS_INLINE void NAME(conv_backward_strip)(size_t cols, const fmlp_window *g, const real *W, const real *D, int add,
                                             const real *factor, real *E, size_t ld)
{
    const NAME(strides) weights = NAME(strides_of)(g);
    const size_t row = g->out_width * ld;
    for (size_t y = 0; y < g->height; y++) {
        const NAME(overlap) p = NAME(covering)(y, g->down, g->top, g->rows, g->out_height);
        for (size_t x = 0; x < g->width; x++) {
            const NAME(overlap) q = NAME(covering)(x, g->across, g->left, g->cols, g->out_width);
            const size_t at = (y * g->width + x) * ld;
            const NAME(terms) terms = {
                {g->maps, p.count, q.count},
                {weights.map, g->down * g->cols - g->out_width * weights.position, g->across - weights.position},
                {g->out_height * row, 0 - row, 0 - ld}};
            const NAME(finish) finish = {add, NULL, factor ? factor + at : NULL, 1};
            const size_t last = p.position * g->out_width + q.position;
            NAME(strip)(cols, g->channels, terms, W + last * weights.position + p.place * g->cols + q.place,
                        g->rows * g->cols, D + last * ld, finish, E + at, g->height * g->width * ld);
        }
    }
}

static void NAME(conv_backward)(const fmlp_window *g, size_t n, const real *W, const real *D, int add,
                                const real *factor, real *E, size_t ld)
{
    const size_t columns = NAME(round_up)(n);
    size_t s = 0;
#define STRIP(cols)                                            \
    for (; s + (cols)*LANES <= columns; s += (cols)*LANES)     \
        NAME(conv_backward_strip)((cols), g, W, D + s, add, factor ? factor + s : NULL, E + s, ld);
    STRIPS
#undef STRIP
}

/* ---- the gradient ---- */

typedef struct {
    size_t first, end;
} NAME(span);

/* A place (c, p, q) of the window: which outputs have an input under it, and where that of output (0, 0) would lie. */
typedef struct {
    NAME(overlap) rows, cols;
    ptrdiff_t input;
} NAME(place);

ALWAYS_INLINE NAME(place) NAME(place_of)(const fmlp_window *g, size_t number)
{
    const size_t q = number % g->cols, p = number / g->cols % g->rows, c = number / (g->cols * g->rows);
    const ptrdiff_t row = (ptrdiff_t)(c * g->height + p) - (ptrdiff_t)g->top;
    return (NAME(place)){NAME(reached)(p, g->down, g->top, g->height, g->out_height),
                         NAME(reached)(q, g->across, g->left, g->width, g->out_width),
                         row * (ptrdiff_t)g->width + (ptrdiff_t)q - (ptrdiff_t)g->left};
}

ALWAYS_INLINE int NAME(has)(NAME(overlap) reached, size_t position)
{
    return position - reached.position < reached.count; /* below the first it wraps */
}

/* gW[i,j] for i < m maps and j < n places from `first` on, at most INNER_ROWS x INNER_COLS: the last ones are computed
 * several times where there are fewer. Summed over the positions of these rows and columns. */
ALWAYS_INLINE void NAME(conv_gradient_tile)(const fmlp_window *g, NAME(span) rows, NAME(span) cols, size_t m,
                                            size_t first, size_t n, size_t columns, const real *D, const real *A,
                                            size_t ld, int add, real *gW)
{
    enum { ROWS = INNER_ROWS, COLS = INNER_COLS };
    const size_t map = g->out_height * g->out_width * ld;
    VEC sum[NAME(MOST_SUMS)];
    NAME(place) place[COLS];
    const real *d[ROWS];
    for (size_t i = 0; i < NAME(SUMS); i++)
        sum[i] = (VEC){0};
    for (size_t i = 0; i < ROWS; i++)
        d[i] = D + (i < m ? i : m - 1) * map;
    for (size_t j = 0; j < COLS; j++)
        place[j] = NAME(place_of)(g, first + (j < n ? j : n - 1));
    for (size_t y = rows.first; y < rows.end; y++)
        for (size_t x = cols.first; x < cols.end; x++) {
            const ptrdiff_t input = (ptrdiff_t)(y * g->down * g->width + x * g->across);
            const size_t at = (y * g->out_width + x) * ld;
            const real *a[COLS];
            int here[COLS], all = 1;
            UNROLL for (size_t j = 0; j < COLS; j++)
            {
                here[j] = NAME(has)(place[j].rows, y) && NAME(has)(place[j].cols, x);
                all &= here[j];
                a[j] = A + (here[j] ? place[j].input + input : 0) * (ptrdiff_t)ld;
            }
            if (all) {
                for (size_t s = 0; s < columns; s += LANES) {
                    VEC right[COLS];
                    UNROLL for (size_t j = 0; j < COLS; j++)
                        right[j] = LOAD(a[j] + s);
                    UNROLL for (size_t i = 0; i < ROWS; i++)
                    {
                        const VEC left = LOAD(d[i] + at + s);
                        UNROLL for (size_t j = 0; j < COLS; j++)
                            sum[i * COLS + j] = MADD(left, right[j], sum[i * COLS + j]);
                    }
                }
                continue;
            }
            UNROLL for (size_t j = 0; j < COLS; j++)
                for (size_t s = 0; here[j] && s < columns; s += LANES)
                    UNROLL for (size_t i = 0; i < ROWS; i++)
                        sum[i * COLS + j] = MADD(LOAD(d[i] + at + s), LOAD(a[j] + s), sum[i * COLS + j]);
        }
    NAME(put_sums)(ROWS, COLS, m, n, sum, add, gW, NAME(strides_of)(g).map);
}

/* gb[i] (+)= sums over all positions, of a few maps at a time, which do not wait for each other. */
static void NAME(map_sums)(const fmlp_window *g, size_t columns, const real *D, size_t ld, int add, real *gb)
{
    enum { FEW = 4 };
    const size_t positions = g->out_height * g->out_width;
    for (size_t i = 0; i < g->maps; i += FEW) {
        const real *d[FEW];
        VEC sum[FEW];
        for (size_t r = 0; r < FEW; r++) {
            d[r] = D + (i + r < g->maps ? i + r : g->maps - 1) * positions * ld;
            sum[r] = (VEC){0};
        }
        for (size_t at = 0; at < positions * ld; at += ld)
            for (size_t s = 0; s < columns; s += LANES)
                UNROLL for (size_t r = 0; r < FEW; r++)
                    sum[r] += LOAD(d[r] + at + s);
        UNROLL for (size_t r = 0; r < FEW; r++)
            if (i + r < g->maps)
                gb[i + r] = (add ? gb[i + r] : R(0.0)) + LANED(total)(sum[r]);
    }
}

/* All of gW that belongs to the positions of these rows and columns. */
static void NAME(conv_gradient_at)(const fmlp_window *g, NAME(span) rows, NAME(span) cols, size_t columns,
                                   const real *D, const real *A, size_t ld, int add, real *gW)
{
    const NAME(strides) weights = NAME(strides_of)(g);
    const size_t map = g->out_height * g->out_width * ld;
    for (size_t i = 0; i < g->maps; i += INNER_ROWS)
        for (size_t j = 0; j < weights.all; j += INNER_COLS)
            NAME(conv_gradient_tile)(g, rows, cols, g->maps - i, j, weights.all - j, columns, D + i * map, A, ld, add,
                                     gW + i * weights.map + j);
}

static void NAME(conv_gradient)(const fmlp_window *g, size_t n, const real *D, const real *A, int add, real *gW,
                                real *gb, size_t ld)
{
    const size_t columns = NAME(round_up)(n), positions = g->out_height * g->out_width;
    const NAME(span) rows = {0, g->out_height}, cols = {0, g->out_width};
    if (!g->local)
        NAME(conv_gradient_at)(g, rows, cols, columns, D, A, ld, add, gW);
    for (size_t at = 0; g->local && at < positions; at++) {
        const size_t y = at / g->out_width, x = at % g->out_width;
        NAME(conv_gradient_at)(g, (NAME(span)){y, y + 1}, (NAME(span)){x, x + 1}, columns, D, A, ld, add,
                               gW + at * NAME(strides_of)(g).position);
    }
    if (gb && g->biases > 1)
        NAME(row_sums)(g->maps * positions, columns, D, ld, add, gb);
    else if (gb && g->biases)
        NAME(map_sums)(g, columns, D, ld, add, gb);
}
