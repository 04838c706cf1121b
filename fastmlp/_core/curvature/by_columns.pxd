# Curvature of networks with layers of any kind: products with unit vectors, and gradients of the samples.

from cython cimport floating
from fastmlp._core.curvature.tiles cimport Curvature, number
from fastmlp._core.sums.block cimport Block
from fastmlp._core.threads.team cimport Watch


# Numbers of workspace behind the rows of a block.
cdef size_t room(const Curvature *c) noexcept nogil
# What the matrix takes for a sample.
cdef size_t multiply_adds(const Curvature *c) noexcept nogil
# Set the matrix (P, P), or the diagonal (P,), to the block's sums, or add these; after `loss`, and `bprop` where deltas
# are needed.
cdef void add_matrix(const Curvature *c, const Block *b, floating *work, floating *sums) noexcept nogil
cdef void add_diagonal(const Curvature *c, const Block *b, floating *work, floating *sums) noexcept nogil
cdef void store(const Curvature *c, floating *sums, size_t stride, size_t n_slots, number *matrix,
                Watch *watch) noexcept nogil
