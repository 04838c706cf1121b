"""Samples brought into a block: one row for each input, target, precision and weight, one column for each sample."""

from cython cimport floating
from fastmlp._core.bridge cimport layout_ops
from fastmlp._core.sums.plan cimport Net


cdef Source inputs(size_t n, const void *X) noexcept nogil:
    cdef Source source
    source.n, source.X = n, X
    source.index = source.labels = NULL
    source.T = source.weight = source.scale = source.precision = NULL
    return source


cdef void load_rows(const Block *b, const floating *array, size_t width, floating *rows) noexcept nogil:
    """From row `first` on, or those that the index names from there on."""
    cdef const Py_ssize_t *index = b.source.index + b.first if b.source.index != NULL else NULL
    layout_ops.load_rows(b.net.ops, b.n, width, array + (0 if index != NULL else b.first * width), index, rows, b.ld)


cdef void load(const Block *b, floating *work) noexcept nogil:
    """Bring the block's inputs, targets, precisions and weights into it."""
    cdef const Net *net = b.net
    cdef const Source *source = b.source
    cdef const Py_ssize_t *index = source.index + b.first if source.index != NULL else NULL
    load_rows(b, <const floating *> source.X, net.n_inputs, work + b.at.a[0] * b.ld)
    if source.labels != NULL:
        layout_ops.load_labels(net.ops, b.n, net.n_outputs, source.labels + (0 if index != NULL else b.first), index,
                               work + b.at.T * b.ld, b.ld)
    elif source.T != NULL:
        load_rows(b, <const floating *> source.T, net.n_outputs, work + b.at.T * b.ld)
    if source.precision != NULL:
        load_rows(b, <const floating *> source.precision, net.n_outputs, work + (b.at.T + net.n_outputs) * b.ld)
    if source.weight != NULL:
        load_rows(b, <const floating *> source.weight, 1, work + b.at.weight * b.ld)
