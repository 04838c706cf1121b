"""The objective of a fit and its damped Newton equations, without the GIL and without allocation.

E = factor * loss + sum lambda_i/2 x_i^2 + terms in Python has the gradient g and the curvature B, which is the
Gauss-Newton matrix of the loss or its Hessian, plus diag(lambda) and the terms' matrix. The equations are
(B + shift I) s = -g. Where parameters are fixed or shared, x are the free ones.
"""

from libc.math cimport INFINITY
from libc.string cimport memcpy

from cython cimport floating
from fastmlp._core.bridge cimport kernels
from fastmlp._core.curvature cimport cholesky, matrices
from fastmlp._core.fits cimport asked
from fastmlp._core.threads cimport choice, team
from fastmlp._core.curvature.matrices cimport EMPTY, FORWARD, LOWER, NOTHING, SAMPLES, Task, evaluate, task
from fastmlp._core.curvature.tiles cimport EXACT, GGN
from fastmlp._core.fits.ties cimport Map, expand, project, pull
from fastmlp._core.storage.memory cimport plus, times
from fastmlp._core.storage.vectors cimport ALIGNMENT, largest, lines
from fastmlp._core.sums.block cimport Source
from fastmlp._core.sums.plan cimport Net
from fastmlp._core.threads.team cimport Watch

# ---- memory ----

cdef size_t native_bytes(const Net *net) noexcept nogil:
    return plus(ALIGNMENT, lines(times(times(net.n_params + 2, net.n_params), net.itemsize)))


cdef inline size_t converted_bytes(const Net *net) noexcept nogil:
    return 0 if net.itemsize == sizeof(double) else native_bytes(net)


cdef size_t point_bytes(const Net *net) noexcept nogil:
    cdef size_t vector = net.n_params * sizeof(double)
    return plus(ALIGNMENT + 2 * lines(vector), lines(times(net.n_params, vector)))


cdef void lay_out_tasks(const Net *net, size_t n, Task *loss, Task *ggn, Task *exact) noexcept nogil:
    """Where samples stay in the workspace, the loss leaves there what both matrices need."""
    exact[0] = task(net, n, EXACT, LOWER, True)
    ggn[0] = task(net, n, GGN, LOWER, exact.stays)
    loss[0] = task(net, n, EXACT if exact.stays else GGN, NOTHING, exact.stays)


cdef size_t memory_bytes(const Net *net, size_t n, int n_threads) noexcept nogil:
    cdef Task loss, ggn, exact
    lay_out_tasks(net, n, &loss, &ggn, &exact)
    cdef size_t scratch = max(matrices.memory_bytes(&loss, n_threads),
                              max(matrices.memory_bytes(&ggn, n_threads), matrices.memory_bytes(&exact, n_threads)))
    cdef size_t matrix = times(net.n_params, net.n_params * sizeof(double))
    return plus(plus(point_bytes(net), lines(matrix)), plus(converted_bytes(net), scratch))


cdef size_t place(Equations *eq, const Net *net, void *memory) noexcept nogil:
    """Share out the memory of a point; its bytes, alignment apart."""
    cdef size_t at = lines(<size_t> memory), vector = lines(net.n_params * sizeof(double))
    eq.x = <double *> at
    eq.g = <double *> (at + vector)
    eq.B = <double *> (at + 2 * vector)
    return point_bytes(net) - ALIGNMENT


cdef Equations another(const Equations *eq, void *memory) noexcept nogil:
    cdef Equations new = eq[0]
    place(&new, eq.net, memory)
    return new


cdef void lay_out(Equations *eq, const Net *net, const Source *source, const void *ops, int n_threads,
                  void *memory) noexcept nogil:
    cdef size_t at = lines(<size_t> memory) + place(eq, net, memory)
    eq.net, eq.source, eq.ops, eq.n_threads = net, source, ops, n_threads
    lay_out_tasks(net, source.n, &eq.loss, &eq.ggn, &eq.exact)
    eq.choice = choice.fresh()
    eq.L = <double *> at
    eq.native = <void *> (at + lines(net.n_params * net.n_params * sizeof(double)))
    eq.scratch = <void *> (<size_t> eq.native + converted_bytes(net))
    eq.held = EMPTY
    eq.n = net.n_params
    eq.free = NULL
    eq.terms = NULL
    eq.n_values = eq.n_gradients = eq.n_hessians = 0


cdef void see_through(Equations *eq, const Map *free, void *memory) noexcept nogil:
    eq.n = free.n
    eq.free = free
    eq.native = <void *> lines(<size_t> memory)


# ---- the objective ----

cdef double sums(Equations *eq, const Task *todo, const double *x, double *g, double *B, floating *native,
                 Watch *watch) noexcept nogil:
    """The loss, its gradient and its matrix, where g and B are not NULL; through `native` if need be."""
    cdef size_t n = eq.net.n_params, i, j
    cdef const floating *params
    cdef floating *gradient
    cdef floating *matrix
    cdef int n_threads = matrices.threads(todo, eq.source.n, eq.n_threads)
    cdef bint several = n_threads > 1
    cdef double value, started = team.seconds() if several else 0.0
    n_threads = choice.chosen(&eq.choice, n_threads)
    params = native
    gradient = native + n if g != NULL else NULL
    matrix = native + 2 * n if B != NULL else NULL
    if eq.free != NULL:
        expand(eq.free, x, native)
    elif floating is double:
        params, gradient, matrix = x, g, B
    else:
        for i in range(n):
            native[i] = <floating> x[i]
    value = evaluate(todo, params, eq.source, eq.scratch, eq.held, gradient, matrix, n_threads, watch)
    eq.held = SAMPLES if todo.stays and not watch.stopped else EMPTY
    if eq.free != NULL:
        if g != NULL:
            pull(eq.free, gradient, g)
        if B != NULL:
            project(eq.free, matrix, B)
    elif floating is float:
        for i in range(n if g != NULL else 0):
            g[i] = gradient[i]
        for i in range(n if B != NULL else 0):
            for j in range(i + 1):
                B[i * n + j] = matrix[i * n + j]
    if several:
        choice.note(&eq.choice, team.seconds() - started, eq.source.n * todo.work)
    return value


cdef double terms(Equations *eq, const Task *todo, const double *x, double *g, double *B, double *penalty,
                  Watch *watch) noexcept nogil:
    """E at x, and how much of it is penalty; gradient and matrix where g and B are not NULL."""
    cdef size_t n = eq.n, i, j
    cdef double value
    if eq.net.itemsize == sizeof(double):
        value = sums(eq, todo, x, g, B, <double *> eq.native, watch)
    else:
        value = sums(eq, todo, x, g, B, <float *> eq.native, watch)
    eq.n_values += 1
    eq.n_gradients += g != NULL
    penalty[0] = 0.0
    for i in range(n if eq.decay != NULL else 0):
        penalty[0] += 0.5 * eq.decay[i] * x[i] * x[i]
    for i in range(n if g != NULL else 0):
        g[i] = eq.factor * g[i] + (eq.decay[i] * x[i] if eq.decay != NULL else 0.0)
    for i in range(n if B != NULL else 0):
        if eq.factor != 1.0:
            for j in range(i + 1):
                B[i * n + j] *= eq.factor
        if eq.decay != NULL:
            B[i * n + i] += eq.decay[i]
    if eq.terms != NULL:
        penalty[0] += asked.add(eq.terms, n, x, g, B, todo == &eq.exact, watch)
    return eq.factor * value + penalty[0]


cdef double rounded(const Equations *eq, double v) noexcept nogil:
    return v if eq.net.itemsize == sizeof(double) else <float> v


cdef double objective(Equations *eq, const double *x, double *g, Watch *watch) noexcept nogil:
    cdef double penalty
    return terms(eq, &eq.loss, x, g, NULL, &penalty, watch)


cdef void look(Equations *eq, bint exact, bint again, Watch *watch) noexcept nogil:
    cdef size_t n = eq.n
    if again and eq.held == SAMPLES:
        eq.held = FORWARD
    eq.value = terms(eq, &eq.exact if exact else &eq.ggn, eq.x, eq.g, eq.B, &eq.penalty, watch)
    eq.grad_norm = largest(n, eq.g, 1)
    eq.scale = largest(n, eq.B, n + 1)
    if not 0.0 < eq.scale < INFINITY:
        eq.scale = 1.0
    eq.is_exact = exact
    eq.n_hessians += exact


# ---- the equations ----

cdef bint factorize(Equations *eq, double share, const double *shifts, Watch *watch) noexcept nogil:
    """Whether B + share diag(shifts), NULL for ones, is positive definite; if so L is its root.

    Once the watch has stopped neither has a meaning. Signals are answered between rows: the pages of L may be new.
    """
    cdef size_t n = eq.n, i
    for i in range(n):
        if not team.keep_on(watch, 8 * n):
            return True
        memcpy(eq.L + i * n, eq.B + i * n, (i + 1) * sizeof(double))
        eq.L[i * n + i] += share * shifts[i] if shifts != NULL else share
    return cholesky.factored(eq.ops, n, eq.L, watch) == 0


cdef void solve(const Equations *eq, double *b) noexcept nogil:
    cdef size_t n = eq.n
    kernels.cholesky_forward(eq.ops, n, <const double *> eq.L, n, 1, b, n)
    kernels.cholesky_backward(eq.ops, n, <const double *> eq.L, n, 1, b, n)
