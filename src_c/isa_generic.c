/* The instruction set that every target has: 16-byte vectors (SSE2, NEON), or plain C where there are none. */
#define ISA generic
#define VECTOR_BYTES 16
#define TILE_ROWS 4
#define TILE_COLS 2
#define INNER_ROWS 2
#define INNER_COLS 4
#define INNER_TALL 2
#define PRODUCT_ROWS 12
#define PANEL_ROWS 8
#define PANEL_COLUMNS 1
#include "ops.inc"
