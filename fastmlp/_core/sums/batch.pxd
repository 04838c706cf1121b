# The loss of a batch of samples, and its gradient.

from cython cimport floating
from fastmlp._core.sums.block cimport Source
from fastmlp._core.sums.plan cimport Net, Partition, Plan
from fastmlp._core.sums.slots cimport Pass
from fastmlp._core.threads.choice cimport Choice


# The pass that sums the losses, and with `gradient` the gradient (P,); parameters and sums are left to the caller.
cdef void prepare_loss(Pass *job, const Net *net, const Source *source, Partition parts, bint gradient) noexcept nogil


# Samples as the kernels read them, and the arrays they lie in.
cdef class Batch:
    cdef Plan plan
    cdef Source source
    cdef object arrays
    cdef Choice choice, choice_of_matrices      # whose seconds for their work differ
    cdef readonly bint small    # too little work for a second thread
    cdef double run(self, const void *params, void *gradient, void *sample_losses, int n_threads) except? -1
