# Second derivatives of the loss by units, on one block of samples: what the matrices of curvature.pyx are made of.

from cython cimport floating
from fastmlp._core.plan cimport Net
from fastmlp._core.team cimport Watch
from fastmlp._core.tiles cimport Band, Units


cdef void begin(const Units *u, const floating *params, floating *work, size_t ld) noexcept nogil
cdef void add_tiles(const Units *u, const floating *params, floating *work, const floating *weight,
                    const floating *scale, size_t n, size_t ld, bint add, floating *tiles,
                    Watch *watch) noexcept nogil
cdef void add_diagonal(const Units *u, const floating *params, floating *work, const floating *weight,
                       const floating *scale, size_t n, size_t ld, bint add, floating *diagonal,
                       Watch *watch) noexcept nogil
# The parts of it that bands.pyx shares,
cdef void follow_outputs(const Units *u, const floating *params, floating *work, const floating *weight,
                         const floating *scale, size_t n, size_t ld) noexcept nogil
cdef void scale_outputs(const Units *u, int m, floating *work, size_t n, size_t ld) noexcept nogil
cdef floating *add_band(const Units *u, const Band *band, const floating *params, floating *work, size_t n, size_t ld,
                        bint add, floating *tiles, Watch *watch) noexcept nogil
# and those that gram.pyx shares.
cdef void products(const void *ops, const floating *left, const floating *right, size_t n_right, bint triangular,
                   size_t first, size_t rows, bint add, floating *to, size_t n, size_t ld) noexcept nogil
cdef void start_layer(const Units *u, int m, const floating *params, floating *work, const floating *weight,
                      const floating *scale, size_t n, size_t ld) noexcept nogil
cdef void backward(const Net *net, int l, const floating *params, const floating *above, const floating *factor,
                   floating *to, size_t n, size_t ld) noexcept nogil
cdef floating *add_products(const Units *u, const floating *left, const floating *right, size_t n_right, size_t n_rows,
                            int below, floating *work, size_t n, size_t ld, bint add, floating *tiles,
                            Watch *watch) noexcept nogil
cdef void add_cross_terms(const Units *u, const floating *params, floating *work, size_t n, size_t ld, bint add,
                          floating *tiles, Watch *watch) noexcept nogil
