"""Newton's method with few matrices, as a method of `descent`: for starts close to a minimum.

A quadratic model's A^-1 makes Newton steps of gradients, and is corrected by what they show: BFGS, in the two loops of
Nocedal and Wright, algorithm 7.4. The first model is given; after PAIRS steps the second derivatives of the present
point take its place. At the end they are formed too, if they are wanted there. It ends where the objective does not
fall as it should, and where no matrix is positive definite: then Levenberg-Marquardt goes on.

    arrive       within tol: ask for the matrix                                  -> finish, else a step
    step         PAIRS steps made: ask for the matrix                            -> renew, else a direction
    judge        the trial by its value: make the step, or a shorter one         -> arrive
"""

from libc.math cimport fabs
from libc.string cimport memset

import numpy as np

from fastmlp._core.bridge cimport root_ops
from fastmlp._core.bridge.vector_ops cimport add_multiple, dot
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
    PAIRS = 16          # steps with one model; 12 and 20 take 0.9 to 1.2 times as long, on a path and two refits
    HALVINGS = 6        # of a step that is too long

cdef double ACCEPT = rules.ACCEPT, NOISE = rules.NOISE[8], NOISE_F32 = rules.NOISE[4]


# A^-1 = B[rows, rows] - V'V, as deletions leave it: B = C, or (L L')^-1.
cdef struct First:
    size_t n, m, n_changes      # rows that are left, those of B, and of V
    bint is_factor              # whether L is there, in a lower triangle,
    const double *matrix        # (m, m), or C
    const Py_ssize_t *rows
    const double *V             # (n_changes, n)
    double *work                # (m + n_changes,)


# What the method keeps of a fit.
cdef struct State:
    const First *first          # the model that is given; NULL: its place is taken by
    Equations eq                # this one
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
    s.first, s.n_pairs, s.n_made = NULL, 0, 0
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
    if s.first != NULL:
        apply(s.first, ops, r)
    else:
        solve(&s.eq, r)
    for k in range(s.n_pairs):
        add_multiple(ops, n, shares[k] - dot(ops, n, s.y + k * n, r) / s.curvature[k], s.s + k * n, r)
    s.slope, s.length, s.halvings = dot(ops, n, fit.at.g, r), 1.0, 0
    return attempt(fit)


cdef void apply(const First *model, const void *ops, double *r) noexcept nogil:
    """r becomes A^-1 r."""
    cdef size_t n = model.n, m = model.m, i, k
    cdef double *x = model.work
    cdef double *shares = x + m
    for k in range(model.n_changes):
        shares[k] = dot(ops, n, model.V + k * n, r)
    memset(x, 0, m * sizeof(double))
    for i in range(n):
        x[model.rows[i]] = r[i]
    if model.is_factor:
        root_ops.cholesky_forward(ops, m, model.matrix, m, 1, x, m)
        root_ops.cholesky_backward(ops, m, model.matrix, m, 1, x, m)
    for i in range(n):
        r[i] = x[model.rows[i]] if model.is_factor else dot(ops, m, model.matrix + model.rows[i] * <Py_ssize_t> m, x)
    for k in range(model.n_changes):
        add_multiple(ops, n, -shares[k], model.V + k * n, r)


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

cdef class Model:
    """A^-1 (n, n) of a quadratic model: B[rows, rows] - V'V.

    Parameters
    ----------
    matrix : ndarray of shape (m, m), float64
        The lower triangle L of B = (L L')^-1, or B.
    is_factor : bool
        Which of both.
    rows : ndarray of shape (n,), intp
    V : ndarray of shape (k, n), float64
    """
    cdef First first
    cdef tuple arrays

    def __cinit__(self, const double[:, ::1] matrix not None, bint is_factor, const Py_ssize_t[::1] rows not None,
                  const double[:, ::1] V not None):
        cdef size_t m = matrix.shape[0], k = V.shape[0]
        cdef double[::1] work = np.empty(m + k)
        self.arrays = (matrix, rows, V, work)
        self.first.n, self.first.m, self.first.n_changes, self.first.is_factor = rows.shape[0], m, k, is_factor
        self.first.matrix, self.first.rows, self.first.work = &matrix[0, 0], &rows[0], &work[0]
        self.first.V = &V[0, 0] if k else NULL


cdef class Descent(Loop):
    """The way to a minimum close by.

    Parameters
    ----------
    objective : Objective
    params : ndarray of shape (n,), float64
        The start; the free ones of all parameters.
    tol : float
        For |g|_inf.
    model : Model
        Of these parameters.
    at_end : bool or None
        Which second derivatives are wanted at the end: all, True, or those of Gauss-Newton, False.
    """
    cdef Model model

    def __cinit__(self, Objective objective not None, const double[::1] params not None, double tol,
                  Model model not None, at_end):
        if not self.open(&METHOD, objective, params, read(tol, {})):
            raise MemoryError(f"no memory for the matrices of {params.shape[0]} parameters")
        cdef State *s = <State *> self.fit.own
        self.model = model
        s.first, s.at_end, s.matrix = &model.first, at_end is not None, GGN if at_end is False else EXACT
