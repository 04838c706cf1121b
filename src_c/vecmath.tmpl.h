/* Elementary functions without branches, tables or calls, made to be inlined in loops that compilers vectorize.
 *
 * Included for float and for double, after coefficients.h (made by minimax.py). Unless they say otherwise, functions are right over
 * the whole range of their type: subnormal and infinite results, signed zeros and NaN included. All are written for
 * targets without fused multiply-add and stay valid where FMA is fused.
 *
 * Notation: u is the unit roundoff; a number too accurate for one variable is a pair hi + lo with |lo| <= u |hi|.
 */
#undef MANTISSA_BITS
#undef EXPONENT_BIAS
#undef SIGN_BIT
#undef ROUNDER
#undef EXP_MAX
#undef TANH_MAX
#undef GELU_MAX
#undef GELU_GRID
#undef SIN_MAX
#undef FMA_DOUBLE
#if REAL_BITS == 32
#define MANTISSA_BITS 23
#define EXPONENT_BIAS 127
#define ROUNDER 0x1.8p23f   /* x + ROUNDER - ROUNDER is the integer nearest to x */
#define EXP_MAX 120.0f      /* x e^-x rounds to zero */
#define TANH_MAX 44.18f     /* e^2x < 2^127.5 */
#define GELU_MAX 15.0f      /* x e^(-x^2 / 2) rounds to zero */
#define GELU_GRID 0x1.8p15f /* x + GELU_GRID - GELU_GRID is a multiple of 2^-8: its square is exact */
#else
#define MANTISSA_BITS 52
#define EXPONENT_BIAS 1023
#define ROUNDER 0x1.8p52
#define EXP_MAX 800.0
#define TANH_MAX 354.7
#define GELU_MAX 40.0
#define GELU_GRID 0x1.8p32 /* a multiple of 2^-20 */
#endif
#define SIN_MAX R(196608.0) /* x 2/pi < 2^17 */
#define SIGN_BIT ((bits_t)1 << (REAL_BITS - 1))
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
#define FMA_DOUBLE(a, b, c) __builtin_fma((a), (b), (c))
#else
#define FMA_DOUBLE(a, b, c) ((a) * (b) + (c))
#endif

/* ---- bits ---- */

ALWAYS_INLINE bits_t NAME(bits_of)(real x)
{
    bits_t b;
    memcpy(&b, &x, sizeof b);
    return b;
}

ALWAYS_INLINE real NAME(of_bits)(bits_t b)
{
    real x;
    memcpy(&x, &b, sizeof x);
    return x;
}

/* x with the sign of `sign`, for x >= 0 */
ALWAYS_INLINE real NAME(with_sign)(real x, real sign)
{
    return NAME(of_bits)(NAME(bits_of)(x) | (NAME(bits_of)(sign) & SIGN_BIT));
}

/* min(x, limit) and max(x, limit) that keep NaN */
ALWAYS_INLINE real NAME(at_most)(real x, real limit)
{
    return x > limit ? limit : x;
}

ALWAYS_INLINE real NAME(at_least)(real x, real limit)
{
    return x < limit ? limit : x;
}

/* ---- square root ---- */

/* sqrt(x) to about an ulp, for x zero, normal or infinite. For doubles the processor's own takes as long as dozens of fused
 * multiply-adds: y is a guess at 1 / sqrt(x) by the bits with |e| = |1 - x y^2| < 0.069, and a step leaves 0.28 e^4. */
ALWAYS_INLINE real NAME(root)(real x)
{
#if defined(FUSED) && REAL_BITS == 64
    const real y = NAME(of_bits)(0x5fe6e90000000000u - (NAME(bits_of)(x) >> 1)), e = FMA(-x * y, y, 1.0);
    const real z = FMA(y * e, FMA(FMA(0.3125, e, 0.375), e, 0.5), y), f = FMA(-x * z, z, 1.0);
    return x < (real)INFINITY ? x * FMA(z * f, FMA(FMA(0.3125, f, 0.375), f, 0.5), z) : x;
#else
    return SQRT(x);
#endif
}

/* ---- exponential ---- */

/* e^x = 2^n (1 + q) = 2^n (hi + lo), with |q| < 0.42; 2^n = s1 s2, two normal numbers */
typedef struct {
    real q, hi, lo, s1, s2;
} NAME(exp_parts);

/* |x| <= EXP_MAX: n = round(x / ln 2), r = x - n ln 2, q = e^r - 1 = r + r^2 P(r). The product n LN2_1 is exact.
 * The last bits of *k are n + offset. */
ALWAYS_INLINE real NAME(exp_rest)(real x, int offset, bits_t *k)
{
    const real rounder = ROUNDER + offset;
    const real shifted = FMA(x, NAME(LOG2_E), rounder);
    const real n = shifted - rounder;
    const real r = FMA(-n, NAME(LN2_2), FMA(-n, NAME(LN2_1), x)), rr = r * r;
    *k = NAME(bits_of)(shifted);
    return FMA(rr, NAME(EXPM1_TAIL)(r, rr), r);
}

/* Twice the bias is added to n to make it positive for the shifts. */
ALWAYS_INLINE NAME(exp_parts) NAME(exp_split)(real x)
{
    bits_t k;
    NAME(exp_parts) e;
    e.q = NAME(exp_rest)(x, 2 * EXPONENT_BIAS, &k);
    const bits_t k1 = k >> 1;
    e.hi = R(1.0) + e.q;
    e.lo = e.q - (e.hi - R(1.0));
    e.s1 = NAME(of_bits)(k1 << MANTISSA_BITS);
    e.s2 = NAME(of_bits)((k - k1) << MANTISSA_BITS);
    return e;
}

/* e^x; one rounding more where the result is subnormal */
ALWAYS_INLINE real NAME(vexp)(real x)
{
    const NAME(exp_parts) e = NAME(exp_split)(NAME(at_least)(NAME(at_most)(x, EXP_MAX), -EXP_MAX));
    return e.hi * e.s1 * e.s2;
}

/* ---- logarithm ---- */

/* log(1 + f + df) - f for 0 <= f <= 1 and |df| <= u: with s = f / (2 + f),
 * log(1 + f) = 2 atanh(s) = 2 s + s^3 P(s^2) = f - s (f - s^2 P);  df / (1 + f) is near enough df (1 - f / 2). */
ALWAYS_INLINE real NAME(log1p_rest)(real f, real df)
{
    const real s = f / (R(2.0) + f), y = s * s, yy = y * y;
    /* which product is fused is said here: loops and their remainders would choose for themselves */
    return FMA(df, FMA(R(-0.5), f, R(1.0)), -(s * FMA(-y, NAME(LOG1P_TAIL)(y, yy), f)));
}

/* log(1 + x) for x in [0, inf]: 1 + x = 2^k (1 + f) */
ALWAYS_INLINE real NAME(vlog1p)(real x)
{
    const real u = R(1.0) + x;
    const bits_t exponent = NAME(bits_of)(u) >> MANTISSA_BITS; /* k + bias */
    const bits_t fraction = NAME(bits_of)(u) & (((bits_t)1 << MANTISSA_BITS) - 1);
    const real m = NAME(of_bits)(fraction | ((bits_t)EXPONENT_BIAS << MANTISSA_BITS));
    const real k = NAME(of_bits)(exponent | NAME(bits_of)(ROUNDER)) - (ROUNDER + EXPONENT_BIAS);
    const real inverse = NAME(of_bits)(((bits_t)(2 * EXPONENT_BIAS) - exponent) << MANTISSA_BITS); /* 2^-k */
    const real f = u < R(2.0) ? x : m - R(1.0);
    const real lost = u < R(2.0) ? R(0.0) : (R(1.0) - (u - x)) * inverse; /* what rounding took from u */
    const real y = FMA(k, NAME(LN2_1), FMA(k, NAME(LN2_2), f + NAME(log1p_rest)(f, lost)));
    return x < (real)INFINITY ? y : x;
}

/* ---- tanh ---- */

/* h = tanh(x), d1 = 1 - tanh(x)^2, the latter relatively accurate while it is a normal number, then zero */
typedef struct {
    real h, d1;
} NAME(tanh_parts);

/* With m = (e^2|x| - 1) / 2 and v = 1 / (m + 1): tanh|x| = m v and 1 - tanh(x)^2 = v (2 - v). Where e^2|x| = 1 + q, m is
 * relatively accurate as q is. Halves, so that v is normal as long as 1 - tanh(x)^2 is; m v is nearly m / (m + 1). */
ALWAYS_INLINE NAME(tanh_parts) NAME(vtanh)(real x)
{
    const real r = FABS(x);
    bits_t k;
    const real q = NAME(exp_rest)(R(2.0) * NAME(at_most)(r, TANH_MAX), EXPONENT_BIAS - 1, &k);
    const real half = NAME(of_bits)(k << MANTISSA_BITS); /* 2^(n - 1) */
    const real m = FMA(half, q, half - R(0.5)), d = m + R(1.0), v = R(1.0) / d;
#ifdef FUSED
    const real first = m * v, rest = FMA(-first, m, m - first); /* of the division by m + 1, not by what d was rounded to */
    const real quotient = FMA(rest, v, first);
#else
    const real quotient = m / d;
#endif

    NAME(tanh_parts) t;
    t.h = NAME(with_sign)(quotient, x);
    t.d1 = r > TANH_MAX ? R(0.0) : v * (R(2.0) - v);
    return t;
}

/* ---- logistic, softplus ---- */

/* p = logistic(z), q = logistic(-z), zp = z p, softplus = log(1 + e^z);
 * z is clipped to |z| <= EXP_MAX, so that z times zero is zero */
typedef struct {
    real p, q, zp, softplus, z;
} NAME(logistic_parts);

/* With e^-|z| = 2^n (hi + lo) and 1 + e^-|z| = d + dd, the smaller of p and q is 2^n (hi + lo) / (d + dd), the larger
 * its complement. To first order the quotient is hi / d + (lo - dd hi / d) / d, where 1 / d may be a straight line.
 * The factor 2^n comes last, after a product with z: results may be subnormal. Softplus is E + max(z, 0) + log1p_rest,
 * its first sum corrected for rounding. */
ALWAYS_INLINE NAME(logistic_parts) NAME(vlogistic_parts)(real z)
{
    const real t = NAME(at_most)(FABS(z), EXP_MAX);
    const NAME(exp_parts) e = NAME(exp_split)(-t);
    const real power = e.s1 * e.s2;
    const real E = e.hi * power, d = R(1.0) + E;
    const real dd = FMA(e.lo, power, (R(1.0) - d) + E);
    const real ratio = e.hi / d;
    const real scaled = FMA(FMA(-ratio, dd, e.lo), R(1.457) - R(0.5) * d, ratio);
    const real minor = scaled * e.s1 * e.s2, major = R(1.0) - minor;
    const real ramp = z > R(0.0) ? z : R(0.0), sum = E + ramp, sum_error = ramp - (sum - E);

    NAME(logistic_parts) l;
    l.p = z < R(0.0) ? minor : major;
    l.q = z < R(0.0) ? major : minor;
    l.zp = z < R(0.0) ? -t * scaled * e.s1 * e.s2 : FMA(-t, minor, z);
    l.softplus = z > EXP_MAX ? z : sum + (sum_error + NAME(log1p_rest)(E, e.lo * power));
    l.z = NAME(with_sign)(t, z);
    return l;
}

/* log(1 + e^-|z|) */
ALWAYS_INLINE real NAME(vlog1pexp_neg)(real z)
{
    const NAME(exp_parts) e = NAME(exp_split)(-NAME(at_most)(FABS(z), EXP_MAX));
    const real power = e.s1 * e.s2, E = e.hi * power;
    return E + NAME(log1p_rest)(E, e.lo * power);
}

/* ---- exponential of min(x, 0), for elu ---- */

/* e = e^x, em1 = e^x - 1 */
typedef struct {
    real e, em1;
} NAME(decay_parts);

ALWAYS_INLINE NAME(decay_parts) NAME(vdecay)(real x)
{
    const NAME(exp_parts) e = NAME(exp_split)(NAME(at_least)(NAME(at_most)(x, R(0.0)), -EXP_MAX));
    const real power = e.s1 * e.s2;
    return (NAME(decay_parts)){e.hi * e.s1 * e.s2, FMA(power, e.q, power - R(1.0))};
}

/* ---- normal distribution, for gelu ---- */

/* p = Phi(z), density = Phi'(z), zp = z p; z is clipped to |z| <= GELU_MAX */
typedef struct {
    real p, density, zp, z;
} NAME(normal_parts);

/* |z| = t + dt with t on a grid where t^2 is exact. With T = dt (t + dt / 2) and S = (1 - e^-T) / T,
 *   e^(-|z|^2 / 2) = e^(-t^2 / 2) (1 - T S),   Phi(-|z|) = e^(-t^2 / 2) (g(t) - dt S / sqrt(2 pi)),
 *   g(t) = e^(t^2 / 2) Phi(-t) = P(x) / (t + 1),   x = (t - 5) / (t + 5);
 * the second identity neglects dt^3 / 12. P = c_0 + rest varies by a fifth only, and P (1 + q) = c_0 + (rest + P q) with
 * a single rounding of full size. */
ALWAYS_INLINE NAME(normal_parts) NAME(vnormal_parts)(real z)
{
    const real a = NAME(at_most)(FABS(z), GELU_MAX);
    const real t = (a + GELU_GRID) - GELU_GRID, dt = a - t;
    const real T = dt * FMA(R(0.5), dt, t);
    const real S = FMA(-T, FMA(-T, FMA(-T, R(1.0) / R(24.0), R(1.0) / R(6.0)), R(0.5)), R(1.0));
    const real x = (t - R(5.0)) / (t + R(5.0)), xx = x * x, t1 = t + R(1.0);
    const real rest = FMA(x, NAME(NORMAL_TAIL_REST)(x, xx), -NAME(NORMAL_DENSITY_AT_0) * dt * S * t1);
    const NAME(exp_parts) e = NAME(exp_split)(R(-0.5) * t * t);
    const real scaled = (NAME(NORMAL_TAIL_0) + FMA(NAME(NORMAL_TAIL_0) + rest, e.q, rest)) / t1;
    const real minor = scaled * e.s1 * e.s2, major = R(1.0) - minor;

    NAME(normal_parts) n;
    n.p = z < R(0.0) ? minor : major;
    n.density = NAME(NORMAL_DENSITY_AT_0) * FMA(-T * S, e.hi, e.hi) * e.s1 * e.s2;
    n.zp = z < R(0.0) ? -a * scaled * e.s1 * e.s2 : FMA(-a, minor, z);
    n.z = NAME(with_sign)(a, z);
    return n;
}

/* ---- sine and cosine ---- */

typedef struct {
    real s, c;
} NAME(sin_cos);

/* |x| <= SIN_MAX: n = round(|x| 2/pi), r + dr = |x| - n pi/2 by pieces of pi/2 whose products with n are exact,
 * sin(r + dr) = r + (r^3 P(r^2) + dr cos r),  cos(r + dr) = 1 - r^2/2 + (r^4 Q(r^2) - r dr);
 * n mod 4 exchanges the two and sets their signs. The arithmetic is double for float too, where dr is not needed. */
ALWAYS_INLINE NAME(sin_cos) NAME(vsincos)(real x)
{
    const double a = fabs((double)x), rounder = 0x1.8p52;
    const double shifted = FMA_DOUBLE(a, NAME(TWO_OVER_PI), rounder), n = shifted - rounder;
    const double r1 = FMA_DOUBLE(-n, NAME(HALF_PI_1), a);
#if REAL_BITS == 32
    const double r = FMA_DOUBLE(-n, NAME(HALF_PI_2), r1), dr = 0.0;
#else
    const double n2 = n * NAME(HALF_PI_2), r2 = r1 - n2;
    const double rest = FMA_DOUBLE(n, NAME(HALF_PI_3), -((r1 - r2) - n2));
    const double r = r2 - rest, dr = (r2 - r) - rest;
#endif
    const double y = r * r, yy = y * y, c0 = FMA_DOUBLE(-0.5, y, 1.0);
    const double s = r + FMA_DOUBLE(r * y, NAME(SIN_TAIL)(y, yy), dr * c0);
    const double c = c0 + (FMA_DOUBLE(-0.5, y, 1.0 - c0) + FMA_DOUBLE(yy, NAME(COS_TAIL)(y, yy), -r * dr));

    uint64_t quadrant, sign, sin_bits, cos_bits;
    const double signed_x = (double)x;
    memcpy(&quadrant, &shifted, sizeof quadrant);
    memcpy(&sign, &signed_x, sizeof sign);
    memcpy(&sin_bits, &s, sizeof sin_bits);
    memcpy(&cos_bits, &c, sizeof cos_bits);
    const uint64_t exchange = (sin_bits ^ cos_bits) & -(quadrant & 1);
    sin_bits ^= exchange ^ ((quadrant & 2) << 62) ^ (sign & (uint64_t)1 << 63);
    cos_bits ^= exchange ^ (((quadrant + 1) & 2) << 62);
    double sine, cosine;
    memcpy(&sine, &sin_bits, sizeof sine);
    memcpy(&cosine, &cos_bits, sizeof cosine);
    return (NAME(sin_cos)){(real)sine, (real)cosine};
}
