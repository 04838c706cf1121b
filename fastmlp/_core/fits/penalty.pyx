"""The penalty of objectives that Python calls: sum lambda_i/2 p_i^2, its gradient and its diagonal matrix."""

cimport numpy as cnp

from fastmlp._core.storage cimport arrays
from fastmlp._core.storage.arrays cimport RELEASE_NUMBERS, data

cnp.import_array()

ctypedef void (*dot_function)(void *, cnp.npy_intp, void *, cnp.npy_intp, void *, cnp.npy_intp, void *) noexcept nogil

cdef extern from "numpy/arrayobject.h":
    ctypedef struct PyArray_ArrFuncs:
        dot_function dotfunc
    PyArray_ArrFuncs *PyDataType_GetArrFuncs(void *dtype)
    void *PyArray_DESCR(cnp.ndarray array)


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
