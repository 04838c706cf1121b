"""Terms of an objective that are written in Python.

A solver that runs without the GIL asks an object for them, which has, of free parameters p (n,),

    value(p)            a float
    value_and_grad(p)   and an array (n,) of double
    matrix(p, kind)     an array (n, n) of double, symmetric; kind is "exact" or "ggn"

What these raise ends the fit at its latest step, as signals do: the exception waits in the thread's state, no block of
samples and no term is computed any more, and `team.check` raises it.
"""

from libc.math cimport NAN
from libc.string cimport memcpy

import numpy as np

from fastmlp._core.team cimport Watch


cdef extern from "Python.h":
    void PyErr_SetObject(object, object) noexcept    # left where it is, for `check`


cdef double ask(object terms, size_t n, const double *x, double *g, double *B, bint exact):
    cdef size_t i, j
    cdef object p = np.empty(n)
    cdef double[::1] copy = p
    cdef const double[::1] gradient
    cdef const double[:, :] matrix
    cdef double value
    memcpy(&copy[0], x, n * sizeof(double))
    if g == NULL:
        return terms.value(p)
    value, gradient = terms.value_and_grad(p)
    if <size_t> gradient.shape[0] != n:
        raise ValueError(f"gradient: expected {n} numbers, got {gradient.shape[0]}")
    for i in range(n):
        g[i] += gradient[i]
    if B == NULL:
        return value
    matrix = terms.matrix(p, "exact" if exact else "ggn")
    if not <size_t> matrix.shape[0] == <size_t> matrix.shape[1] == n:
        raise ValueError(f"matrix: expected shape ({n}, {n}), got ({matrix.shape[0]}, {matrix.shape[1]})")
    for i in range(n):
        for j in range(i + 1):
            B[i * n + j] += matrix[i, j]
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
