# The objective of a fit, E = factor * loss + sum lambda_i/2 x_i^2 + terms in Python, and its damped Newton equations,
# on one point.

from fastmlp._core.curvature.matrices cimport Held, Task
from fastmlp._core.fits.ties cimport Map
from fastmlp._core.sums.block cimport Source
from fastmlp._core.sums.plan cimport Net
from fastmlp._core.threads.choice cimport Choice
from fastmlp._core.threads.team cimport Watch


# All of it lies here and in one piece of memory; numbers are double, whatever the network's type.
cdef struct Equations:
    # the problem
    const Net *net
    const Source *source
    const void *ops             # kernels for double
    double factor               # of the loss
    size_t n                    # variables: P, or those that are free
    const Map *free             # the map from these, NULL if all are
    const double *decay         # lambda (n,), may be NULL
    void *terms                 # other terms, in Python, may be NULL: `asked`
    int n_threads
    Task loss, ggn, exact
    Choice choice
    # the memory
    double *x                   # (n,)
    double *g                   # (n,), gradient of E at x
    double *B                   # (n, n), its curvature there, lower triangle
    double *L                   # (n, n), Cholesky factor of B + shift I
    void *native                # the network's parameters, gradient and matrix in its type, where these are not it
    void *scratch               # for the sums over the samples
    Held held                   # what it holds of them, at least
    # what holds at x
    double value, penalty       # E, and the part that does not depend on the data
    double grad_norm            # |g|_inf
    double scale                # max |B_ii|, the measure of shifts
    bint is_exact               # B is the Hessian, else the Gauss-Newton matrix
    size_t n_values, n_gradients, n_hessians


# Bytes of memory that `lay_out` needs.
cdef size_t memory_bytes(const Net *net, size_t n, int n_threads) noexcept nogil
cdef size_t point_bytes(const Net *net) noexcept nogil
# Another point of the same problem, with x, g and B of its own in `memory` of `point_bytes`; the rest is shared.
cdef Equations another(const Equations *eq, void *memory) noexcept nogil
# Share out the memory. The caller keeps all that is pointed to; then sets factor, decay, terms and x, and calls `look`.
cdef void lay_out(Equations *eq, const Net *net, const Source *source, const void *ops, int n_threads,
                  void *memory) noexcept nogil
# Bytes of memory that `see_through` needs.
cdef size_t native_bytes(const Net *net) noexcept nogil
# Take the free parameters for the variables, from here on; after `lay_out`.
cdef void see_through(Equations *eq, const Map *free, void *memory) noexcept nogil
# v as the network's type holds it.
cdef double rounded(const Equations *eq, double v) noexcept nogil
# E at any point that is so rounded; its gradient there, where g is not NULL.
cdef double objective(Equations *eq, const double *x, double *g, Watch *watch) noexcept nogil
# Value, gradient and matrix at x; with `again` where the call before was `objective` at x.
cdef void look(Equations *eq, bint exact, bint again, Watch *watch) noexcept nogil
# L L' = B + share * diag(shifts), NULL for ones; whether that is positive definite.
cdef bint factorize(Equations *eq, double share, const double *shifts, Watch *watch) noexcept nogil
# b becomes (L L')^-1 b.
cdef void solve(const Equations *eq, double *b) noexcept nogil
