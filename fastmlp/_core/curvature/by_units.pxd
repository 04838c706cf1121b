# Second derivatives of the loss by units, on one block of samples: what the matrices of matrices.pyx are made of.

from cython cimport floating
from fastmlp._core.curvature.tiles cimport Band, Units, Walk
from fastmlp._core.sums.block cimport Block


cdef void begin(const Units *u, const Block *b, floating *work) noexcept nogil
cdef void add_tiles(const Units *u, const Block *b, floating *work, floating *tiles) noexcept nogil
cdef void add_diagonal(const Units *u, const Block *b, floating *work, floating *diagonal) noexcept nogil
# The parts of it that by_bands.pyx shares,
cdef void follow_outputs(const Units *u, const Block *b, floating *work) noexcept nogil
cdef void scale_outputs(const Units *u, const Block *b, int m, floating *work) noexcept nogil
cdef floating *add_band(const Units *u, const Block *b, const Band *band, floating *work,
                        floating *tiles) noexcept nogil
# and those that by_samples.pyx shares.
cdef void products(const Block *b, const floating *left, const floating *right, Walk at, size_t rows, bint add,
                   floating *to) noexcept nogil
cdef void start_layer(const Units *u, const Block *b, int m, floating *work) noexcept nogil
cdef void backward(const Block *b, int l, const floating *params, const floating *above, const floating *factor,
                   floating *to) noexcept nogil
cdef floating *add_products(const Units *u, const Block *b, const floating *left, const floating *right, size_t n_right,
                            size_t n_rows, int below, floating *work, floating *tiles) noexcept nogil
cdef void add_cross_terms(const Units *u, const Block *b, floating *work, floating *tiles) noexcept nogil
