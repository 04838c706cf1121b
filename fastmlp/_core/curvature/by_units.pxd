# Second derivatives of the loss by units, on one block of samples: what the matrices of matrices.pyx are made of.

from cython cimport floating
from fastmlp._core.curvature.tiles cimport Band, Curvature
from fastmlp._core.sums.block cimport Block


cdef void begin(const Curvature *c, const Block *b, floating *work) noexcept nogil
cdef void add_tiles(const Curvature *c, const Block *b, floating *work, floating *tiles) noexcept nogil
cdef void add_diagonal(const Curvature *c, const Block *b, floating *work, floating *diagonal) noexcept nogil
# The parts of it that by_bands.pyx shares,
cdef void sweep_slopes(const Curvature *c, const Block *b, floating *work) noexcept nogil
cdef void scale_slopes(const Curvature *c, const Block *b, int m, floating *work) noexcept nogil
cdef floating *add_band(const Curvature *c, const Block *b, const Band *band, floating *work,
                        floating *tiles) noexcept nogil
# and those that by_samples.pyx shares.
cdef void start_layer(const Curvature *c, const Block *b, int m, floating *work) noexcept nogil
cdef void backward(const Block *b, int l, const floating *params, const floating *above, const floating *factor,
                   floating *to) noexcept nogil
