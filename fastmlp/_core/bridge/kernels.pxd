# The dtype bridge: the C tables of src_c seen as functions of a fused type. Made by src_c/bridge.py: do not edit.
#
# Each function here is one kernel of the list (src_c/ops.tmpl.h documents it); `ops` points to the table of the
# chosen instruction set and of the type at hand. Above, functions are written once for both types; only entry points
# that Python calls look which one it is.

from cython cimport floating


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
        void loss_gradient(int kind, size_t n_out, size_t n, const float *Z, const float *Y, const float *d1,
                           const float *T, const float *weight, const float *scale, const float *precision,
                           float *value, float *D, size_t ld) noexcept nogil
        void loss_hessp(int kind, int ggn, size_t n_out, size_t n, const float *Z, const float *Y, const float *d1,
                        const float *d2, const float *T, const float *weight, const float *scale,
                        const float *precision, const float *RZ, float *RD, size_t ld) noexcept nogil
        void load_rows(size_t n, size_t width, const float *X, const Py_ssize_t *index, float *block,
                       size_t ld) noexcept nogil
        void load_labels(size_t n, size_t width, const Py_ssize_t *labels, const Py_ssize_t *index, float *block,
                         size_t ld) noexcept nogil
        void store_rows(size_t n, size_t width, const float *block, float *X, size_t stride, size_t ld) noexcept nogil
        void store_outer(size_t n_out, size_t n_in, size_t n, const float *D, const float *A, float *J,
                         size_t stride) noexcept nogil
        int finite(size_t n, const float *x) noexcept nogil
        void add(size_t n, const float *x, float *y) noexcept nogil
        void add_multiple(size_t n, float factor, const float *x, float *y) noexcept nogil
        double dot(size_t n, const float *x, const float *y) noexcept nogil
        double decay(size_t n, float scale, float factor, const float *lambda_, const float *w, float *g) noexcept nogil
        void sgd_step(size_t n, float scale, float rate, float momentum, int nesterov, const float *g, float *v,
                      float *w) noexcept nogil
        void adam_step(size_t n, float scale, float rate, float correction, float b1, float c1, float b2, float c2,
                       float epsilon, const float *g, float *m, float *v, float *w) noexcept nogil
        size_t cholesky_factor(size_t n, float *A, size_t ld, size_t first, size_t last) noexcept nogil
        void cholesky_forward(size_t n, const float *L, size_t ld, size_t m, float *B, size_t ldb) noexcept nogil
        void cholesky_backward(size_t n, const float *L, size_t ld, size_t m, float *B, size_t ldb) noexcept nogil
        void pack_root(int lower, size_t n, const float *S, size_t lds, float *panels) noexcept nogil
        void root_squares(size_t n, const float *panels, size_t m, const float *J, size_t ldj, float *V,
                          float *sums) noexcept nogil
        void root_products(int lower, size_t n, const float *panels, size_t m, const float *J, size_t ldj, float *V,
                           float *P, size_t ldp) noexcept nogil
        void warp(size_t h, size_t w, const float *image, const double *M, const double *o, const float *u,
                  float *framed, float *out) noexcept nogil
        void smooth(size_t h, size_t w, const float *field, size_t ld, const double *g, size_t radius, float *out,
                    size_t ld_out) noexcept nogil

    ctypedef struct fmlp_ops_f64:
        size_t lanes
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
        void loss_gradient(int kind, size_t n_out, size_t n, const double *Z, const double *Y, const double *d1,
                           const double *T, const double *weight, const double *scale, const double *precision,
                           double *value, double *D, size_t ld) noexcept nogil
        void loss_hessp(int kind, int ggn, size_t n_out, size_t n, const double *Z, const double *Y, const double *d1,
                        const double *d2, const double *T, const double *weight, const double *scale,
                        const double *precision, const double *RZ, double *RD, size_t ld) noexcept nogil
        void load_rows(size_t n, size_t width, const double *X, const Py_ssize_t *index, double *block,
                       size_t ld) noexcept nogil
        void load_labels(size_t n, size_t width, const Py_ssize_t *labels, const Py_ssize_t *index, double *block,
                         size_t ld) noexcept nogil
        void store_rows(size_t n, size_t width, const double *block, double *X, size_t stride, size_t ld) noexcept nogil
        void store_outer(size_t n_out, size_t n_in, size_t n, const double *D, const double *A, double *J,
                         size_t stride) noexcept nogil
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
        size_t cholesky_factor(size_t n, double *A, size_t ld, size_t first, size_t last) noexcept nogil
        void cholesky_forward(size_t n, const double *L, size_t ld, size_t m, double *B, size_t ldb) noexcept nogil
        void cholesky_backward(size_t n, const double *L, size_t ld, size_t m, double *B, size_t ldb) noexcept nogil
        void pack_root(int lower, size_t n, const double *S, size_t lds, double *panels) noexcept nogil
        void root_squares(size_t n, const double *panels, size_t m, const double *J, size_t ldj, double *V,
                          double *sums) noexcept nogil
        void root_products(int lower, size_t n, const double *panels, size_t m, const double *J, size_t ldj, double *V,
                           double *P, size_t ldp) noexcept nogil
        void warp(size_t h, size_t w, const double *image, const double *M, const double *o, const double *u,
                  double *framed, double *out) noexcept nogil
        void smooth(size_t h, size_t w, const double *field, size_t ld, const double *g, size_t radius, double *out,
                    size_t ld_out) noexcept nogil

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
