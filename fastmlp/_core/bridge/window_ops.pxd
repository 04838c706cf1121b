# window_ops of src_c/ops.tmpl.h, which documents them, as functions of a fused type; `ops` is the table of an
# instruction set and of the type at hand (kernels.pxd). Made by src_c/bridge.py: do not edit.

from cython cimport floating

from fastmlp._core.bridge.kernels cimport fmlp_window


cdef extern from "fmlp.h" nogil:
    ctypedef struct fmlp_ops_f32:
        void conv_forward(const fmlp_window *window, size_t n, const float *W, const float *b, const float *A, int add,
                          float *Z, size_t ld) noexcept nogil
        void conv_backward(const fmlp_window *window, size_t n, const float *W, const float *D, int add,
                           const float *factor, float *E, size_t ld) noexcept nogil
        void conv_gradient(const fmlp_window *window, size_t n, const float *D, const float *A, int add, float *gW,
                           float *gb, size_t ld) noexcept nogil
        void conv_columns(const fmlp_window *window, size_t n, const float *D, const float *A, float *GW, float *Gb,
                          size_t ld) noexcept nogil
        void conv_rows(const fmlp_window *window, size_t n_rows, const float *W, const float *b, const float *A,
                       float *Z, float *room) noexcept nogil
        void mean_forward(const fmlp_window *window, size_t n, const float *A, int add, float *Z,
                          size_t ld) noexcept nogil
        void mean_backward(const fmlp_window *window, size_t n, const float *D, int add, const float *factor, float *E,
                           size_t ld) noexcept nogil
        void max_forward(const fmlp_window *window, size_t n, const float *point, const float *A, int add, float *Z,
                         size_t ld) noexcept nogil
        void max_backward(const fmlp_window *window, size_t n, const float *point, const float *D, int add,
                          const float *factor, float *E, size_t ld) noexcept nogil
        void mean_rows(const fmlp_window *window, size_t n_rows, const float *A, float *Z) noexcept nogil
        void max_rows(const fmlp_window *window, size_t n_rows, const float *A, float *Z) noexcept nogil

    ctypedef struct fmlp_ops_f64:
        void conv_forward(const fmlp_window *window, size_t n, const double *W, const double *b, const double *A,
                          int add, double *Z, size_t ld) noexcept nogil
        void conv_backward(const fmlp_window *window, size_t n, const double *W, const double *D, int add,
                           const double *factor, double *E, size_t ld) noexcept nogil
        void conv_gradient(const fmlp_window *window, size_t n, const double *D, const double *A, int add, double *gW,
                           double *gb, size_t ld) noexcept nogil
        void conv_columns(const fmlp_window *window, size_t n, const double *D, const double *A, double *GW, double *Gb,
                          size_t ld) noexcept nogil
        void conv_rows(const fmlp_window *window, size_t n_rows, const double *W, const double *b, const double *A,
                       double *Z, double *room) noexcept nogil
        void mean_forward(const fmlp_window *window, size_t n, const double *A, int add, double *Z,
                          size_t ld) noexcept nogil
        void mean_backward(const fmlp_window *window, size_t n, const double *D, int add, const double *factor,
                           double *E, size_t ld) noexcept nogil
        void max_forward(const fmlp_window *window, size_t n, const double *point, const double *A, int add, double *Z,
                         size_t ld) noexcept nogil
        void max_backward(const fmlp_window *window, size_t n, const double *point, const double *D, int add,
                          const double *factor, double *E, size_t ld) noexcept nogil
        void mean_rows(const fmlp_window *window, size_t n_rows, const double *A, double *Z) noexcept nogil
        void max_rows(const fmlp_window *window, size_t n_rows, const double *A, double *Z) noexcept nogil


cdef inline void conv_forward(const void *ops, const fmlp_window *window, size_t n, const floating *W,
                              const floating *b, const floating *A, int add, floating *Z, size_t ld) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).conv_forward(window, n, W, b, A, add, Z, ld)
    else:
        (<const fmlp_ops_f64 *> ops).conv_forward(window, n, W, b, A, add, Z, ld)


cdef inline void conv_backward(const void *ops, const fmlp_window *window, size_t n, const floating *W,
                               const floating *D, int add, const floating *factor, floating *E,
                               size_t ld) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).conv_backward(window, n, W, D, add, factor, E, ld)
    else:
        (<const fmlp_ops_f64 *> ops).conv_backward(window, n, W, D, add, factor, E, ld)


cdef inline void conv_gradient(const void *ops, const fmlp_window *window, size_t n, const floating *D,
                               const floating *A, int add, floating *gW, floating *gb, size_t ld) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).conv_gradient(window, n, D, A, add, gW, gb, ld)
    else:
        (<const fmlp_ops_f64 *> ops).conv_gradient(window, n, D, A, add, gW, gb, ld)


cdef inline void conv_columns(const void *ops, const fmlp_window *window, size_t n, const floating *D,
                              const floating *A, floating *GW, floating *Gb, size_t ld) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).conv_columns(window, n, D, A, GW, Gb, ld)
    else:
        (<const fmlp_ops_f64 *> ops).conv_columns(window, n, D, A, GW, Gb, ld)


cdef inline void conv_rows(const void *ops, const fmlp_window *window, size_t n_rows, const floating *W,
                           const floating *b, const floating *A, floating *Z, floating *room) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).conv_rows(window, n_rows, W, b, A, Z, room)
    else:
        (<const fmlp_ops_f64 *> ops).conv_rows(window, n_rows, W, b, A, Z, room)


cdef inline void mean_forward(const void *ops, const fmlp_window *window, size_t n, const floating *A, int add,
                              floating *Z, size_t ld) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).mean_forward(window, n, A, add, Z, ld)
    else:
        (<const fmlp_ops_f64 *> ops).mean_forward(window, n, A, add, Z, ld)


cdef inline void mean_backward(const void *ops, const fmlp_window *window, size_t n, const floating *D, int add,
                               const floating *factor, floating *E, size_t ld) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).mean_backward(window, n, D, add, factor, E, ld)
    else:
        (<const fmlp_ops_f64 *> ops).mean_backward(window, n, D, add, factor, E, ld)


cdef inline void max_forward(const void *ops, const fmlp_window *window, size_t n, const floating *point,
                             const floating *A, int add, floating *Z, size_t ld) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).max_forward(window, n, point, A, add, Z, ld)
    else:
        (<const fmlp_ops_f64 *> ops).max_forward(window, n, point, A, add, Z, ld)


cdef inline void max_backward(const void *ops, const fmlp_window *window, size_t n, const floating *point,
                              const floating *D, int add, const floating *factor, floating *E,
                              size_t ld) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).max_backward(window, n, point, D, add, factor, E, ld)
    else:
        (<const fmlp_ops_f64 *> ops).max_backward(window, n, point, D, add, factor, E, ld)


cdef inline void mean_rows(const void *ops, const fmlp_window *window, size_t n_rows, const floating *A,
                           floating *Z) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).mean_rows(window, n_rows, A, Z)
    else:
        (<const fmlp_ops_f64 *> ops).mean_rows(window, n_rows, A, Z)


cdef inline void max_rows(const void *ops, const fmlp_window *window, size_t n_rows, const floating *A,
                          floating *Z) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).max_rows(window, n_rows, A, Z)
    else:
        (<const fmlp_ops_f64 *> ops).max_rows(window, n_rows, A, Z)
