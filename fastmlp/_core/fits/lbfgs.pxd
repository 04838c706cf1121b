# L-BFGS for networks: the state of one fit, and the call that moves it on.

from fastmlp._core.fits.journal cimport Steps
from fastmlp._core.fits.objective cimport Objective, Point
from fastmlp._core.fits.ties cimport Map
from fastmlp._core.sums.block cimport Source
from fastmlp._core.sums.plan cimport Net, Partition
from fastmlp._core.threads.team cimport Watch


cdef enum Status:
    RUNNING             # all steps asked for have been made, or all that the journal takes
    CONVERGED           # |g|_inf <= tol
    STALLED             # no further decrease within rounding error
    FLAT                # the latest step has hardly changed the objective
    SPENT               # max_values
    INTERRUPTED         # the watch has been stopped; the fit is at its latest step


# Differences of points and of gradients along the latest steps: rows `newest` and n - 1 before, in rings of most + 1.
cdef struct Pairs:
    size_t most, n, newest
    double *S               # (most + 1, P)
    double *Y               # (most + 1, P)
    double *curvature       # (most + 1,), s'y
    double *share           # (most + 1,), of the two-loop recursion


# One fit. All of it lies here and in one piece of memory.
cdef struct Fit:
    Objective objective
    Pairs pairs
    Point at                    # the present point,
    Point ahead                 # and the one to be tried
    double *d                   # (n,), the direction
    double tol, ftol, fatol
    size_t max_trials, max_values
    double lowest, flattest     # objective and |g|_inf, of the points so far
    int wandering               # steps since either was improved
    size_t n_steps


# Bytes of memory that `lay_out` needs.
cdef size_t memory_bytes(const Net *net, Partition parts, int n_threads, size_t max_pairs) noexcept nogil
# Share out the memory. The caller keeps all that is pointed to; then sets objective.factor, decay and terms, at.x,
# tolerances and limits. `ties` is NULL where all parameters are free.
cdef void lay_out(Fit *fit, const Net *net, const Source *source, const Map *ties, Partition parts, int n_threads,
                  const void *ops, size_t max_pairs, void *memory) noexcept nogil
# Round x to the network's type and evaluate there.
cdef void start(Fit *fit, Watch *watch) noexcept nogil
# Make up to n_steps steps, noted in a journal unless that is NULL.
cdef Status advance(Fit *fit, size_t n_steps, Steps *steps, Watch *watch) noexcept nogil
