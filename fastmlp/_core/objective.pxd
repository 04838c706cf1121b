# The objective of a fit, E = factor * loss + sum lambda_i/2 x_i^2, and its gradient; numbers are double, whatever the
# network's type.

from fastmlp._core.batch cimport Scratch, Source
from fastmlp._core.plan cimport Net, Partition, Plan
from fastmlp._core.team cimport Choice, Watch
from fastmlp._core.ties cimport Map


cdef struct Objective:
    const Net *net
    const Source *source
    const void *ops             # kernels for double
    Partition parts
    Scratch scratch             # to be freed at scratch.memory
    void *native                # the network's parameters and gradient in its type, where these are not the variables
    double factor               # of the loss
    size_t n                    # variables: P, or those that are free
    const Map *free             # the map from these, NULL if all are
    const double *decay         # lambda (n,), may be NULL
    int n_threads
    Choice choice
    size_t n_values


# A point, where memory of 2 n numbers is.
cdef struct Point:
    double *x                   # (n,)
    double *g                   # (n,), gradient of E
    double value, penalty       # E, and the part that does not depend on the data
    double grad_norm            # |g|_inf


# Allocate what `look` needs. The caller keeps all that is pointed to; then sets factor and decay.
cdef int reserve(Objective *objective, Plan plan, const Source *source, const Map *free, int n_threads) except -1
cdef void release(Objective *objective) noexcept nogil
# v as the network's type holds it.
cdef double rounded(const Objective *objective, double v) noexcept nogil
# Value and gradient at x, which is so rounded.
cdef void look(Objective *objective, Point *point, Watch *watch) noexcept nogil
