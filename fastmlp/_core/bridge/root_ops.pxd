# root_ops of src_c/ops.tmpl.h, which documents them, as functions of a fused type; `ops` is the table of an
# instruction set and of the type at hand (kernels.pxd). Made by src_c/bridge.py: do not edit.

from cython cimport floating


cdef extern from "fmlp.h" nogil:
    ctypedef struct fmlp_ops_f32:
        size_t cholesky_factor(size_t n, float *A, size_t ld, size_t first, size_t last) noexcept nogil
        void cholesky_forward(size_t n, const float *L, size_t ld, size_t m, float *B, size_t ldb) noexcept nogil
        void cholesky_backward(size_t n, const float *L, size_t ld, size_t m, float *B, size_t ldb) noexcept nogil
        void pack_root(int lower, size_t n, const float *S, size_t lds, float *panels) noexcept nogil
        void root_squares(size_t n, const float *panels, size_t m, const float *J, size_t ldj, float *V,
                          float *sums) noexcept nogil
        void root_products(int lower, size_t n, const float *panels, size_t m, const float *J, size_t ldj, float *V,
                           float *P, size_t ldp) noexcept nogil

    ctypedef struct fmlp_ops_f64:
        size_t cholesky_factor(size_t n, double *A, size_t ld, size_t first, size_t last) noexcept nogil
        void cholesky_forward(size_t n, const double *L, size_t ld, size_t m, double *B, size_t ldb) noexcept nogil
        void cholesky_backward(size_t n, const double *L, size_t ld, size_t m, double *B, size_t ldb) noexcept nogil
        void pack_root(int lower, size_t n, const double *S, size_t lds, double *panels) noexcept nogil
        void root_squares(size_t n, const double *panels, size_t m, const double *J, size_t ldj, double *V,
                          double *sums) noexcept nogil
        void root_products(int lower, size_t n, const double *panels, size_t m, const double *J, size_t ldj, double *V,
                           double *P, size_t ldp) noexcept nogil


cdef inline size_t cholesky_factor(const void *ops, size_t n, floating *A, size_t ld, size_t first,
                                   size_t last) noexcept nogil:
    if floating is float:
        return (<const fmlp_ops_f32 *> ops).cholesky_factor(n, A, ld, first, last)
    else:
        return (<const fmlp_ops_f64 *> ops).cholesky_factor(n, A, ld, first, last)


cdef inline void cholesky_forward(const void *ops, size_t n, const floating *L, size_t ld, size_t m, floating *B,
                                  size_t ldb) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).cholesky_forward(n, L, ld, m, B, ldb)
    else:
        (<const fmlp_ops_f64 *> ops).cholesky_forward(n, L, ld, m, B, ldb)


cdef inline void cholesky_backward(const void *ops, size_t n, const floating *L, size_t ld, size_t m, floating *B,
                                   size_t ldb) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).cholesky_backward(n, L, ld, m, B, ldb)
    else:
        (<const fmlp_ops_f64 *> ops).cholesky_backward(n, L, ld, m, B, ldb)


cdef inline void pack_root(const void *ops, int lower, size_t n, const floating *S, size_t lds,
                           floating *panels) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).pack_root(lower, n, S, lds, panels)
    else:
        (<const fmlp_ops_f64 *> ops).pack_root(lower, n, S, lds, panels)


cdef inline void root_squares(const void *ops, size_t n, const floating *panels, size_t m, const floating *J,
                              size_t ldj, floating *V, floating *sums) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).root_squares(n, panels, m, J, ldj, V, sums)
    else:
        (<const fmlp_ops_f64 *> ops).root_squares(n, panels, m, J, ldj, V, sums)


cdef inline void root_products(const void *ops, int lower, size_t n, const floating *panels, size_t m,
                               const floating *J, size_t ldj, floating *V, floating *P, size_t ldp) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).root_products(lower, n, panels, m, J, ldj, V, P, ldp)
    else:
        (<const fmlp_ops_f64 *> ops).root_products(lower, n, panels, m, J, ldj, V, P, ldp)
