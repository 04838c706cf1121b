# Levenberg-Marquardt for networks: the state of one fit, and the call that moves it on.

from fastmlp._core.fits.equations cimport Equations
from fastmlp._core.fits.journal cimport Steps
from fastmlp._core.sums.block cimport Source
from fastmlp._core.sums.plan cimport Net
from fastmlp._core.threads.team cimport Watch


cdef enum Status:
    RUNNING             # all steps asked for have been made, or a good many tries without one
    CONVERGED           # |g|_inf <= tol, at a point that is no saddle
    STALLED             # no further decrease within rounding error
    INTERRUPTED         # the watch has been stopped; the fit is at its latest step


cdef enum Point:
    UNKNOWN
    MINIMUM
    SADDLE


# One fit. All of it lies here and in the one piece of memory that `lay_out` shares out.
cdef struct Fit:
    Equations at            # the objective and its equations at the present parameters,
    Equations ahead         # and at those to be tried
    double tol
    double *step            # (n,)
    Point point             # what the present one is, where the gradient is within tol
    double mu, growth       # damping, and what the next failure multiplies it by
    double safe             # mu at the latest step
    bint bold               # the latest trial was so good that the next has its matrix at once, unless samples stay
    int failures            # of the factorisation since then
    int pause, wait         # Gauss-Newton steps until the Hessian is tried again; as many after the next fallback
    size_t n_steps


# Bytes of memory that `lay_out` needs.
cdef size_t memory_bytes(const Net *net, size_t n, int n_threads) noexcept nogil
# Share out the memory. The caller keeps all that is pointed to; then sets at.factor, at.decay, at.terms, at.x,
# and tol.
cdef void lay_out(Fit *fit, const Net *net, const Source *source, const void *ops, int n_threads,
                  void *memory) noexcept nogil
# Round x to the network's type and evaluate there, with the Hessian or the Gauss-Newton matrix; `damping` is relative
# to the largest diagonal element.
cdef void start(Fit *fit, double damping, bint exact, Watch *watch) noexcept nogil
# Make up to n_steps accepted steps, noted in a journal unless that is NULL.
cdef Status advance(Fit *fit, size_t n_steps, Steps *steps, Watch *watch) noexcept nogil
