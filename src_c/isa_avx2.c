/* AVX2 with fused multiply-add: 32-byte vectors, 16 registers. */
#if defined(__x86_64__) && defined(__GNUC__)
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif
#define ISA avx2
#define VECTOR_BYTES 32
#define TILE_ROWS 6
#define TILE_COLS 2
#define INNER_ROWS 2
#define INNER_COLS 4
#define INNER_TALL 2
#define PRODUCT_ROWS 12
#define PANEL_ROWS 8
#define PANEL_COLUMNS 1
#include "ops.inc"
#ifdef __clang__
#pragma clang attribute pop
#endif
#endif
