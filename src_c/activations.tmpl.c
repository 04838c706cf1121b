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

static void NAME(activation)(int kind, size_t n, const real *z, real *h, real *d1, real *d2)
{
    if (kind == FMLP_ACTIVATION_sin && NAME(any_far)(n, z)) {
        NAME(sin_far)(n, z, h, d1, d2);
        return;
    }
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
