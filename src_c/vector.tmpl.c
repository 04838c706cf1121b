/* Vectors of parameters: sums, weight decay, the steps of the minibatch optimizers. */

static void NAME(log1p)(size_t n, const real *x, real *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = NAME(vlog1p)(x[i]);
}

static void NAME(add)(size_t n, const real *x, real *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] += x[i];
}

static void NAME(multiply)(size_t n, const real *x, real *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] *= x[i];
}

static void NAME(scale)(size_t n, real alpha, real *x)
{
    for (size_t i = 0; i < n; i++)
        x[i] *= alpha;
}

static double NAME(decay)(size_t n, real factor, const real *lambda, const real *w, real *g)
{
    double value = 0.0;
    for (size_t i = 0; i < n; i++) {
        const real force = lambda[i] * w[i];
        g[i] += factor * force;
        value += 0.5 * (double)force * (double)w[i];
    }
    return value;
}

static void NAME(sgd_step)(size_t n, real rate, real momentum, int nesterov, const real *g, real *v, real *w)
{
    for (size_t i = 0; i < n; i++) {
        v[i] = momentum * v[i] + g[i];
        w[i] -= rate * (nesterov ? g[i] + momentum * v[i] : v[i]);
    }
}

static void NAME(adam_step)(size_t n, real rate, real correction, real b1, real b2, real epsilon, const real *g,
                            real *m, real *v, real *w)
{
    for (size_t i = 0; i < n; i++) {
        m[i] = b1 * m[i] + (R(1.0) - b1) * g[i];
        v[i] = b2 * v[i] + (R(1.0) - b2) * g[i] * g[i];
        w[i] -= rate * m[i] / (SQRT(v[i] * correction) + epsilon);
    }
}
