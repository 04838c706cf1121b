# The objective of a fit, E = factor * loss + sum lambda_i/2 x_i^2 + terms in Python, and its gradient; numbers are
# double, whatever the network's type.

from fastmlp._core.fits.ties cimport Map
from fastmlp._core.sums.block cimport Source
from fastmlp._core.sums.plan cimport Net, Partition
from fastmlp._core.sums.slots cimport Pass
from fastmlp._core.threads.choice cimport Choice
from fastmlp._core.threads.team cimport Watch


cdef struct Objective:
    Pass job                    # the loss and its gradient
    const void *ops             # kernels for double
    void *native                # the network's parameters and gradient in its type, where these are not the variables
    double factor               # of the loss
    size_t n                    # variables: P, or those that are free
    const Map *free             # the map from these, NULL if all are
    const double *decay         # lambda (n,), may be NULL
    void *terms                 # other terms, in Python, may be NULL: `asked`
    int n_threads
    Choice choice
    size_t n_values


# A point, where memory of 2 n numbers is.
cdef struct Point:
    double *x                   # (n,)
    double *g                   # (n,), gradient of E
    double value, penalty       # E, and the part that does not depend on the data
    double grad_norm            # |g|_inf


# Bytes of memory that `lay_out` needs.
cdef size_t memory_bytes(const Net *net, Partition parts, int n_threads) noexcept nogil
# Share out the memory. The caller keeps all that is pointed to; then sets factor, decay and terms.
cdef void lay_out(Objective *objective, const Net *net, const Source *source, const Map *free, Partition parts,
                  int n_threads, const void *ops, void *memory) noexcept nogil
# x becomes what the network's type holds of it.
cdef void round_off(const Objective *objective, double *x) noexcept nogil
# Value and gradient at x, which is so rounded.
cdef void look(Objective *objective, Point *point, Watch *watch) noexcept nogil
