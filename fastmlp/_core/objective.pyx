"""The objective of a fit and its gradient, by sweeps over the samples, without the GIL and without allocation.

E = factor * loss + sum lambda_i/2 x_i^2. Where parameters are fixed or shared, x are the free ones. Sums go in the
slots of `batch`, so that values and gradients have the bits of a batch's.
"""

from libc.stdlib cimport free as give_back
from libc.stdlib cimport malloc

from cython cimport floating
from fastmlp._core cimport batch, kernels, team
from fastmlp._core.batch cimport Source
from fastmlp._core.plan cimport GRADIENT_PASSES, Plan
from fastmlp._core.team cimport Watch
from fastmlp._core.ties cimport Map, expand, pull
from fastmlp._core.vectors cimport largest

from fastmlp._core.kernels import isa_index


cdef int reserve(Objective *objective, Plan plan, const Source *source, const Map *free, int n_threads) except -1:
    objective.net = &plan.net
    objective.source = source
    objective.ops = kernels.table(isa_index(None), sizeof(double))
    objective.free = free
    objective.n = plan.net.n_params if free == NULL else free.n
    objective.parts = plan.partition(source.n)
    objective.n_threads = plan.threads(source.n, GRADIENT_PASSES, n_threads)
    objective.choice = team.choice()
    objective.n_values = 0
    batch.reserve(&objective.scratch, &plan.net, plan.net.gradient.rows, objective.parts, objective.n_threads,
                  plan.net.n_params)
    objective.native = malloc(2 * plan.net.n_params * plan.net.itemsize)
    if objective.native == NULL:
        raise MemoryError(f"no memory for {plan.net.n_params} parameters and their gradient")
    return 0


cdef void release(Objective *objective) noexcept nogil:
    give_back(objective.native)
    give_back(objective.scratch.memory)


cdef double rounded(const Objective *objective, double v) noexcept nogil:
    return v if objective.net.itemsize == sizeof(double) else <float> v


cdef double loss(Objective *objective, const double *x, double *g, floating *native, Watch *watch) noexcept nogil:
    """The loss and its gradient; through `native` if need be."""
    cdef size_t n = objective.net.n_params, i
    cdef const floating *params = native
    cdef floating *gradient = native + n
    cdef bint several = objective.n_threads > 1
    cdef double value, started = team.seconds() if several else 0.0
    if objective.free != NULL:
        expand(objective.free, x, native)
    elif floating is double:
        params, gradient = x, g
    else:
        for i in range(n):
            native[i] = <floating> x[i]
    value = batch.loss_and_gradient(objective.net, objective.parts, params, objective.source, &objective.scratch,
                                    gradient, <floating *> NULL, team.chosen(&objective.choice, objective.n_threads),
                                    watch)
    if objective.free != NULL:
        pull(objective.free, gradient, g)
    elif floating is float:
        for i in range(n):
            g[i] = gradient[i]
    if several:
        team.note(&objective.choice, team.seconds() - started)
    return value


cdef void look(Objective *objective, Point *point, Watch *watch) noexcept nogil:
    cdef double *x = point.x
    cdef double *g = point.g
    cdef size_t n = objective.n, i
    if objective.net.itemsize == sizeof(double):
        point.value = loss(objective, x, g, <double *> objective.native, watch)
    else:
        point.value = loss(objective, x, g, <float *> objective.native, watch)
    objective.n_values += 1
    point.penalty = 0.0
    if objective.decay != NULL:
        point.penalty = kernels.decay(objective.ops, n, objective.factor, 1.0, objective.decay, x, g)
    elif objective.factor != 1.0:
        for i in range(n):
            g[i] *= objective.factor
    point.value = objective.factor * point.value + point.penalty
    point.grad_norm = largest(n, g, 1)
