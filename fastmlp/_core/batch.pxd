# Sums over a batch of samples, in slots: what the drivers in batch.pyx and the loop in train.pyx share.

from cython cimport floating
from fastmlp._core.plan cimport Net, Partition, Plan
from fastmlp._core.team cimport Watch


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
cdef class Scratch:
    cdef void *memory
    cdef void *work
    cdef void *partial
    cdef double *values
    cdef size_t work_numbers


cdef Source make_source(size_t n, const floating[:, ::1] X, const floating[:, ::1] T, const Py_ssize_t[::1] labels,
                        const floating[::1] weight, const floating[::1] scale) noexcept
cdef double loss_and_gradient(const Net *net, Partition parts, const floating *params, const Source *source,
                              Scratch scratch, floating *gradient, floating *sample_losses,
                              int n_threads, Watch *watch) noexcept nogil
