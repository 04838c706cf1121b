"""Levenberg-Marquardt that ends in Newton's method, for networks.

With the objective E, its gradient g and its curvature B, of Gauss-Newton to begin with, a trial step solves

    (B + mu I) s = -g,      predicted decrease  -g's - s'B s/2 = (mu s's - g's) / 2

and is made if the objective falls by more than 1e-4 of that (rho > 1e-4). Then mu is multiplied by
max(1/3, 1 - (2 rho - 1)^3), else by 2, 4, 8, ... (Nielsen 1999). Damping is by the identity, not by the diagonal of B:
the columns of saturated units vanish, and without damping their weights fly off.

A trial is its value alone, from which gradient and matrix go on where few samples stay in the workspace. Where they do
not, the trial after a good step is computed at once with both.

Near a minimum differences of the objective drown in rounding. A step that changes it by less than NOISE, or promises
less, is made if the largest gradient falls.

**Newton.** Where residuals remain, Gauss-Newton converges linearly, and slowly. Once a step promises less than NEAR of
the objective, B becomes the Hessian. Cholesky's factorisation tells whether B + mu I is positive definite; if not, mu
grows, and at the third failure Gauss-Newton has its turn for some steps, for twice as many each time.

**Saddles.** Where |g|_inf <= tol, and where nothing falls any more, the Hessian tells minima from saddles
(`saddles.pyx`): beside a saddle steps of a Hessian that has hardly been made positive lead nowhere. From a saddle a
step is made along the direction of negative curvature, down to where the objective is lower.

A step is a chain of stages, each of which goes on with what the one before has asked for:

    attempt      solve, ask for the trial's value, or at once for its matrix    -> judge, or attempt with another matrix
    judge        if the trial is good, ask for its matrix                       -> weigh, else attempt
    weigh        make the step                                                  -> arrive, else attempt
    arrive       within tol: a minimum? ask for the Hessian                     -> examine
    leave_saddle along negative curvature: search until it falls, lengthen while it does, take_leave    -> arrive
"""

from libc.math cimport fabs, fmax, fmin, isfinite
from libc.string cimport memset

from fastmlp._core.fits.descent cimport (
    CONVERGED, INTERRUPTED, RUNNING, STALLED, Descent as Loop, Fit, Method, Options, Stage, Status, ask, by_type, move,
    place, read, ready,
)
from fastmlp._core.fits.equations cimport Equations, factorize, promise, solve
from fastmlp._core.fits.objective cimport EXACT, GGN, VALUE, Objective, Problem, Want
from fastmlp._core.fits.saddles cimport find_way_down, flatness
from fastmlp._core.storage.memory cimport plus, times
from fastmlp._core.storage.vectors cimport lines
from fastmlp._core.threads.team cimport Watch

from fastmlp._core.fits import rules

cdef enum:
    TRIES = 25              # trials between two looks at the clock
    FAILURES = 3            # of a factorisation, until Gauss-Newton has its turn
    WAIT = 5                # steps, the first time
    HALVINGS = 60

cdef double ACCEPT = rules.ACCEPT, NEAR = rules.NEAR
cdef double NOISE = rules.NOISE[8], NOISE_F32 = rules.NOISE[4]
cdef double BOLD = 0.25                     # after a step with a larger rho the next one is expected to be made
cdef double LEAST = 1e-16, MOST = 1e20      # dampings, in units of the largest diagonal element,
cdef double LARGEST = 1e300                 # and a damping that ends it all

cdef enum Verdict:
    UNKNOWN
    MINIMUM
    SADDLE


# What the method keeps of a fit.
cdef struct State:
    Equations eq
    Verdict verdict         # what the present point is, where it has been examined
    double mu, growth       # damping, and what the next failure multiplies it by
    double safe             # mu at the latest step; 0.0 before the first point is known
    bint bold               # the latest trial was so good that the next has its matrix at once, unless samples stay
    int failures            # of the factorisation since then
    int pause, wait         # Gauss-Newton steps until the Hessian is tried again; as many after the next fallback
    # within a step
    int tries
    bint indefinite         # a factorisation has failed
    double promised, change
    Want matrix             # that of the trial
    bint whole              # the trial has been asked for its matrix at once
    # away from a saddle
    double length, curvature
    int n_lengths           # that have been tried


cdef size_t memory_bytes(const Problem *problem, const Options *options) noexcept nogil:
    return plus(lines(sizeof(State)), times(problem.n, times(problem.n, sizeof(double))))


cdef void lay_out(Fit *fit, void *memory) noexcept nogil:
    cdef State *s = <State *> memory
    memset(s, 0, sizeof(State))
    s.eq.n, s.eq.ops = fit.problem.n, fit.problem.ops
    s.eq.L = <double *> (<size_t> memory + lines(sizeof(State)))
    s.growth, s.wait = 2.0, WAIT


cdef Status begin(Fit *fit, Watch *watch) noexcept nogil:
    cdef State *s = <State *> fit.own
    if s.safe == 0.0:
        s.mu = s.safe = fit.options.damping * fit.at.scale
    return arrive(fit, watch)


cdef Status made(Fit *fit) noexcept nogil:
    """Make the step to `ahead`."""
    cdef State *s = <State *> fit.own
    s.verdict, s.failures, s.growth = UNKNOWN, 0, 2.0
    return move(fit, arrive)


# ---- steps ----

cdef inline double noise(const Fit *fit) noexcept nogil:
    """Differences of the objective that mean nothing."""
    return by_type(fit, NOISE, NOISE_F32) * fabs(fit.at.value)


cdef void damp_more(State *s) noexcept nogil:
    s.bold, s.mu, s.growth = False, s.mu * s.growth, 2.0 * s.growth


cdef Status step(Fit *fit, Watch *watch) noexcept nogil:
    """Begin one."""
    cdef State *s = <State *> fit.own
    s.tries, s.indefinite = 0, False
    return leave_saddle(fit, watch) if s.verdict == SADDLE else attempt(fit, watch)


cdef Status attempt(Fit *fit, Watch *watch) noexcept nogil:
    """Solve the equations, damped so that they can be, and ask for the trial."""
    cdef State *s = <State *> fit.own
    cdef size_t i
    cdef bint definite
    while s.tries < TRIES:
        s.tries += 1
        if not s.mu < fmin(MOST * fit.at.scale, LARGEST):
            return stall(fit, watch)
        definite = factorize(&s.eq, fit.at.B, s.mu, NULL, watch)
        if watch.stopped:
            return INTERRUPTED
        if definite:
            for i in range(s.eq.n):
                fit.step[i] = -fit.at.g[i]
            solve(&s.eq, fit.step)
            return ask_for_trial(fit, watch)
        damp_more(s)
        s.indefinite = True
        s.failures += 1
        if fit.at.is_exact and s.failures == FAILURES:
            return ask(fit, &fit.at, GGN, fall_back)
    fit.then = arrive
    return RUNNING


cdef Status fall_back(Fit *fit, Watch *watch) noexcept nogil:
    """Go on with the Gauss-Newton matrix, for some steps."""
    cdef State *s = <State *> fit.own
    s.mu, s.growth, s.pause, s.wait = s.safe, 2.0, s.wait, 2 * s.wait
    return attempt(fit, watch)


cdef Status ask_for_trial(Fit *fit, Watch *watch) noexcept nogil:
    """At the end of the step, or for the Hessian where what is left to do is Newton's."""
    cdef State *s = <State *> fit.own
    s.promised = promise(&s.eq, fit.at.g, fit.step, s.mu)
    if s.promised <= noise(fit) and not fit.at.is_exact and s.pause == 0:
        return ask(fit, &fit.at, EXACT, attempt)
    if not place(fit, 1.0):
        return stall(fit, watch)
    s.matrix = EXACT if fit.at.is_exact or (s.pause == 0 and s.promised < NEAR * fabs(fit.at.value)) else GGN
    s.whole = s.bold and not fit.evaluator.tasks.value.stays
    return ask(fit, &fit.ahead, s.matrix if s.whole else VALUE, judge)


cdef inline bint is_close(const Fit *fit, const State *s) noexcept nogil:
    """Whether rounding hides which of two points is the lower one."""
    return fmin(s.promised, fabs(s.change)) <= noise(fit)


cdef Status judge(Fit *fit, Watch *watch) noexcept nogil:
    """The trial by its value: it is given up, or asked for its matrix."""
    cdef State *s = <State *> fit.own
    s.change = fit.at.value - fit.ahead.value
    if s.whole or not (s.change / s.promised > ACCEPT or is_close(fit, s)):
        return weigh(fit, watch)
    ask(fit, &fit.ahead, s.matrix, weigh)
    fit.again = True
    return RUNNING


cdef Status weigh(Fit *fit, Watch *watch) noexcept nogil:
    """Make the step, or damp more and try again."""
    cdef State *s = <State *> fit.own
    cdef double rho = s.change / s.promised, excess, shrink
    cdef bint better = rho > ACCEPT
    if is_close(fit, s):
        better = fit.ahead.grad_norm < fit.at.grad_norm
        rho = 1.0
    if not better:
        damp_more(s)
        return attempt(fit, watch)
    if not isfinite(fit.ahead.grad_norm):
        return stall(fit, watch)
    rho = fmin(rho, 1.0)
    excess = 2.0 * rho - 1.0
    shrink = fmax(1.0 / 3.0, 1.0 - excess * excess * excess)
    # a third still where the matrix was indefinite: it is likely to be so again, at a factorisation for each try;
    # 60 networks 10-10-1 on diabetes data take as many steps, and 7 to 14 % less time
    if fit.at.is_exact and rho > 0.9 and not s.indefinite:
        shrink = 0.1
    s.mu = s.safe = fmax(shrink * s.mu, LEAST * fit.ahead.scale)
    s.bold = rho > BOLD
    s.pause -= s.pause > 0
    if fit.at.is_exact and rho > 0.1:
        s.wait = WAIT
    return made(fit)


# ---- minima and saddles ----

cdef Status arrive(Fit *fit, Watch *watch) noexcept nogil:
    """Whether the present point is the last one."""
    cdef State *s = <State *> fit.own
    if fit.at.grad_norm <= fit.options.tol and s.verdict == UNKNOWN:
        return examine(fit, watch) if fit.at.is_exact else ask(fit, &fit.at, EXACT, examine)
    return CONVERGED if s.verdict == MINIMUM else ready(fit, step)


cdef Status stall(Fit *fit, Watch *watch) noexcept nogil:
    """The end, unless the point lies beside a saddle, the gradient not quite within tol."""
    if (<State *> fit.own).verdict != UNKNOWN:
        return STALLED
    return examine_stalled(fit, watch) if fit.at.is_exact else ask(fit, &fit.at, EXACT, examine_stalled)


cdef Status examine(Fit *fit, Watch *watch) noexcept nogil:
    """Whether the present point is a minimum or a saddle, by the Hessian."""
    cdef State *s = <State *> fit.own
    flatness(fit.problem, &fit.at, fit.options.tol, fit.step)
    cdef bint definite = factorize(&s.eq, fit.at.B, 1.0, fit.step, watch)
    if watch.stopped:
        return INTERRUPTED
    s.verdict = MINIMUM if definite else SADDLE
    return arrive(fit, watch)


cdef Status examine_stalled(Fit *fit, Watch *watch) noexcept nogil:
    """The same where nothing falls any more, which is no minimum as long as the gradient is not within tol."""
    cdef State *s = <State *> fit.own
    cdef Status status = examine(fit, watch)
    if s.verdict == MINIMUM:
        s.verdict = UNKNOWN
        return STALLED
    return status


cdef Status leave_saddle(Fit *fit, Watch *watch) noexcept nogil:
    """Along the direction of the most negative curvature."""
    cdef State *s = <State *> fit.own
    cdef double *shifts = fit.ahead.g       # which values leave alone
    flatness(fit.problem, &fit.at, fit.options.tol, shifts)
    cdef bint found = find_way_down(&s.eq, fit.at.B, shifts, fit.step, &s.curvature, watch)
    if watch.stopped:
        return INTERRUPTED
    s.length, s.n_lengths = 1.0, 0
    return try_length(fit, 1.0, search) if found else STALLED


cdef Status try_length(Fit *fit, double length, Stage then) noexcept nogil:
    place(fit, length)
    return ask(fit, &fit.ahead, VALUE, then)


cdef bint falls(const Fit *fit, double length) noexcept nogil:
    """Whether the objective falls by half of what the curvature promises of a step."""
    cdef double curvature = (<const State *> fit.own).curvature
    return fit.ahead.value < fit.at.value + 0.25 * length * length * fmin(curvature, 0.0)


cdef Status search(Fit *fit, Watch *watch) noexcept nogil:
    """To where it falls, one way or the other: the gradient is rounding, and does not say which."""
    cdef State *s = <State *> fit.own
    if falls(fit, s.length):
        s.n_lengths = 0
        return try_length(fit, 2.0 * s.length, lengthen)
    s.length *= -1.0 if s.n_lengths % 2 == 0 else -0.5
    s.n_lengths += 1
    return try_length(fit, s.length, search) if s.n_lengths < 2 * HALVINGS else STALLED


cdef Status lengthen(Fit *fit, Watch *watch) noexcept nogil:
    """On to where the gradient says more than that this is a saddle."""
    cdef State *s = <State *> fit.own
    if falls(fit, 2.0 * s.length):
        s.length *= 2.0
        s.n_lengths += 1
        if s.n_lengths < HALVINGS:
            return try_length(fit, 2.0 * s.length, lengthen)
    place(fit, s.length)
    return ask(fit, &fit.ahead, GGN, take_leave)


cdef Status take_leave(Fit *fit, Watch *watch) noexcept nogil:
    """Make the step away from a saddle."""
    cdef State *s = <State *> fit.own
    s.mu = s.safe = 1e-3 * fit.ahead.scale
    return made(fit) if isfinite(fit.ahead.grad_norm) else STALLED


cdef Method METHOD = Method(True, GGN, &memory_bytes, &lay_out, &begin, &arrive)


# ---- the Python face ----

cdef class Descent(Loop):
    """One fit by Levenberg-Marquardt.

    Parameters
    ----------
    objective : Objective, or None
        None: it is told from outside, by `ask` and `tell`.
    params : ndarray of shape (n,), float64
        The start; the free ones of all parameters.
    tol : float
        For |g|_inf.
    options : dict
        damping: the first mu, in units of the largest diagonal element of the Gauss-Newton matrix.
    state : dict, optional
        Of an earlier `Descent` at the same parameters, which is continued.
    """

    def __cinit__(self, Objective objective, const double[::1] params not None, double tol, dict options, state=None):
        cdef bint exact = state is not None and state["is_exact"]
        if not self.open(&METHOD, objective, params, read(tol, options), exact):
            raise MemoryError(f"no memory for the matrices of {params.shape[0]} parameters")
        cdef State *s = <State *> self.fit.own
        if state is not None:
            s.mu = s.safe = state["mu"]
            s.pause, s.wait, s.bold = state["pause"], state["wait"], state["bold"]

    @property
    def state(self):
        """What a later `Descent` needs to go on as this one would."""
        cdef const State *s = <const State *> self.fit.own
        return {"mu": s.safe, "pause": s.pause, "wait": s.wait, "bold": s.bold, "is_exact": self.fit.at.is_exact}
