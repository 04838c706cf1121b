/* The names made from the two lists, and the list of instruction sets. */
#include "fmlp.h"

const char *const fmlp_activation_names[FMLP_N_ACTIVATIONS] = {
#define ACTIVATION(name, prepare, h, d1, d2) #name,
#include "activations.def"
#undef ACTIVATION
};

const char *const fmlp_loss_names[FMLP_N_LOSSES] = {
#define LOSS(name, output) #name,
#include "losses.def"
#undef LOSS
};

const char *const fmlp_loss_outputs[FMLP_N_LOSSES] = {
#define LOSS(name, output) #output,
#include "losses.def"
#undef LOSS
};

static int always(void)
{
    return 1;
}

extern const fmlp_ops_f32 fmlp_generic_ops_f32;
extern const fmlp_ops_f64 fmlp_generic_ops_f64;

const fmlp_isa fmlp_isas[] = {
    {"generic", always, &fmlp_generic_ops_f32, &fmlp_generic_ops_f64},
};
const int fmlp_n_isas = sizeof(fmlp_isas) / sizeof(fmlp_isas[0]);
