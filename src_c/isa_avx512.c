/* AVX-512: 64-byte vectors, 32 registers. */
#if defined(__x86_64__) && defined(__GNUC__)
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,fma"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512dq,avx512vl,avx512bw,fma,prefer-vector-width=512")
#endif
#define ISA avx512
#define VECTOR_BYTES 64
#define TILE_ROWS 6
#define TILE_COLS 4
#define INNER_ROWS 4
#define INNER_COLS 4
#define INNER_TALL 6
#define PRODUCT_ROWS (REAL_BITS == 64 ? 40 : 32)
#define PANEL_ROWS (REAL_BITS == 64 ? 40 : 24)
#define PANEL_COLUMNS 32
#include "ops.inc"
#ifdef __clang__
#pragma clang attribute pop
#endif
#endif
