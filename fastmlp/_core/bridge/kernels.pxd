# The C tables of src_c, one for each instruction set and type, and what else its header has.
#
# The `_ops` beside this file, made by src_c/bridge.py, are the kernels as functions of a fused type. Above, functions
# are written once for both types; only entry points that Python calls look which one it is.


cdef extern from "fmlp.h" nogil:
    enum:
        FMLP_PAD
        FMLP_PANEL
        FMLP_N_ACTIVATIONS
        FMLP_N_LOSSES
        FMLP_ACTIVATION_identity
        FMLP_LOSS_squared_error
    ctypedef struct fmlp_window:
        pass
    size_t fmlp_conv_room(const fmlp_window *window)
    const char *fmlp_activation_names[]
    const char *fmlp_loss_names[]
    const char *fmlp_loss_outputs[]

    ctypedef struct fmlp_ops_f32:
        size_t lanes

    ctypedef struct fmlp_ops_f64:
        size_t lanes

    ctypedef struct fmlp_isa:
        const char *name
        int usable() noexcept nogil
        const fmlp_ops_f32 *f32
        const fmlp_ops_f64 *f64
    const fmlp_isa fmlp_isas[]
    const int fmlp_n_isas


cdef inline size_t lanes(const void *ops, int itemsize) noexcept nogil:
    """Samples in one vector register."""
    return (<const fmlp_ops_f32 *> ops).lanes if itemsize == 4 else (<const fmlp_ops_f64 *> ops).lanes


# The table of an instruction set for float (itemsize 4) or double (8).
cdef const void *table(int isa, int itemsize) noexcept nogil
