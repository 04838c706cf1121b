/* Products of rows with a root S, an upper triangle, or with its transpose: by panels that are packed once, and then meet
 * many rows.
 */

_Static_assert(FMLP_PANEL % (size_t)NAME(PANEL) == 0, "panels side by side in the work space");

/* Panel after panel of S, down to the diagonal, or of S', from there on; with the other sign, which squares do not see. */
static void NAME(pack_root)(int lower, size_t n, const real *S, size_t lds, real *panels)
{
    for (size_t j = 0; j < n; j += NAME(PANEL)) {
        const size_t width = n - j < NAME(PANEL) ? n - j : NAME(PANEL), depth = lower ? n - j : j + width;
        const size_t whole = depth / LANES * LANES;
        if (lower) {
            const real *rows = S + j * lds + j;
            NAME(pack_transposed)(width, whole, rows, lds, panels);
            for (size_t k = whole; k < depth; k++)
                for (size_t c = 0; c < NAME(PANEL); c++)
                    panels[k * NAME(PANEL) + c] = c < width ? -rows[c * lds + k] : R(0.0);
        } else
            NAME(pack)(width, depth, S + j, lds, panels);
        panels += depth * NAME(PANEL);
    }
}

/* V (+)= J S for rows k to stop of S and some columns of a panel that begins with row `from` */
static void NAME(panel_product)(size_t m, size_t from, size_t k, size_t stop, size_t columns, const real *J, size_t ldj,
                                const real *panel, int add, real *V)
{
    if (k < stop)
        NAME(product)(m, stop - k, columns, J + k, ldj, panel + (k - from) * NAME(PANEL), NAME(PANEL),
                      (NAME(finish)){add, NULL, NULL, 1}, V, FMLP_PANEL);
}

/* V = J S for FMLP_PANEL columns from j on, whose panels are given; returns how many numbers these have. So many rows of S
 * at a time that what meets them of J stays in the second cache for all panels. Of a diagonal block, which no piece
 * divides, rows that are zero in one half of the columns are left out there. */
static size_t NAME(root_columns)(int lower, size_t n, size_t j, const real *panels, size_t m, const real *J, size_t ldj,
                                 real *V)
{
    enum { WIDTH = NAME(PANEL), HALF = WIDTH / 2, DEPTH = (WIDTH * sizeof(real) > 64 ? 96 : 192) / WIDTH * WIDTH }; /* 24 KB of a panel */
    const size_t last = n - j < FMLP_PANEL ? n : j + FMLP_PANEL, end = lower ? n : last;
    const real *panel = panels;
    for (size_t k = lower ? j : 0; k < end; k += DEPTH) {
        panel = panels;
        for (size_t p = j; p < last; p += WIDTH) {
            const size_t width = n - p < WIDTH ? n - p : WIDTH, from = lower ? p : 0, to = lower ? n : p + width;
            const size_t start = k > from ? k : from, stop = to < k + DEPTH ? to : k + DEPTH;
            const size_t part = width > HALF ? p + HALF : lower ? p : to; /* where rows of both halves begin or end */
            real *v = V + (p - j);
            if (lower) {
                NAME(panel_product)(m, p, start > part ? start : part, stop, WIDTH, J, ldj, panel, k > p, v);
                NAME(panel_product)(m, p, start, stop < part ? stop : part, HALF, J, ldj, panel, 1, v);
            } else {
                NAME(panel_product)(m, 0, start, stop < part ? stop : part, WIDTH, J, ldj, panel, k > 0, v);
                NAME(panel_product)(m, 0, start > part ? start : part, stop, WIDTH - HALF, J, ldj, panel + HALF, 1,
                                    v + HALF);
            }
            panel += (to - from) * WIDTH;
        }
    }
    return (size_t)(panel - panels);
}

static void NAME(root_squares)(size_t n, const real *panels, size_t m, const real *J, size_t ldj, real *V, real *sums)
{
    enum { WIDTH = NAME(PANEL) };
    memset(sums, 0, m * sizeof(real));
    for (size_t j = 0; j < n; j += FMLP_PANEL) {
        const size_t width = n - j < FMLP_PANEL ? (n - j + WIDTH - 1) / WIDTH * WIDTH : FMLP_PANEL;
        panels += NAME(root_columns)(0, n, j, panels, m, J, ldj, V);
        for (size_t i = 0; i < m; i++)
            sums[i] += (real)NAME(dot)(width, V + i * FMLP_PANEL, V + i * FMLP_PANEL);
    }
}

static void NAME(root_products)(int lower, size_t n, const real *panels, size_t m, const real *J, size_t ldj, real *V,
                                real *P, size_t ldp)
{
    for (size_t j = 0; j < n; j += FMLP_PANEL) {
        const size_t width = n - j < FMLP_PANEL ? n - j : FMLP_PANEL;
        panels += NAME(root_columns)(lower, n, j, panels, m, J, ldj, V);
        for (size_t i = 0; i < m; i++)
            for (size_t c = 0; c < width; c++)
                P[i * ldp + j + c] = -V[i * FMLP_PANEL + c];
    }
}
