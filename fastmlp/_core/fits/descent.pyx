"""The one loop under all full-batch methods, without the GIL and without allocation.

A method computes nothing of the objective: it asks for value, gradient or matrix at a point, and goes on once it knows
them. The loop has them evaluated; or, where the objective is told from outside, hands the point out and returns. Steps,
journal and signals are counted, kept and answered here.
"""

from libc.stdlib cimport free
from libc.string cimport memcpy

from fastmlp._core.curvature cimport matrices
from fastmlp._core.fits cimport objective
from fastmlp._core.threads cimport team
from fastmlp._core.bridge.vector_ops cimport add_multiple
from fastmlp._core.fits.journal cimport Journal, Steps, note
from fastmlp._core.fits.objective cimport EXACT, GRADIENT, Objective
from fastmlp._core.storage.arrays cimport data, vector
from fastmlp._core.storage.memory cimport plus, reserve, times
from fastmlp._core.storage.vectors cimport ALIGNMENT, lines

#: what `Status` counts
STATUS = ("running", "converged", "stalled", "flat", "max_fun", "interrupted", "asking", "max_iter", "slow",
          "time_limit", "diverged")
#: what `Want` counts
WANTED = ("value", "gradient", "ggn", "exact")


cdef size_t memory_bytes(const Method *method, const Problem *problem, const Options *options) noexcept nogil:
    cdef size_t points = times(2, objective.point_bytes(problem.n, method.curved))
    points = plus(ALIGNMENT, plus(points, lines(times(problem.n, sizeof(double)))))
    return plus(plus(points, lines(method.memory_bytes(problem, options))),
                objective.memory_bytes(problem, method.curved))


cdef void begin(Fit *fit, const Method *method, const Problem *problem, const Options *options, const double *x,
                void *memory) noexcept nogil:
    cdef size_t left = lines(<size_t> memory), n = problem.n
    cdef size_t point = objective.point_bytes(n, method.curved)
    fit.method, fit.problem, fit.options = method, problem, options[0]
    fit.at = objective.point(n, method.curved, <void *> left)
    fit.ahead = objective.point(n, method.curved, <void *> (left + point))
    fit.step = <double *> (left + 2 * point)
    left += 2 * point + lines(n * sizeof(double))
    fit.own = <void *> left
    method.lay_out(fit, fit.own)
    left += lines(method.memory_bytes(problem, options))
    objective.lay_out(&fit.evaluator, problem, method.curved, <void *> left)
    memcpy(fit.at.x, x, n * sizeof(double))
    round_off(problem, fit.at.x)
    fit.n_steps, fit.ready = 0, False
    ask(fit, &fit.at, method.first, method.begin)


cdef void round_off(const Problem *problem, double *x) noexcept nogil:
    """x becomes what the network's type holds of it."""
    cdef size_t i
    for i in range(0 if problem.itemsize == sizeof(double) else problem.n):
        x[i] = <float> x[i]


# ---- what methods do ----

cdef Status ask(Fit *fit, Point *point, Want want, Stage then) noexcept nogil:
    fit.asked, fit.want, fit.again, fit.then = point, want, False, then
    return RUNNING


cdef Status ready(Fit *fit, Stage step) noexcept nogil:
    fit.then, fit.ready = step, True
    return RUNNING


cdef bint place(Fit *fit, double length) noexcept nogil:
    cdef size_t n = fit.problem.n, i
    memcpy(fit.ahead.x, fit.at.x, n * sizeof(double))
    add_multiple(fit.problem.ops, n, length, fit.step, fit.ahead.x)
    round_off(fit.problem, fit.ahead.x)
    for i in range(n):
        if fit.ahead.x[i] != fit.at.x[i]:
            return True
    return False


cdef Status move(Fit *fit, Stage then) noexcept nogil:
    fit.at, fit.ahead, fit.then = fit.ahead, fit.at, then
    fit.n_steps += 1
    return RUNNING


cdef double by_type(const Fit *fit, double in_double, double in_float) noexcept nogil:
    return in_double if fit.problem.itemsize == sizeof(double) else in_float


# ---- the loop ----

cdef void answer(Fit *fit, Watch *watch) noexcept nogil:
    objective.evaluate(&fit.evaluator, fit.asked, fit.want, fit.again, watch)
    fit.asked = NULL


cdef Status advance(Fit *fit, size_t n_steps, Steps *steps, Watch *watch) noexcept nogil:
    cdef size_t goal = fit.n_steps + n_steps, made = fit.n_steps
    cdef Status status = RUNNING
    cdef bint more = True
    while not fit.ready or (more and fit.n_steps < goal):
        if fit.asked != NULL and fit.problem.net == NULL:
            return ASKING
        if fit.asked != NULL:
            answer(fit, watch)
        fit.ready = False
        if not watch.stopped:
            status = fit.then(fit, watch)
        if watch.stopped:
            status = INTERRUPTED
        if status != RUNNING:
            fit.then, fit.asked = fit.method.arrive, NULL
            return status
        if fit.asked == NULL and not fit.ready:
            if fit.n_steps == made:
                return RUNNING
            made = fit.n_steps
            if steps != NULL:
                more = note(steps, fit.at.value, fit.at.penalty, fit.at.grad_norm, fit.at.x)
    return RUNNING


# ---- the Python face ----

cdef Options read(double tol, dict options) except *:
    """Those of all methods; what a method has not is not read by it."""
    cdef Options read
    read.tol, read.damping = tol, options.get("damping", 0.0)
    read.ftol, read.fatol = options.get("ftol", 0.0), options.get("fatol", 0.0)
    read.max_pairs, read.max_trials = options.get("maxcor", 0), options.get("maxls", 0)
    read.max_values = options.get("maxfun", 0)
    return read


cdef class Descent:
    """One fit, by the method of a subclass; see there."""

    cdef bint open(self, const Method *method, Objective given, const double[::1] params, Options settings,
                   bint exact=False) except -1:
        """Begin, with the Hessian if it is to be exact, unless that is told from outside; whether there is memory."""
        cdef Watch watch = team.watch()
        self.given, self.status = given, "running"
        self.problem = given.problem if given is not None else objective.outside(params.shape[0])
        self.memory = reserve(memory_bytes(method, &self.problem, &settings))
        if self.memory == NULL:
            return False
        begin(&self.fit, method, &self.problem, &settings, &params[0], self.memory)
        if exact:
            self.fit.want = EXACT
        if self.problem.net != NULL:
            with nogil:
                answer(&self.fit, &watch)
        team.check(&watch)
        return True

    def __dealloc__(self):
        free(self.memory)

    def advance(self, size_t n_steps, Journal journal=None):
        """Make up to so many accepted steps; one of `STATUS`.

        They are noted in the journal, and fewer are made where that has no room or no time left. "running" without a
        new step gives the caller the chance to look at the clock after many trials.
        """
        cdef Watch watch = team.watch()
        cdef Status status
        cdef Steps *steps = &journal.steps if journal is not None else NULL
        with nogil:
            status = advance(&self.fit, n_steps, steps, &watch)
        team.check(&watch)
        self.status = STATUS[<int> status]
        return self.status

    def ask(self):
        """What an objective told from outside is to `tell` next, "gradient", "value", "ggn" or "exact", and x (n,).

        None when it is over: then `status` says why. Whoever wants no more steps just asks no more.
        """
        while self.advance(1) == "running":
            pass
        if self.status != "asking":
            return None
        return WANTED[<int> self.fit.want], vector(self.problem.n, self.fit.asked.x)

    def tell(self, double value, const double[::1] gradient=None, const double[:, :] matrix=None):
        """Answer `ask`: all but "value" takes the gradient (n,), "ggn" and "exact" a symmetric matrix (n, n)."""
        cdef Fit *fit = &self.fit
        cdef Point *point = fit.asked
        cdef size_t n = self.problem.n, i, j
        if point == NULL or self.problem.net != NULL:
            raise ValueError("tell: expected after `ask`, of an objective that is told from outside")
        if fit.want >= GRADIENT and (gradient is None or <size_t> gradient.shape[0] != n):
            raise ValueError(f"gradient: expected {n} numbers")
        if fit.want > GRADIENT and (matrix is None or <size_t> matrix.shape[0] != n or <size_t> matrix.shape[1] != n):
            raise ValueError(f"matrix: expected {n} rows of {n} numbers")
        point.value, point.penalty = value, 0.0
        for i in range(n if fit.want >= GRADIENT else 0):
            point.g[i] = gradient[i]
        for i in range(n if fit.want > GRADIENT else 0):
            for j in range(i + 1):
                point.B[i * n + j] = 0.5 * (matrix[i, j] + matrix[j, i])
        objective.finish(&fit.evaluator, point, fit.want)
        fit.asked = NULL

    @property
    def params(self):
        """A copy of the parameters, those that are free (n,)."""
        return vector(self.problem.n, self.fit.at.x)

    @property
    def gradient(self):
        """A copy of the gradient there (n,)."""
        return vector(self.problem.n, self.fit.at.g)

    @property
    def matrix(self):
        """A copy of the matrix that was last asked for there (n, n), symmetric."""
        cdef size_t n = self.problem.n
        cdef Watch watch = team.watch()
        if self.fit.at.B == NULL:
            raise ValueError("matrix: expected a method that asks for matrices")
        B = vector(n * n, self.fit.at.B)
        matrices.mirror(n, <double *> data(B), &watch)
        team.check(&watch)
        return B.reshape(n, n)

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
        cdef const Evaluator *done = &self.fit.evaluator
        return self.fit.n_steps, done.n_values, done.n_gradients, done.n_hessians
