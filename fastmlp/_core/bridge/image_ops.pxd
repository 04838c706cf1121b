# image_ops of src_c/ops.tmpl.h, which documents them, as functions of a fused type; `ops` is the table of an
# instruction set and of the type at hand (kernels.pxd). Made by src_c/bridge.py: do not edit.

from cython cimport floating


cdef extern from "fmlp.h" nogil:
    ctypedef struct fmlp_ops_f32:
        void warp(size_t h, size_t w, const float *image, const double *M, const double *o, const float *u,
                  float *framed, float *out) noexcept nogil
        void smooth(size_t h, size_t w, const float *field, size_t ld, const double *g, size_t radius, float *out,
                    size_t ld_out) noexcept nogil

    ctypedef struct fmlp_ops_f64:
        void warp(size_t h, size_t w, const double *image, const double *M, const double *o, const double *u,
                  double *framed, double *out) noexcept nogil
        void smooth(size_t h, size_t w, const double *field, size_t ld, const double *g, size_t radius, double *out,
                    size_t ld_out) noexcept nogil


cdef inline void warp(const void *ops, size_t h, size_t w, const floating *image, const double *M, const double *o,
                      const floating *u, floating *framed, floating *out) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).warp(h, w, image, M, o, u, framed, out)
    else:
        (<const fmlp_ops_f64 *> ops).warp(h, w, image, M, o, u, framed, out)


cdef inline void smooth(const void *ops, size_t h, size_t w, const floating *field, size_t ld, const double *g,
                        size_t radius, floating *out, size_t ld_out) noexcept nogil:
    if floating is float:
        (<const fmlp_ops_f32 *> ops).smooth(h, w, field, ld, g, radius, out, ld_out)
    else:
        (<const fmlp_ops_f64 *> ops).smooth(h, w, field, ld, g, radius, out, ld_out)
