# Levenberg-Marquardt for networks: the state of one fit, and the call that moves it on.

from fastmlp._core.batch cimport Source
from fastmlp._core.curvature cimport Task
from fastmlp._core.plan cimport Net
from fastmlp._core.team cimport Choice, Watch


cdef enum Status:
    RUNNING             # all steps asked for have been made, or a good many tries without one
    CONVERGED           # |g|_inf <= tol, at a point that is no saddle
    STALLED             # no further decrease within rounding error
    INTERRUPTED         # the watch has been stopped; the state lies at the latest step


cdef enum Point:
    UNKNOWN
    MINIMUM
    SADDLE


# One fit. All of it lies here and in the one piece of memory that `lay_out` shares out; numbers are double, whatever the
# network's type.
cdef struct Fit:
    # the problem
    const Net *net
    const Source *source
    const void *ops             # kernels for double
    double factor               # of the data term
    const double *decay         # (P,), may be NULL
    double tol
    int n_threads
    Task loss, ggn, exact
    Choice choice
    # the memory
    double *x                   # the parameters, as the network's type holds them
    double *trial
    double *step
    double *g
    double *trial_g
    double *B                   # (P, P), curvature of the objective at x, lower triangle
    double *L                   # its damped Cholesky factor
    void *native                # parameters, gradient and matrix in the network's type, where that is not double
    void *scratch               # for `evaluate`
    # where the fit is
    double value, penalty, grad_norm
    bint is_exact               # B is the Hessian, else the Gauss-Newton matrix
    Point point
    double scale                # largest |diagonal| of B, the measure of dampings
    double mu, growth           # damping, and what the next failure multiplies it by
    double fallback             # mu at the latest step
    int failures                # of Cholesky's factorisation since then
    int pause, wait             # Gauss-Newton steps before the Hessian is tried again; so many after the next fallback
    size_t n_steps, n_values, n_gradients, n_hessians


# Bytes of memory that `lay_out` needs.
cdef size_t memory_bytes(const Net *net, size_t n, int n_threads) noexcept nogil
# Make `fit` a fit of `source`; the caller keeps all that is pointed to, and then writes x.
cdef void lay_out(Fit *fit, const Net *net, const Source *source, const void *ops, int n_threads,
                  void *memory) noexcept nogil
# Evaluate at x, which is rounded to the network's type, with the Hessian or the Gauss-Newton matrix; mu0 is relative to
# the largest diagonal element.
cdef void start(Fit *fit, double mu0, bint exact, Watch *watch) noexcept nogil
# Make up to n_steps accepted steps.
cdef Status advance(Fit *fit, size_t n_steps, Watch *watch) noexcept nogil
