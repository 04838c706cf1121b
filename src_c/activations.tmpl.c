/* Activations element by element: for each row of activations.def three loops, with none, one or two derivatives, and
 * one of the third. And the product of two blocks, by which derivatives enter the chain rule. */

#define ACTIVATION(name, prepare, value, first, second, third)                                \
    static void NAME(name##_0)(size_t n, const real *z_, real *h)                             \
    {                                                                                         \
        INDEPENDENT                                                                           \
        for (size_t i = 0; i < n; i++) {                                                      \
            const real z = z_[i];                                                             \
            prepare                                                                           \
            h[i] = value;                                                                     \
        }                                                                                     \
    }                                                                                         \
    static void NAME(name##_1)(size_t n, const real *z_, real *h, real *d1)                   \
    {                                                                                         \
        INDEPENDENT                                                                           \
        for (size_t i = 0; i < n; i++) {                                                      \
            const real z = z_[i];                                                             \
            prepare                                                                           \
            h[i] = value;                                                                     \
            d1[i] = first;                                                                    \
        }                                                                                     \
    }                                                                                         \
    static void NAME(name##_2)(size_t n, const real *z_, real *h, real *d1, real *d2)         \
    {                                                                                         \
        INDEPENDENT                                                                           \
        for (size_t i = 0; i < n; i++) {                                                      \
            const real z = z_[i];                                                             \
            prepare                                                                           \
            h[i] = value;                                                                     \
            d1[i] = first;                                                                    \
            d2[i] = second;                                                                   \
        }                                                                                     \
    }                                                                                         \
    static void NAME(name##_third)(size_t n, const real *z_, real *d3)                        \
    {                                                                                         \
        INDEPENDENT                                                                           \
        for (size_t i = 0; i < n; i++) {                                                      \
            const real z = z_[i];                                                             \
            (void)z;                                                                          \
            prepare                                                                           \
            d3[i] = third;                                                                    \
        }                                                                                     \
    }
#include "activations.def"
#undef ACTIVATION

/* The sine where some |z| > SIN_MAX (or is not a number): each of these by the C library, the others as ever. */
static void NAME(sin_far)(size_t n, const real *z, real *h, real *d1, real *d2)
{
    for (size_t i = 0; i < n; i++) {
        const real x = z[i];
        NAME(sin_cos) t = NAME(vsincos)(x);
        if (!(FABS(x) <= SIN_MAX))
            t = (NAME(sin_cos)){(real)sin((double)x), (real)cos((double)x)};
        h[i] = t.s;
        if (d1)
            d1[i] = t.c;
        if (d2)
            d2[i] = -t.s;
    }
}

static int NAME(any_far)(size_t n, const real *z)
{
    int far = 0;
    for (size_t i = 0; i < n; i++)
        far |= !(FABS(z[i]) <= SIN_MAX);
    return far;
}

#if LANES > 1 && defined(FUSED_MADD)
/* tanh and its derivative as in vtanh, operation by operation and so to the bit, on several vectors at once: each result is
 * wanted a few instructions later only, so that a processor's window holds what it works on, not what waits. With AVX-512
 * 1.16 to 1.2 times as fast as the loops above. Refused: these loops unrolled and scheduled by the compiler (no gain). */
enum { NAME(MANY) = VECTOR_BYTES == 64 ? 4 : 2 };
#define EACH for (size_t u = 0; u < NAME(MANY); u++)
#pragma push_macro("FMA")
#undef FMA
#define FMA FUSED_MADD
ALWAYS_INLINE void NAME(tanh_vectors)(const real *z, real *h, real *d1)
{
    enum { MANY = NAME(MANY) };
    typedef LANED(mask) bits;
    const VEC zero = {0}, most = zero + TANH_MAX, rounder = zero + (ROUNDER + (EXPONENT_BIAS - 1));
    VEC x[MANY], r[MANY], a[MANY], n[MANY], q[MANY], half[MANY], m[MANY], d[MANY], v[MANY], t[MANY];
    EACH x[u] = LOAD(z + u * LANES);
    EACH r[u] = (VEC)((bits)x[u] & ~SIGN_BIT);
    EACH a[u] = R(2.0) * LESSER(most, r[u]); /* the rest of 2 |x|, as in exp_rest */
    EACH half[u] = FMA(a[u], NAME(LOG2_E), rounder);
    EACH n[u] = half[u] - rounder;
    EACH a[u] = FMA(-n[u], NAME(LN2_1), a[u]);
    EACH a[u] = FMA(-n[u], NAME(LN2_2), a[u]);
    EACH n[u] = a[u] * a[u];
    EACH q[u] = NAME(EXPM1_TAIL)(a[u], n[u]);
    EACH q[u] = FMA(n[u], q[u], a[u]);
    EACH half[u] = (VEC)((bits)half[u] << MANTISSA_BITS);
    EACH m[u] = FMA(half[u], q[u], half[u] - R(0.5));
    EACH d[u] = m[u] + R(1.0);
    EACH v[u] = R(1.0) / d[u];
#ifdef FUSED
    EACH t[u] = m[u] * v[u];
    EACH n[u] = FMA(-t[u], m[u], m[u] - t[u]);
    EACH t[u] = FMA(n[u], v[u], t[u]);
#else
    EACH t[u] = m[u] / d[u];
#endif
    EACH STORE(h + u * LANES, (VEC)((bits)t[u] | ((bits)x[u] & SIGN_BIT)));
    if (d1)
        EACH STORE(d1 + u * LANES, (VEC)((bits)(v[u] * (R(2.0) - v[u])) & ~(bits)(r[u] > most)));
}
#pragma pop_macro("FMA")
#undef EACH

static void NAME(tanh_many)(size_t n, const real *z, real *h, real *d1)
{
    enum { STEP = NAME(MANY) * LANES };
    size_t i = 0;
    for (; d1 && i + STEP <= n; i += STEP)
        NAME(tanh_vectors)(z + i, h + i, d1 + i);
    for (; !d1 && i + STEP <= n; i += STEP)
        NAME(tanh_vectors)(z + i, h + i, NULL);
    if (d1)
        NAME(tanh_1)(n - i, z + i, h + i, d1 + i);
    else
        NAME(tanh_0)(n - i, z + i, h + i);
}
#endif

static void NAME(activation)(int kind, size_t n, const real *z, real *h, real *d1, real *d2)
{
    if (kind == FMLP_ACTIVATION_sin && NAME(any_far)(n, z)) {
        NAME(sin_far)(n, z, h, d1, d2);
        return;
    }
#if LANES > 1 && defined(FUSED_MADD)
    if (kind == FMLP_ACTIVATION_tanh && !d2) {
        NAME(tanh_many)(n, z, h, d1);
        return;
    }
#endif
    switch (kind) {
#define ACTIVATION(name, prepare, value, first, second, third) \
    case FMLP_ACTIVATION_##name:                               \
        if (d2)                                                \
            NAME(name##_2)(n, z, h, d1, d2);                   \
        else if (d1)                                           \
            NAME(name##_1)(n, z, h, d1);                       \
        else                                                   \
            NAME(name##_0)(n, z, h);                           \
        break;
#include "activations.def"
#undef ACTIVATION
    default:
        break;
    }
}

static void NAME(activation_third)(int kind, size_t n, const real *z, real *d3)
{
    if (kind == FMLP_ACTIVATION_sin && NAME(any_far)(n, z)) {
        for (size_t i = 0; i < n; i++) {
            const real x = z[i];
            d3[i] = FABS(x) <= SIN_MAX ? -NAME(vsincos)(x).c : (real)-cos((double)x);
        }
        return;
    }
    switch (kind) {
#define ACTIVATION(name, prepare, value, first, second, third) \
    case FMLP_ACTIVATION_##name:                               \
        NAME(name##_third)(n, z, d3);                          \
        break;
#include "activations.def"
#undef ACTIVATION
    default:
        break;
    }
}

static void NAME(multiply)(size_t width, size_t n, const real *A, const real *B, int add, real *C, size_t ld)
{
    for (size_t j = 0; j < width; j++, A += ld, B += ld, C += ld)
        if (add)
            INDEPENDENT
            for (size_t s = 0; s < NAME(round_up)(n); s++)
                C[s] += A[s] * B[s];
        else
            INDEPENDENT
            for (size_t s = 0; s < NAME(round_up)(n); s++)
                C[s] = A[s] * B[s];
}
