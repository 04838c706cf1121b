# loss_ops of src_c/ops.tmpl.h, which documents them, as functions of a fused type; `ops` is the table of an
# instruction set and of the type at hand (kernels.pxd). Made by src_c/bridge.py: do not edit.

from cython cimport floating


cdef extern from "fmlp.h" nogil:
    ctypedef struct fmlp_ops_f32:
        void loss_gradient(int kind, size_t n_out, size_t n, const float *Z, const float *Y, const float *d1,
                           const float *T, const float *weight, const float *scale, const float *precision,
                           float *value, float *D, size_t ld) noexcept nogil
        void loss_hessp(int kind, int ggn, size_t n_out, size_t n, const float *Z, const float *Y, const float *d1,
                        const float *d2, const float *T, const float *weight, const float *scale,
                        const float *precision, const float *RZ, float *RD, size_t ld) noexcept nogil

    ctypedef struct fmlp_ops_f64:
        void loss_gradient(int kind, size_t n_out, size_t n, const double *Z, const double *Y, const double *d1,
                           const double *T, const double *weight, const double *scale, const double *precision,
                           double *value, double *D, size_t ld) noexcept nogil
        void loss_hessp(int kind, int ggn, size_t n_out, size_t n, const double *Z, const double *Y, const double *d1,
                        const double *d2, const double *T, const double *weight, const double *scale,
                        const double *precision, const double *RZ, double *RD, size_t ld) noexcept nogil


cdef inline void loss_gradient(const void *ops, int kind, size_t n_out, size_t n, const floating *Z, const floating *Y,
                               const floating *d1, const floating *T, const floating *weight, const floating *scale,
                               const floating *precision, floating *value, floating *D, size_t ld) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).loss_gradient(kind, n_out, n, Z, Y, d1, T, weight, scale, precision, value, D, ld)
    else:
        (<const fmlp_ops_f64 *> ops).loss_gradient(kind, n_out, n, Z, Y, d1, T, weight, scale, precision, value, D, ld)


cdef inline void loss_hessp(const void *ops, int kind, int ggn, size_t n_out, size_t n, const floating *Z,
                            const floating *Y, const floating *d1, const floating *d2, const floating *T,
                            const floating *weight, const floating *scale, const floating *precision,
                            const floating *RZ, floating *RD, size_t ld) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).loss_hessp(kind, ggn, n_out, n, Z, Y, d1, d2, T, weight, scale, precision, RZ, RD,
                                                ld)
    else:
        (<const fmlp_ops_f64 *> ops).loss_hessp(kind, ggn, n_out, n, Z, Y, d1, d2, T, weight, scale, precision, RZ, RD,
                                                ld)
