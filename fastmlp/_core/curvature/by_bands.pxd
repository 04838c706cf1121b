# Large Gauss-Newton matrices of few outputs, without tiles for whole slots.

from cython cimport floating
from fastmlp._core.curvature.tiles cimport Units, number
from fastmlp._core.sums.plan cimport Partition
from fastmlp._core.sums.slots cimport Pass
from fastmlp._core.threads.team cimport Watch


cdef size_t shares(const Units *u) noexcept nogil
cdef size_t slot_numbers(const Units *u, const Partition *parts) noexcept nogil
cdef size_t work_numbers(const Units *u, const Partition *parts) noexcept nogil
cdef void store(const Units *u, const Pass *kept, floating *blocks, floating *work, number *matrix, int n_threads,
                Watch *watch) noexcept nogil
