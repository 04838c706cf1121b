/* Constants of vecmath.tmpl.h. Made by minimax.py: do not edit.
 *
 * A name ends in the type it serves; a polynomial takes x and xx = x^2. Its error is relative to the function that it
 * is a part of, before the coefficients are rounded.
 */

/* ---- float ---- */

#define LOG2_E_f32 0x1.7154760000000p+0f
#define LN2_1_f32 0x1.62e4000000000p-1f
#define LN2_2_f32 0x1.7f7d1c0000000p-20f
#define NORMAL_DENSITY_AT_0_f32 0x1.9884540000000p-2f
#define TWO_OVER_PI_f32 0x1.45f306dc9c883p-1
#define HALF_PI_1_f32 0x1.921fb54400000p+0
#define HALF_PI_2_f32 0x1.0b4611a626331p-34

/* (e^x - 1 - x) / x^2 on |x| <= ln(2) / 2; error 2^-26.0 */
#define EXPM1_TAIL_f32(x, xx) ( \
    FMA(x, FMA(0x1.1225f40000000p-7f, \
    xx, 0x1.5554b20000000p-3f), \
    FMA(FMA(0x1.6d95fa0000000p-10f, \
    xx, 0x1.55548c0000000p-5f), \
    xx, 0x1.0000000000000p-1f)))

/* (log((1 + s) / (1 - s)) / s - 2) / s^2 of x = s^2, 0 <= s <= 1/3; error 2^-27.7 */
#define LOG1P_TAIL_f32(x, xx) ( \
    FMA(x, FMA(0x1.1ef8620000000p-2f, \
    xx, 0x1.99d27c0000000p-2f), \
    FMA(0x1.1eb6160000000p-2f, \
    xx, 0x1.5555000000000p-1f)))

/* (t + 1) exp(t^2 / 2) Phi(-t) of x = (t - 5) / (t + 5), 0 <= t <= 14.5 (float) or 38.7 (double); error 2^-29.2 */
#define NORMAL_TAIL_0_f32 0x1.d8979c0000000p-2f
#define NORMAL_TAIL_REST_f32(x, xx) ( \
    FMA(x, FMA(FMA(FMA(FMA(0x1.aac1be0000000p-13f, \
    xx, -0x1.c07bbc0000000p-10f), \
    xx, -0x1.f0aa840000000p-7f), \
    xx, -0x1.b096140000000p-6f), \
    xx, 0x1.fc67320000000p-6f), \
    FMA(FMA(FMA(FMA(-0x1.6a77de0000000p-15f, \
    xx, 0x1.ac606e0000000p-8f), \
    xx, 0x1.91fd7c0000000p-6f), \
    xx, 0x1.47c2260000000p-7f), \
    xx, -0x1.76ff860000000p-4f)))

/* (sin(r) / r - 1) / r^2 of x = r^2, 0 <= r <= pi / 4; error 2^-28.1 */
#define SIN_TAIL_f32(x, xx) ( \
    FMA_DOUBLE(x, 0x1.1107601f94fe1p-7, \
    FMA_DOUBLE(-0x1.994ea458f2758p-13, \
    xx, -0x1.55554598ca354p-3)))

/* (cos(r) - 1 + r^2 / 2) / r^4 of x = r^2, 0 <= r <= pi / 4; error 2^-33.3 */
#define COS_TAIL_f32(x, xx) ( \
    FMA_DOUBLE(x, -0x1.6c0c8bbf6530ap-10, \
    FMA_DOUBLE(0x1.9a025ac837dcep-16, \
    xx, 0x1.55554ab41416fp-5)))

/* ---- double ---- */

#define LOG2_E_f64 0x1.71547652b82fep+0
#define LN2_1_f64 0x1.62e42fefa3800p-1
#define LN2_2_f64 0x1.ef35793c76730p-45
#define NORMAL_DENSITY_AT_0_f64 0x1.9884533d43651p-2
#define TWO_OVER_PI_f64 0x1.45f306dc9c883p-1
#define HALF_PI_1_f64 0x1.921fb54440000p+0
#define HALF_PI_2_f64 0x1.68c234c4c0000p-39
#define HALF_PI_3_f64 0x1.98a2e03707345p-77

/* (e^x - 1 - x) / x^2 on |x| <= ln(2) / 2; error 2^-55.5 */
#define EXPM1_TAIL_f64(x, xx) ( \
    FMA(x, FMA(FMA(FMA(FMA(0x1.af74449b91062p-26, \
    xx, 0x1.71ddeba4651ddp-19), \
    xx, 0x1.a01a01b510d9ep-13), \
    xx, 0x1.111111110e94fp-7), \
    xx, 0x1.555555555555cp-3), \
    FMA(FMA(FMA(FMA(0x1.28a07bceae6c5p-22, \
    xx, 0x1.a019a9075a0d7p-16), \
    xx, 0x1.6c16c17e3bef3p-10), \
    xx, 0x1.55555555525bep-5), \
    xx, 0x1.0000000000004p-1)))

/* (log((1 + s) / (1 - s)) / s - 2) / s^2 of x = s^2, 0 <= s <= 1/3; error 2^-59.4 */
#define LOG1P_TAIL_f64(x, xx) ( \
    FMA(x, FMA(FMA(FMA(FMA(0x1.5c8aa4ee6ed74p-3, \
    xx, 0x1.efdd980912cfbp-4), \
    xx, 0x1.3b1de3405c71bp-3), \
    xx, 0x1.c71c741f96e43p-3), \
    xx, 0x1.99999999a0843p-2), \
    FMA(FMA(FMA(FMA(0x1.559bf89f59650p-4, \
    xx, 0x1.106767388733dp-3), \
    xx, 0x1.745cb39a0722ep-3), \
    xx, 0x1.2492492085608p-2), \
    xx, 0x1.5555555555535p-1)))

/* (t + 1) exp(t^2 / 2) Phi(-t) of x = (t - 5) / (t + 5), 0 <= t <= 14.5 (float) or 38.7 (double); error 2^-56.6 */
#define NORMAL_TAIL_0_f64 0x1.d8979b0f2b39dp-2
#define NORMAL_TAIL_REST_f64(x, xx) ( \
    FMA(x, FMA(FMA(FMA(FMA(FMA(FMA(FMA(FMA(FMA(FMA(0x1.82f4eaab4de18p-31, \
    xx, 0x1.feef41c68bfb2p-32), \
    xx, -0x1.78b04f2e46cf5p-26), \
    xx, 0x1.0b5e5f31a3391p-23), \
    xx, -0x1.273b46c4d5bfap-24), \
    xx, -0x1.4c1300515a453p-17), \
    xx, 0x1.7e61f2c20044ep-13), \
    xx, -0x1.b75f4fcdc948ep-10), \
    xx, -0x1.f11aab0243207p-7), \
    xx, -0x1.b08e0007b903dp-6), \
    xx, 0x1.fc66cc64a1504p-6), \
    FMA(FMA(FMA(FMA(FMA(FMA(FMA(FMA(FMA(FMA(0x1.0a54a80816eeep-28, \
    xx, -0x1.0f43bebe42499p-25), \
    xx, 0x1.a9cf32780cceap-23), \
    xx, -0x1.5f83f35013b1ep-20), \
    xx, 0x1.30091ec4dabb7p-17), \
    xx, -0x1.c1b23bcb89826p-15), \
    xx, 0x1.057200c0d0dedp-17), \
    xx, 0x1.ab6d03879db5bp-8), \
    xx, 0x1.92037bab5ee3cp-6), \
    xx, 0x1.47c1d0305324dp-7), \
    xx, -0x1.76ff86859eb0ep-4)))

/* (sin(r) / r - 1) / r^2 of x = r^2, 0 <= r <= pi / 4; error 2^-58.0 */
#define SIN_TAIL_f64(x, xx) ( \
    FMA_DOUBLE(x, FMA_DOUBLE(FMA_DOUBLE(0x1.5d932f864f8e7p-33, \
    xx, 0x1.71de3578746aap-19), \
    xx, 0x1.111111110f880p-7), \
    FMA_DOUBLE(FMA_DOUBLE(-0x1.ae5e66d56b70bp-26, \
    xx, -0x1.a01a019c1269dp-13), \
    xx, -0x1.5555555555549p-3)))

/* (cos(r) - 1 + r^2 / 2) / r^4 of x = r^2, 0 <= r <= pi / 4; error 2^-64.2 */
#define COS_TAIL_f64(x, xx) ( \
    FMA_DOUBLE(x, FMA_DOUBLE(FMA_DOUBLE(-0x1.8faecf1f7b9fap-37, \
    xx, -0x1.27e4f80a77ab3p-22), \
    xx, -0x1.6c16c16c15185p-10), \
    FMA_DOUBLE(FMA_DOUBLE(0x1.1ee9ec48045c1p-29, \
    xx, 0x1.a01a019cb2726p-16), \
    xx, 0x1.555555555554cp-5)))
