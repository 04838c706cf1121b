/* Cholesky factors A = L L', and what is solved with them: lower triangles of row-major matrices.
 *
 * All work is done block column by block column, from the left: what earlier columns contribute is one product of
 * dense.tmpl.c with a packed panel, and what remains is a triangle of PANEL columns. Panels and triangles lie on the
 * stack, 60 KB at most.
 */

enum { NAME(FEW_ROWS) = 4 }; /* right-hand sides up to which packing does not pay: these go along rows of L */

/* The triangle of a diagonal block: rows of PANEL numbers, and the reciprocals of the diagonal. */
typedef struct {
    _Alignas(64) real rows[NAME(PANEL) * NAME(PANEL)];
    real reciprocal[NAME(PANEL)];
} NAME(triangle);

/* The transpose of the lower triangle of A, width x width; what lies above its diagonal is not read. */
static void NAME(load_triangle)(size_t width, const real *A, size_t ld, NAME(triangle) *U)
{
    memset(U->rows, 0, sizeof U->rows);
    for (size_t i = 0; i < width; i += LANES) {
        const size_t count = width - i < LANES ? width - i : LANES;
        for (size_t k = 0; k < i; k += LANES) {
            VEC v[LANES];
            UNROLL for (size_t r = 0; r < LANES; r++)
                v[r] = LOAD(A + (r < count ? i + r : width - 1) * ld + k);
            LANED(transpose)(v);
            UNROLL for (size_t r = 0; r < LANES; r++)
                STORE(U->rows + (k + r) * NAME(PANEL) + i, v[r]);
        }
        for (size_t r = 0; r < count; r++)
            for (size_t k = 0; k <= r; k++)
                U->rows[(i + k) * NAME(PANEL) + i + r] = A[(i + r) * ld + i + k];
    }
}

static void NAME(store_triangle)(size_t width, const NAME(triangle) *U, real *A, size_t ld)
{
    for (size_t i = 0; i < width; i += LANES) {
        const size_t count = width - i < LANES ? width - i : LANES;
        for (size_t k = 0; k < i; k += LANES) {
            VEC v[LANES];
            UNROLL for (size_t r = 0; r < LANES; r++)
                v[r] = LOAD(U->rows + (k + r) * NAME(PANEL) + i);
            LANED(transpose)(v);
            UNROLL for (size_t r = 0; r < LANES; r++)
                if (r < count)
                    STORE(A + (i + r) * ld + k, v[r]);
        }
        for (size_t r = 0; r < count; r++)
            for (size_t k = 0; k <= r; k++)
                A[(i + r) * ld + i + k] = U->rows[(i + k) * NAME(PANEL) + i + r];
    }
}

static void NAME(invert_diagonal)(NAME(triangle) *U)
{
    for (size_t k = 0; k < NAME(PANEL); k++)
        U->reciprocal[k] = R(1.0) / U->rows[k * NAME(PANEL) + k];
}

/* panel[k,j] = -A[j,k] for j < PANEL, k < depth, which is a multiple of LANES; where A has fewer rows the last one is repeated. */
static void NAME(pack_transposed)(size_t rows, size_t depth, const real *A, size_t ld, real *panel)
{
    for (size_t j = 0; j < NAME(PANEL); j += LANES)
        for (size_t k = 0; k < depth; k += LANES) {
            VEC v[LANES];
            UNROLL for (size_t r = 0; r < LANES; r++)
                v[r] = -LOAD(A + (j + r < rows ? j + r : rows - 1) * ld + k);
            LANED(transpose)(v);
            UNROLL for (size_t r = 0; r < LANES; r++)
                STORE(panel + (k + r) * NAME(PANEL) + j, v[r]);
        }
}

/* panel[k,j] = -A[k,j] for j < width, and 0 up to PANEL */
static void NAME(pack)(size_t width, size_t depth, const real *A, size_t ld, real *panel)
{
    for (size_t k = 0; k < depth; k++) {
        for (size_t j = 0; j < width; j++)
            panel[k * NAME(PANEL) + j] = -A[k * ld + j];
        for (size_t j = width; j < NAME(PANEL); j++)
            panel[k * NAME(PANEL) + j] = R(0.0);
    }
}

/* C += W panel */
static void NAME(add_product)(size_t m, size_t depth, const real *W, size_t ldw, const real *panel, real *C, size_t ldc)
{
    NAME(product)(m, depth, NAME(PANEL), W, ldw, panel, NAME(PANEL), (NAME(finish)){1, NULL, NULL, 1}, C, ldc);
}

/* LANES rows of the solution X of U'X = C, or with backward of L'X = C, from row j on, one vector wide: v holds these of
 * C. M is U or L, its rows lie ldm apart; the rows of X before these, or with backward behind them, are known. */
ALWAYS_INLINE void NAME(substitute)(int backward, size_t j, const real *M, size_t ldm, const real *reciprocal,
                                    const real *X, size_t ldx, VEC *v)
{
    const size_t first = backward ? j + LANES : 0, end = backward ? NAME(PANEL) : j;
    for (size_t k = first; k < end; k++) {
        const VEC known = LOAD(X + k * ldx);
        UNROLL for (size_t r = 0; r < LANES; r++)
            v[r] -= M[k * ldm + j + r] * known;
    }
    UNROLL for (size_t step = 0; step < LANES; step++) {
        const size_t k = backward ? LANES - 1 - step : step;
        const VEC known = v[k] *= reciprocal[j + k];
        UNROLL for (size_t r = 0; r < LANES; r++)
            if (backward ? r < k : r > k)
                v[r] -= M[(j + k) * ldm + j + r] * known;
    }
}

/* The rows c of C become x with x U = c, or with backward x L = c; LANES rows at a time, turned so that lanes are rows. */
ALWAYS_INLINE void NAME(substitute_rows)(int backward, size_t m, const real *M, size_t ldm, const real *reciprocal, real *C,
                                         size_t ldc)
{
    enum { WIDTH = NAME(PANEL) };
    _Alignas(64) real x[WIDTH * LANES];
    for (size_t i = 0; i < m; i += LANES) {
        real *row[LANES];
        for (size_t r = 0; r < LANES; r++)
            row[r] = C + (i + r < m ? i + r : m - 1) * ldc; /* the last one may be solved several times */
        for (size_t step = 0; step < WIDTH; step += LANES) {
            const size_t j = backward ? WIDTH - LANES - step : step;
            VEC v[LANES];
            UNROLL for (size_t r = 0; r < LANES; r++)
                v[r] = LOAD(row[r] + j);
            LANED(transpose)(v);
            NAME(substitute)(backward, j, M, ldm, reciprocal, x, LANES, v);
            UNROLL for (size_t r = 0; r < LANES; r++)
                STORE(x + (j + r) * LANES, v[r]);
            LANED(transpose)(v);
            UNROLL for (size_t r = 0; r < LANES; r++)
                STORE(row[r] + j, v[r]);
        }
    }
}

/* U' U = U in place, on and above the diagonal, LANES rows at a time; 0, or the number of the first pivot that is not
 * positive, normal and finite. The next pivot waits for no square root. */
static size_t NAME(factor_triangle)(size_t width, NAME(triangle) *U)
{
    enum { WIDTH = NAME(PANEL) };
    for (size_t j = 0; j < width; j += LANES) {
        real *rows = U->rows + j * WIDTH;
        VEC v[LANES];
        UNROLL for (size_t r = 0; r < LANES; r++)
            v[r] = LOAD(rows + r * WIDTH + j);
        for (size_t k = 0; k < j; k++) {
            const VEC known = LOAD(U->rows + k * WIDTH + j);
            UNROLL for (size_t r = 0; r < LANES; r++)
                v[r] -= U->rows[k * WIDTH + j + r] * known;
        }
        UNROLL for (size_t r = 0; r < LANES; r++) {
            real *row = rows + r * WIDTH + j;
            STORE(row, v[r]);
            const real pivot = row[r], inverse = R(1.0) / pivot, root = SQRT(pivot);
            if (j + r == width)
                return 0;
            if (!(pivot >= LEAST_NORMAL && pivot < (real)INFINITY))
                return j + r + 1;
            UNROLL for (size_t q = r + 1; q < LANES; q++)
                v[q] -= row[q] * inverse * v[r];
            U->reciprocal[j + r] = R(1.0) / root;
            STORE(row, U->reciprocal[j + r] * v[r]);
            row[r] = root;
        }
        for (size_t s = j + LANES; s < width; s += LANES) {
            UNROLL for (size_t r = 0; r < LANES; r++)
                v[r] = LOAD(rows + r * WIDTH + s);
            NAME(substitute)(0, j, U->rows, WIDTH, U->reciprocal, U->rows + s, WIDTH, v);
            UNROLL for (size_t r = 0; r < LANES; r++)
                STORE(rows + r * WIDTH + s, v[r]);
        }
    }
    return 0;
}

static size_t NAME(cholesky_factor)(size_t n, real *A, size_t ld, size_t first, size_t last)
{
    enum { WIDTH = NAME(PANEL), DEPTH = NAME(PANEL_DEPTH) };
    _Alignas(64) real panel[WIDTH * DEPTH];
    NAME(triangle) U;
    for (size_t j = first; j < n && j < last; j += WIDTH) {
        const size_t width = n - j < WIDTH ? n - j : WIDTH, below = n - j - width;
        real *rows = A + j * ld, *others = rows + width * ld;
        NAME(load_triangle)(width, rows + j, ld, &U);
        for (size_t k = 0; k < j; k += DEPTH) {
            const size_t depth = j - k < DEPTH ? j - k : DEPTH;
            NAME(pack_transposed)(width, depth, rows + k, ld, panel);
            NAME(add_product)(width, depth, rows + k, ld, panel, U.rows, WIDTH);
            NAME(add_product)(below, depth, others + k, ld, panel, others + j, ld);
        }
        const size_t failed = NAME(factor_triangle)(width, &U);
        if (failed)
            return j + failed;
        NAME(store_triangle)(width, &U, rows + j, ld);
        if (below)
            NAME(substitute_rows)(0, below, U.rows, WIDTH, U.reciprocal, others + j, ld);
    }
    return 0;
}

/* Forward substitution of one vector, from element `first` on: the earlier ones are solved. LANES elements at a time. */
static void NAME(forward_row)(size_t first, size_t n, const real *L, size_t ld, real *x)
{
    for (size_t i = first; i < n; i += LANES) {
        const size_t count = n - i < LANES ? n - i : LANES;
        const real *rows = L + i * ld;
        VEC sum[LANES];
        real known[LANES];
        UNROLL for (size_t r = 0; r < LANES; r++)
            sum[r] = (VEC){0};
        for (size_t k = 0; k < i; k += LANES)
            UNROLL for (size_t r = 0; r < LANES; r++)
                sum[r] = MADD(LOAD(rows + (r < count ? r : count - 1) * ld + k), LOAD(x + k), sum[r]);
        LANED(fold)(sum);
        STORE(known, sum[0]);
        for (size_t r = 0; r < count; r++) {
            const real *row = rows + r * ld + i;
            real rest = x[i + r] - known[r];
            for (size_t k = 0; k < r; k++)
                rest -= row[k] * known[k];
            x[i + r] = known[r] = rest * (R(1.0) / row[r]);
        }
    }
}

/* Backward substitution of one vector, down to element `first`; what these contribute to the earlier ones is subtracted. */
static void NAME(backward_row)(size_t first, size_t n, const real *L, size_t ld, real *x)
{
    for (size_t i = (n + LANES - 1) / LANES * LANES; i > first;) {
        i -= LANES;
        const size_t count = n - i < LANES ? n - i : LANES;
        const real *rows = L + i * ld;
        for (size_t r = count; r-- > 0;) {
            const real *row = rows + r * ld + i;
            const real known = x[i + r] *= R(1.0) / row[r];
            for (size_t k = 0; k < r; k++)
                x[i + k] -= known * row[k];
        }
        for (size_t k = 0; k < i; k += LANES) {
            VEC rest = LOAD(x + k);
            for (size_t r = 0; r < count; r++)
                rest -= x[i + r] * LOAD(rows + r * ld + k);
            STORE(x + k, rest);
        }
    }
}

static void NAME(cholesky_forward)(size_t n, const real *L, size_t ld, size_t m, real *B, size_t ldb)
{
    enum { WIDTH = NAME(PANEL), DEPTH = NAME(PANEL_DEPTH) };
    const size_t whole = m > NAME(FEW_ROWS) ? n / WIDTH * WIDTH : 0;
    _Alignas(64) real panel[WIDTH * DEPTH];
    NAME(triangle) U;
    for (size_t j = 0; j < whole; j += WIDTH) {
        for (size_t k = 0; k < j; k += DEPTH) {
            const size_t depth = j - k < DEPTH ? j - k : DEPTH;
            NAME(pack_transposed)(WIDTH, depth, L + j * ld + k, ld, panel);
            NAME(add_product)(m, depth, B + k, ldb, panel, B + j, ldb);
        }
        NAME(load_triangle)(WIDTH, L + j * ld + j, ld, &U);
        NAME(invert_diagonal)(&U);
        NAME(substitute_rows)(0, m, U.rows, WIDTH, U.reciprocal, B + j, ldb);
    }
    for (size_t i = 0; i < m; i++)
        NAME(forward_row)(whole, n, L, ld, B + i * ldb);
}

static void NAME(cholesky_backward)(size_t n, const real *L, size_t ld, size_t m, real *B, size_t ldb)
{
    enum { WIDTH = NAME(PANEL), DEPTH = NAME(PANEL_DEPTH) };
    const size_t whole = m > NAME(FEW_ROWS) ? n / WIDTH * WIDTH : 0;
    _Alignas(64) real panel[WIDTH * DEPTH];
    real reciprocal[WIDTH];
    for (size_t i = 0; i < m; i++)
        NAME(backward_row)(whole, n, L, ld, B + i * ldb);
    for (size_t j = whole; j > 0;) {
        const size_t above = j;
        j -= WIDTH;
        for (size_t k = above; k < whole; k += DEPTH) {
            const size_t depth = whole - k < DEPTH ? whole - k : DEPTH;
            NAME(pack)(WIDTH, depth, L + k * ld + j, ld, panel);
            NAME(add_product)(m, depth, B + k, ldb, panel, B + j, ldb);
        }
        for (size_t i = 0; i < WIDTH; i++)
            reciprocal[i] = R(1.0) / L[(j + i) * ld + j + i];
        NAME(substitute_rows)(1, m, L + j * ld + j, ld, reciprocal, B + j, ldb);
    }
}
