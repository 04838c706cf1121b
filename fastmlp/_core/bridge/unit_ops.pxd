# unit_ops of src_c/ops.tmpl.h, which documents them, as functions of a fused type; `ops` is the table of an
# instruction set and of the type at hand (kernels.pxd). Made by src_c/bridge.py: do not edit.

from cython cimport floating


cdef extern from "fmlp.h" nogil:
    ctypedef struct fmlp_ops_f32:
        void activation(int kind, size_t n, const float *z, float *h, float *d1, float *d2) noexcept nogil
        void activation_third(int kind, size_t n, const float *z, float *d3) noexcept nogil
        void log1p(size_t n, const float *x, float *y) noexcept nogil
        void softmax(size_t n_out, size_t n, const float *Z, float *Y, size_t ld) noexcept nogil
        void softmax_row(size_t n_out, float *z) noexcept nogil
        void softmax_product(size_t n_out, size_t n, const float *Y, const float *U, float *P, size_t ld) noexcept nogil
        void softmax_product_tangent(size_t n_out, size_t n, const float *Y, const float *RY, const float *U, float *RP,
                                     size_t ld) noexcept nogil
        void multiply(size_t width, size_t n, const float *A, const float *B, int add, float *C,
                      size_t ld) noexcept nogil

    ctypedef struct fmlp_ops_f64:
        void activation(int kind, size_t n, const double *z, double *h, double *d1, double *d2) noexcept nogil
        void activation_third(int kind, size_t n, const double *z, double *d3) noexcept nogil
        void log1p(size_t n, const double *x, double *y) noexcept nogil
        void softmax(size_t n_out, size_t n, const double *Z, double *Y, size_t ld) noexcept nogil
        void softmax_row(size_t n_out, double *z) noexcept nogil
        void softmax_product(size_t n_out, size_t n, const double *Y, const double *U, double *P,
                             size_t ld) noexcept nogil
        void softmax_product_tangent(size_t n_out, size_t n, const double *Y, const double *RY, const double *U,
                                     double *RP, size_t ld) noexcept nogil
        void multiply(size_t width, size_t n, const double *A, const double *B, int add, double *C,
                      size_t ld) noexcept nogil


cdef inline void activation(const void *ops, int kind, size_t n, const floating *z, floating *h, floating *d1,
                            floating *d2) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).activation(kind, n, z, h, d1, d2)
    else:
        (<const fmlp_ops_f64 *> ops).activation(kind, n, z, h, d1, d2)


cdef inline void activation_third(const void *ops, int kind, size_t n, const floating *z, floating *d3) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).activation_third(kind, n, z, d3)
    else:
        (<const fmlp_ops_f64 *> ops).activation_third(kind, n, z, d3)


cdef inline void log1p(const void *ops, size_t n, const floating *x, floating *y) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).log1p(n, x, y)
    else:
        (<const fmlp_ops_f64 *> ops).log1p(n, x, y)


cdef inline void softmax(const void *ops, size_t n_out, size_t n, const floating *Z, floating *Y,
                         size_t ld) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).softmax(n_out, n, Z, Y, ld)
    else:
        (<const fmlp_ops_f64 *> ops).softmax(n_out, n, Z, Y, ld)


cdef inline void softmax_row(const void *ops, size_t n_out, floating *z) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).softmax_row(n_out, z)
    else:
        (<const fmlp_ops_f64 *> ops).softmax_row(n_out, z)


cdef inline void softmax_product(const void *ops, size_t n_out, size_t n, const floating *Y, const floating *U,
                                 floating *P, size_t ld) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).softmax_product(n_out, n, Y, U, P, ld)
    else:
        (<const fmlp_ops_f64 *> ops).softmax_product(n_out, n, Y, U, P, ld)


cdef inline void softmax_product_tangent(const void *ops, size_t n_out, size_t n, const floating *Y, const floating *RY,
                                         const floating *U, floating *RP, size_t ld) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).softmax_product_tangent(n_out, n, Y, RY, U, RP, ld)
    else:
        (<const fmlp_ops_f64 *> ops).softmax_product_tangent(n_out, n, Y, RY, U, RP, ld)


cdef inline void multiply(const void *ops, size_t width, size_t n, const floating *A, const floating *B, int add,
                          floating *C, size_t ld) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).multiply(width, n, A, B, add, C, ld)
    else:
        (<const fmlp_ops_f64 *> ops).multiply(width, n, A, B, add, C, ld)
