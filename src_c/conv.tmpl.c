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
                {g->channels, p.count, q.count}, {g->rows * g->cols, g->cols, 1}, {g->height * row, row, ld}, 0};
            const NAME(finish) finish = {add, !b || !g->biases ? NULL : g->biases > 1 ? b + at : b, NULL, g->biases};
            LANED(strip)(cols, g->maps, terms, W + at * weights.position + p.place * g->cols + q.place, weights.map,
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
                {g->out_height * row, 0 - row, 0 - ld},
                0};
            const NAME(finish) finish = {add, NULL, factor ? factor + at : NULL, 1};
            const size_t last = p.position * g->out_width + q.position;
            LANED(strip)(cols, g->channels, terms, W + last * weights.position + p.place * g->cols + q.place,
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

/* Positions that are in a span and in an overlap. */
ALWAYS_INLINE NAME(span) NAME(common)(NAME(span) span, NAME(overlap) reached)
{
    const size_t end = reached.position + reached.count;
    const size_t first = span.first > reached.position ? span.first : reached.position;
    const size_t last = span.end < end ? span.end : end;
    return (NAME(span)){first, last > first ? last : first};
}

/* sum[i,j] for m maps and n places from `first` on, at most INNER_ROWS x INNER_COLS: the last ones are computed several
 * times where there are fewer. Summed over the positions of these rows and columns, lane by lane: first where all places
 * have an input, then, at the borders, place by place. */
ALWAYS_INLINE void NAME(place_sums)(const fmlp_window *g, NAME(span) rows, NAME(span) cols, size_t m, size_t first,
                                    size_t n, size_t columns, const real *D, const real *A, size_t ld, VEC *sum)
{
    enum { ROWS = INNER_ROWS, COLS = INNER_COLS };
    const size_t map = g->out_height * g->out_width * ld;
    NAME(place) place[COLS];
    NAME(span) high = rows, wide = cols;
    const real *d[ROWS];
    for (size_t i = 0; i < NAME(SUMS); i++)
        sum[i] = (VEC){0};
    for (size_t i = 0; i < ROWS; i++)
        d[i] = D + (i < m ? i : m - 1) * map;
    for (size_t j = 0; j < COLS; j++) {
        place[j] = NAME(place_of)(g, first + (j < n ? j : n - 1));
        high = NAME(common)(high, place[j].rows);
        wide = NAME(common)(wide, place[j].cols);
    }
    for (size_t y = high.first; y < high.end; y++) {
        const ptrdiff_t line = (ptrdiff_t)(y * g->down * g->width);
        for (size_t x = wide.first; x < wide.end; x++) {
            const size_t at = (y * g->out_width + x) * ld;
            const real *a[COLS];
            UNROLL for (size_t j = 0; j < COLS; j++)
                a[j] = A + (place[j].input + line + (ptrdiff_t)(x * g->across)) * (ptrdiff_t)ld;
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
        }
    }
    if (high.end - high.first == rows.end - rows.first && wide.end - wide.first == cols.end - cols.first)
        return;
    for (size_t y = rows.first; y < rows.end; y++)
        for (size_t x = cols.first; x < cols.end; x++) {
            const ptrdiff_t input = (ptrdiff_t)(y * g->down * g->width + x * g->across);
            const size_t at = (y * g->out_width + x) * ld;
            if (y >= high.first && y < high.end && x >= wide.first && x < wide.end)
                continue;
            UNROLL for (size_t j = 0; j < COLS; j++)
            {
                const int here = NAME(has)(place[j].rows, y) && NAME(has)(place[j].cols, x);
                const real *a = A + (here ? place[j].input + input : 0) * (ptrdiff_t)ld;
                for (size_t s = 0; here && s < columns; s += LANES)
                    UNROLL for (size_t i = 0; i < ROWS; i++)
                        sum[i * COLS + j] = MADD(LOAD(d[i] + at + s), LOAD(a + s), sum[i * COLS + j]);
            }
        }
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

/* gW of these rows and columns of positions, of all samples; or of `each`, in rows of ld numbers. */
ALWAYS_INLINE void NAME(conv_gradient_at)(const fmlp_window *g, NAME(span) rows, NAME(span) cols, int each,
                                          size_t columns, const real *D, const real *A, size_t ld, int add, real *gW)
{
    enum { ROWS = INNER_ROWS, COLS = INNER_COLS };
    const NAME(strides) weights = NAME(strides_of)(g);
    const size_t map = g->out_height * g->out_width * ld;
    for (size_t i = 0; i < g->maps; i += ROWS)
        for (size_t j = 0; j < weights.all; j += COLS) {
            const size_t m = g->maps - i, n = weights.all - j;
            VEC sum[NAME(MOST_SUMS)];
            NAME(place_sums)(g, rows, cols, m, j, n, columns, D + i * map, A, ld, sum);
            if (!each)
                NAME(put_sums)(ROWS, COLS, m, n, sum, add, gW + i * weights.map + j, weights.map);
            else
                for (size_t r = 0; r < ROWS && r < m; r++)
                    for (size_t c = 0; c < COLS && c < n; c++)
                        STORE(gW + ((i + r) * weights.map + j + c) * ld, sum[r * COLS + c]);
        }
}

/* The same of all positions; each one has weights of its own where they are local. */
ALWAYS_INLINE void NAME(conv_gradient_all)(const fmlp_window *g, int each, size_t columns, const real *D, const real *A,
                                           size_t ld, int add, real *gW)
{
    const NAME(span) rows = {0, g->out_height}, cols = {0, g->out_width};
    if (!g->local) {
        NAME(conv_gradient_at)(g, rows, cols, each, columns, D, A, ld, add, gW);
        return;
    }
    for (size_t y = 0; y < g->out_height; y++)
        for (size_t x = 0; x < g->out_width; x++) {
            const size_t place = (y * g->out_width + x) * NAME(strides_of)(g).position;
            NAME(conv_gradient_at)(g, (NAME(span)){y, y + 1}, (NAME(span)){x, x + 1}, each, columns, D, A, ld, add,
                                   gW + place * (each ? ld : 1));
        }
}

static void NAME(conv_gradient)(const fmlp_window *g, size_t n, const real *D, const real *A, int add, real *gW,
                                real *gb, size_t ld)
{
    const size_t columns = NAME(round_up)(n);
    NAME(conv_gradient_all)(g, 0, columns, D, A, ld, add, gW);
    if (gb && g->biases > 1)
        NAME(row_sums)(g->maps * g->out_height * g->out_width, columns, D, ld, add, gb);
    else if (gb && g->biases)
        NAME(map_sums)(g, columns, D, ld, add, gb);
}

static void NAME(conv_columns)(const fmlp_window *g, size_t n, const real *D, const real *A, real *GW, real *Gb,
                               size_t ld)
{
    const size_t together = g->biases == 1 ? g->out_height * g->out_width : 1; /* rows of D that a bias counts for */
    for (size_t s = 0; s < NAME(round_up)(n); s += LANES) {
        NAME(conv_gradient_all)(g, 1, LANES, D + s, A + s, ld, 0, GW + s);
        for (size_t i = 0; i < g->maps * g->biases; i++) {
            VEC sum = LOAD(D + i * together * ld + s);
            for (size_t at = 1; at < together; at++)
                sum += LOAD(D + (i * together + at) * ld + s);
            STORE(Gb + i * ld + s, sum);
        }
    }
}

/* ---- one image ---- */

/* Lanes are positions side by side: the inputs under a place of their windows lie side by side too, in an image with
 * zeros around (fmlp_spread). So the outputs of a run of positions are one product, of the same tiles. */
static void NAME(spread_image)(const fmlp_window *g, fmlp_spread spread, const real *a, real *image)
{
    memset(image, 0, spread.image * sizeof(real));
    for (size_t c = 0; c < g->channels; c++)
        for (size_t y = 0; y < g->height && (y + g->top + 1) * spread.row <= spread.plane; y++) {
            const real *from = a + (c * g->height + y) * g->width;
            real *to = image + c * spread.plane + (y + g->top) * spread.row;
            const size_t width = g->left + g->width < spread.row ? g->width : spread.row - g->left;
            if (g->across == 1)
                memcpy(to + g->left, from, width * sizeof(real));
            else
                for (size_t x = 0; x < width; x++)
                    to[(x + g->left) % g->across * spread.part + (x + g->left) / g->across] = from[x];
        }
}

/* The outputs of a run of positions, in rows of whole vectors. */
static void NAME(conv_run)(const fmlp_window *g, fmlp_spread spread, const real *W, const real *b, const real *image,
                           real *Z)
{
    const NAME(strides) weights = NAME(strides_of)(g);
    const size_t columns = NAME(round_up)(spread.run), ld = spread.ld;
    for (size_t first = 0; first < g->across && first < g->cols; first++) {
        const NAME(terms) terms = {{g->channels, g->rows, (g->cols - first + g->across - 1) / g->across},
                                   {g->rows * g->cols, g->cols, g->across},
                                   {spread.plane, spread.row, 1},
                                   0};
        const NAME(finish) finish = {first > 0, first == 0 && g->biases == 1 ? b : NULL, NULL, 1};
        const real *B = image + first * spread.part;
        size_t s = 0;
#define STRIP(cols)                                        \
    for (; s + (cols)*LANES <= columns; s += (cols)*LANES) \
        LANED(strip)((cols), g->maps, terms, W + first, weights.map, B + s, finish, Z + s, ld);
        STRIPS
#undef STRIP
    }
}

/* Where weights are local, each one is needed once. */
static void NAME(local_row)(const fmlp_window *g, const real *W, const real *b, const real *a, real *z)
{
    for (size_t i = 0, unit = 0; i < g->maps; i++)
        for (size_t y = 0; y < g->out_height; y++)
            for (size_t x = 0; x < g->out_width; x++, unit++) {
                const NAME(overlap) p = NAME(inside)(y, g->down, g->top, g->rows, g->height);
                const NAME(overlap) q = NAME(inside)(x, g->across, g->left, g->cols, g->width);
                real sum = R(0.0);
                for (size_t c = 0; c < g->channels; c++)
                    for (size_t r = 0; r < p.count; r++) {
                        const real *w = W + ((unit * g->channels + c) * g->rows + p.place + r) * g->cols + q.place;
                        const real *from = a + (c * g->height + p.position + r) * g->width + q.position;
                        for (size_t k = 0; k < q.count; k++)
                            sum = FMA(w[k], from[k], sum);
                    }
                z[unit] = sum + (g->biases > 1 ? b[unit] : g->biases ? b[i] : R(0.0));
            }
}

static void NAME(conv_rows)(const fmlp_window *g, size_t n_rows, const real *W, const real *b, const real *A, real *Z,
                            real *room)
{
    const size_t inputs = g->channels * g->height * g->width, positions = g->out_height * g->out_width;
    const fmlp_spread spread = fmlp_spread_of(g);
    const size_t rows = g->out_height / spread.runs;
    real *z = room + spread.image;
    for (size_t s = 0; s < n_rows; s++, A += inputs, Z += g->maps * positions) {
        if (g->local) {
            NAME(local_row)(g, W, b, A, Z);
            continue;
        }
        NAME(spread_image)(g, spread, A, room);
        for (size_t run = 0; run < spread.runs; run++) {
            NAME(conv_run)(g, spread, W, b, room + run * g->down * spread.row, z);
            for (size_t i = 0; i < g->maps; i++)
                for (size_t y = 0; y < rows; y++) {
                    const size_t at = i * positions + (run + y) * g->out_width;
                    const real *from = z + i * spread.ld + y * spread.next;
                    for (size_t x = 0; x < g->out_width; x++)
                        Z[at + x] = g->biases > 1 ? from[x] + b[at + x] : from[x];
                }
        }
    }
}
