# Curvature by the parameters that are free, of dense layers, where that is cheaper than all of it.

from cython cimport floating
from fastmlp._core.curvature.chosen cimport Chosen
from fastmlp._core.curvature.tiles cimport Curvature, number
from fastmlp._core.sums.block cimport Block
from fastmlp._core.threads.team cimport Watch


# Lay out second derivatives by the chosen parameters, unless those by all cost less: then nothing is changed.
cdef void lay_out(Curvature *c, const Chosen *chosen) noexcept nogil
cdef void add_tiles(const Curvature *c, const Block *b, floating *work, floating *sums) noexcept nogil
cdef void store_tiles(const Curvature *c, floating *sums, size_t stride, size_t n_slots, number *matrix,
                      Watch *watch) noexcept nogil
