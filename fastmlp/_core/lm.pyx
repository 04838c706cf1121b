"""Levenberg-Marquardt that ends in Newton's method, for networks, without the GIL and without allocation.

The objective E = factor * loss + sum lambda_i/2 x_i^2 has gradient g and curvature B: the Gauss-Newton matrix of the loss
or its Hessian, plus diag(lambda). A trial step solves

    (B + mu I) s = -g,      predicted decrease  -g's - s'B s/2 = (mu s's - g's) / 2

and is made if the objective falls by more than 1e-4 of that (rho > 1e-4). Then mu is multiplied by max(1/3, 1 - (2 rho
- 1)^3), else by 2, 4, 8, ... (Nielsen 1999). Damping by the identity, not by the diagonal of B: the columns of saturated
units vanish, and without damping their weights fly off.

Near a minimum differences of the objective drown in rounding. A step that changes it by less than NOISE, or promises
less, is made if the largest gradient falls.

**Newton.** Where residuals remain, Gauss-Newton converges linearly, and slowly. Once a step promises less than NEAR of
the objective, B becomes the Hessian. Cholesky's factorisation tells whether B + mu I is positive definite; if not, mu
grows, and at the third failure Gauss-Newton has its turn for some steps, for twice as many each time.

**Saddles.** |g|_inf <= tol is a minimum if B + delta I, of the Hessian, is positive definite, delta = FLAT max |B_ii| +
|g|_inf: flat directions, as those of dead units and of softmax, pass. Else inverse iteration finds the direction
of negative curvature, and a step along it is made.
"""

from libc.math cimport INFINITY, cos, fabs, fmax, fmin, isfinite, sqrt
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

import numpy as np

from cython cimport floating
from fastmlp._core cimport curvature, kernels, team
from fastmlp._core.batch cimport Batch, Source
from fastmlp._core.curvature cimport LOWER, NOTHING, Task, evaluate, task
from fastmlp._core.plan cimport Net
from fastmlp._core.team cimport Watch
from fastmlp._core.units cimport EXACT, GGN

from fastmlp._core.kernels import isa_index

cdef enum:
    TRIES = 25              # trials between two looks at the clock
    FAILURES = 3            # of a factorisation, until Gauss-Newton has its turn
    WAIT = 5                # steps, the first time
    POWER_STEPS = 12        # of inverse iteration
    HALVINGS = 60
    ALIGNMENT = 64          # bytes

#: what `advance` returns
STATUS = ("running", "converged", "stalled", "interrupted")

cdef double ACCEPT = 1e-4
cdef double NEAR = 0.02
cdef double FLAT = 1e-8, FLAT_F32 = 1e-5
cdef double NOISE = 1e-13, NOISE_F32 = 1e-6
cdef double LEAST = 1e-16, MOST = 1e20      # dampings, in units of the largest diagonal element,
cdef double LARGEST = 1e300                 # and a damping that ends it all


# ---- memory ----

cdef inline size_t lines(size_t n_bytes) noexcept nogil:
    return (n_bytes + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT


cdef size_t native_bytes(const Net *net) noexcept nogil:
    return 0 if net.itemsize == sizeof(double) else lines((net.n_params + 2) * net.n_params * net.itemsize)


cdef size_t memory_bytes(const Net *net, size_t n, int n_threads) noexcept nogil:
    cdef Task loss = task(net, n, GGN, NOTHING), ggn = task(net, n, GGN, LOWER), exact = task(net, n, EXACT, LOWER)
    cdef size_t scratch = max(curvature.memory_bytes(&loss, n_threads),
                              max(curvature.memory_bytes(&ggn, n_threads), curvature.memory_bytes(&exact, n_threads)))
    cdef size_t vectors = 5 * lines(net.n_params * sizeof(double))
    return ALIGNMENT + vectors + 2 * lines(net.n_params * net.n_params * sizeof(double)) + native_bytes(net) + scratch


cdef void lay_out(Fit *fit, const Net *net, const Source *source, const void *ops, int n_threads,
                  void *memory) noexcept nogil:
    cdef size_t at = lines(<size_t> memory), vector = lines(net.n_params * sizeof(double))
    cdef size_t matrix = lines(net.n_params * net.n_params * sizeof(double))
    fit.net, fit.source, fit.ops, fit.n_threads = net, source, ops, n_threads
    fit.loss = task(net, source.n, GGN, NOTHING)
    fit.ggn = task(net, source.n, GGN, LOWER)
    fit.exact = task(net, source.n, EXACT, LOWER)
    fit.choice = team.choice()
    fit.x = <double *> at
    fit.trial = <double *> (at + vector)
    fit.step = <double *> (at + 2 * vector)
    fit.g = <double *> (at + 3 * vector)
    fit.trial_g = <double *> (at + 4 * vector)
    at += 5 * vector
    fit.B = <double *> at
    fit.L = <double *> (at + matrix)
    fit.native = <void *> (at + 2 * matrix)
    fit.scratch = <void *> (at + 2 * matrix + native_bytes(net))


# ---- the objective ----

cdef double sums(Fit *fit, const Task *todo, const double *x, double *g, double *B, floating *native,
                 Watch *watch) noexcept nogil:
    """The loss, its gradient and its matrix, where g and B are not NULL; through `native`, if that is not double's."""
    cdef size_t n = fit.net.n_params, i, j
    cdef const floating *params
    cdef floating *gradient
    cdef floating *matrix
    cdef int n_threads = curvature.threads(todo, fit.source.n, fit.n_threads)
    cdef bint several = n_threads > 1
    cdef double value, started = team.seconds() if several else 0.0
    n_threads = team.chosen(&fit.choice, n_threads)
    if floating is double:
        params, gradient, matrix = x, g, B
    else:
        for i in range(n):
            native[i] = <float> x[i]
        params = native
        gradient = native + n if g != NULL else NULL
        matrix = native + 2 * n if B != NULL else NULL
    value = evaluate(todo, params, fit.source, fit.scratch, gradient, matrix, n_threads, watch)
    if floating is float:
        for i in range(n if g != NULL else 0):
            g[i] = gradient[i]
        for i in range(n if B != NULL else 0):
            for j in range(i + 1):
                B[i * n + j] = matrix[i * n + j]
    if several:
        team.note(&fit.choice, (team.seconds() - started) * fit.ggn.work / todo.work)
    return value


cdef double objective(Fit *fit, const Task *todo, const double *x, double *g, double *B, double *penalty,
                      Watch *watch) noexcept nogil:
    """E at x, and how much of it is penalty; gradient and matrix where g and B are not NULL."""
    cdef size_t n = fit.net.n_params, i, j
    cdef double value
    if fit.net.itemsize == sizeof(double):
        value = sums(fit, todo, x, g, B, <double *> NULL, watch)
    else:
        value = sums(fit, todo, x, g, B, <float *> fit.native, watch)
    fit.n_values += 1
    fit.n_gradients += g != NULL
    penalty[0] = 0.0
    for i in range(n if fit.decay != NULL else 0):
        penalty[0] += 0.5 * fit.decay[i] * x[i] * x[i]
    for i in range(n if g != NULL else 0):
        g[i] = fit.factor * g[i] + (fit.decay[i] * x[i] if fit.decay != NULL else 0.0)
    for i in range(n if B != NULL else 0):
        if fit.factor != 1.0:
            for j in range(i + 1):
                B[i * n + j] *= fit.factor
        if fit.decay != NULL:
            B[i * n + i] += fit.decay[i]
    return fit.factor * value + penalty[0]


cdef void look(Fit *fit, bint exact, Watch *watch) noexcept nogil:
    """Value, gradient and matrix at x."""
    fit.value = objective(fit, &fit.exact if exact else &fit.ggn, fit.x, fit.g, fit.B, &fit.penalty, watch)
    fit.grad_norm = largest(fit.net.n_params, fit.g, 1)
    fit.is_exact = exact
    fit.n_hessians += exact
    fit.scale = largest(fit.net.n_params, fit.B, fit.net.n_params + 1)
    if not 0.0 < fit.scale < INFINITY:
        fit.scale = 1.0


# ---- vectors and matrices ----

cdef double largest(size_t n, const double *v, size_t stride) noexcept nogil:
    """max |v_i|; nan where there is one."""
    cdef double most = 0.0
    cdef size_t i
    for i in range(n):
        if not fabs(v[i * stride]) <= most:
            most = fabs(v[i * stride])
            if most != most:
                break
    return most


cdef double dot(size_t n, const double *v, const double *w) noexcept nogil:
    cdef double total = 0.0
    cdef size_t i
    for i in range(n):
        total += v[i] * w[i]
    return total


cdef bint factor(Fit *fit, double shift) noexcept nogil:
    """L L' = B + shift I; whether that is positive definite."""
    cdef size_t n = fit.net.n_params, i
    for i in range(n):
        memcpy(fit.L + i * n, fit.B + i * n, (i + 1) * sizeof(double))
        fit.L[i * n + i] += shift
    return kernels.cholesky_factor(fit.ops, n, fit.L, n) == 0


cdef void solve(const Fit *fit, double *b) noexcept nogil:
    """b becomes (L L')^-1 b."""
    cdef size_t n = fit.net.n_params
    kernels.cholesky_forward(fit.ops, n, <const double *> fit.L, n, 1, b, n)
    kernels.cholesky_backward(fit.ops, n, <const double *> fit.L, n, 1, b, n)


cdef bint place_trial(Fit *fit, double length) noexcept nogil:
    """trial = x + length * step, as the network's type holds it; whether that is another point."""
    cdef size_t i
    cdef bint moved = False
    for i in range(fit.net.n_params):
        fit.trial[i] = fit.x[i] + length * fit.step[i]
        if fit.net.itemsize == sizeof(float):
            fit.trial[i] = <float> fit.trial[i]
        moved |= fit.trial[i] != fit.x[i]
    return moved


# ---- the steps ----

cdef void start(Fit *fit, double mu0, bint exact, Watch *watch) noexcept nogil:
    cdef size_t n = fit.net.n_params, i
    fit.n_steps = fit.n_values = fit.n_gradients = fit.n_hessians = 0
    for i in range(n if fit.net.itemsize == sizeof(float) else 0):
        fit.x[i] = <float> fit.x[i]
    look(fit, exact, watch)
    fit.mu = fit.fallback = mu0 * fit.scale
    fit.growth = 2.0
    fit.point = UNKNOWN
    fit.failures = fit.pause = 0
    fit.wait = WAIT


cdef inline double cube(double x) noexcept nogil:
    return x * x * x


cdef void damp_more(Fit *fit) noexcept nogil:
    fit.mu *= fit.growth
    fit.growth *= 2.0


cdef void move(Fit *fit, bint exact, Watch *watch) noexcept nogil:
    """To the trial point. Where the derivatives cannot be computed, back: `grad_norm` is not finite then."""
    memcpy(fit.step, fit.x, fit.net.n_params * sizeof(double))
    memcpy(fit.x, fit.trial, fit.net.n_params * sizeof(double))
    look(fit, exact, watch)
    if watch.stopped or not isfinite(fit.grad_norm):
        memcpy(fit.x, fit.step, fit.net.n_params * sizeof(double))
        return
    fit.n_steps += 1
    fit.point = UNKNOWN
    fit.failures = 0
    fit.growth = 2.0


cdef Status descend(Fit *fit, Watch *watch) noexcept nogil:
    """One accepted step."""
    cdef size_t n = fit.net.n_params, i
    cdef double noise = NOISE if fit.net.itemsize == sizeof(double) else NOISE_F32
    cdef double promised, value, rho, penalty, shrink
    cdef bint better, exact
    cdef int tried
    for tried in range(TRIES):
        if not fit.mu < fmin(MOST * fit.scale, LARGEST):
            return STALLED
        if not factor(fit, fit.mu):
            damp_more(fit)
            fit.failures += 1
            if fit.is_exact and fit.failures == FAILURES:
                look(fit, False, watch)
                if watch.stopped:
                    return INTERRUPTED
                fit.mu, fit.growth = fit.fallback, 2.0
                fit.pause = fit.wait
                fit.wait *= 2
            continue
        for i in range(n):
            fit.step[i] = -fit.g[i]
        solve(fit, fit.step)
        promised = 0.5 * (fit.mu * dot(n, fit.step, fit.step) - dot(n, fit.g, fit.step))
        if promised <= noise * fabs(fit.value) and not fit.is_exact and fit.pause == 0:
            look(fit, True, watch)      # what is left to do is Newton's
            if watch.stopped:
                return INTERRUPTED
            continue
        if not place_trial(fit, 1.0):
            return STALLED
        value = objective(fit, &fit.loss, fit.trial, NULL, NULL, &penalty, watch)
        rho = (fit.value - value) / promised
        better = rho > ACCEPT
        if fmin(promised, fabs(fit.value - value)) <= noise * fabs(fit.value):
            objective(fit, &fit.loss, fit.trial, fit.trial_g, NULL, &penalty, watch)
            better = largest(n, fit.trial_g, 1) < fit.grad_norm
            rho = 1.0
        if watch.stopped:
            return INTERRUPTED
        if not better:
            damp_more(fit)
            continue
        rho = fmin(rho, 1.0)
        shrink = 0.1 if fit.is_exact and rho > 0.9 else fmax(1.0 / 3.0, 1.0 - cube(2.0 * rho - 1.0))
        if fit.is_exact and rho > 0.1:
            fit.wait = WAIT
        exact = fit.is_exact or (fit.pause == 0 and promised < NEAR * fabs(fit.value))
        fit.pause -= fit.pause > 0
        move(fit, exact, watch)
        if watch.stopped:
            return INTERRUPTED
        if not isfinite(fit.grad_norm):
            return STALLED
        fit.mu = fit.fallback = fmax(shrink * fit.mu, LEAST * fit.scale)
        return RUNNING
    return RUNNING


cdef double flatness(const Fit *fit) noexcept nogil:
    """Curvature that counts as none."""
    return (FLAT if fit.net.itemsize == sizeof(double) else FLAT_F32) * fit.scale + fit.grad_norm


cdef void examine(Fit *fit, Watch *watch) noexcept nogil:
    """Whether x, where the gradient is within tol, is a minimum or a saddle."""
    if not fit.is_exact:
        look(fit, True, watch)
    fit.point = MINIMUM if factor(fit, flatness(fit)) else SADDLE


cdef Status leave_saddle(Fit *fit, Watch *watch) noexcept nogil:
    """A step along the direction of the most negative curvature, down to where the objective is lower."""
    cdef size_t n = fit.net.n_params, i
    cdef double shift = flatness(fit), length, curvature, value, penalty, sign
    cdef int k
    while not factor(fit, shift):
        shift *= 2.0
        if not shift < INFINITY:
            return STALLED
    for i in range(n):
        fit.step[i] = 1.0 + cos(<double> i)
    for k in range(POWER_STEPS):
        solve(fit, fit.step)
        length = sqrt(dot(n, fit.step, fit.step))
        for i in range(n):
            fit.step[i] /= length
    curvature = 1.0 / length - shift        # the eigenvalue that inverse iteration has come to
    sign = -1.0 if dot(n, fit.g, fit.step) > 0.0 else 1.0
    length = 1.0
    for k in range(HALVINGS):
        place_trial(fit, sign * length)
        value = objective(fit, &fit.loss, fit.trial, NULL, NULL, &penalty, watch)
        if watch.stopped:
            return INTERRUPTED
        if value < fit.value + 0.25 * length * length * fmin(curvature, 0.0):
            move(fit, False, watch)
            if watch.stopped:
                return INTERRUPTED
            fit.mu = fit.fallback = fmax(fit.mu, 1e-3 * fit.scale)
            return RUNNING if isfinite(fit.grad_norm) else STALLED
        length *= 0.5
    return STALLED


cdef Status advance(Fit *fit, size_t n_steps, Watch *watch) noexcept nogil:
    cdef size_t goal = fit.n_steps + n_steps, before
    cdef Status status
    while True:
        if fit.grad_norm <= fit.tol and fit.point == UNKNOWN:
            examine(fit, watch)
            if watch.stopped:
                return INTERRUPTED
        if fit.point == MINIMUM:
            return CONVERGED
        if fit.n_steps >= goal:
            return RUNNING
        before = fit.n_steps
        status = leave_saddle(fit, watch) if fit.point == SADDLE else descend(fit, watch)
        if status != RUNNING or fit.n_steps == before:
            return status


# ---- the Python face ----

cdef class Descent:
    """One fit by Levenberg-Marquardt.

    Parameters
    ----------
    batch : Batch
        The samples.
    params : ndarray of shape (P,), float64
        The start.
    factor : float
        Of the loss.
    decay : ndarray of shape (P,), float64, or None
        lambda.
    tol : float
        For |g|_inf.
    damping : float
        The first mu, in units of the largest diagonal element of the Gauss-Newton matrix.
    n_threads : int
    state : dict, optional
        Of an earlier `Descent` at the same parameters, which is continued.
    """

    cdef Fit fit
    cdef Batch batch
    cdef object decay
    cdef void *memory

    def __cinit__(self, Batch batch not None, const double[::1] params not None, double factor,
                  const double[::1] decay, double tol, double damping, int n_threads, state=None):
        cdef const Net *net = &batch.plan.net
        cdef Watch watch = team.watch()
        self.batch, self.decay = batch, decay
        cdef size_t n_bytes = memory_bytes(net, batch.source.n, n_threads)
        self.memory = malloc(n_bytes)
        if self.memory == NULL:
            raise MemoryError(f"no memory for the matrices of {net.n_params} parameters: {n_bytes} bytes")
        lay_out(&self.fit, net, &batch.source, kernels.table(isa_index(None), sizeof(double)), n_threads, self.memory)
        self.fit.factor, self.fit.tol = factor, tol
        self.fit.decay = &decay[0] if decay is not None else NULL
        memcpy(self.fit.x, &params[0], net.n_params * sizeof(double))
        cdef bint exact = state is not None and state["is_exact"]
        with nogil:
            start(&self.fit, damping, exact, &watch)
        team.check(&watch)
        if state is not None:
            self.fit.mu = self.fit.fallback = state["mu"]
            self.fit.pause, self.fit.wait = state["pause"], state["wait"]

    def __dealloc__(self):
        free(self.memory)

    def advance(self, size_t n_steps):
        """Make up to so many accepted steps; "running", "converged" or "stalled". Running without a new step is possible:
        after many trials the caller is given the chance to look at the clock.
        """
        cdef Watch watch = team.watch()
        cdef Status status
        with nogil:
            status = advance(&self.fit, n_steps, &watch)
        team.check(&watch)
        return STATUS[status]

    @property
    def params(self):
        """A copy of the parameters (P,)."""
        return np.array(<double[: self.fit.net.n_params]> self.fit.x)

    @property
    def state(self):
        """What a later `Descent` needs to go on as this one would."""
        return {"mu": self.fit.fallback, "pause": self.fit.pause, "wait": self.fit.wait, "is_exact": self.fit.is_exact}

    @property
    def value(self):
        """The objective."""
        return self.fit.value

    @property
    def penalty(self):
        """Its part that does not depend on the data."""
        return self.fit.penalty

    @property
    def grad_norm(self):
        """|g|_inf."""
        return self.fit.grad_norm

    @property
    def counts(self):
        """How many steps have been made, and how many values, gradients and Hessians computed."""
        return self.fit.n_steps, self.fit.n_values, self.fit.n_gradients, self.fit.n_hessians
