# Samples, and a block of them as the layers see it.

from cython cimport floating
from fastmlp._core.sums.plan cimport Layout, Net
from fastmlp._core.threads.team cimport Watch


# Where samples come from: row-major arrays of the network's type; `index` picks rows (NULL: rows 0 .. n-1).
cdef struct Source:
    size_t n
    const Py_ssize_t *index
    const void *X
    bint narrow                 # X is float where the network's type is double
    const double *shift         # units in which X's columns are seen, (x - shift) / unit, 0 within `slack`;
    const double *unit          # NULL: as they are
    const double *slack
    const void *T               # targets, or
    const Py_ssize_t *labels    # one class for each sample
    const void *weight          # of the samples, may be NULL
    const void *scale           # precisions of the outputs (squared error), may be NULL
    const void *precision       # of each target (n, n_outputs), besides; may be NULL


# Samples that go through all layers together, in a workspace of one thread: rows of `ld` numbers, see Layout.
cdef struct Block:
    const Net *net
    const Layout *at
    const Source *source
    const void *params
    size_t first, n             # samples
    size_t ld
    bint add                    # sums are added to what is there, or stored
    double *beside              # of its slot: a second number that is summed, may be NULL
    Watch *watch


# Rows X alone.
cdef Source inputs(size_t n, const void *X) noexcept nogil
cdef void load(const Block *b, floating *work) noexcept nogil
# The rows of an array (N, width) that belong to the block's samples.
cdef void load_rows(const Block *b, const floating *array, size_t width, floating *rows) noexcept nogil


cdef inline const floating *weights(const Block *b, const floating *work) noexcept nogil:
    """Those of the samples, NULL if they have none."""
    return work + b.at.weight * b.ld if b.source.weight != NULL else <const floating *> NULL


cdef inline const floating *precisions(const Block *b, const floating *work) noexcept nogil:
    """Those of the targets, behind these; NULL if they have none."""
    return work + (b.at.T + b.net.n_outputs) * b.ld if b.source.precision != NULL else <const floating *> NULL
