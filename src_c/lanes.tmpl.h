/* Vectors of LANES numbers: what the kernels of products and of layout are made of.
 *
 * Included for several numbers of lanes; LANED(f) is a name with its suffix, as in fold_f32x16. GNU vector extensions
 * where the compiler has them, else vectors of one lane: the same lines are plain C then.
 */
#undef LANED
#undef VEC
#undef EACH_LANE
#define LANED_JOIN(name, lanes) name##x##lanes
#define LANED_NAME(name, lanes) LANED_JOIN(name, lanes)
#define LANED(f) LANED_NAME(NAME(f), LANES)
#define VEC LANED(vec)

#ifndef LOAD
#define LOAD(p) (*(const VEC *)(p))
#define STORE(p, v) (*(VEC *)(p) = (v))
#define MADD(a, b, c) ((a) * (b) + (c))
#define AS_VEC(x) ((x) - (VEC){0}) /* a number or a vector as a vector, signs of zeros included */
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#define SHUFFLE(a, b, f, h) __builtin_shufflevector(a, b, EACH_LANE(f, h))
#elif defined(__GNUC__)
#define UNROLL _Pragma("GCC unroll 16")
#define SHUFFLE(a, b, f, h) __builtin_shuffle(a, b, (LANED(mask)){EACH_LANE(f, h)})
#else
#define UNROLL
#endif
/* Two vectors change lanes in stages h = LANES / 2, ..., 2, 1, where lane k of the pair (a, b) goes by bit h of k. */
#define UPPER(k, h) ((k) & (h) ? LANES + (k) - (h) : (k))      /* upper half of the transposed pair, */
#define LOWER(k, h) ((k) & (h) ? LANES + (k) : (k) + (h))      /* and the lower one */
#define STAY(k, h) ((k) & (h) ? LANES + (k) : (k))             /* lanes that stay in their place, */
#define MOVE(k, h) ((k) & (h) ? LANES + (k) - (h) : (k) + (h)) /* and those added to them */
#define TRANSPOSE_STAGE(h)                                                                                             \
    UNROLL for (int i = 0; i < LANES; i++) if (!(i & (h)))                                                             \
    {                                                                                                                  \
        const VEC a = v[i], b = v[i + (h)];                                                                            \
        v[i] = SHUFFLE(a, b, UPPER, h);                                                                                \
        v[i + (h)] = SHUFFLE(a, b, LOWER, h);                                                                          \
    }
#define FOLD_STAGE(h)                                                                                                  \
    UNROLL for (int i = 0; i < (h); i++) v[i] =                                                                        \
        SHUFFLE(v[i], v[i + (h)], STAY, h) + SHUFFLE(v[i], v[i + (h)], MOVE, h);
#define TOTAL_STAGE(h) v += SHUFFLE(v, v, MOVE, h);
#define LANE(k, h) (k)
#endif

#if LANES == 16
#define EACH_LANE(f, h)                                                                                                \
    f(0, h), f(1, h), f(2, h), f(3, h), f(4, h), f(5, h), f(6, h), f(7, h), f(8, h), f(9, h), f(10, h), f(11, h),      \
        f(12, h), f(13, h), f(14, h), f(15, h)
#elif LANES == 8
#define EACH_LANE(f, h) f(0, h), f(1, h), f(2, h), f(3, h), f(4, h), f(5, h), f(6, h), f(7, h)
#elif LANES == 4
#define EACH_LANE(f, h) f(0, h), f(1, h), f(2, h), f(3, h)
#elif LANES == 2
#define EACH_LANE(f, h) f(0, h), f(1, h)
#endif

#if LANES > 1
typedef real VEC __attribute__((vector_size(LANES * REAL_BITS / 8), aligned(REAL_BITS / 8), may_alias));
typedef bits_t LANED(mask) __attribute__((vector_size(LANES * REAL_BITS / 8), aligned(REAL_BITS / 8), may_alias));
#else
typedef real VEC;
typedef bits_t LANED(mask);
#endif

/* Lane by lane m ? a : b, for m that a comparison has given; a and b may be numbers or masks. */
#ifndef SELECT
#if defined(__GNUC__)
#define SELECT(m, a, b)                                                                                                \
    ((__typeof__(a))(((LANED(mask))(m) & (LANED(mask))(a)) | (~(LANED(mask))(m) & (LANED(mask))(b))))
#else
#define SELECT(m, a, b) ((m) ? (a) : (b))
#endif
#endif

/* Lane by lane a < b ? a : b, so that b stays where it is NaN; compilers make more of SELECT than one instruction. The last
 * argument of 512 bits is the rounding, as ever; before it gcc's has a mask. */
#undef LESSER
#undef LESSER_512
#if defined(__clang__)
#define LESSER_512(type, a, b) __builtin_ia32_min##type##512(a, b, 4)
#else
#define LESSER_512(type, a, b) __builtin_ia32_min##type##512_mask(a, b, b, -1, 4)
#endif
#if defined(__AVX512F__) && LANES == 16 && REAL_BITS == 32
#define LESSER(a, b) ((VEC)LESSER_512(ps, a, b))
#elif defined(__AVX512F__) && LANES == 8 && REAL_BITS == 64
#define LESSER(a, b) ((VEC)LESSER_512(pd, a, b))
#elif defined(__AVX2__) && LANES == 8 && REAL_BITS == 32
#define LESSER(a, b) ((VEC)__builtin_ia32_minps256(a, b))
#elif defined(__AVX2__) && LANES == 4 && REAL_BITS == 64
#define LESSER(a, b) ((VEC)__builtin_ia32_minpd256(a, b))
#else
#define LESSER(a, b) SELECT((a) < (b), a, b)
#endif

/* a b + c, rounded once where numbers have FUSED: MADD is what compilers make of it, which is two roundings where they
 * optimize little. Not there: for processors whose instruction cannot be named. */
#undef FUSED_MADD
#undef FUSED_256
#undef FUSED_512
#if defined(__clang__)
#define FUSED_256(type, a, b, c) __builtin_elementwise_fma(a, b, c)
#define FUSED_512 FUSED_256
#else
#define FUSED_256(type, a, b, c) __builtin_ia32_vfmadd##type##256(a, b, c)
#define FUSED_512(type, a, b, c) __builtin_ia32_vfmadd##type##512_mask(a, b, c, -1, 4)
#endif
#if !defined(FUSED)
#define FUSED_MADD MADD
#elif defined(__AVX512F__) && LANES == 16 && REAL_BITS == 32
#define FUSED_MADD(a, b, c) ((VEC)FUSED_512(ps, AS_VEC(a), AS_VEC(b), AS_VEC(c)))
#elif defined(__AVX512F__) && LANES == 8 && REAL_BITS == 64
#define FUSED_MADD(a, b, c) ((VEC)FUSED_512(pd, AS_VEC(a), AS_VEC(b), AS_VEC(c)))
#elif defined(__AVX2__) && LANES == 8 && REAL_BITS == 32
#define FUSED_MADD(a, b, c) ((VEC)FUSED_256(ps, AS_VEC(a), AS_VEC(b), AS_VEC(c)))
#elif defined(__AVX2__) && LANES == 4 && REAL_BITS == 64
#define FUSED_MADD(a, b, c) ((VEC)FUSED_256(pd, AS_VEC(a), AS_VEC(b), AS_VEC(c)))
#endif

/* v[i][k] <-> v[k][i] */
ALWAYS_INLINE void LANED(transpose)(VEC *v)
{
    (void)v;
#if LANES > 8
    TRANSPOSE_STAGE(8)
#endif
#if LANES > 4
    TRANSPOSE_STAGE(4)
#endif
#if LANES > 2
    TRANSPOSE_STAGE(2)
#endif
#if LANES > 1
    TRANSPOSE_STAGE(1)
#endif
}

/* The vector of the sums over the lanes of v[0], ..., v[LANES - 1], which are used up; left in v[0]. */
ALWAYS_INLINE void LANED(fold)(VEC *v)
{
    (void)v;
#if LANES > 8
    FOLD_STAGE(8)
#endif
#if LANES > 4
    FOLD_STAGE(4)
#endif
#if LANES > 2
    FOLD_STAGE(2)
#endif
#if LANES > 1
    FOLD_STAGE(1)
#endif
}

/* The sum over the lanes of v. */
ALWAYS_INLINE real LANED(total)(VEC v)
{
#if LANES > 8
    TOTAL_STAGE(8)
#endif
#if LANES > 4
    TOTAL_STAGE(4)
#endif
#if LANES > 2
    TOTAL_STAGE(2)
#endif
#if LANES > 1
    TOTAL_STAGE(1)
    return v[0];
#else
    return v;
#endif
}
