"""What a fit minimises, and its derivatives, by sweeps over the samples, without the GIL and without allocation.

E(x) = factor * loss + sum lambda_i/2 x_i^2 + terms in Python has the gradient g and the matrix B, which is the
Gauss-Newton matrix of the loss or its Hessian, plus diag(lambda) and the terms' matrix. Where parameters are fixed or
shared, x are the free ones.

Gradients alone are summed in the slots of `batch`, so that they have the bits of a batch's; what may go with a matrix,
in those of `matrices`. The minibatch loop has none of this: there the variables are of the network's type, as are the
kernels that move them, and each step has samples of its own and a share of the penalty.
"""

from libc.math cimport INFINITY
from libc.string cimport memset

from cython cimport floating
from fastmlp._core.bridge cimport kernels, vector_ops
from fastmlp._core.curvature cimport matrices
from fastmlp._core.fits cimport asked
from fastmlp._core.sums cimport slots
from fastmlp._core.threads cimport choice, team
from fastmlp._core.curvature.matrices cimport EMPTY, FORWARD, LOWER, NOTHING, SAMPLES, Means, Task
from fastmlp._core.curvature.tiles cimport EXACT as HESSIAN, GGN as GAUSS_NEWTON
from fastmlp._core.fits.span cimport Span, largest_behind, room
from fastmlp._core.fits.ties cimport expand, project, pull
from fastmlp._core.storage.memory cimport plus, times
from fastmlp._core.storage.vectors cimport ALIGNMENT, largest, lines
from fastmlp._core.sums.batch cimport Batch, prepare_loss
from fastmlp._core.sums.plan cimport GRADIENT_WORK, Net, Plan
from fastmlp._core.sums.slots cimport Pass
from fastmlp._core.sums.tangents cimport Tangents, join
from fastmlp._core.threads.team cimport Watch

from fastmlp._core.bridge.kernels import isa_index

cdef const void *_ops = kernels.table(isa_index(None), sizeof(double))


cdef class Objective:
    """What is minimised: a batch's loss, and what is added to it.

    Parameters
    ----------
    batch : Batch
        The samples.
    factor : float
        Of the loss.
    decay : ndarray of shape (P,), float64, or None
        lambda; of the free parameters (n,) with `ties`.
    n_threads : int
    ties : Ties, optional
        The map from the free parameters to all of them.
    terms : object, optional
        Other terms, in Python: see `asked.pyx`. What they raise ends the call.
    tangents : Tangents, optional
        A term on the samples, with the factor of the loss, where gradients alone are asked for.
    span : Span, optional
        A basis in which the first layer's weights are coordinates.
    chunks : object, optional
        In place of a batch and ties: the loss by the variables, in Python; see `asked.pyx`.
    """

    def __cinit__(self, Batch batch, double factor, const double[::1] decay, int n_threads, Ties ties=None,
                  terms=None, Tangents tangents=None, Span span=None, chunks=None):
        cdef Problem *problem = &self.problem
        cdef Plan plan = batch.plan if chunks is None else chunks.plan
        cdef Places places = Places(batch, ties.places) if ties is not None else None
        cdef size_t n = batch.source.n if chunks is None else 0
        self.arrays = (batch, decay, ties, terms, places, tangents, span, chunks)
        problem[0] = outside(ties.map.n if ties is not None else plan.net.n_params if chunks is None else chunks.n)
        problem.net, problem.itemsize, problem.factor = &plan.net, plan.net.itemsize, factor
        if chunks is None:
            problem.source, problem.parts = &batch.source, plan.partition(n)
        else:
            problem.chunks = <void *> chunks
        problem.free = problem.used = NULL
        problem.chosen = NULL
        if ties is not None:
            problem.free, problem.used, problem.chosen = &ties.map, &ties.used, &places.chosen
        problem.decay = &decay[0] if decay is not None else NULL
        problem.terms = <void *> terms if terms is not None else NULL
        problem.basis = &span.basis if span is not None else NULL
        if tangents is not None:
            self.term = tangents.term
            self.term.with_loss = True
            problem.tangents = &self.term
        problem.n_threads, problem.gradient_threads = n_threads, plan.threads(n, GRADIENT_WORK, n_threads)


cdef Problem outside(size_t n) noexcept nogil:
    cdef Problem problem
    memset(&problem, 0, sizeof(Problem))
    problem.n, problem.itemsize, problem.ops = n, sizeof(double), _ops
    return problem


# ---- memory ----

cdef size_t native_bytes(const Problem *problem, bint curved) noexcept nogil:
    """Of parameters, gradient and matrix of the network, where they are not those of a point."""
    cdef const Net *net = problem.net
    if net.itemsize == sizeof(double) and problem.free == NULL:
        return 0
    return lines(times(times(plus(net.n_params, 2) if curved else 2, net.n_params), net.itemsize))


cdef size_t room_bytes(const Problem *problem) noexcept nogil:
    return lines(times(room(problem.basis), sizeof(double))) if problem.basis != NULL else 0


cdef Tasks tasks_of(const Problem *problem) noexcept nogil:
    """Where samples stay in the workspace, the loss leaves there what both matrices need."""
    cdef Tasks tasks
    cdef size_t n = problem.source.n
    cdef const Chosen *chosen = problem.chosen
    tasks.exact = matrices.task(problem.net, n, HESSIAN, LOWER, True, chosen)
    cdef bint stay = tasks.exact.stays
    tasks.ggn = matrices.task(problem.net, n, GAUSS_NEWTON, LOWER, stay, chosen)
    if stay and tasks.ggn.curvature.by_free != tasks.exact.curvature.by_free:   # which have other places
        stay = False
        tasks.exact = matrices.task(problem.net, n, HESSIAN, LOWER, False, chosen)
        tasks.ggn = matrices.task(problem.net, n, GAUSS_NEWTON, LOWER, False, chosen)
    tasks.value = matrices.task(problem.net, n, HESSIAN if stay else GAUSS_NEWTON, NOTHING, stay, chosen)
    return tasks


cdef void prepare(Pass *job, const Problem *problem) noexcept nogil:
    """The pass for gradients alone."""
    prepare_loss(job, problem.net, problem.source, problem.parts, True)
    if problem.tangents != NULL:
        join(job, problem.tangents, True)


cdef size_t memory_bytes(const Problem *problem, bint curved) noexcept nogil:
    cdef Tasks tasks
    cdef Pass job
    cdef size_t scratch
    cdef int n_threads = problem.n_threads
    if problem.source == NULL:
        return 0
    if curved:
        tasks = tasks_of(problem)
        scratch = max(matrices.memory_bytes(&tasks.ggn, n_threads), matrices.memory_bytes(&tasks.exact, n_threads))
        scratch = max(scratch, matrices.memory_bytes(&tasks.value, n_threads))
    else:
        prepare(&job, problem)
        scratch = slots.scratch_bytes(&job, problem.gradient_threads)
    return plus(plus(ALIGNMENT, native_bytes(problem, curved)), plus(room_bytes(problem), scratch))


cdef void lay_out(Evaluator *evaluator, const Problem *problem, bint curved, void *memory) noexcept nogil:
    cdef size_t native = lines(<size_t> memory)
    memset(evaluator, 0, sizeof(Evaluator))     # nothing is held
    evaluator.problem, evaluator.curved, evaluator.choice = problem, curved, choice.fresh()
    if problem.source == NULL:
        return
    evaluator.native = <void *> native
    evaluator.room = <double *> (native + native_bytes(problem, curved))
    evaluator.scratch = <void *> (native + native_bytes(problem, curved) + room_bytes(problem))
    if curved:
        evaluator.tasks = tasks_of(problem)
    else:
        prepare(&evaluator.gradients, problem)
        slots.lay_out(&evaluator.gradients, problem.gradient_threads, evaluator.scratch)


cdef size_t point_bytes(size_t n, bint curved) noexcept nogil:
    cdef size_t vector = times(n, sizeof(double))
    return plus(2 * lines(vector), lines(times(n, vector)) if curved else 0)


cdef Point point(size_t n, bint curved, void *memory) noexcept nogil:
    cdef Point new
    cdef size_t vector = lines(n * sizeof(double))
    memset(&new, 0, sizeof(Point))
    new.x = <double *> memory
    new.g = <double *> (<size_t> memory + vector)
    new.B = <double *> (<size_t> memory + 2 * vector) if curved else NULL
    return new


# ---- evaluation ----

cdef inline Task *matrix_task(Evaluator *evaluator, Want want) noexcept nogil:
    return &evaluator.tasks.exact if want == EXACT else &evaluator.tasks.ggn


cdef double matrix_sums(Evaluator *evaluator, Want want, const floating *params, floating *gradient,
                        floating *matrix, Watch *watch) noexcept nogil:
    """The loss, and gradient and matrix where they are not NULL, on as many threads as pay."""
    cdef const Problem *problem = evaluator.problem
    cdef const Task *task = &evaluator.tasks.value if want <= GRADIENT else matrix_task(evaluator, want)
    cdef int n_threads = matrices.threads(task, problem.source.n, problem.n_threads)
    cdef bint several = n_threads > 1
    cdef double value, started = team.seconds() if several else 0.0
    n_threads = choice.chosen(&evaluator.choice, n_threads)
    value = matrices.evaluate(task, params, problem.source, Means(evaluator.scratch, evaluator.held, n_threads),
                              gradient, matrix, watch)
    evaluator.held = SAMPLES if task.stays and not watch.stopped else EMPTY
    if several:
        choice.note(&evaluator.choice, team.seconds() - started, problem.source.n * task.work)
    return value


cdef double loss(Evaluator *evaluator, Point *point, Want want, floating *native, Watch *watch) noexcept nogil:
    """The loss and what is wanted of it; through `native` if need be."""
    cdef const Problem *problem = evaluator.problem
    cdef size_t n = problem.net.n_params, i, j
    cdef size_t n_slopes = n if want >= GRADIENT else 0, n_rows = n if want > GRADIENT else 0
    cdef const floating *params = native
    cdef floating *gradient = native + n
    cdef floating *matrix = native + 2 * n
    cdef bint own               # the matrix has rows and columns of parameters that are not fixed alone
    cdef double value
    if problem.free != NULL:
        expand(problem.free, point.x, native)
    elif floating is double:
        params, gradient, matrix = point.x, point.g, point.B
    else:
        for i in range(n):
            native[i] = <floating> point.x[i]
    if want == GRADIENT and not evaluator.curved:
        evaluator.gradients.block.params, evaluator.gradients.sums = params, gradient
        value = slots.choose(&evaluator.gradients, problem.gradient_threads, &evaluator.choice, watch)
    else:
        value = matrix_sums(evaluator, want, params, gradient if n_slopes else NULL, matrix if n_rows else NULL, watch)
    if watch.stopped:
        return value
    if problem.free != NULL:
        if n_slopes:
            pull(problem.free, gradient, point.g)
        if n_rows:
            own = matrix_task(evaluator, want).curvature.chosen != NULL
            project(problem.used if own else problem.free, matrix, point.B)
    elif floating is float:
        for i in range(n_slopes):
            point.g[i] = gradient[i]
        for i in range(n_rows):
            for j in range(i + 1):
                point.B[i * n + j] = matrix[i * n + j]
    return value


cdef double decay_and_slope(const Problem *problem, const double *x, double *g) noexcept nogil:
    """The weight decay; g becomes the gradient of both."""
    cdef size_t i
    if problem.decay != NULL:
        return vector_ops.decay(problem.ops, problem.n, problem.factor, 1.0, problem.decay, x, g)
    for i in range(problem.n if problem.factor != 1.0 else 0):
        g[i] *= problem.factor
    return 0.0


cdef double decay_and_matrix(const Problem *problem, Point *point, Want want) noexcept nogil:
    """The weight decay; gradient and matrix, where they are wanted, become those of both."""
    cdef size_t n = problem.n, i, j
    cdef const double *decay = problem.decay
    cdef double total = 0.0
    for i in range(n if decay != NULL else 0):
        total += 0.5 * decay[i] * point.x[i] * point.x[i]
    if want == VALUE:
        return total
    for i in range(n):
        point.g[i] = problem.factor * point.g[i] + (decay[i] * point.x[i] if decay != NULL else 0.0)
        if problem.factor != 1.0:
            for j in range(i + 1):
                point.B[i * n + j] *= problem.factor
        if decay != NULL:
            point.B[i * n + i] += decay[i]
    return total


cdef void evaluate(Evaluator *evaluator, Point *point, Want want, bint again, Watch *watch) noexcept nogil:
    cdef const Problem *problem = evaluator.problem
    cdef double value
    if again and evaluator.held == SAMPLES:
        evaluator.held = FORWARD
    if problem.chunks != NULL:
        value = asked.loss(problem.chunks, problem.n, point.x, point.g if want >= GRADIENT else NULL,
                           point.B if want > GRADIENT else NULL, want == EXACT, watch)
    elif problem.itemsize == sizeof(double):
        value = loss(evaluator, point, want, <double *> evaluator.native, watch)
    else:
        value = loss(evaluator, point, want, <float *> evaluator.native, watch)
    if watch.stopped:           # sums that nobody takes: where their memory is new, a look takes a tenth of a second
        return
    if want == GRADIENT:
        point.penalty = decay_and_slope(problem, point.x, point.g)
        if problem.tangents != NULL:
            point.penalty += problem.factor * evaluator.gradients.beside
    else:
        point.penalty = decay_and_matrix(problem, point, want)
    if problem.terms != NULL:
        point.penalty += asked.add(problem.terms, problem.n, point.x, point.g if want >= GRADIENT else NULL,
                                   point.B if want > GRADIENT else NULL, want == EXACT, watch)
    point.value = problem.factor * value + point.penalty
    finish(evaluator, point, want)


cdef double norm_of(const Evaluator *evaluator, const double *g) noexcept nogil:
    """|g|_inf by the network's own parameters."""
    cdef const Problem *problem = evaluator.problem
    cdef const Basis *basis = problem.basis
    cdef size_t first = 0 if basis == NULL else basis.n_units * (basis.r + 1)
    cdef double others = largest(problem.n - first, g + first, 1), own
    if basis == NULL:
        return others
    own = largest_behind(basis, problem.ops, g, evaluator.room)
    return others if others > own or others != others else own


cdef void finish(Evaluator *evaluator, Point *point, Want want) noexcept nogil:
    cdef size_t n = evaluator.problem.n
    evaluator.n_values += 1
    if want == VALUE:
        return
    evaluator.n_gradients += 1
    point.grad_norm = norm_of(evaluator, point.g)
    if want == GRADIENT:
        return
    evaluator.n_hessians += want == EXACT
    point.scale = largest(n, point.B, n + 1)
    if not 0.0 < point.scale < INFINITY:
        point.scale = 1.0
    point.is_exact = want == EXACT
