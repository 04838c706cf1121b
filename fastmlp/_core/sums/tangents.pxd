# Derivatives of the network in directions of its inputs, as a term of an objective.

cimport numpy as cnp
from cython cimport floating
from fastmlp._core.sums.batch cimport Batch
from fastmlp._core.sums.block cimport Block
from fastmlp._core.sums.slots cimport Pass


cdef enum:
    SEEDS = 3                   # blocks of K rows behind the layout: d, u, and what curved outputs add


# Directions tau_m at every sample, and what the derivatives in them are to be.
cdef struct Directions:
    size_t n                    # of directions
    size_t rows                 # N: samples of a minibatch are some of them
    bint shared                 # tau (n, D) for all samples, else (n, N, D)
    bint of_logits              # in place of the outputs
    const void *tau
    const void *targets         # d (n, N, K), NULL: zeros
    const void *weight          # w (K,), of all outputs the same


# What passes read.
cdef struct Term:
    size_t n_sets
    Directions *sets
    size_t n                    # directions of all sets
    bint of_outputs             # whether any are
    bint with_loss              # the batch's loss is summed too
    bint exact                  # products with the Hessian, else with the Gauss-Newton matrix,
    size_t n_vectors
    const void *V               # of these vectors (n_vectors, P)


# Owns the directions, and holds the batch.
cdef class Tangents:
    cdef Batch batch
    cdef Term term
    cdef readonly int n_rows    # residuals of a sample
    cdef list arrays
    cdef int take(self, Directions *of, cnp.ndarray tau, targets, double weight, bint of_logits) except -1
    cdef void prepare(self, Pass *job, Term *term, cnp.ndarray params, bint slopes)


# A pass that sums the loss, and with `slopes` its gradient, sums those of loss and term: this comes `beside`.
cdef void join(Pass *job, Term *term, bint slopes) noexcept nogil

# The sweeps on one block.
cdef double start(const Block *b, const Term *term, bint curved, floating *work) noexcept nogil
cdef const floating *derivatives(const Block *b, const Directions *of, size_t m, floating *work) noexcept nogil
cdef double differences(const Block *b, const Directions *of, size_t m, floating *work, floating *u) noexcept nogil
cdef void clear(const Block *b, bint delta, floating *work) noexcept nogil
cdef void seed(const Block *b, const Directions *of, const floating *u, floating *work) noexcept nogil
cdef void curve(const Block *b, floating *work) noexcept nogil
cdef void down(const Block *b, const Directions *of, size_t m, floating *work, floating *sums) noexcept nogil
cdef void bent_bprop(const Block *b, floating *work, floating *sums) noexcept nogil
