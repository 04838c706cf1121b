# Sums over a batch of samples, in slots: what the drivers share.

from cython cimport floating
from fastmlp._core.plan cimport Layout, Net, Partition, Plan
from fastmlp._core.team cimport Choice, Watch


# Where samples come from: row-major arrays of the network's type; `index` picks rows (NULL: rows 0 .. n-1).
cdef struct Source:
    size_t n
    const Py_ssize_t *index
    const void *X
    const void *T               # targets, or
    const Py_ssize_t *labels    # one class for each sample
    const void *weight          # of the samples, may be NULL
    const void *scale           # of the outputs (squared error), may be NULL


# Memory of one call or of one training run: a workspace for each thread, partial sums for each slot but the first.
cdef struct Scratch:
    void *memory                # what to free
    void *work
    void *partial
    double *values              # one for each slot
    size_t work_numbers         # in the workspace of one thread


cdef size_t scratch_bytes(const Net *net, size_t rows, Partition parts, int n_threads, size_t sums) noexcept nogil
cdef void share_out(Scratch *scratch, const Net *net, size_t rows, Partition parts, int n_threads, size_t sums,
                    void *memory) noexcept nogil
cdef int reserve(Scratch *scratch, const Net *net, size_t rows, Partition parts, int n_threads,
                 size_t sums) except -1
cdef void load(const Net *net, const Layout *at, const Source *source, size_t first, size_t n, floating *work,
               size_t ld) noexcept nogil
cdef double loss_and_gradient(const Net *net, Partition parts, const floating *params, const Source *source,
                              const Scratch *scratch, floating *gradient, floating *sample_losses,
                              int n_threads, Watch *watch) noexcept nogil


# Samples as the kernels read them, and the arrays they lie in.
cdef class Batch:
    cdef Plan plan
    cdef Source source
    cdef object arrays
    cdef Choice choice
    cdef readonly bint small    # too little work for a second thread
    cdef double run(self, const floating *params, floating *gradient, floating *sample_losses,
                    int n_threads) except? -1
