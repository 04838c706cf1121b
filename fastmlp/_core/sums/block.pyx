"""Samples brought into a block: one row for each input, target, precision and weight, one column for each sample."""

from libc.math cimport fabs
from libc.string cimport memcpy, memset

from cython cimport floating
from fastmlp._core.bridge cimport kernels, layout_ops
from fastmlp._core.bridge.kernels cimport FMLP_PAD
from fastmlp._core.storage.memory cimport ceil_to
from fastmlp._core.sums.plan cimport Net

from fastmlp._core.bridge.kernels import isa_index

cdef enum:
    PIECE = 256                 # numbers that are widened together

cdef const void *_single = kernels.table(isa_index(None), sizeof(float))


cdef Source inputs(size_t n, const void *X) noexcept nogil:
    cdef Source source
    memset(&source, 0, sizeof(Source))
    source.n, source.X = n, X
    return source


cdef void load_rows(const Block *b, const floating *array, size_t width, floating *rows) noexcept nogil:
    """From row `first` on, or those that the index names from there on."""
    cdef const Py_ssize_t *index = b.source.index + b.first if b.source.index != NULL else NULL
    layout_ops.load_rows(b.net.ops, b.n, width, array + (0 if index != NULL else b.first * width), index, rows, b.ld)


cdef void widen(size_t n, double *row) noexcept nogil:
    """n floats that lie where a row of doubles begins become that row, from its end on."""
    cdef float piece[PIECE]
    cdef size_t first = n, count, i
    while first > 0:
        count = (first - 1) % PIECE + 1
        first -= count
        memcpy(piece, <const float *> row + first, count * sizeof(float))
        for i in range(count):
            row[first + i] = piece[i]


cdef void into_units(size_t n, double shift, double unit, double slack, floating *row) noexcept nogil:
    """As `moments.scaled`, to the bit."""
    cdef size_t i
    cdef double d
    for i in range(n):
        d = <double> row[i] - shift
        d = 0.0 if fabs(d) <= slack else d
        row[i] = <floating> (d / unit)


cdef void load_inputs(const Block *b, floating *rows) noexcept nogil:
    """X in the network's type, in units if it has some."""
    cdef const Source *source = b.source
    cdef const Py_ssize_t *index = source.index + b.first if source.index != NULL else NULL
    cdef size_t width = b.net.n_inputs, n = ceil_to(b.n, FMLP_PAD), j
    if floating is double and source.narrow:
        layout_ops.load_rows(_single, b.n, width, <const float *> source.X + (0 if index != NULL else b.first * width),
                             index, <float *> rows, 2 * b.ld)
        for j in range(width):
            widen(n, rows + j * b.ld)
    else:
        load_rows(b, <const floating *> source.X, width, rows)
    for j in range(width if source.shift != NULL else 0):
        into_units(n, source.shift[j], source.unit[j], source.slack[j], rows + j * b.ld)


cdef void load(const Block *b, floating *work) noexcept nogil:
    """Bring the block's inputs, targets, precisions and weights into it."""
    cdef const Net *net = b.net
    cdef const Source *source = b.source
    cdef const Py_ssize_t *index = source.index + b.first if source.index != NULL else NULL
    load_inputs(b, work + b.at.a[0] * b.ld)
    if source.labels != NULL:
        layout_ops.load_labels(net.ops, b.n, net.n_outputs, source.labels + (0 if index != NULL else b.first), index,
                               work + b.at.T * b.ld, b.ld)
    elif source.T != NULL:
        load_rows(b, <const floating *> source.T, net.n_outputs, work + b.at.T * b.ld)
    if source.precision != NULL:
        load_rows(b, <const floating *> source.precision, net.n_outputs, work + (b.at.T + net.n_outputs) * b.ld)
    if source.weight != NULL:
        load_rows(b, <const floating *> source.weight, 1, work + b.at.weight * b.ld)
