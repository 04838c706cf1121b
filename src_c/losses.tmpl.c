/* The losses of losses.def on one block: value and gradient at the logits, and Hessian products.
 *
 * Differences such as y - t are formed so that they keep their relative accuracy when a sample is fitted almost perfectly:
 * logistic: y - t = (1 - t) y - t (1 - y) with 1 - y = logistic(-z); softmax: y_k - t_k from the sum over the other classes.
 * So are products with the covariance diag(y) - y y', where 1 - y_m, of the class m that has almost all, is the sum of the others.
 */

/* ---- losses that are a sum over outputs of a function of one logit ----
 * E, D, H, G: value, d/dz, d2/dz2 and the Gauss-Newton part of the latter, in terms of z, t (and y, h1, h2, c), and of
 * what PREPARE declares. */
#define ELEMENTWISE_LOSS(name, PREPARE, E, D_, H, G)                                                                   \
    static void NAME(name##_gradient)(size_t n_out, size_t columns, const real *Z, const real *Y, const real *d1,      \
                                      const real *T, const real *scale, const real *precision, real *value, real *D,   \
                                      size_t ld)                                                                       \
    {                                                                                                                  \
        (void)Y, (void)d1, (void)scale, (void)precision;                                                               \
        for (size_t s = 0; s < columns; s++)                                                                           \
            value[s] = R(0.0);                                                                                         \
        for (size_t k = 0; k < n_out; k++)                                                                             \
            for (size_t s = 0; s < columns; s++) {                                                                     \
                const size_t i = k * ld + s;                                                                           \
                const real z = Z[i], t = T[i];                                                                         \
                (void)z, (void)t;                                                                                      \
                PREPARE value[s] += E;                                                                                 \
                if (D)                                                                                                 \
                    D[i] = D_;                                                                                         \
            }                                                                                                          \
    }                                                                                                                  \
    static void NAME(name##_hessp)(int ggn, size_t n_out, size_t columns, const real *Z, const real *Y,                \
                                   const real *d1, const real *d2, const real *T, const real *scale,                   \
                                   const real *precision, const real *RZ, real *RD, size_t ld)                         \
    {                                                                                                                  \
        (void)Y, (void)d1, (void)d2, (void)scale, (void)precision, (void)T;                                            \
        for (size_t k = 0; k < n_out; k++)                                                                             \
            for (size_t s = 0; s < columns; s++) {                                                                     \
                const size_t i = k * ld + s;                                                                           \
                const real z = Z[i];                                                                                   \
                (void)z;                                                                                               \
                PREPARE RD[i] = (ggn ? G : H) * RZ[i];                                                                 \
            }                                                                                                          \
    }

/* e = c/2 (y - t)^2 with y = h(z) and c the precision of the output (1 without scale), or of it and of the target */
#define SQUARED_ERROR(name, PRECISION)                                                                                 \
    ELEMENTWISE_LOSS(name, const real c = (scale ? scale[k] : R(1.0)) PRECISION; const real r = Y[i] - T[i];           \
                     const real h1 = d1 ? d1[i] : R(1.0);, R(0.5) * c * r * r, c * r * h1,                             \
                                                         c * (h1 * h1 + r * (d2 ? d2[i] : R(0.0))), c * (h1 * h1))
SQUARED_ERROR(squared_error, )
SQUARED_ERROR(measured_error, *precision[i])
#undef SQUARED_ERROR

/* e = log(1 + exp z) - t z */
ELEMENTWISE_LOSS(binary_cross_entropy, const NAME(logistic_parts) l = NAME(vlogistic_parts)(z);,
                 (z > 0 ? (R(1.0) - t) * z : -t * z) + NAME(vlog1pexp_neg)(z), (R(1.0) - t) * l.p - t * l.q,
                 l.p * l.q, l.p * l.q)

/* e = exp z - t z */
ELEMENTWISE_LOSS(poisson, const real e = NAME(vexp)(z);, e - t * z, e - t, e, e)

#undef ELEMENTWISE_LOSS

/* ---- softmax: all outputs of a sample together, CHUNK samples at a time ---- */
enum { NAME(CHUNK) = 64 };

/* For `width` samples: top[s] = max_k z_k, rest[s] = sum of exp(z_k - top) over all k but the first one that reaches top,
 * and E[k,s] = exp(z_k - top) (E may be NULL, or Z). */
static inline void NAME(exponentials)(size_t n_out, size_t width, const real *Z, real *E, real *top, real *rest,
                                      size_t ld)
{
    bits_t found[NAME(CHUNK)];
    INDEPENDENT
    for (size_t s = 0; s < width; s++) {
        top[s] = Z[s];
        rest[s] = R(0.0);
        found[s] = 0;
    }
    for (size_t k = 1; k < n_out; k++)
        INDEPENDENT
        for (size_t s = 0; s < width; s++)
            top[s] = Z[k * ld + s] > top[s] ? Z[k * ld + s] : top[s];
    for (size_t k = 0; k < n_out; k++)
        INDEPENDENT
        for (size_t s = 0; s < width; s++) {
            const real e = NAME(vexp)(Z[k * ld + s] - top[s]);
            const bits_t first = (Z[k * ld + s] == top[s]) & !found[s];
            rest[s] += first ? R(0.0) : e;
            found[s] |= first;
            if (E)
                E[k * ld + s] = e;
        }
}

static void NAME(softmax)(size_t n_out, size_t n, const real *Z, real *Y, size_t ld)
{
    const size_t columns = NAME(round_up)(n);
    for (size_t start = 0; start < columns; start += NAME(CHUNK)) {
        const size_t width = columns - start < NAME(CHUNK) ? columns - start : NAME(CHUNK);
        real top[NAME(CHUNK)], rest[NAME(CHUNK)];
        NAME(exponentials)(n_out, width, Z + start, Y + start, top, rest, ld);
        for (size_t k = 0; k < n_out; k++)
            INDEPENDENT
            for (size_t s = 0; s < width; s++)
                Y[k * ld + start + s] /= R(1.0) + rest[s];
    }
}

static void NAME(softmax_row)(size_t n_out, real *z)
{
    real top = z[0], sum = R(0.0);
    for (size_t k = 1; k < n_out; k++)
        top = z[k] > top ? z[k] : top;
    for (size_t k = 0; k < n_out; k++)
        z[k] = NAME(vexp)(z[k] - top);
    for (size_t k = 0; k < n_out; k++)
        sum += z[k];
    for (size_t k = 0; k < n_out; k++)
        z[k] /= sum;
}

/* top[s] = U[m,s] with m the first class of the largest Y[m,s] */
static inline void NAME(of_largest)(size_t n_out, size_t width, const real *Y, const real *U, real *top, size_t ld)
{
    real largest[NAME(CHUNK)];
    INDEPENDENT
    for (size_t s = 0; s < width; s++) {
        largest[s] = Y[s];
        top[s] = U[s];
    }
    for (size_t k = 1; k < n_out; k++)
        INDEPENDENT
        for (size_t s = 0; s < width; s++) {
            const real y = Y[k * ld + s], u = U[k * ld + s], least = largest[s], last = top[s];
            top[s] = y > least ? u : last;
            largest[s] = y > least ? y : least;
        }
}

/* sums[s] = sum_k Y[k,s] (U[k,s] - top[s]) */
static inline void NAME(column_products)(size_t n_out, size_t width, const real *Y, const real *U, const real *top,
                                         real *sums, size_t ld)
{
    INDEPENDENT
    for (size_t s = 0; s < width; s++)
        sums[s] = R(0.0);
    for (size_t k = 0; k < n_out; k++)
        INDEPENDENT
        for (size_t s = 0; s < width; s++)
            sums[s] += Y[k * ld + s] * (U[k * ld + s] - top[s]);
}

static void NAME(softmax_product)(size_t n_out, size_t n, const real *Y, const real *U, real *P, size_t ld)
{
    const size_t columns = NAME(round_up)(n);
    for (size_t start = 0; start < columns; start += NAME(CHUNK), Y += NAME(CHUNK), U += NAME(CHUNK), P += NAME(CHUNK)) {
        const size_t width = columns - start < NAME(CHUNK) ? columns - start : NAME(CHUNK);
        real top[NAME(CHUNK)], mean[NAME(CHUNK)];
        NAME(of_largest)(n_out, width, Y, U, top, ld);
        NAME(column_products)(n_out, width, Y, U, top, mean, ld);
        for (size_t k = 0; k < n_out; k++)
            INDEPENDENT
            for (size_t s = 0; s < width; s++)
                P[k * ld + s] = Y[k * ld + s] * ((U[k * ld + s] - top[s]) - mean[s]);
    }
}

static void NAME(softmax_product_tangent)(size_t n_out, size_t n, const real *Y, const real *RY, const real *U, real *RP,
                                          size_t ld)
{
    const size_t columns = NAME(round_up)(n);
    for (size_t start = 0; start < columns; start += NAME(CHUNK)) {
        const size_t width = columns - start < NAME(CHUNK) ? columns - start : NAME(CHUNK);
        real top[NAME(CHUNK)], mean[NAME(CHUNK)], tangent[NAME(CHUNK)];
        NAME(of_largest)(n_out, width, Y + start, U + start, top, ld);
        NAME(column_products)(n_out, width, Y + start, U + start, top, mean, ld);
        NAME(column_products)(n_out, width, RY + start, U + start, top, tangent, ld);
        for (size_t k = 0; k < n_out; k++)
            INDEPENDENT
            for (size_t s = 0; s < width; s++) {
                const size_t i = k * ld + start + s;
                RP[i] = RY[i] * ((U[i] - top[s]) - mean[s]) - Y[i] * tangent[s];
            }
    }
}

/* e = sum_k t_k (log sum_j exp z_j - z_k), de/dz_k = y_k sum_j t_j - t_k */
static void NAME(cross_entropy_gradient)(size_t n_out, size_t columns, const real *Z, const real *Y, const real *d1,
                                         const real *T, const real *scale, const real *precision, real *value, real *D,
                                         size_t ld)
{
    (void)Y, (void)d1, (void)scale, (void)precision;
    for (size_t start = 0; start < columns; start += NAME(CHUNK)) {
        const size_t width = columns - start < NAME(CHUNK) ? columns - start : NAME(CHUNK);
        const real *z = Z + start, *t = T + start;
        real *d = D ? D + start : NULL, *v = value + start;
        real top[NAME(CHUNK)], rest[NAME(CHUNK)], log_sum[NAME(CHUNK)], inverse[NAME(CHUNK)], loss[NAME(CHUNK)];
        real total[NAME(CHUNK)];
        bits_t found[NAME(CHUNK)];
        NAME(exponentials)(n_out, width, z, d, top, rest, ld);
        INDEPENDENT
        for (size_t s = 0; s < width; s++) {
            log_sum[s] = NAME(vlog1p)(rest[s]);
            inverse[s] = R(1.0) / (R(1.0) + rest[s]);
            loss[s] = total[s] = R(0.0);
            found[s] = 0;
        }
        for (size_t k = 0; k < n_out; k++)
            INDEPENDENT
            for (size_t s = 0; s < width; s++) {
                loss[s] += t[k * ld + s] * ((top[s] - z[k * ld + s]) + log_sum[s]);
                total[s] += t[k * ld + s];
            }
        INDEPENDENT
        for (size_t s = 0; s < width; s++)
            v[s] = loss[s];
        for (size_t k = 0; D && k < n_out; k++)
            INDEPENDENT
            for (size_t s = 0; s < width; s++) {
                const size_t i = k * ld + s;
                const bits_t first = (z[i] == top[s]) & !found[s];
                const real others = first ? rest[s] : (R(1.0) - d[i]) + rest[s];
                found[s] |= first;
                d[i] = (d[i] * (total[s] - t[i]) - t[i] * others) * inverse[s];
            }
    }
}

/* sum_l (d2e / dz_k dz_l) r_l = y_k (r_k - sum_l y_l r_l) sum_j t_j */
static void NAME(cross_entropy_hessp)(int ggn, size_t n_out, size_t columns, const real *Z, const real *Y,
                                      const real *d1, const real *d2, const real *T, const real *scale,
                                      const real *precision, const real *RZ, real *RD, size_t ld)
{
    (void)ggn, (void)Y, (void)d1, (void)d2, (void)scale, (void)precision;
    NAME(softmax)(n_out, columns, Z, RD, ld);
    NAME(softmax_product)(n_out, columns, RD, RZ, RD, ld);
    for (size_t start = 0; start < columns; start += NAME(CHUNK)) {
        const size_t width = columns - start < NAME(CHUNK) ? columns - start : NAME(CHUNK);
        real total[NAME(CHUNK)];
        INDEPENDENT
        for (size_t s = 0; s < width; s++)
            total[s] = R(0.0);
        for (size_t k = 0; k < n_out; k++)
            INDEPENDENT
            for (size_t s = 0; s < width; s++)
                total[s] += T[k * ld + start + s];
        for (size_t k = 0; k < n_out; k++)
            INDEPENDENT
            for (size_t s = 0; s < width; s++)
                RD[k * ld + start + s] *= total[s];
    }
}

/* ---- dispatch over the list; sample weights are applied here, once for all ---- */
static void NAME(weigh)(size_t n_out, size_t n, const real *weight, real *value, real *D, size_t ld)
{
    for (size_t s = 0; value && weight && s < n; s++)
        value[s] *= weight[s];
    for (size_t k = 0; D && k < n_out; k++) {
        for (size_t s = 0; weight && s < n; s++)
            D[k * ld + s] *= weight[s];
        for (size_t s = n; s < NAME(round_up)(n); s++)
            D[k * ld + s] = R(0.0);
    }
}

static void NAME(loss_gradient)(int kind, size_t n_out, size_t n, const real *Z, const real *Y, const real *d1,
                                const real *T, const real *weight, const real *scale, const real *precision, real *value,
                                real *D, size_t ld)
{
    if (precision)
        NAME(measured_error_gradient)(n_out, NAME(round_up)(n), Z, Y, d1, T, scale, precision, value, D, ld);
    else switch (kind) {
#define LOSS(name, output)                                                                                             \
    case FMLP_LOSS_##name:                                                                                             \
        NAME(name##_gradient)(n_out, NAME(round_up)(n), Z, Y, d1, T, scale, NULL, value, D, ld);                       \
        break;
#include "losses.def"
#undef LOSS
    }
    NAME(weigh)(n_out, n, weight, value, D, ld);
}

static void NAME(loss_hessp)(int kind, int ggn, size_t n_out, size_t n, const real *Z, const real *Y, const real *d1,
                             const real *d2, const real *T, const real *weight, const real *scale,
                             const real *precision, const real *RZ, real *RD, size_t ld)
{
    if (precision)
        NAME(measured_error_hessp)(ggn, n_out, NAME(round_up)(n), Z, Y, d1, d2, T, scale, precision, RZ, RD, ld);
    else switch (kind) {
#define LOSS(name, output)                                                                                             \
    case FMLP_LOSS_##name:                                                                                             \
        NAME(name##_hessp)(ggn, n_out, NAME(round_up)(n), Z, Y, d1, d2, T, scale, NULL, RZ, RD, ld);                   \
        break;
#include "losses.def"
#undef LOSS
    }
    NAME(weigh)(n_out, n, weight, NULL, RD, ld);
}
