/* The number type of the templates that follow.
 *
 * With REAL_BITS set to 32 or 64 this header defines
 *   real      float or double
 *   bits_t    the unsigned integer of the same width
 *   R(x)      a literal of that type:        R(0.5)
 *   NAME(f)   the name with its suffix:      NAME(exp) -> exp_f32
 *   FMA(a,b,c)  a * b + c, fused where the target has the instruction
 *   FUSED       defined in that case
 *   FABS, SQRT  absolute value and square root
 *   TINY  its square is among the smallest normal numbers
 *   LEAST_NORMAL  the smallest one
 */
#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__)
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#else
#define ALWAYS_INLINE static inline
#endif

/* The line of the cache at p will be wanted soon; later: after more than the nearest cache holds. */
#ifndef FETCH
#if defined(__GNUC__)
#define FETCH(p) __builtin_prefetch(p)
#define FETCH_LATER(p) __builtin_prefetch(p, 0, 2)
#else
#define FETCH(p) ((void)(p))
#define FETCH_LATER(p) ((void)(p))
#endif
#endif

/* The iterations of the loop that follows do not depend on each other, even where one array is both read and written. */
#ifndef INDEPENDENT
#if defined(__clang__)
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define INDEPENDENT _Pragma("GCC ivdep")
#else
#define INDEPENDENT
#endif
#endif

/* Between these no product is fused with a sum: the same bits on every instruction set. */
#ifndef BEGIN_UNFUSED
#if defined(__clang__)
#define BEGIN_UNFUSED _Pragma("STDC FP_CONTRACT OFF")
#define END_UNFUSED _Pragma("STDC FP_CONTRACT DEFAULT")
#elif defined(__GNUC__)
#define BEGIN_UNFUSED _Pragma("GCC push_options") _Pragma("GCC optimize(\"fp-contract=off\")")
#define END_UNFUSED _Pragma("GCC pop_options")
#else
#define BEGIN_UNFUSED
#define END_UNFUSED
#endif
#endif

#undef real
#undef bits_t
#undef R
#undef NAME
#undef FMA
#undef FABS
#undef SQRT
#undef FUSED
#undef TINY
#undef LEAST_NORMAL

#if REAL_BITS == 32
#define real float
#define bits_t uint32_t
#define R(x) x##f
#define NAME(f) f##_f32
#define FABS(x) fabsf(x)
#define SQRT(x) sqrtf(x)
#define TINY R(1e-17)
#define LEAST_NORMAL FLT_MIN
#else
#define real double
#define bits_t uint64_t
#define R(x) x
#define NAME(f) f##_f64
#define FABS(x) fabs(x)
#define SQRT(x) sqrt(x)
#define TINY R(1e-150)
#define LEAST_NORMAL DBL_MIN
#endif

#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
#define FUSED
#if REAL_BITS == 32
#define FMA(a, b, c) __builtin_fmaf((a), (b), (c))
#else
#define FMA(a, b, c) __builtin_fma((a), (b), (c))
#endif
#else
#define FMA(a, b, c) ((a) * (b) + (c))
#endif
