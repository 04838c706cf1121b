# One fit, by whichever method: what it stands at, what it asks for, and the one loop that makes its steps.

from fastmlp._core.fits.journal cimport Steps
from fastmlp._core.fits.objective cimport Evaluator, Objective, Point, Problem, Want
from fastmlp._core.threads.team cimport Watch


# What has become of a fit.
cdef enum Status:
    RUNNING             # all steps asked for have been made, or those the journal takes; or many trials without one
    CONVERGED           # |g|_inf <= tol, with lm at a point that is no saddle
    STALLED             # no further decrease within rounding error
    FLAT                # the latest step has hardly changed the objective, by ftol or fatol
    SPENT               # max_values
    INTERRUPTED         # the watch has been stopped; the fit is at its latest step
    ASKING              # it is to be told what it asks for
    AT_MAX_ITER         # of many networks alone, as what follows
    SLOW                # several steps in a row have hardly changed the objective
    LATE
    NOT_FINITE          # the objective at the start


# What methods are told, each its own.
cdef struct Options:
    double tol                  # for |g|_inf
    double damping              # of lm
    double ftol, fatol          # of lbfgs, as all that follows
    size_t max_pairs, max_trials, max_values


# What a method does once it knows what it has asked for: it asks for more, makes a step, is ready for one, or is over;
# then it returns another status than RUNNING.
ctypedef Status (*Stage)(Fit *fit, Watch *watch) noexcept nogil


# A method is these functions; all else is alike.
cdef struct Method:
    bint curved                 # whether it asks for values and matrices too, or gradients alone
    Want first                  # what of the start
    size_t (*memory_bytes)(const Problem *problem, const Options *options) noexcept nogil
    void (*lay_out)(Fit *fit, void *memory) noexcept nogil
    Stage begin                 # when the first point is known
    Stage arrive                # at a point, perhaps the last; else it is ready for a step


cdef struct Fit:
    const Method *method
    const Problem *problem
    Options options
    Evaluator evaluator
    Point at                    # the present point,
    Point ahead                 # and the one to be tried
    double *step                # (n,), or a direction
    Point *asked                # where something is to be evaluated, NULL if nothing is
    Want want                   # what,
    bint again                  # and whether just there the value was
    Stage then                  # what comes next,
    bint ready                  # and whether that begins a step
    size_t n_steps
    void *own                   # the method's


cdef size_t memory_bytes(const Method *method, const Problem *problem, const Options *options) noexcept nogil
# Share out the memory and put x, rounded to the network's type, into its place. Nothing is evaluated yet.
cdef void begin(Fit *fit, const Method *method, const Problem *problem, const Options *options, const double *x,
                void *memory) noexcept nogil
# Evaluate what is asked for.
cdef void answer(Fit *fit, Watch *watch) noexcept nogil
# Make up to n_steps steps, noted in a journal unless that is NULL.
cdef Status advance(Fit *fit, size_t n_steps, Steps *steps, Watch *watch) noexcept nogil

# ---- for methods ----

# Ask for something at a point, and how to go on then.
cdef Status ask(Fit *fit, Point *point, Want want, Stage then) noexcept nogil
# Be ready for a step, which begins so.
cdef Status ready(Fit *fit, Stage step) noexcept nogil
# `ahead` becomes x + length * step, as the network's type holds it; whether that is another point.
cdef bint place(Fit *fit, double length) noexcept nogil
# The step to `ahead` is made.
cdef Status move(Fit *fit, Stage then) noexcept nogil
# A number for each type of the network.
cdef double by_type(const Fit *fit, double in_double, double in_float) noexcept nogil


cdef class Descent:
    cdef Fit fit
    cdef Problem problem
    cdef Objective given
    cdef void *memory
    cdef readonly str status
    cdef bint open(self, const Method *method, Objective given, const double[::1] params, Options settings,
                   bint exact=*) except -1


# Options of all methods from a dict; those that are not there are 0.
cdef Options read(double tol, dict options) except *
