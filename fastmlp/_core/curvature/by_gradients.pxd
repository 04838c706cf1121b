# Curvature of networks with layers of any kind, from the gradients of single samples.

from cython cimport floating
from fastmlp._core.curvature.tiles cimport Curvature
from fastmlp._core.sums.block cimport Block


# Whether it is less work than so many multiply-adds for a sample, those by columns; the diagonal needs no products of
# gradients.
cdef bint pays(const Curvature *c, bint diagonal, size_t by_columns) noexcept nogil
# Numbers of workspace behind the rows of a block, for blocks in rows of `ld`.
cdef size_t room(const Curvature *c, size_t ld) noexcept nogil
# Set the lower triangle, or the diagonal (P,), to the block's sums, or add these; after `loss`, and `bprop` where it
# needs deltas.
cdef void add_matrix(const Curvature *c, const Block *b, floating *work, floating *sums) noexcept nogil
cdef void add_diagonal(const Curvature *c, const Block *b, floating *work, floating *sums) noexcept nogil
