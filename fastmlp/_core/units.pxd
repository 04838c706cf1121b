# Second derivatives of the loss by units, on one block of samples: what the matrices of curvature.pyx are made of.

from cython cimport floating
from fastmlp._core.team cimport Watch
from fastmlp._core.tiles cimport Units


cdef void begin(const Units *u, const floating *params, floating *work, size_t ld) noexcept nogil
cdef void add_tiles(const Units *u, const floating *params, floating *work, const floating *weight,
                    const floating *scale, size_t n, size_t ld, bint add, floating *tiles,
                    Watch *watch) noexcept nogil
cdef void add_diagonal(const Units *u, const floating *params, floating *work, const floating *weight,
                       const floating *scale, size_t n, size_t ld, bint add, floating *diagonal,
                       Watch *watch) noexcept nogil
