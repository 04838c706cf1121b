# Curvature of a network with one hidden layer and one output, where that is cheaper than by units.

from cython cimport floating
from fastmlp._core.curvature.tiles cimport Curvature, number
from fastmlp._core.sums.block cimport Block
from fastmlp._core.threads.team cimport Watch


cdef void add_tiles(const Curvature *c, const Block *b, floating *work, floating *gradient,
                    floating *sums) noexcept nogil
cdef void store_tiles(const Curvature *c, floating *sums, size_t stride, size_t n_slots, number *matrix,
                      Watch *watch) noexcept nogil
