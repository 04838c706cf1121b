"""Terms of an objective that are written in Python.

A solver that runs without the GIL asks an object for them, which has, of free parameters p (n,) that are its own,

    value(p)            a float
    value_and_grad(p)   and an array (n,) of double
    matrix(p, kind)     an array (n, n) of double, symmetric to rounding; kind is "exact" or "ggn"

What these raise ends the fit at its latest step, as signals do: the exception waits in the thread's state, no block of
samples and no term is computed any more, and `team.check` raises it.
"""

from libc.math cimport NAN
from libc.string cimport memcpy

cimport numpy as cnp
from fastmlp._core.storage.arrays cimport data, native
from fastmlp._core.threads.team cimport Watch

cnp.import_array()

cdef extern from "Python.h":
    void PyErr_SetObject(object, object) noexcept    # left where it is, for `check`


cdef const double *numbers(object array, size_t rows, size_t columns) except NULL:
    """Those of a plain array (rows, columns) of double, or (rows,) where columns are 1."""
    if not native(array, cnp.NPY_FLOAT64) or <size_t> cnp.PyArray_SIZE(<cnp.ndarray> array) != rows * columns:
        raise ValueError(f"terms: expected an array of {rows * columns} numbers in float64, got another")
    return <const double *> data(array)


cdef double ask(object terms, size_t n, const double *x, double *g, double *B, bint exact):
    cdef cnp.npy_intp size = n
    cdef cnp.ndarray p = cnp.PyArray_EMPTY(1, &size, cnp.NPY_FLOAT64, 0)
    cdef const double *gradient
    cdef const double *matrix
    cdef double value
    cdef size_t i, j
    memcpy(data(p), x, n * sizeof(double))
    if g == NULL:
        return terms.value(p)
    value, slope = terms.value_and_grad(p)
    gradient = numbers(slope, n, 1)
    for i in range(n):
        g[i] += gradient[i]
    if B == NULL:
        return value
    curvature = terms.matrix(p, "exact" if exact else "ggn")
    matrix = numbers(curvature, n, n)
    for i in range(n):
        for j in range(i + 1):
            B[i * n + j] += 0.5 * (matrix[i * n + j] + matrix[j * n + i])
    return value


cdef double guarded(void *terms, size_t n, const double *x, double *g, double *B, bint exact,
                    Watch *watch) noexcept with gil:
    try:
        return ask(<object> terms, n, x, g, B, exact)
    except BaseException as error:
        watch.stopped = True
        PyErr_SetObject(type(error), error)
    return NAN


cdef double add(void *terms, size_t n, const double *x, double *g, double *B, bint exact, Watch *watch) noexcept nogil:
    return NAN if watch.stopped else guarded(terms, n, x, g, B, exact, watch)
