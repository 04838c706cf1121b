/* Peak rate of multiply-adds: CHAINS independent ones on vectors that stay in registers, so that nothing waits. */

#define CHAINS 12 /* two units with a latency of four or five; with b and c they fit into 16 registers */

typedef float f16 __attribute__((vector_size(64)));
typedef float f8 __attribute__((vector_size(32)));
typedef float f4 __attribute__((vector_size(16)));
typedef double d8 __attribute__((vector_size(64)));
typedef double d4 __attribute__((vector_size(32)));
typedef double d2 __attribute__((vector_size(16)));

/* a = a b + c, which tends to 1: no overflow, no subnormal numbers. */
#define LOOP(name, vector, real)                                                                                         \
    static double name(long steps)                                                                                       \
    {                                                                                                                    \
        vector a[CHAINS], b, c;                                                                                          \
        for (unsigned i = 0; i < sizeof b / sizeof(real); i++) {                                                         \
            b[i] = (real)0.5;                                                                                            \
            c[i] = (real)0.5;                                                                                            \
        }                                                                                                                \
        for (int k = 0; k < CHAINS; k++)                                                                                 \
            a[k] = b * (real)k;                                                                                          \
        for (long step = 0; step < steps; step++)                                                                        \
            _Pragma("GCC unroll 12") for (int k = 0; k < CHAINS; k++) a[k] = a[k] * b + c;                               \
        double sum = 0;                                                                                                  \
        for (int k = 0; k < CHAINS; k++)                                                                                 \
            sum += (double)a[k][0];                                                                                      \
        return sum;                                                                                                      \
    }

#if defined(__x86_64__)
#define AVX512 __attribute__((target("avx512f,fma")))
#define AVX2 __attribute__((target("avx2,fma")))
AVX512 LOOP(f32_512, f16, float)
AVX512 LOOP(f64_512, d8, double)
AVX2 LOOP(f32_256, f8, float)
AVX2 LOOP(f64_256, d4, double)
#endif
LOOP(f32_128, f4, float)
LOOP(f64_128, d2, double)

/* Bytes of the widest vector that this processor multiplies and adds. */
int vector_bytes(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f"))
        return 64;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return 32;
#endif
    return 16;
}

/* Run `steps` times CHAINS multiply-adds on vectors of numbers of that many bytes; the sum keeps the compiler honest. */
double multiply_add(int number_bytes, long steps)
{
    switch (vector_bytes() + number_bytes) {
#if defined(__x86_64__)
    case 64 + 4: return f32_512(steps);
    case 64 + 8: return f64_512(steps);
    case 32 + 4: return f32_256(steps);
    case 32 + 8: return f64_256(steps);
#endif
    case 16 + 4: return f32_128(steps);
    default: return f64_128(steps);
    }
}

long flops_of_a_step(int number_bytes)
{
    return 2L * CHAINS * vector_bytes() / number_bytes;
}
