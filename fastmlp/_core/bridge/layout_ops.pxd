# layout_ops of src_c/ops.tmpl.h, which documents them, as functions of a fused type; `ops` is the table of an
# instruction set and of the type at hand (kernels.pxd). Made by src_c/bridge.py: do not edit.

from cython cimport floating


cdef extern from "fmlp.h" nogil:
    ctypedef struct fmlp_ops_f32:
        void load_rows(size_t n, size_t width, const float *X, const Py_ssize_t *index, float *block,
                       size_t ld) noexcept nogil
        void load_labels(size_t n, size_t width, const Py_ssize_t *labels, const Py_ssize_t *index, float *block,
                         size_t ld) noexcept nogil
        void store_rows(size_t n, size_t width, const float *block, float *X, size_t stride, size_t ld) noexcept nogil
        void store_outer(size_t n_out, size_t n_in, size_t n, const float *D, const float *A, float *J,
                         size_t stride) noexcept nogil

    ctypedef struct fmlp_ops_f64:
        void load_rows(size_t n, size_t width, const double *X, const Py_ssize_t *index, double *block,
                       size_t ld) noexcept nogil
        void load_labels(size_t n, size_t width, const Py_ssize_t *labels, const Py_ssize_t *index, double *block,
                         size_t ld) noexcept nogil
        void store_rows(size_t n, size_t width, const double *block, double *X, size_t stride, size_t ld) noexcept nogil
        void store_outer(size_t n_out, size_t n_in, size_t n, const double *D, const double *A, double *J,
                         size_t stride) noexcept nogil


cdef inline void load_rows(const void *ops, size_t n, size_t width, const floating *X, const Py_ssize_t *index,
                           floating *block, size_t ld) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).load_rows(n, width, X, index, block, ld)
    else:
        (<const fmlp_ops_f64 *> ops).load_rows(n, width, X, index, block, ld)


cdef inline void load_labels(const void *ops, size_t n, size_t width, const Py_ssize_t *labels, const Py_ssize_t *index,
                             floating *block, size_t ld) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).load_labels(n, width, labels, index, block, ld)
    else:
        (<const fmlp_ops_f64 *> ops).load_labels(n, width, labels, index, block, ld)


cdef inline void store_rows(const void *ops, size_t n, size_t width, const floating *block, floating *X, size_t stride,
                            size_t ld) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).store_rows(n, width, block, X, stride, ld)
    else:
        (<const fmlp_ops_f64 *> ops).store_rows(n, width, block, X, stride, ld)


cdef inline void store_outer(const void *ops, size_t n_out, size_t n_in, size_t n, const floating *D, const floating *A,
                             floating *J, size_t stride) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).store_outer(n_out, n_in, n, D, A, J, stride)
    else:
        (<const fmlp_ops_f64 *> ops).store_outer(n_out, n_in, n, D, A, J, stride)
