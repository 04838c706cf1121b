/* fmlp: the C floor of fastmlp, the one header that Cython sees.
 *
 * Kernels for layers on one block of samples. No Python, no allocation, no threads, no input or output; no global
 * state but constant tables. Preconditions are the caller's: see README.md in this folder.
 */
#ifndef FMLP_H
#define FMLP_H

#include <stddef.h>

enum {
    FMLP_PAD = 16,  /* leading dimensions are multiples of this many elements: one 64-byte vector of floats */
    FMLP_PANEL = 64 /* columns of a triangle that are multiplied together */
};

/* Enums from the two lists: FMLP_ACTIVATION_tanh, FMLP_LOSS_cross_entropy, ... */
typedef enum {
#define ACTIVATION(name, prepare, h, d1, d2, d3) FMLP_ACTIVATION_##name,
#include "activations.def"
#undef ACTIVATION
    FMLP_N_ACTIVATIONS
} fmlp_activation;

typedef enum {
#define LOSS(name, output) FMLP_LOSS_##name,
#include "losses.def"
#undef LOSS
    FMLP_N_LOSSES
} fmlp_loss;

/* Windows of a convolution or a pool over images, and the outputs they give. That of output (y, x) begins at row
 * y down - top and column x across - left of the inputs; there are none outside. */
typedef struct {
    size_t channels, height, width;     /* of the inputs, */
    size_t maps, out_height, out_width; /* and of the outputs */
    size_t rows, cols;                  /* of a window */
    size_t down, across;                /* steps from one to the next */
    size_t top, left;                   /* how far the first one begins outside */
    size_t biases;                      /* of a map: none, one, or one for each position */
    size_t local;                       /* whether each position has weights of its own */
} fmlp_window;

/* How an image is laid out for a convolution whose lanes are positions side by side: with zeros around, and of columns that
 * are `across` steps apart each with its part of a row. Without strides the positions of all rows are one run, with the
 * columns between two rows for nothing, else each row is one. */
typedef struct {
    size_t part, row, plane, image; /* numbers; of the image whole vectors, and one behind */
    size_t runs, run, next;         /* runs, positions of one, and how far it is to the next row of outputs in it */
    size_t ld;                      /* run in whole vectors */
} fmlp_spread;

static inline fmlp_spread fmlp_spread_of(const fmlp_window *g)
{
    const size_t part = g->out_width + (g->cols - 1) / g->across, row = part * g->across;
    const size_t plane = ((g->out_height - 1) * g->down + g->rows) * row;
    const int together = g->down == 1 && g->across == 1;
    const size_t run = together ? (g->out_height - 1) * row + g->out_width : g->out_width;
    return (fmlp_spread){part, row, plane, (g->channels * plane + FMLP_PAD - 1) / FMLP_PAD * FMLP_PAD + FMLP_PAD,
                         together ? 1 : g->out_height, run, together ? row : 0,
                         (run + FMLP_PAD - 1) / FMLP_PAD * FMLP_PAD};
}

/* Numbers that an image and the outputs of a run need. */
static inline size_t fmlp_conv_room(const fmlp_window *g)
{
    const fmlp_spread spread = fmlp_spread_of(g);
    return g->local ? 0 : spread.image + g->maps * spread.ld;
}

/* The table of kernels for each number type. Kernels work on round_up(n, lanes) columns. */
#define KERNEL(result, name, arguments) result (*name) arguments;
#define real float
typedef struct {
    size_t lanes; /* samples per vector register */
#include "ops.tmpl.h"
} fmlp_ops_f32;
#undef real
#define real double
typedef struct {
    size_t lanes; /* samples per vector register */
#include "ops.tmpl.h"
} fmlp_ops_f64;
#undef real
#undef KERNEL

/* Names in the order of the enums. */
extern const char *const fmlp_activation_names[FMLP_N_ACTIVATIONS];
extern const char *const fmlp_loss_names[FMLP_N_LOSSES];
extern const char *const fmlp_loss_outputs[FMLP_N_LOSSES]; /* the canonical output of each loss */

/* One instruction set: its name, whether this CPU can run it, and its two tables. */
typedef struct {
    const char *name;
    int (*usable)(void);
    const fmlp_ops_f32 *f32;
    const fmlp_ops_f64 *f64;
} fmlp_isa;

/* All instruction sets compiled in, the plainest first. */
extern const fmlp_isa fmlp_isas[];
extern const int fmlp_n_isas;

#endif
