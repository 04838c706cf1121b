# Large Gauss-Newton matrices of few outputs, without tiles for whole slots.

from cython cimport floating
from fastmlp._core.plan cimport Partition
from fastmlp._core.slots cimport Pass
from fastmlp._core.team cimport Watch
from fastmlp._core.tiles cimport Units, number


cdef size_t shares(const Units *u) noexcept nogil
cdef size_t slot_numbers(const Units *u, const Partition *parts) noexcept nogil
cdef size_t work_numbers(const Units *u, const Partition *parts) noexcept nogil
cdef void store(const Units *u, const Pass *kept, floating *blocks, floating *work, number *matrix, int n_threads,
                Watch *watch) noexcept nogil
