/* Vectors of parameters: sums, weight decay, the steps of the minibatch optimizers.
 *
 * Loops are INDEPENDENT: a compiler that has to ask whether arrays overlap keeps a second, scalar loop for arrays that lie
 * close together, and fuses other products with sums in it, so that bits would depend on addresses. Where two products
 * meet in a sum, FMA says which one is fused.
 */

static int NAME(finite)(size_t n, const real *x)
{
    const bits_t infinity = NAME(bits_of)((real)INFINITY);
    bits_t wrong = 0;
    for (size_t i = 0; i < n; i++)
        wrong |= (NAME(bits_of)(x[i]) & infinity) == infinity;
    return !wrong;
}

static void NAME(log1p)(size_t n, const real *x, real *y)
{
    INDEPENDENT
    for (size_t i = 0; i < n; i++)
        y[i] = NAME(vlog1p)(x[i]);
}

static void NAME(add)(size_t n, const real *x, real *y)
{
    INDEPENDENT
    for (size_t i = 0; i < n; i++)
        y[i] += x[i];
}

static void NAME(add_multiple)(size_t n, real factor, const real *x, real *y)
{
    INDEPENDENT
    for (size_t i = 0; i < n; i++)
        y[i] = FMA(factor, x[i], y[i]);
}

static double NAME(dot)(size_t n, const real *x, const real *y)
{
    enum { SUMS = 4 };
    VEC sum[SUMS];
    real lanes[LANES], total = R(0.0);
    size_t i = 0;
    for (size_t v = 0; v < SUMS; v++)
        sum[v] = (VEC){0};
    for (; i + SUMS * LANES <= n; i += SUMS * LANES)
        for (size_t v = 0; v < SUMS; v++)
            sum[v] = MADD(LOAD(x + i + v * LANES), LOAD(y + i + v * LANES), sum[v]);
    for (; i + LANES <= n; i += LANES)
        sum[0] = MADD(LOAD(x + i), LOAD(y + i), sum[0]);
    STORE(lanes, (sum[0] + sum[1]) + (sum[2] + sum[3]));
    for (size_t v = 0; v < LANES; v++)
        total += lanes[v];
    for (; i < n; i++)
        total = FMA(x[i], y[i], total);
    return total;
}

static double NAME(decay)(size_t n, real scale, real factor, const real *lambda, const real *w, real *g)
{
    enum { SUMS = 8 }; /* side by side, so that additions need not wait for each other */
    double sum[SUMS] = {0.0}, total = 0.0;
    const size_t whole = n / SUMS * SUMS;
    for (size_t i = 0; i < whole; i += SUMS)
        INDEPENDENT
        for (size_t j = 0; j < SUMS; j++) {
            const real force = lambda[i + j] * w[i + j];
            g[i + j] = FMA(scale, g[i + j], factor * force);
            sum[j] += (double)force * (double)w[i + j];
        }
    for (size_t i = whole; i < n; i++) {
        const real force = lambda[i] * w[i];
        g[i] = FMA(scale, g[i], factor * force);
        total += (double)force * (double)w[i];
    }
    for (size_t j = 0; j < SUMS; j++)
        total += sum[j];
    return 0.5 * total;
}

/* Averages of gradients that have died away would linger among the subnormal numbers, where arithmetic is a hundred times
 * slower: gradients below TINY, and squares of such, count as zero. */
static inline real NAME(flushed)(real x, real below)
{
    return FABS(x) < below ? R(0.0) : x;
}

static void NAME(sgd_step)(size_t n, real scale, real rate, real momentum, int nesterov, const real *g, real *v, real *w)
{
    INDEPENDENT
    for (size_t i = 0; i < n; i++) {
        v[i] = FMA(scale, g[i], NAME(flushed)(momentum * v[i], TINY));
        w[i] = FMA(-rate, nesterov ? FMA(scale, g[i], momentum * v[i]) : v[i], w[i]);
    }
}

static void NAME(adam_step)(size_t n, real scale, real rate, real correction, real b1, real c1, real b2, real c2,
                            real epsilon, const real *g, real *m, real *v, real *w)
{
    INDEPENDENT
    for (size_t i = 0; i < n; i++) {
        const real step = NAME(flushed)(scale * g[i], TINY);
        m[i] = FMA(c1, step, NAME(flushed)(b1 * m[i], TINY));
        v[i] = FMA(c2 * step, step, NAME(flushed)(b2 * v[i], TINY * TINY));
        w[i] -= rate * m[i] / (NAME(root)(v[i] * correction) + epsilon);
    }
}
