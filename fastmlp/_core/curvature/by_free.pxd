# Curvature by the parameters that are free, of dense layers, on one block of samples.

from cython cimport floating
from fastmlp._core.curvature.tiles cimport Curvature
from fastmlp._core.sums.block cimport Block


cdef void add_tiles(const Curvature *c, const Block *b, floating *work, floating *sums) noexcept nogil
