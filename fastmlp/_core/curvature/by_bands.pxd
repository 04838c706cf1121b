# Large Gauss-Newton matrices of few outputs, without tiles for whole slots.

from cython cimport floating
from fastmlp._core.curvature.tiles cimport Curvature, number
from fastmlp._core.sums.plan cimport Partition
from fastmlp._core.sums.slots cimport Pass
from fastmlp._core.threads.team cimport Watch


cdef size_t shares(const Curvature *c) noexcept nogil
cdef size_t slot_numbers(const Curvature *c, const Partition *parts) noexcept nogil
cdef size_t work_numbers(const Curvature *c, const Partition *parts) noexcept nogil
cdef void store(const Curvature *c, const Pass *kept, floating *blocks, floating *work, number *matrix, int n_threads,
                Watch *watch) noexcept nogil
