"""L-BFGS for networks, without the GIL and without allocation.

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
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy

import numpy as np

from fastmlp._core.bridge cimport kernels
from fastmlp._core.fits cimport objective
from fastmlp._core.threads cimport team
from fastmlp._core.bridge.kernels cimport add_multiple, dot
from fastmlp._core.fits.journal cimport Journal, Steps, note
from fastmlp._core.fits.ties cimport Map, Ties
from fastmlp._core.storage.memory cimport plus, times
from fastmlp._core.storage.vectors cimport ALIGNMENT, lines
from fastmlp._core.sums.batch cimport Batch
from fastmlp._core.sums.block cimport Source
from fastmlp._core.sums.plan cimport GRADIENT_WORK, Net, Partition, Plan
from fastmlp._core.threads.team cimport Watch

from fastmlp._core.bridge.kernels import isa_index

cdef enum:
    LONGEST_WANDERING = 100     # steps without any gain, such as rounding errors make when tol is below them

#: what `advance` returns
STATUS = ("running", "converged", "stalled", "flat", "max_fun", "interrupted")

cdef double DELTA = 1e-3, SIGMA = 0.9
cdef double EPS = 2.3e-16, EPS_F32 = 1.2e-7
cdef double NOISE = 1e-13, NOISE_F32 = 1e-6     # differences of the objective that mean nothing, as a share of it
cdef double LEAST_GROWTH = 1.1, GROWTH = 4.0    # of a step beyond the latest one, in units of the way to it
cdef double MARGIN = 0.05                       # of a bracket, where no trial is made
cdef double SHRINKAGE = 0.66                    # of a bracket by a trial, else the next one is in the middle


# ---- memory ----

cdef size_t memory_bytes(const Net *net, Partition parts, int n_threads, size_t max_pairs) noexcept nogil:
    cdef size_t vector = lines(net.n_params * sizeof(double)), rows = plus(max_pairs, 1)
    cdef size_t pairs = plus(lines(times(rows, net.n_params * sizeof(double))), lines(times(rows, sizeof(double))))
    return plus(plus(ALIGNMENT + 5 * vector, times(2, pairs)), objective.memory_bytes(net, parts, n_threads))


cdef double *take(char **memory, size_t numbers) noexcept nogil:
    """Some of the memory that is left."""
    cdef double *taken = <double *> memory[0]
    memory[0] += lines(numbers * sizeof(double))
    return taken


cdef void lay_out(Fit *fit, const Net *net, const Source *source, const Map *ties, Partition parts, int n_threads,
                  const void *ops, size_t max_pairs, void *memory) noexcept nogil:
    cdef char *left = <char *> lines(<size_t> memory)
    cdef size_t n = net.n_params, rows = max_pairs + 1
    fit.at.x, fit.at.g, fit.d = take(&left, n), take(&left, n), take(&left, n)
    fit.ahead.x, fit.ahead.g = take(&left, n), take(&left, n)
    fit.pairs.S, fit.pairs.Y = take(&left, rows * n), take(&left, rows * n)
    fit.pairs.curvature, fit.pairs.share = take(&left, rows), take(&left, rows)
    fit.pairs.most, fit.pairs.n, fit.pairs.newest = max_pairs, 0, 0
    objective.lay_out(&fit.objective, net, source, ties, parts, n_threads, ops, left)


# ---- the direction ----

cdef bint turn(Fit *fit) noexcept nogil:
    """d = -H g; whether that goes down."""
    cdef Pairs *pairs = &fit.pairs
    cdef const void *ops = fit.objective.ops
    cdef size_t n = fit.objective.n, size = pairs.most + 1, i, k, row
    cdef double *d = fit.d
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
    cdef Pairs *pairs = &fit.pairs
    cdef const void *ops = fit.objective.ops
    cdef size_t n = fit.objective.n, row = (pairs.newest + 1) % (pairs.most + 1)
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

# A trial: how far along d, the objective, and its slope.
cdef struct Trial:
    double t, value, slope


cdef bint place(Fit *fit, double t) noexcept nogil:
    """To x + t d, as the network's type holds it; whether that is another point."""
    cdef size_t n = fit.objective.n
    memcpy(fit.ahead.x, fit.at.x, n * sizeof(double))
    add_multiple(fit.objective.ops, n, t, fit.d, fit.ahead.x)
    objective.round_off(&fit.objective, fit.ahead.x)
    return memcmp(fit.ahead.x, fit.at.x, n * sizeof(double)) != 0


cdef inline double noise(const Fit *fit) noexcept nogil:
    return (NOISE if fit.objective.job.block.net.itemsize == sizeof(double) else NOISE_F32) * fabs(fit.lowest)


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


cdef double first_length(const Fit *fit) noexcept nogil:
    if fit.pairs.n > 0:
        return 1.0
    return fmin(1.0, 1.0 / sqrt(dot(fit.objective.ops, fit.objective.n, fit.at.g, fit.at.g)))


cdef bint search(Fit *fit, Watch *watch) noexcept nogil:
    """Find a step along d; whether `ahead` is its end."""
    cdef const void *ops = fit.objective.ops
    cdef size_t n = fit.objective.n, _
    cdef double start = dot(ops, n, fit.at.g, fit.d), t = first_length(fit), width = INFINITY
    cdef Trial low = Trial(0.0, fit.at.value, start), high = Trial(INFINITY, INFINITY, 0.0), before = low, trial
    cdef bint lower, not_higher
    for _ in range(fit.max_trials):
        if not place(fit, t):
            break
        objective.look(&fit.objective, &fit.ahead, watch)
        if watch.stopped:
            return False
        trial = Trial(t, fit.ahead.value, dot(ops, n, fit.ahead.g, fit.d))
        lower = trial.value <= fit.at.value + DELTA * t * start
        not_higher = trial.value <= fit.lowest + noise(fit) and trial.slope <= (2.0 * DELTA - 1.0) * start
        if isfinite(fit.ahead.grad_norm) and (lower or not_higher):
            if trial.slope >= SIGMA * start:
                return True
            before, low = low, trial
        else:
            high = trial
        if high.t == INFINITY:
            t = beyond(&before, &low)
            continue
        t = between(&low, &high, noise(fit))
        if not high.t - low.t <= SHRINKAGE * width:
            t = 0.5 * (low.t + high.t)
        width = high.t - low.t
    if not low.t > 0.0 or not place(fit, low.t):
        return False
    objective.look(&fit.objective, &fit.ahead, watch)
    return not watch.stopped


# ---- the steps ----

cdef void start(Fit *fit, Watch *watch) noexcept nogil:
    objective.round_off(&fit.objective, fit.at.x)
    objective.look(&fit.objective, &fit.at, watch)
    fit.lowest, fit.flattest = fit.at.value, fit.at.grad_norm
    fit.wandering = 0
    fit.n_steps = 0


cdef Status move(Fit *fit, Watch *watch) noexcept nogil:
    """One step; along -g where the direction leads nowhere."""
    while not (turn(fit) and search(fit, watch)):
        if watch.stopped:
            return INTERRUPTED
        if fit.pairs.n == 0:
            return STALLED
        fit.pairs.n = 0
    remember(fit)
    fit.at, fit.ahead = fit.ahead, fit.at
    fit.n_steps += 1
    return RUNNING


cdef bint wanders(Fit *fit) noexcept nogil:
    """Whether neither objective nor gradient has become smaller for long."""
    cdef double eps = EPS if fit.objective.job.block.net.itemsize == sizeof(double) else EPS_F32
    cdef bint lower = fit.at.value < fit.lowest - eps * fabs(fit.lowest)
    cdef bint flatter = fit.at.grad_norm < 0.9 * fit.flattest
    fit.lowest = fmin(fit.lowest, fit.at.value)
    if flatter:
        fit.flattest = fit.at.grad_norm
    fit.wandering = 0 if lower or flatter else fit.wandering + 1
    return fit.wandering >= LONGEST_WANDERING


cdef Status advance(Fit *fit, size_t n_steps, Steps *steps, Watch *watch) noexcept nogil:
    cdef size_t goal = fit.n_steps + n_steps
    cdef double before, least
    cdef Status status
    cdef bint more = True
    while fit.at.grad_norm > fit.tol:
        if fit.n_steps >= goal or not more:
            return RUNNING
        if fit.objective.n_values >= fit.max_values:
            return SPENT
        before = fit.at.value
        status = move(fit, watch)
        if status != RUNNING:
            return status
        if steps != NULL:
            more = note(steps, fit.at.value, fit.at.penalty, fit.at.grad_norm, fit.at.x)
        least = fmax(fit.fatol, fit.ftol * fmax(fabs(before), fabs(fit.at.value)))
        if wanders(fit):
            return STALLED
        if least > 0.0 and before - fit.at.value <= least and fit.at.grad_norm > fit.tol:
            return FLAT
    return CONVERGED if fit.at.grad_norm <= fit.tol else STALLED


# ---- the Python face ----

cdef class Descent:
    """One fit by L-BFGS.

    Parameters
    ----------
    batch : Batch
        The samples.
    params : ndarray of shape (P,), float64
        The start; of the free ones (n,) with `ties`.
    factor : float
        Of the loss.
    decay : ndarray of shape (P,) or (n,), float64, or None
        lambda.
    tol : float
        For |g|_inf.
    ftol, fatol : float
        A step that changes the objective by no more than this share of it, or than this, is the last.
    max_pairs, max_trials, max_values : int
        Differences that are kept; evaluations of a line search, and of the fit.
    n_threads : int
    state : dict, optional
        Of an earlier `Descent` at the same parameters, which is continued.
    ties : Ties, optional
        The map from the free parameters to all of them.
    terms : object, optional
        Other terms, in Python: see `asked.pyx`. What they raise ends the call.
    """

    cdef Fit fit
    cdef Batch batch
    cdef object decay
    cdef object terms
    cdef Ties ties
    cdef void *memory

    def __cinit__(self, Batch batch not None, const double[::1] params not None, double factor,
                  const double[::1] decay, double tol, double ftol, double fatol, size_t max_pairs, size_t max_trials,
                  size_t max_values, int n_threads, state=None, Ties ties=None, terms=None):
        cdef Fit *fit = &self.fit
        cdef Watch watch = team.watch()
        self.batch, self.decay, self.ties, self.terms = batch, decay, ties, terms
        cdef Plan plan = batch.plan
        cdef Partition parts = plan.partition(batch.source.n)
        n_threads = plan.threads(batch.source.n, GRADIENT_WORK, n_threads)
        cdef size_t n_bytes = memory_bytes(&plan.net, parts, n_threads, max_pairs)
        self.memory = malloc(n_bytes)
        if self.memory == NULL:
            raise MemoryError(
                f"maxcor: expected fewer pairs, got no memory for {max_pairs} of {plan.net.n_params} numbers"
            )
        lay_out(fit, &plan.net, &batch.source, &ties.map if ties is not None else NULL, parts, n_threads,
                kernels.table(isa_index(None), sizeof(double)), max_pairs, self.memory)
        fit.objective.factor = factor
        fit.objective.decay = &decay[0] if decay is not None else NULL
        fit.objective.terms = <void *> terms if terms is not None else NULL
        fit.tol, fit.ftol, fit.fatol = tol, ftol, fatol
        fit.max_trials, fit.max_values = max_trials, max_values
        memcpy(fit.at.x, &params[0], fit.objective.n * sizeof(double))
        with nogil:
            start(fit, &watch)
        team.check(&watch)
        if state is not None:
            self.resume(state)

    def __dealloc__(self):
        free(self.memory)

    cdef int resume(self, dict state) except -1:
        """Take over the pairs, the latest ones if not all have room, and what the point is compared with."""
        cdef Pairs *pairs = &self.fit.pairs
        cdef const double[:, ::1] S = state["steps"], Y = state["changes"]
        cdef size_t n = self.fit.objective.n, row, first = max(0, S.shape[0] - <Py_ssize_t> pairs.most)
        pairs.n = S.shape[0] - first
        for row in range(pairs.n):
            memcpy(pairs.S + row * n, &S[first + row, 0], n * sizeof(double))
            memcpy(pairs.Y + row * n, &Y[first + row, 0], n * sizeof(double))
            pairs.curvature[row] = dot(self.fit.objective.ops, n, pairs.S + row * n, pairs.Y + row * n)
        pairs.newest = pairs.n - 1 if pairs.n > 0 else 0
        self.fit.lowest, self.fit.flattest, self.fit.wandering = state["lowest"], state["flattest"], state["wandering"]
        return 0

    def advance(self, size_t n_steps, Journal journal=None):
        """Make up to so many steps; "running", "converged", "stalled", "flat" or "max_fun".

        They are noted in the journal, and fewer are made where that has no room or no time left.
        """
        cdef Watch watch = team.watch()
        cdef Status status
        cdef Steps *steps = &journal.steps if journal is not None else NULL
        with nogil:
            status = advance(&self.fit, n_steps, steps, &watch)
        team.check(&watch)
        return STATUS[status]

    @property
    def params(self):
        """A copy of the parameters, those that are free (n,)."""
        return np.array(<double[: self.fit.objective.n]> self.fit.at.x)

    @property
    def state(self):
        """What a later `Descent` needs to go on as this one would."""
        cdef Pairs *pairs = &self.fit.pairs
        cdef size_t n = self.fit.objective.n, size = pairs.most + 1
        rows = (pairs.newest + size - pairs.n + 1 + np.arange(pairs.n)) % size
        return {"steps": np.asarray(<double[:size, :n]> pairs.S)[rows],
                "changes": np.asarray(<double[:size, :n]> pairs.Y)[rows],
                "lowest": self.fit.lowest, "flattest": self.fit.flattest, "wandering": self.fit.wandering}

    @property
    def value(self):
        """The objective."""
        return self.fit.at.value

    @property
    def penalty(self):
        """Its part that does not depend on the data."""
        return self.fit.at.penalty

    @property
    def grad_norm(self):
        """|g|_inf."""
        return self.fit.at.grad_norm

    @property
    def counts(self):
        """How many steps have been made, and how many values, gradients and Hessians computed."""
        return self.fit.n_steps, self.fit.objective.n_values, self.fit.objective.n_values, 0
