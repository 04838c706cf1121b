/* The names made from the two lists, and the list of instruction sets. */
#include "fmlp.h"

const char *const fmlp_activation_names[FMLP_N_ACTIVATIONS] = {
#define ACTIVATION(name, prepare, h, d1, d2, d3) #name,
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

#define DECLARE(isa)                                                                                                   \
    extern const fmlp_ops_f32 fmlp_##isa##_ops_f32;                                                                    \
    extern const fmlp_ops_f64 fmlp_##isa##_ops_f64;
#define ENTRY(isa, usable) {#isa, usable, &fmlp_##isa##_ops_f32, &fmlp_##isa##_ops_f64}

static int always(void)
{
    return 1;
}

DECLARE(generic)

#if defined(__x86_64__) && defined(__GNUC__)
/* What the processor has and the operating system saves. */
static int has_avx2(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static int has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
}

DECLARE(avx2)
DECLARE(avx512)
#endif

const fmlp_isa fmlp_isas[] = {
    ENTRY(generic, always),
#if defined(__x86_64__) && defined(__GNUC__)
    ENTRY(avx2, has_avx2),
    ENTRY(avx512, has_avx512),
#endif
};
const int fmlp_n_isas = sizeof(fmlp_isas) / sizeof(fmlp_isas[0]);
