"""L-BFGS for networks.

The direction is d = -H g, where H is the inverse Hessian that the differences s = x_new - x and y = g_new - g of the
latest steps tell of, applied by the two-loop recursion (Nocedal 1980) to s'y / y'y of the latest pair (Liu and Nocedal
1989). Without pairs d = -g.

**Line search.** Let f(t) = E(x + t d). A step meets the conditions of Wolfe or, where differences of E drown in
rounding, those that Hager and Zhang (2005) have from slopes:

    f'(t) >= SIGMA f'(0)   and either   f(t) <= f(0) + DELTA t f'(0)
                           or           f(t) <= least E so far + noise,  f'(t) <= (2 DELTA - 1) f'(0)

The first trial is t = 1; without pairs it is a step of length one at the most. `low` is the farthest trial that still
goes down, and meets a condition on values; `high` the nearest one that goes too far. Between them comes the minimum of
the cubic or quadratic polynomial through both (Moré and Thuente 1994), without `high` the zero of the slope as it
changes.

Points are rounded to the network's type before they are tried, so that s and y belong together.
"""

from libc.math cimport INFINITY, fabs, fmax, fmin, isfinite, sqrt
from libc.string cimport memcpy, memset

import numpy as np

from fastmlp._core.bridge.vector_ops cimport add_multiple, dot
from fastmlp._core.fits.descent cimport (
    CONVERGED, FLAT, SPENT, STALLED, Descent as Loop, Fit, Method, Options, Status, ask, by_type, move, place, read,
    ready,
)
from fastmlp._core.fits.objective cimport GRADIENT, Objective, Problem
from fastmlp._core.storage.memory cimport plus, times
from fastmlp._core.storage.vectors cimport lines
from fastmlp._core.threads.team cimport Watch

from fastmlp._core.fits import rules

cdef double DELTA = 1e-3, SIGMA = 0.9
cdef double EPS = 2.3e-16, EPS_F32 = 1.2e-7
cdef double NOISE = rules.NOISE[8], NOISE_F32 = rules.NOISE[4], FLATTER = rules.FLATTER
cdef double LEAST_GROWTH = 1.1, GROWTH = 4.0    # of a step beyond the latest one, in units of the way to it
cdef double MARGIN = 0.05                       # of a bracket, where no trial is made
cdef double SHRINKAGE = 0.66                    # of a bracket by a trial, else the next one is in the middle
cdef int LONGEST_WANDERING = rules.LONGEST_WANDERING


# Differences of points and of gradients along the latest steps: rows `newest` and n - 1 before, in rings of most + 1.
cdef struct Pairs:
    size_t most, n, newest
    double *S               # (most + 1, n)
    double *Y               # (most + 1, n)
    double *curvature       # (most + 1,), s'y
    double *share           # (most + 1,), of the two-loop recursion


# A trial: how far along the direction, the objective, and its slope.
cdef struct Trial:
    double t, value, slope


cdef struct Search:
    double slope            # at its start
    double t, width         # of the next trial; of the bracket
    Trial low, high, before
    size_t n_trials


# What the method keeps of a fit; its direction is `step`.
cdef struct State:
    Pairs pairs
    Search search
    bint known                  # what follows is
    double lowest, flattest     # objective and |g|_inf, of the points so far
    int wandering               # steps since either was improved
    double before               # the objective before the latest step


cdef size_t memory_bytes(const Problem *problem, const Options *options) noexcept nogil:
    cdef size_t rows = plus(options.max_pairs, 1), numbers = lines(times(rows, sizeof(double)))
    cdef size_t pairs = plus(lines(times(rows, times(problem.n, sizeof(double)))), numbers)
    return plus(lines(sizeof(State)), times(2, pairs))


cdef double *take(char **memory, size_t numbers) noexcept nogil:
    """Some of the memory that is left."""
    cdef double *taken = <double *> memory[0]
    memory[0] += lines(numbers * sizeof(double))
    return taken


cdef void lay_out(Fit *fit, void *memory) noexcept nogil:
    cdef State *s = <State *> memory
    cdef char *left = <char *> memory + lines(sizeof(State))
    cdef size_t n = fit.problem.n, rows = fit.options.max_pairs + 1
    memset(s, 0, sizeof(State))
    s.pairs.most = fit.options.max_pairs
    s.pairs.S, s.pairs.Y = take(&left, rows * n), take(&left, rows * n)
    s.pairs.curvature, s.pairs.share = take(&left, rows), take(&left, rows)


cdef Status begin(Fit *fit, Watch *watch) noexcept nogil:
    cdef State *s = <State *> fit.own
    if not s.known:
        s.lowest, s.flattest, s.known = fit.at.value, fit.at.grad_norm, True
    return arrive(fit, watch)


# ---- the direction ----

cdef bint find_direction(Fit *fit) noexcept nogil:
    """d = -H g; whether that goes down."""
    cdef Pairs *pairs = &(<State *> fit.own).pairs
    cdef const void *ops = fit.problem.ops
    cdef size_t n = fit.problem.n, size = pairs.most + 1, i, k, row
    cdef double *d = fit.step
    cdef double scale, back
    for i in range(n):
        d[i] = -fit.at.g[i]
    for k in range(pairs.n):
        row = (pairs.newest + size - k) % size
        pairs.share[row] = dot(ops, n, pairs.S + row * n, d) / pairs.curvature[row]
        add_multiple(ops, n, -pairs.share[row], pairs.Y + row * n, d)
    if pairs.n > 0:
        row = pairs.newest
        scale = pairs.curvature[row] / dot(ops, n, pairs.Y + row * n, pairs.Y + row * n)
        for i in range(n):
            d[i] *= scale
    for k in range(pairs.n):
        row = (pairs.newest + size - (pairs.n - 1 - k)) % size
        back = dot(ops, n, pairs.Y + row * n, d) / pairs.curvature[row]
        add_multiple(ops, n, pairs.share[row] - back, pairs.S + row * n, d)
    return -INFINITY < dot(ops, n, fit.at.g, d) < 0.0


cdef void remember(Fit *fit) noexcept nogil:
    """Keep the differences from `at` to `ahead`, if they tell of positive curvature."""
    cdef Pairs *pairs = &(<State *> fit.own).pairs
    cdef const void *ops = fit.problem.ops
    cdef size_t n = fit.problem.n, row = (pairs.newest + 1) % (pairs.most + 1)
    cdef double *s = pairs.S + row * n
    cdef double *y = pairs.Y + row * n
    cdef double curvature
    memcpy(s, fit.ahead.x, n * sizeof(double))
    memcpy(y, fit.ahead.g, n * sizeof(double))
    add_multiple(ops, n, -1.0, fit.at.x, s)
    add_multiple(ops, n, -1.0, fit.at.g, y)
    curvature = dot(ops, n, s, y)
    if curvature > EPS * sqrt(dot(ops, n, s, s) * dot(ops, n, y, y)) and isfinite(curvature):
        pairs.curvature[row] = curvature
        pairs.newest = row
        pairs.n = min(pairs.n + 1, pairs.most)


# ---- the line search ----

cdef inline double noise(const Fit *fit) noexcept nogil:
    return by_type(fit, NOISE, NOISE_F32) * fabs((<const State *> fit.own).lowest)


cdef double beyond(const Trial *before, const Trial *low) noexcept nogil:
    """Where the slope would vanish if it went on to change as it has."""
    cdef double way = low.t - before.t, step = INFINITY
    if low.slope > before.slope:
        step = -low.slope * way / (low.slope - before.slope)
    return low.t + fmin(fmax(step, LEAST_GROWTH * way), GROWTH * way)


cdef double between(const Trial *low, const Trial *high, double noise) noexcept nogil:
    """Where a polynomial through both has its minimum."""
    cdef double width = high.t - low.t, rise = high.value - low.value, theta, root, cubic, quadratic, t
    if not (isfinite(high.value) and isfinite(high.slope)):
        return low.t + 0.1 * width
    t = 0.5
    if fabs(rise) <= noise:
        if high.slope > 0.0:
            t = low.slope / (low.slope - high.slope)
    else:
        theta = low.slope + high.slope - 3.0 * rise / width
        root = theta * theta - low.slope * high.slope
        if root >= 0.0:
            root = sqrt(root)
            cubic = 1.0 - (high.slope + root - theta) / (high.slope - low.slope + 2.0 * root)
            t = cubic
            if rise > 0.0:
                quadratic = 0.5 * low.slope * width / (low.slope * width - rise)
                t = cubic if cubic < quadratic else 0.5 * (cubic + quadratic)
    return low.t + width * fmin(fmax(t, MARGIN), 1.0 - MARGIN)


cdef Status step(Fit *fit, Watch *watch) noexcept nogil:
    """Begin one."""
    (<State *> fit.own).before = fit.at.value
    return set_out(fit) if fit.evaluator.n_values < fit.options.max_values else SPENT


cdef Status set_out(Fit *fit) noexcept nogil:
    """Begin a search along the next direction; along -g where that does not go down."""
    cdef State *s = <State *> fit.own
    cdef Search *search = &s.search
    if not find_direction(fit):
        return restart(fit)
    cdef double slope = dot(fit.problem.ops, fit.problem.n, fit.at.g, fit.step)
    cdef double t = 1.0 if s.pairs.n > 0 else fmin(1.0, 1.0 / sqrt(-slope))     # of length one at the most, along -g
    search.slope, search.t, search.width, search.n_trials = slope, t, INFINITY, 0
    search.low, search.high = Trial(0.0, fit.at.value, slope), Trial(INFINITY, INFINITY, 0.0)
    search.before = search.low
    return try_next(fit)


cdef Status restart(Fit *fit) noexcept nogil:
    """Along -g, where a direction leads nowhere."""
    cdef Pairs *pairs = &(<State *> fit.own).pairs
    if pairs.n == 0:
        return STALLED
    pairs.n = 0
    return set_out(fit)


cdef Status try_next(Fit *fit) noexcept nogil:
    """To the next trial; where there is none, back to the farthest one that went down."""
    cdef Search *search = &(<State *> fit.own).search
    if search.n_trials < fit.options.max_trials and place(fit, search.t):
        search.n_trials += 1
        return ask(fit, &fit.ahead, GRADIENT, judge)
    if search.low.t > 0.0 and place(fit, search.low.t):
        return ask(fit, &fit.ahead, GRADIENT, made)
    return restart(fit)


cdef Status judge(Fit *fit, Watch *watch) noexcept nogil:
    """Make the step to the trial, or choose the next one."""
    cdef State *s = <State *> fit.own
    cdef Search *search = &s.search
    cdef double start = search.slope
    cdef double slope = dot(fit.problem.ops, fit.problem.n, fit.ahead.g, fit.step)
    cdef Trial trial = Trial(search.t, fit.ahead.value, slope)
    cdef bint lower = trial.value <= fit.at.value + DELTA * trial.t * start
    cdef bint not_higher = trial.value <= s.lowest + noise(fit) and slope <= (2.0 * DELTA - 1.0) * start
    if isfinite(fit.ahead.grad_norm) and (lower or not_higher):
        if slope >= SIGMA * start:
            return made(fit, watch)
        search.before, search.low = search.low, trial
    else:
        search.high = trial
    if search.high.t == INFINITY:
        search.t = beyond(&search.before, &search.low)
        return try_next(fit)
    search.t = between(&search.low, &search.high, noise(fit))
    if not search.high.t - search.low.t <= SHRINKAGE * search.width:
        search.t = 0.5 * (search.low.t + search.high.t)
    search.width = search.high.t - search.low.t
    return try_next(fit)


# ---- the steps ----

cdef Status made(Fit *fit, Watch *watch) noexcept nogil:
    """Make the step to `ahead`."""
    remember(fit)
    return move(fit, follow_up)


cdef bint wanders(Fit *fit) noexcept nogil:
    """Whether neither objective nor gradient has become smaller for long."""
    cdef State *s = <State *> fit.own
    cdef bint lower = fit.at.value < s.lowest - by_type(fit, EPS, EPS_F32) * fabs(s.lowest)
    cdef bint flatter = fit.at.grad_norm < FLATTER * s.flattest
    s.lowest = fmin(s.lowest, fit.at.value)
    if flatter:
        s.flattest = fit.at.grad_norm
    s.wandering = 0 if lower or flatter else s.wandering + 1
    return s.wandering >= LONGEST_WANDERING


cdef Status follow_up(Fit *fit, Watch *watch) noexcept nogil:
    """Whether the step was worth while."""
    cdef double before = (<State *> fit.own).before
    cdef double least = fmax(fit.options.fatol, fit.options.ftol * fmax(fabs(before), fabs(fit.at.value)))
    if wanders(fit):
        return STALLED
    if least > 0.0 and before - fit.at.value <= least and fit.at.grad_norm > fit.options.tol:
        return FLAT
    return arrive(fit, watch)


cdef Status arrive(Fit *fit, Watch *watch) noexcept nogil:
    """Whether the present point is the last one; where the gradient is no number it is."""
    if fit.at.grad_norm > fit.options.tol:
        return ready(fit, step)
    return CONVERGED if fit.at.grad_norm <= fit.options.tol else STALLED


cdef Method METHOD = Method(False, GRADIENT, &memory_bytes, &lay_out, &begin, &arrive)


# ---- the Python face ----

cdef class Descent(Loop):
    """One fit by L-BFGS.

    Parameters
    ----------
    objective : Objective, or None
        None: it is told from outside, by `ask` and `tell`.
    params : ndarray of shape (n,), float64
        The start; the free ones of all parameters.
    tol : float
        For |g|_inf.
    options : dict
        ftol, fatol: a step that changes the objective by no more than this share of it, or than this, is the last.
        maxcor, maxls, maxfun: differences that are kept; evaluations of a line search, and of the fit.
    state : dict, optional
        Of an earlier `Descent` at the same parameters, which is continued.
    """

    def __cinit__(self, Objective objective, const double[::1] params not None, double tol, dict options, state=None):
        if not self.open(&METHOD, objective, params, read(tol, options)):
            raise MemoryError(f"maxcor: expected fewer pairs, got no memory for {options['maxcor']} of "
                              f"{params.shape[0]} numbers")
        if state is not None:
            self.resume(state)

    cdef int resume(self, dict state) except -1:
        """Take over the pairs, the latest ones if not all have room, and what the point is compared with."""
        cdef State *s = <State *> self.fit.own
        cdef Pairs *pairs = &s.pairs
        cdef const double[:, ::1] S = state["steps"], Y = state["changes"]
        cdef size_t n = self.problem.n, row, first = max(0, S.shape[0] - <Py_ssize_t> pairs.most)
        pairs.n = S.shape[0] - first
        for row in range(pairs.n):
            memcpy(pairs.S + row * n, &S[first + row, 0], n * sizeof(double))
            memcpy(pairs.Y + row * n, &Y[first + row, 0], n * sizeof(double))
            pairs.curvature[row] = dot(self.problem.ops, n, pairs.S + row * n, pairs.Y + row * n)
        pairs.newest = pairs.n - 1 if pairs.n > 0 else 0
        s.lowest, s.flattest, s.wandering = state["lowest"], state["flattest"], state["wandering"]
        s.known = True
        return 0

    @property
    def state(self):
        """What a later `Descent` needs to go on as this one would."""
        cdef State *s = <State *> self.fit.own
        cdef Pairs *pairs = &s.pairs
        cdef size_t n = self.problem.n, size = pairs.most + 1
        rows = (pairs.newest + size - pairs.n + 1 + np.arange(pairs.n)) % size
        return {"steps": np.asarray(<double[:size, :n]> pairs.S)[rows],
                "changes": np.asarray(<double[:size, :n]> pairs.Y)[rows],
                "lowest": s.lowest, "flattest": s.flattest, "wandering": s.wandering}
