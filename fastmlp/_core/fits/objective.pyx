"""The objective of a fit and its gradient, by sweeps over the samples, without the GIL and without allocation.

E = factor * loss + sum lambda_i/2 x_i^2 + terms in Python. Where parameters are fixed or shared, x are the free ones.
Sums go in the slots of `batch`, so that values and gradients have the bits of a batch's. At the end is the penalty
alone, for objectives that Python calls.
"""

cimport numpy as cnp
from cython cimport floating
from fastmlp._core.bridge cimport kernels
from fastmlp._core.fits cimport asked
from fastmlp._core.storage cimport arrays
from fastmlp._core.sums cimport slots
from fastmlp._core.threads cimport choice
from fastmlp._core.fits.ties cimport Map, expand, pull
from fastmlp._core.storage.arrays cimport RELEASE_NUMBERS, data
from fastmlp._core.storage.memory cimport plus
from fastmlp._core.storage.vectors cimport ALIGNMENT, largest, lines
from fastmlp._core.sums.batch cimport prepare_loss
from fastmlp._core.sums.block cimport Source
from fastmlp._core.sums.plan cimport Net, Partition
from fastmlp._core.sums.slots cimport Pass
from fastmlp._core.threads.team cimport Watch

cnp.import_array()

ctypedef void (*dot_function)(void *, cnp.npy_intp, void *, cnp.npy_intp, void *, cnp.npy_intp, void *) noexcept nogil

cdef extern from "numpy/arrayobject.h":
    ctypedef struct PyArray_ArrFuncs:
        dot_function dotfunc
    PyArray_ArrFuncs *PyDataType_GetArrFuncs(void *dtype)
    void *PyArray_DESCR(cnp.ndarray array)


cdef size_t memory_bytes(const Net *net, Partition parts, int n_threads) noexcept nogil:
    cdef Pass job
    prepare_loss(&job, net, NULL, parts, True)
    return plus(ALIGNMENT + lines(2 * net.n_params * net.itemsize), slots.scratch_bytes(&job, n_threads))


cdef void lay_out(Objective *objective, const Net *net, const Source *source, const Map *free, Partition parts,
                  int n_threads, const void *ops, void *memory) noexcept nogil:
    cdef size_t native = lines(<size_t> memory)
    prepare_loss(&objective.job, net, source, parts, True)
    objective.free, objective.ops, objective.n_threads = free, ops, n_threads
    objective.n = net.n_params if free == NULL else free.n
    objective.terms = NULL
    objective.choice = choice.fresh()
    objective.n_values = 0
    objective.native = <void *> native
    slots.lay_out(&objective.job, n_threads, <void *> (native + lines(2 * net.n_params * net.itemsize)))


cdef void round_off(const Objective *objective, double *x) noexcept nogil:
    cdef size_t i
    for i in range(0 if objective.job.block.net.itemsize == sizeof(double) else objective.n):
        x[i] = <float> x[i]


cdef double loss(Objective *objective, const double *x, double *g, floating *native, Watch *watch) noexcept nogil:
    """The loss and its gradient; through `native` if need be."""
    cdef Pass *job = &objective.job
    cdef size_t n = job.block.net.n_params, i
    cdef const floating *params = native
    cdef floating *gradient = native + n
    cdef double value
    if objective.free != NULL:
        expand(objective.free, x, native)
    elif floating is double:
        params, gradient = x, g
    else:
        for i in range(n):
            native[i] = <floating> x[i]
    job.block.params, job.sums = params, gradient
    value = slots.choose(job, objective.n_threads, &objective.choice, watch)
    if objective.free != NULL:
        pull(objective.free, gradient, g)
    elif floating is float:
        for i in range(n):
            g[i] = gradient[i]
    return value


cdef void look(Objective *objective, Point *point, Watch *watch) noexcept nogil:
    cdef double *x = point.x
    cdef double *g = point.g
    cdef size_t n = objective.n, i
    if objective.job.block.net.itemsize == sizeof(double):
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
    if objective.terms != NULL:
        point.penalty += asked.add(objective.terms, n, x, g, NULL, False, watch)
    point.value = objective.factor * point.value + point.penalty
    point.grad_norm = largest(n, g, 1)


# ---- what Python calls ----

cdef inline bint is_vector(object value, cnp.npy_intp n) noexcept:
    return (arrays.native(value, cnp.NPY_FLOAT64) and cnp.PyArray_NDIM(<cnp.ndarray> value) == 1
            and cnp.PyArray_DIM(<cnp.ndarray> value, 0) == n)


def vector(value, cnp.npy_intp n):
    """Whether `value` is a plain, native array (n,) of double."""
    return is_vector(value, n)


cdef double add_penalty(size_t n, const double *decay, double *p, double *g, double *slope,
                        dot_function dot) noexcept nogil:
    """sum lambda_i/2 p_i^2; lambda_i p_i, which is rounded before it is added, is left in `slope`."""
    cdef double twice = 0.0
    cdef size_t i
    for i in range(n):
        slope[i] = decay[i] * p[i]
    dot(slope, sizeof(double), p, sizeof(double), &twice, n, NULL)
    if g != NULL:
        for i in range(n):
            g[i] += slope[i]
    return 0.5 * twice


def penalise(cnp.ndarray decay not None, p, gradient=None):
    """sum lambda_i/2 p_i^2, with the bits of `numpy.dot`; lambda_i p_i is added to the gradient, if there is one."""
    cdef cnp.npy_intp n = cnp.PyArray_SIZE(decay)
    if not (is_vector(decay, n) and is_vector(p, n) and (gradient is None or is_vector(gradient, n))):
        raise ValueError(f"penalty: expected vectors of {n} numbers in float64, got others")
    cdef cnp.ndarray room = cnp.PyArray_EMPTY(1, &n, cnp.NPY_FLOAT64, 0)
    cdef dot_function dot = PyDataType_GetArrFuncs(PyArray_DESCR(room)).dotfunc
    cdef const double *coefficients = <const double *> data(decay)
    cdef double *x = <double *> data(p)
    cdef double *g = <double *> data(gradient)
    cdef double *slope = <double *> data(room)
    cdef double half
    if n < RELEASE_NUMBERS:
        return add_penalty(n, coefficients, x, g, slope, dot)
    with nogil:
        half = add_penalty(n, coefficients, x, g, slope, dot)
    return half


def add_diagonal(matrix, cnp.ndarray diagonal not None):
    """Add a vector (n,) to the diagonal of a matrix (n, n) of double."""
    cdef cnp.npy_intp n = cnp.PyArray_SIZE(diagonal), i
    cdef cnp.ndarray array = matrix
    if not (is_vector(diagonal, n) and cnp.PyArray_TYPE(array) == cnp.NPY_FLOAT64 and cnp.PyArray_ISBEHAVED(array)
            and cnp.PyArray_NDIM(array) == 2 and cnp.PyArray_DIM(array, 0) == cnp.PyArray_DIM(array, 1) == n):
        raise ValueError(f"penalty: expected a matrix ({n}, {n}) in float64, got another")
    cdef cnp.npy_intp stride = cnp.PyArray_STRIDE(array, 0) + cnp.PyArray_STRIDE(array, 1)
    cdef const double *d = <const double *> data(diagonal)
    cdef char *place = <char *> data(array)
    for i in range(n):
        (<double *> (place + i * stride))[0] += d[i]
