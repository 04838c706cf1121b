# dense_ops of src_c/ops.tmpl.h, which documents them, as functions of a fused type; `ops` is the table of an
# instruction set and of the type at hand (kernels.pxd). Made by src_c/bridge.py: do not edit.

from cython cimport floating


cdef extern from "fmlp.h" nogil:
    ctypedef struct fmlp_ops_f32:
        void dense_forward(size_t n_out, size_t n_in, size_t n, const float *W, const float *b, const float *A, int add,
                           float *Z, size_t ld) noexcept nogil
        void dense_backward(size_t n_out, size_t n_in, size_t n, const float *W, const float *D, int add,
                            const float *factor, float *E, size_t ld) noexcept nogil
        void dense_backward_part(size_t n_out, size_t n_in, size_t n, const float *W, size_t ldw, const float *D,
                                 size_t ldd, const float *factor, float *E, size_t ld) noexcept nogil
        void dense_gradient(size_t n_out, size_t n_in, size_t n, const float *D, const float *A, int add, float *gW,
                            float *gb, size_t ld) noexcept nogil
        void gram(size_t m, size_t n, const float *L, const float *R, size_t ld, int add, float *C) noexcept nogil
        void product_gradient(size_t m, size_t n, size_t samples, const float *D, const float *const *x,
                              const float *const *y, float *S, int add, float *G, size_t ld) noexcept nogil
        void multiply_rows(size_t m, size_t n, const float *x, const float *Y, int add, float *P,
                           size_t ld) noexcept nogil
        void rows_forward(size_t n_rows, size_t n_out, size_t n_in, const float *W, const float *b, const float *A,
                          float *Z) noexcept nogil

    ctypedef struct fmlp_ops_f64:
        void dense_forward(size_t n_out, size_t n_in, size_t n, const double *W, const double *b, const double *A,
                           int add, double *Z, size_t ld) noexcept nogil
        void dense_backward(size_t n_out, size_t n_in, size_t n, const double *W, const double *D, int add,
                            const double *factor, double *E, size_t ld) noexcept nogil
        void dense_backward_part(size_t n_out, size_t n_in, size_t n, const double *W, size_t ldw, const double *D,
                                 size_t ldd, const double *factor, double *E, size_t ld) noexcept nogil
        void dense_gradient(size_t n_out, size_t n_in, size_t n, const double *D, const double *A, int add, double *gW,
                            double *gb, size_t ld) noexcept nogil
        void gram(size_t m, size_t n, const double *L, const double *R, size_t ld, int add, double *C) noexcept nogil
        void product_gradient(size_t m, size_t n, size_t samples, const double *D, const double *const *x,
                              const double *const *y, double *S, int add, double *G, size_t ld) noexcept nogil
        void multiply_rows(size_t m, size_t n, const double *x, const double *Y, int add, double *P,
                           size_t ld) noexcept nogil
        void rows_forward(size_t n_rows, size_t n_out, size_t n_in, const double *W, const double *b, const double *A,
                          double *Z) noexcept nogil


cdef inline void dense_forward(const void *ops, size_t n_out, size_t n_in, size_t n, const floating *W,
                               const floating *b, const floating *A, int add, floating *Z, size_t ld) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).dense_forward(n_out, n_in, n, W, b, A, add, Z, ld)
    else:
        (<const fmlp_ops_f64 *> ops).dense_forward(n_out, n_in, n, W, b, A, add, Z, ld)


cdef inline void dense_backward(const void *ops, size_t n_out, size_t n_in, size_t n, const floating *W,
                                const floating *D, int add, const floating *factor, floating *E,
                                size_t ld) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).dense_backward(n_out, n_in, n, W, D, add, factor, E, ld)
    else:
        (<const fmlp_ops_f64 *> ops).dense_backward(n_out, n_in, n, W, D, add, factor, E, ld)


cdef inline void dense_backward_part(const void *ops, size_t n_out, size_t n_in, size_t n, const floating *W,
                                     size_t ldw, const floating *D, size_t ldd, const floating *factor, floating *E,
                                     size_t ld) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).dense_backward_part(n_out, n_in, n, W, ldw, D, ldd, factor, E, ld)
    else:
        (<const fmlp_ops_f64 *> ops).dense_backward_part(n_out, n_in, n, W, ldw, D, ldd, factor, E, ld)


cdef inline void dense_gradient(const void *ops, size_t n_out, size_t n_in, size_t n, const floating *D,
                                const floating *A, int add, floating *gW, floating *gb, size_t ld) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).dense_gradient(n_out, n_in, n, D, A, add, gW, gb, ld)
    else:
        (<const fmlp_ops_f64 *> ops).dense_gradient(n_out, n_in, n, D, A, add, gW, gb, ld)


cdef inline void gram(const void *ops, size_t m, size_t n, const floating *L, const floating *R, size_t ld, int add,
                      floating *C) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).gram(m, n, L, R, ld, add, C)
    else:
        (<const fmlp_ops_f64 *> ops).gram(m, n, L, R, ld, add, C)


cdef inline void product_gradient(const void *ops, size_t m, size_t n, size_t samples, const floating *D,
                                  const floating *const *x, const floating *const *y, floating *S, int add, floating *G,
                                  size_t ld) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).product_gradient(m, n, samples, D, x, y, S, add, G, ld)
    else:
        (<const fmlp_ops_f64 *> ops).product_gradient(m, n, samples, D, x, y, S, add, G, ld)


cdef inline void multiply_rows(const void *ops, size_t m, size_t n, const floating *x, const floating *Y, int add,
                               floating *P, size_t ld) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).multiply_rows(m, n, x, Y, add, P, ld)
    else:
        (<const fmlp_ops_f64 *> ops).multiply_rows(m, n, x, Y, add, P, ld)


cdef inline void rows_forward(const void *ops, size_t n_rows, size_t n_out, size_t n_in, const floating *W,
                              const floating *b, const floating *A, floating *Z) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).rows_forward(n_rows, n_out, n_in, W, b, A, Z)
    else:
        (<const fmlp_ops_f64 *> ops).rows_forward(n_rows, n_out, n_in, W, b, A, Z)
