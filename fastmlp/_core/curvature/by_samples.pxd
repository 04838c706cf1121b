# Curvature of a network with one hidden layer and one output, where that is cheaper than by units.

from cython cimport floating
from fastmlp._core.curvature.tiles cimport Units, number
from fastmlp._core.sums.block cimport Block
from fastmlp._core.threads.team cimport Watch


cdef void add_tiles(const Units *u, const Block *b, floating *work, floating *gradient, floating *sums) noexcept nogil
cdef void store_tiles(const Units *u, floating *sums, size_t stride, size_t n_slots, number *matrix,
                      Watch *watch) noexcept nogil
