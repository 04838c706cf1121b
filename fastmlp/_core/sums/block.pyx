"""Samples brought into a block: one row for each input, target and weight, one column for each sample."""

from cython cimport floating
from fastmlp._core.bridge cimport kernels
from fastmlp._core.sums.plan cimport Net


cdef Source inputs(size_t n, const void *X) noexcept nogil:
    cdef Source source
    source.n, source.X = n, X
    source.index = source.labels = NULL
    source.T = source.weight = source.scale = NULL
    return source


cdef inline const floating *rows_from(const floating *array, size_t first, size_t width,
                                      const Py_ssize_t *index) noexcept nogil:
    """The row-major array from row `first` on; with an index it is the index that moves on."""
    return array + (0 if index != NULL else first * width)


cdef void load(const Block *b, floating *work) noexcept nogil:
    """Bring the block's inputs, targets and weights into it."""
    cdef const Net *net = b.net
    cdef const Source *source = b.source
    cdef const Py_ssize_t *index = source.index + b.first if source.index != NULL else NULL
    kernels.load_rows(net.ops, b.n, net.n_inputs, rows_from(<const floating *> source.X, b.first, net.n_inputs, index),
                      index, work + b.at.a[0] * b.ld, b.ld)
    if source.labels != NULL:
        kernels.load_labels(net.ops, b.n, net.n_outputs, source.labels + (0 if index != NULL else b.first), index,
                            work + b.at.T * b.ld, b.ld)
    elif source.T != NULL:
        kernels.load_rows(net.ops, b.n, net.n_outputs,
                          rows_from(<const floating *> source.T, b.first, net.n_outputs, index), index,
                          work + b.at.T * b.ld, b.ld)
    if source.weight != NULL:
        kernels.load_rows(net.ops, b.n, 1, rows_from(<const floating *> source.weight, b.first, 1, index), index,
                          work + b.at.weight * b.ld, b.ld)
