"""Newton's method with few matrices, as a method of `descent`: for starts close to a minimum.

A quadratic model's A^-1 makes Newton steps of gradients, and is corrected by what they show: BFGS, in the two loops of
Nocedal and Wright, algorithm 7.4. After PAIRS steps the second derivatives of the present point become the model; at
the end they are formed too, if they are wanted there. It ends where the objective does not fall as it should, and where
no matrix is positive definite: then Levenberg-Marquardt goes on.

    arrive       within tol: ask for the matrix                                  -> finish, else a step
    step         PAIRS steps made: ask for the matrix                            -> renew, else a direction
    judge        the trial by its value: make the step, or a shorter one         -> arrive
"""

from libc.math cimport fabs
from libc.string cimport memcpy, memset

from fastmlp._core.bridge.kernels cimport add_multiple, dot
from fastmlp._core.fits.descent cimport (
    CONVERGED, INTERRUPTED, RUNNING, STALLED, Descent as Loop, Fit, Method, Options, Stage, Status, ask, by_type, move,
    place, read, ready,
)
from fastmlp._core.fits.equations cimport Equations, factorize, solve
from fastmlp._core.fits.objective cimport EXACT, GGN, GRADIENT, Objective, Problem, Want
from fastmlp._core.storage.memory cimport plus, times
from fastmlp._core.storage.vectors cimport lines
from fastmlp._core.threads.team cimport Watch

from fastmlp._core.fits import rules

cdef enum:
    PAIRS = 12           # steps with one model; as many cost as much as a Hessian and its factor
    HALVINGS = 6        # of a step that is too long

cdef double ACCEPT = rules.ACCEPT, NOISE = rules.NOISE[8], NOISE_F32 = rules.NOISE[4]


# What the method keeps of a fit.
cdef struct State:
    Equations eq
    bint inverse                # whether its matrix is A^-1, and not the factor of A
    Want matrix                 # which second derivatives,
    bint at_end                 # and whether they are wanted there too
    int n_pairs, n_made         # steps whose change of the gradient is known; steps with one model
    double *s                   # (PAIRS, n), the steps,
    double *y                   # (PAIRS, n), and the changes
    double[PAIRS] curvature         # s'y
    double slope, length
    int halvings


cdef size_t memory_bytes(const Problem *problem, const Options *options) noexcept nogil:
    cdef size_t vector = times(problem.n, sizeof(double))
    return plus(lines(sizeof(State)), plus(times(problem.n, vector), times(2 * PAIRS, vector)))


cdef void lay_out(Fit *fit, void *memory) noexcept nogil:
    cdef State *s = <State *> memory
    cdef size_t n = fit.problem.n
    memset(s, 0, sizeof(State))
    s.eq.n, s.eq.ops = n, fit.problem.ops
    s.eq.L = <double *> (<size_t> memory + lines(sizeof(State)))
    s.s = s.eq.L + n * n
    s.y = s.s + PAIRS * n


cdef Status arrive(Fit *fit, Watch *watch) noexcept nogil:
    """Whether the present point is the last one; its gradient has just been computed."""
    if fit.at.grad_norm <= fit.options.tol:
        return ask_for_matrix(fit, finish) if (<State *> fit.own).at_end else CONVERGED
    return ready(fit, step)


cdef Status ask_for_matrix(Fit *fit, Stage then) noexcept nogil:
    ask(fit, &fit.at, (<State *> fit.own).matrix, then)
    fit.again = True
    return RUNNING


cdef Status finish(Fit *fit, Watch *watch) noexcept nogil:
    return CONVERGED


cdef Status step(Fit *fit, Watch *watch) noexcept nogil:
    """Begin one."""
    return ask_for_matrix(fit, renew) if (<State *> fit.own).n_made == PAIRS else go(fit, watch)


cdef Status renew(Fit *fit, Watch *watch) noexcept nogil:
    """The matrix of the present point becomes the model."""
    cdef State *s = <State *> fit.own
    cdef bint definite = factorize(&s.eq, fit.at.B, 0.0, NULL, watch)
    if watch.stopped:
        return INTERRUPTED
    if not definite:
        return STALLED if not fit.at.is_exact else ask(fit, &fit.at, GGN, renew)
    s.inverse, s.n_pairs, s.n_made = False, 0, 0
    return go(fit, watch)


cdef Status go(Fit *fit, Watch *watch) noexcept nogil:
    """Into the direction of the corrected model."""
    cdef State *s = <State *> fit.own
    cdef const void *ops = fit.problem.ops
    cdef size_t n = fit.problem.n, i
    cdef double *r = fit.step
    cdef double[PAIRS] shares
    cdef int k
    for i in range(n):
        r[i] = -fit.at.g[i]
    for k in range(s.n_pairs - 1, -1, -1):
        shares[k] = dot(ops, n, s.s + k * n, r) / s.curvature[k]
        add_multiple(ops, n, -shares[k], s.y + k * n, r)
    if s.inverse:
        memcpy(fit.ahead.g, r, n * sizeof(double))
        for i in range(n):
            r[i] = dot(ops, n, s.eq.L + i * n, fit.ahead.g)
    else:
        solve(&s.eq, r)
    for k in range(s.n_pairs):
        add_multiple(ops, n, shares[k] - dot(ops, n, s.y + k * n, r) / s.curvature[k], s.s + k * n, r)
    s.slope, s.length, s.halvings = dot(ops, n, fit.at.g, r), 1.0, 0
    return attempt(fit)


cdef Status attempt(Fit *fit) noexcept nogil:
    return ask(fit, &fit.ahead, GRADIENT, judge) if place(fit, (<State *> fit.own).length) else STALLED


cdef Status judge(Fit *fit, Watch *watch) noexcept nogil:
    """Make the step, unless the objective rises beyond rounding; then try half of it."""
    cdef State *s = <State *> fit.own
    cdef double change = fit.ahead.value - fit.at.value
    cdef double noise = by_type(fit, NOISE, NOISE_F32) * fabs(fit.at.value)
    if not (fabs(change) <= noise or change <= ACCEPT * s.length * s.slope):
        s.halvings += 1
        s.length *= 0.5
        return attempt(fit) if s.halvings < HALVINGS else STALLED
    remember(fit)
    s.n_made += 1
    return move(fit, arrive)


cdef void remember(Fit *fit) noexcept nogil:
    """What the step shows, unless the correction would not be positive definite."""
    cdef State *s = <State *> fit.own
    cdef size_t n = fit.problem.n, i
    cdef double *step = s.s + s.n_pairs * n
    cdef double *change = s.y + s.n_pairs * n
    for i in range(n):
        step[i] = fit.ahead.x[i] - fit.at.x[i]
        change[i] = fit.ahead.g[i] - fit.at.g[i]
    s.curvature[s.n_pairs] = dot(fit.problem.ops, n, step, change)
    s.n_pairs += s.curvature[s.n_pairs] > 0.0


cdef Method METHOD = Method(True, GRADIENT, &memory_bytes, &lay_out, &arrive, &arrive)


# ---- the Python face ----

cdef void take(State *s, const double *C, size_t width, const Py_ssize_t *rows, const double *V,
               size_t n_changes) noexcept nogil:
    """C without the rows and columns that are not taken, and without V'V."""
    cdef size_t n = s.eq.n, i, j, k
    cdef double *to = s.eq.L
    cdef const double *row
    for i in range(n):
        row = C + rows[i] * <Py_ssize_t> width
        for j in range(n):
            to[j] = row[rows[j]]
        for k in range(n_changes):
            add_multiple(s.eq.ops, n, -V[k * n + i], V + k * n, to)
        to += n


cdef class Descent(Loop):
    """The way to a minimum close by.

    Parameters
    ----------
    objective : Objective
    params : ndarray of shape (n,), float64
        The start; the free ones of all parameters.
    tol : float
        For |g|_inf.
    model : ndarray of shape (m, m), float64
        Without `rows` the lower triangle L of A = L L', m = n; else C.
    at_end : bool or None
        Which second derivatives are wanted at the end: all, True, or those of Gauss-Newton, False.
    rows : ndarray of shape (n,), V : ndarray of shape (k, n)
        A^-1 = C[rows, rows] - V'V.
    """

    def __cinit__(self, Objective objective not None, const double[::1] params not None, double tol,
                  const double[:, ::1] model not None, at_end, const Py_ssize_t[::1] rows=None,
                  const double[:, ::1] V=None):
        if not self.open(&METHOD, objective, params, read(tol, {})):
            raise MemoryError(f"no memory for the matrices of {params.shape[0]} parameters")
        cdef State *s = <State *> self.fit.own
        s.inverse, s.at_end, s.matrix = rows is not None, at_end is not None, GGN if at_end is False else EXACT
        if s.inverse:
            take(s, &model[0, 0], model.shape[1], &rows[0], &V[0, 0] if V.shape[0] else NULL, V.shape[0])
        else:
            memcpy(s.eq.L, &model[0, 0], s.eq.n * s.eq.n * sizeof(double))
