/* Images seen through maps of their coordinates, by bilinear interpolation among the four pixels around each place, and
 * random fields smoothed.
 *
 * No product is fused with a sum here, so that what is drawn is the same to the bit on every instruction set. Places are
 * doubles: in float those of large images would be off by more than pixels are.
 */
BEGIN_UNFUSED

/* The image in a frame of zeros, one pixel wide above and left of it, two below and right: no place has to be asked
 * whether it is inside. The zeros are there. */
static void NAME(put_frame)(size_t h, size_t w, const real *image, real *framed)
{
    const size_t ld = w + 3;
    for (size_t i = 0; i < h; i++) {
        const real *from = image + i * w;
        real *to = framed + (i + 1) * ld + 1;
        size_t j = 0;
        for (; j + LANES <= w; j += LANES)
            STORE(to + j, LOAD(from + j));
        if (j < w)
            memcpy(to + j, from + j, (w - j) * sizeof(real));
    }
}

/* The numbers p[first[k]], and those right of them. Two floats are fetched as one word, in a third less time. */
#if LANES == 1
ALWAYS_INLINE void NAME(pick)(const real *p, const int32_t *first, VEC *left, VEC *right)
{
    *left = p[first[0]];
    *right = p[first[0] + 1];
}
#elif REAL_BITS == 32
ALWAYS_INLINE uint64_t NAME(word)(const real *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

ALWAYS_INLINE void NAME(pick)(const real *p, const int32_t *first, VEC *left, VEC *right)
{
#define WORD(k, h) NAME(word)(p + first[k])
#define EVEN(k, h) 2 * (k)
#define ODD(k, h) 2 * (k) + 1
    typedef uint64_t words __attribute__((vector_size(LANES * sizeof(uint64_t))));
    const words pairs = {EACH_LANE(WORD, 0)};
    VEC half[2];
    memcpy(half, &pairs, sizeof half);
    *left = SHUFFLE(half[0], half[1], EVEN, 0);
    *right = SHUFFLE(half[0], half[1], ODD, 0);
#undef WORD
#undef EVEN
#undef ODD
}
#else
ALWAYS_INLINE void NAME(pick)(const real *p, const int32_t *first, VEC *left, VEC *right)
{
#define PIXEL(k, h) p[first[k] + (h)]
    *left = (VEC){EACH_LANE(PIXEL, 0)};
    *right = (VEC){EACH_LANE(PIXEL, 1)};
#undef PIXEL
}
#endif

/* A coordinate in the frame, [0, end]; nan, which is what infinity less infinity is, becomes 0, which is outside. */
ALWAYS_INLINE double NAME(within)(double x, double end)
{
    x = x > 0.0 ? x : 0.0;
    return x < end ? x : end;
}

enum { NAME(RUN) = 16 }; /* pixels of a row whose places are found together; a multiple of all LANES */

/* Where a run of pixels comes from: the upper left of the four around each place, and how far below and right of it that
 * is. A place is the sum of what the run has in common and a table. */
typedef struct {
    int32_t first[NAME(RUN)];
    real below[NAME(RUN)], right[NAME(RUN)];
} NAME(places);

ALWAYS_INLINE void NAME(find)(double h, double w, double row, double column, const double *down, const double *across,
                              NAME(places) *found)
{
    for (int q = 0; q < NAME(RUN); q++) {
        const double y = NAME(within)(row + down[q], h + 1.0);
        const double x = NAME(within)(column + across[q], w + 1.0);
        const double a = (double)(int32_t)y, b = (double)(int32_t)x;
        found->first[q] = (int32_t)(a * (w + 3.0) + b);
        found->below[q] = (real)(y - a);
        found->right[q] = (real)(x - b);
    }
}

static void NAME(warp)(size_t h, size_t w, const real *image, const double *M, const double *o, const real *u,
                       real *framed, real *out)
{
    enum { RUN = NAME(RUN) };
    const VEC one = (VEC){0} + R(1.0);
    double down[RUN], across[RUN], lower[RUN] = {0.0}, further[RUN] = {0.0}; /* the latter with displacements */
    NAME(places) at;
    NAME(put_frame)(h, w, image, framed);
    for (int q = 0; q < RUN; q++) {
        down[q] = M[1] * (double)q + 1.0;
        across[q] = M[3] * (double)q + 1.0;
    }
    for (size_t i = 0; i < h; i++)
        for (size_t j = 0; j < w; j += RUN) {
            const size_t n = w - j < RUN ? w - j : RUN, p = i * w + j;
            const double row = M[0] * (double)i + M[1] * (double)j + o[0];
            const double column = M[2] * (double)i + M[3] * (double)j + o[1];
            for (size_t q = 0; u && q < n; q++) {
                lower[q] = down[q] + (double)u[p + q];
                further[q] = across[q] + (double)u[h * w + p + q];
            }
            NAME(find)((double)h, (double)w, row, column, u ? lower : down, u ? further : across, &at);
            for (size_t q = 0; q < n; q += LANES) {
                const VEC s = LOAD(at.below + q), t = LOAD(at.right + q);
                VEC a, b, c, d; /* their means are finite whatever finite numbers they are */
                NAME(pick)(framed, at.first + q, &a, &b);
                NAME(pick)(framed + w + 3, at.first + q, &c, &d);
                a = (one - s) * ((one - t) * a + t * b) + s * ((one - t) * c + t * d);
                if (q + LANES <= n)
                    STORE(out + p + q, a);
                else
                    memcpy(out + p + q, &a, (n - q) * sizeof(real));
            }
        }
}

static void NAME(smooth)(size_t h, size_t w, const real *field, size_t ld, const double *g, size_t radius, real *out,
                         size_t ld_out)
{
    enum { TILE = 16, ROWS = 4 }; /* sums that are held together: a number of the field is read once for four */
    for (size_t j = 0; j < w; j += TILE)
        for (size_t i = 0; i < h; i += ROWS) {
            const size_t end = i + ROWS + radius < h ? i + ROWS + radius : h;
            real sums[ROWS][TILE] = {{R(0.0)}};
            for (size_t k = i > radius ? i - radius : 0; k < end; k++) {
                const real *row = field + k * ld + j;
                for (size_t p = 0; p < ROWS; p++) {
                    const size_t apart = k > i + p ? k - (i + p) : i + p - k;
                    const real factor = apart <= radius ? (real)g[apart] : R(0.0);
                    for (size_t q = 0; q < TILE; q++)
                        sums[p][q] += factor * row[q];
                }
            }
            for (size_t q = 0; q < TILE && j + q < w; q++)
                for (size_t p = 0; p < ROWS && i + p < h; p++)
                    out[(j + q) * ld_out + i + p] = sums[p][q];
        }
}

END_UNFUSED
