# vector_ops of src_c/ops.tmpl.h, which documents them, as functions of a fused type; `ops` is the table of an
# instruction set and of the type at hand (kernels.pxd). Made by src_c/bridge.py: do not edit.

from cython cimport floating


cdef extern from "fmlp.h" nogil:
    ctypedef struct fmlp_ops_f32:
        int finite(size_t n, const float *x) noexcept nogil
        void add(size_t n, const float *x, float *y) noexcept nogil
        void add_multiple(size_t n, float factor, const float *x, float *y) noexcept nogil
        double dot(size_t n, const float *x, const float *y) noexcept nogil
        double decay(size_t n, float scale, float factor, const float *lambda_, const float *w, float *g) noexcept nogil
        void sgd_step(size_t n, float scale, float rate, float momentum, int nesterov, const float *g, float *v,
                      float *w) noexcept nogil
        void adam_step(size_t n, float scale, float rate, float correction, float b1, float c1, float b2, float c2,
                       float epsilon, const float *g, float *m, float *v, float *w) noexcept nogil

    ctypedef struct fmlp_ops_f64:
        int finite(size_t n, const double *x) noexcept nogil
        void add(size_t n, const double *x, double *y) noexcept nogil
        void add_multiple(size_t n, double factor, const double *x, double *y) noexcept nogil
        double dot(size_t n, const double *x, const double *y) noexcept nogil
        double decay(size_t n, double scale, double factor, const double *lambda_, const double *w,
                     double *g) noexcept nogil
        void sgd_step(size_t n, double scale, double rate, double momentum, int nesterov, const double *g, double *v,
                      double *w) noexcept nogil
        void adam_step(size_t n, double scale, double rate, double correction, double b1, double c1, double b2,
                       double c2, double epsilon, const double *g, double *m, double *v, double *w) noexcept nogil


cdef inline int finite(const void *ops, size_t n, const floating *x) noexcept nogil:
    if floating is float:
        return (<const fmlp_ops_f32 *> ops).finite(n, x)
    else:
        return (<const fmlp_ops_f64 *> ops).finite(n, x)


cdef inline void add(const void *ops, size_t n, const floating *x, floating *y) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).add(n, x, y)
    else:
        (<const fmlp_ops_f64 *> ops).add(n, x, y)


cdef inline void add_multiple(const void *ops, size_t n, floating factor, const floating *x,
                              floating *y) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).add_multiple(n, factor, x, y)
    else:
        (<const fmlp_ops_f64 *> ops).add_multiple(n, factor, x, y)


cdef inline double dot(const void *ops, size_t n, const floating *x, const floating *y) noexcept nogil:
    if floating is float:
        return (<const fmlp_ops_f32 *> ops).dot(n, x, y)
    else:
        return (<const fmlp_ops_f64 *> ops).dot(n, x, y)


cdef inline double decay(const void *ops, size_t n, floating scale, floating factor, const floating *lambda_,
                         const floating *w, floating *g) noexcept nogil:
    if floating is float:
        return (<const fmlp_ops_f32 *> ops).decay(n, scale, factor, lambda_, w, g)
    else:
        return (<const fmlp_ops_f64 *> ops).decay(n, scale, factor, lambda_, w, g)


cdef inline void sgd_step(const void *ops, size_t n, floating scale, floating rate, floating momentum, int nesterov,
                          const floating *g, floating *v, floating *w) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).sgd_step(n, scale, rate, momentum, nesterov, g, v, w)
    else:
        (<const fmlp_ops_f64 *> ops).sgd_step(n, scale, rate, momentum, nesterov, g, v, w)


cdef inline void adam_step(const void *ops, size_t n, floating scale, floating rate, floating correction, floating b1,
                           floating c1, floating b2, floating c2, floating epsilon, const floating *g, floating *m,
                           floating *v, floating *w) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).adam_step(n, scale, rate, correction, b1, c1, b2, c2, epsilon, g, m, v, w)
    else:
        (<const fmlp_ops_f64 *> ops).adam_step(n, scale, rate, correction, b1, c1, b2, c2, epsilon, g, m, v, w)
