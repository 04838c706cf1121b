# What a fit minimises, E(x) = factor * loss + sum lambda_i/2 x_i^2 + terms in Python, where x are all parameters or
# those that are free: its value, gradient and matrix. Numbers are double, whatever the network's type.

from fastmlp._core.curvature.chosen cimport Chosen, Places
from fastmlp._core.curvature.matrices cimport Held, Task
from fastmlp._core.fits.span cimport Basis, Span
from fastmlp._core.fits.ties cimport Map, Ties
from fastmlp._core.sums.batch cimport Batch
from fastmlp._core.sums.block cimport Source
from fastmlp._core.sums.plan cimport Net, Partition
from fastmlp._core.sums.slots cimport Pass
from fastmlp._core.sums.tangents cimport Term
from fastmlp._core.threads.choice cimport Choice
from fastmlp._core.threads.team cimport Watch


cdef struct Problem:
    const Net *net              # NULL: values, gradients and matrices are told from outside
    const Source *source
    Partition parts             # of the samples, for gradients
    size_t itemsize             # of the network's numbers
    size_t n                    # variables: P, or those that are free
    const Map *free             # the map from these, NULL if all are;
    const Map *used             # the same to the parameters that depend on these,
    const Chosen *chosen        # which are the ones that matrices need
    double factor               # of the loss
    const double *decay         # lambda (n,), may be NULL
    void *terms                 # other terms, in Python, may be NULL: `asked`
    void *chunks                # what sums the loss over samples that come in chunks, in Python; NULL: `source` has all
    const Basis *basis          # in which the first layer's weights are told, |g|_inf being theirs; NULL: as they are
    Term *tangents              # a term on the samples that is summed with the loss, for gradients alone, may be NULL
    int n_threads, gradient_threads
    const void *ops             # kernels for double


# What may be asked for at a point: each with what stands before it, but of both matrices one.
cdef enum Want:
    VALUE
    GRADIENT                    # where no matrix is ever asked for, its sums are those of `batch`: no cheaper value
    GGN                         # the Gauss-Newton matrix of the loss, with diag(lambda) and the terms' matrix,
    EXACT                       # or the Hessian


cdef struct Point:
    double *x                   # (n,)
    double *g                   # (n,), gradient of E
    double *B                   # (n, n), its matrix, lower triangle; none where only gradients are asked for
    double value, penalty       # E, and the part that does not depend on the data
    double grad_norm            # |g|_inf
    double scale                # max |B_ii|, the measure of shifts
    bint is_exact               # B is the Hessian


cdef struct Tasks:
    Task value, ggn, exact


# What evaluates a problem at points: memory for the sums, and what is known of them.
cdef struct Evaluator:
    const Problem *problem
    bint curved
    Pass gradients              # the loss and its gradient, or
    Tasks tasks                 # the loss, and both matrices with it, which go on where it ended if samples stay
    void *scratch               # for the tasks
    Held held                   # what it holds of the samples, at least
    Choice choice
    double *room                # for |g|_inf behind a basis
    void *native                # the network's parameters, gradient and matrix in its type, where these are not x, g, B
    size_t n_values, n_gradients, n_hessians


# Owns what a problem points to.
cdef class Objective:
    cdef Problem problem
    cdef Term term
    cdef tuple arrays


# A problem of so many variables that is told from outside.
cdef Problem outside(size_t n) noexcept nogil
# Bytes of memory that `lay_out` needs; an evaluator is asked for gradients alone or, `curved`, for values and matrices.
cdef size_t memory_bytes(const Problem *problem, bint curved) noexcept nogil
# Share out the memory; the problem is not to move.
cdef void lay_out(Evaluator *evaluator, const Problem *problem, bint curved, void *memory) noexcept nogil
cdef size_t point_bytes(size_t n, bint curved) noexcept nogil
# A point in memory of so many bytes.
cdef Point point(size_t n, bint curved, void *memory) noexcept nogil
# What is wanted at a point, whose x is rounded to the network's type; with `again` where the latest call was of the
# value there.
cdef void evaluate(Evaluator *evaluator, Point *point, Want want, bint again, Watch *watch) noexcept nogil
# What follows from value, gradient and matrix that a point has got.
cdef void finish(Evaluator *evaluator, Point *point, Want want) noexcept nogil
