/* The three products of a dense layer on feature-major blocks, and the forward product on a few row-major samples.
 *
 * On blocks the samples lie along the vector lanes. Two of the products are one: C[i,s] = c[i] + sum_k W(i,k) B[k,s], with
 * W read through strides, broadcast element by element, and a tile of C held in registers while B streams by.
 */
#undef LANES
#if defined(__GNUC__)
#define LANES (VECTOR_BYTES / sizeof(real))
typedef real NAME(vec) __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(real)), may_alias));
#define LANE(v, i) ((v)[i])
#else
#define LANES 1
typedef real NAME(vec);
#define LANE(v, i) (v)
#endif
#define VEC NAME(vec)
#define LOAD(p) (*(const VEC *)(p))
#define STORE(p, v) (*(VEC *)(p) = (v))
#define MADD(a, b, c) ((a) * (b) + (c))

static inline size_t NAME(round_up)(size_t n)
{
    return (n + LANES - 1) / LANES * LANES;
}

/* One tile: C[0..rows)[0..cols * LANES) = sum_k W(i,k) B[k,:] + c; rows and cols are constants after inlining.
 * The bias comes last: a large one would round every partial sum. */
ALWAYS_INLINE void NAME(tile)(size_t rows, size_t cols, size_t depth, const real *W,
                                                             size_t row_stride, size_t depth_stride, const real *c,
                                                             const real *B, real *C, size_t ld)
{
    VEC sum[TILE_ROWS][TILE_COLS];
    for (size_t i = 0; i < rows; i++)
        for (size_t v = 0; v < cols; v++)
            sum[i][v] = (VEC){0};
    for (size_t k = 0; k < depth; k++) {
        VEC b[TILE_COLS];
        for (size_t v = 0; v < cols; v++)
            b[v] = LOAD(B + k * ld + v * LANES);
        for (size_t i = 0; i < rows; i++) {
            const real w = W[i * row_stride + k * depth_stride];
            for (size_t v = 0; v < cols; v++)
                sum[i][v] = MADD(w, b[v], sum[i][v]);
        }
    }
    for (size_t i = 0; i < rows; i++)
        for (size_t v = 0; v < cols; v++)
            STORE(C + i * ld + v * LANES, sum[i][v] + (c ? c[i] : R(0.0)));
}

/* C[i,s] = c[i] + sum_k W(i,k) B[k,s] for all m rows and round_up(n) columns. */
static void NAME(product)(size_t m, size_t depth, size_t n, const real *W, size_t row_stride, size_t depth_stride,
                          const real *c, const real *B, real *C, size_t ld)
{
    const size_t columns = NAME(round_up)(n);
    size_t i = 0;
    for (; i + TILE_ROWS <= m; i += TILE_ROWS) {
        const real *Wi = W + i * row_stride, *ci = c ? c + i : NULL;
        size_t s = 0;
        for (; s + TILE_COLS * LANES <= columns; s += TILE_COLS * LANES)
            NAME(tile)(TILE_ROWS, TILE_COLS, depth, Wi, row_stride, depth_stride, ci, B + s, C + i * ld + s, ld);
        for (; s < columns; s += LANES)
            NAME(tile)(TILE_ROWS, 1, depth, Wi, row_stride, depth_stride, ci, B + s, C + i * ld + s, ld);
    }
    for (; i < m; i++) {
        const real *Wi = W + i * row_stride, *ci = c ? c + i : NULL;
        size_t s = 0;
        for (; s + TILE_COLS * LANES <= columns; s += TILE_COLS * LANES)
            NAME(tile)(1, TILE_COLS, depth, Wi, row_stride, depth_stride, ci, B + s, C + i * ld + s, ld);
        for (; s < columns; s += LANES)
            NAME(tile)(1, 1, depth, Wi, row_stride, depth_stride, ci, B + s, C + i * ld + s, ld);
    }
}

static void NAME(dense_forward)(size_t n_out, size_t n_in, size_t n, const real *W, const real *b, const real *A,
                                real *Z, size_t ld)
{
    NAME(product)(n_out, n_in, n, W, n_in, 1, b, A, Z, ld);
}

static void NAME(dense_backward)(size_t n_out, size_t n_in, size_t n, const real *W, const real *D, real *E, size_t ld)
{
    NAME(product)(n_in, n_out, n, W, 1, n_in, NULL, D, E, ld);
}

static inline real NAME(sum_lanes)(VEC v)
{
    real total = LANE(v, 0);
    for (size_t i = 1; i < LANES; i++)
        total += LANE(v, i);
    return total;
}

/* gW[0..rows)[0..cols) += sum_s D[i,s] A[j,s]: a tile of inner products along the samples. */
ALWAYS_INLINE void NAME(inner_tile)(size_t rows, size_t cols, size_t columns,
                                                                   const real *D, const real *A, real *gW, size_t n_in,
                                                                   size_t ld)
{
    VEC sum[INNER_ROWS][INNER_COLS];
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j++)
            sum[i][j] = (VEC){0};
    for (size_t s = 0; s < columns; s += LANES) {
        VEC a[INNER_COLS];
        for (size_t j = 0; j < cols; j++)
            a[j] = LOAD(A + j * ld + s);
        for (size_t i = 0; i < rows; i++) {
            const VEC d = LOAD(D + i * ld + s);
            for (size_t j = 0; j < cols; j++)
                sum[i][j] = MADD(d, a[j], sum[i][j]);
        }
    }
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j++)
            gW[i * n_in + j] += NAME(sum_lanes)(sum[i][j]);
}

static void NAME(dense_gradient)(size_t n_out, size_t n_in, size_t n, const real *D, const real *A, real *gW, real *gb,
                                 size_t ld)
{
    const size_t columns = NAME(round_up)(n);
    for (size_t i = 0; i < n_out; i++) {
        VEC sum = (VEC){0};
        for (size_t s = 0; s < columns; s += LANES)
            sum += LOAD(D + i * ld + s);
        gb[i] += NAME(sum_lanes)(sum);
    }
    size_t i = 0;
    for (; i + INNER_ROWS <= n_out; i += INNER_ROWS) {
        size_t j = 0;
        for (; j + INNER_COLS <= n_in; j += INNER_COLS)
            NAME(inner_tile)(INNER_ROWS, INNER_COLS, columns, D + i * ld, A + j * ld, gW + i * n_in + j, n_in, ld);
        for (; j < n_in; j++)
            NAME(inner_tile)(INNER_ROWS, 1, columns, D + i * ld, A + j * ld, gW + i * n_in + j, n_in, ld);
    }
    for (; i < n_out; i++) {
        size_t j = 0;
        for (; j + INNER_COLS <= n_in; j += INNER_COLS)
            NAME(inner_tile)(1, INNER_COLS, columns, D + i * ld, A + j * ld, gW + i * n_in + j, n_in, ld);
        for (; j < n_in; j++)
            NAME(inner_tile)(1, 1, columns, D + i * ld, A + j * ld, gW + i * n_in + j, n_in, ld);
    }
}

/* One sample at a time: the inner product of a row of W with the sample, lanes along the inputs. */
static void NAME(rows_forward)(size_t n_rows, size_t n_out, size_t n_in, const real *W, const real *b, const real *A,
                               real *Z)
{
    const size_t whole = n_in / LANES * LANES;
    for (size_t s = 0; s < n_rows; s++)
        for (size_t i = 0; i < n_out; i++) {
            const real *w = W + i * n_in, *a = A + s * n_in;
            VEC sum = (VEC){0};
            for (size_t j = 0; j < whole; j += LANES)
                sum = MADD(LOAD(w + j), LOAD(a + j), sum);
            real z = NAME(sum_lanes)(sum);
            for (size_t j = whole; j < n_in; j++)
                z = FMA(w[j], a[j], z);
            Z[s * n_out + i] = z + b[i];
        }
}

#undef VEC
#undef LANE
#undef LOAD
#undef STORE
#undef MADD
