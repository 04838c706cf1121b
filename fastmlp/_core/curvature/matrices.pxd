# Value, gradient and curvature of a batch in one pass over the samples.

from cython cimport floating
from fastmlp._core.curvature.chosen cimport Chosen
from fastmlp._core.curvature.tiles cimport Curvature, number
from fastmlp._core.sums.block cimport Source
from fastmlp._core.sums.plan cimport Net, Partition
from fastmlp._core.threads.team cimport Watch


cdef enum Form:
    NOTHING             # value and gradient alone
    DIAGONAL            # (P,)
    LOWER               # (P, P), the lower triangle only: what Cholesky's factorisation reads
    FULL                # (P, P)


# What a workspace that stays holds of the call before, which was of the same samples.
cdef enum Held:
    EMPTY
    SAMPLES
    FORWARD             # its forward pass too, with the same parameters and the same derivatives of the activations


# What to compute, and how it is cut up; a rule of the number of samples, the network and the kind only.
cdef struct Task:
    Curvature curvature
    Form form
    Partition parts
    bint stays              # one block takes all samples: a later call with the same memory may build on this one
    size_t shares           # how many threads may take part
    size_t work_numbers     # workspace of a thread
    size_t kept_numbers     # what is kept of the blocks of a slot, where the matrix is formed by bands
    size_t slot_numbers     # partial sums of a slot: the gradient, then the diagonal, the tiles, or nothing
    size_t work             # multiply-adds for a sample


# With `stay` for many calls: they stay in the workspace if they are few. With chosen parameters the matrix may be that
# of these alone, (n, n): `curvature.chosen` tells.
cdef Task task(const Net *net, size_t n, int kind, Form form, bint stay, const Chosen *chosen) noexcept nogil
# Threads for n samples, of so many.
cdef int threads(const Task *task, size_t n, int n_threads) noexcept nogil
# Bytes of memory that `evaluate` needs on so many threads.
cdef size_t memory_bytes(const Task *task, int n_threads) noexcept nogil
# The value; gradient (P,), unless it is NULL, and matrix. `memory` may be anything, unless something is said to be held
# there; nothing is allocated.
cdef double evaluate(const Task *task, const floating *params, const Source *source, void *memory, Held held,
                     floating *gradient, number *matrix, int n_threads, Watch *watch) noexcept nogil
# Copy the lower triangle of a matrix (n, n) to the upper one.
cdef void mirror(size_t n, number *matrix, Watch *watch) noexcept nogil
