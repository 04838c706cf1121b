/* The table of one number type, filled with the kernels above. */
#define KERNEL(result, name, arguments) .name = NAME(name),
const NAME(fmlp_ops) TABLE_NAME(ISA, NAME(ops)) = {
    .lanes = LANES,
#include "ops.tmpl.h"
};
#undef KERNEL
