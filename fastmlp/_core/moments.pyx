"""Means and spreads of the columns of an array, in double, by two passes over rows."""

from libc.float cimport DBL_EPSILON, FLT_EPSILON
from libc.math cimport fabs, fmax, sqrt

import numpy as np

cimport numpy as cnp
from cython cimport floating

from fastmlp._core.arrays cimport data

cnp.import_array()

cdef double ROUNDING = 10.0     # units of rounding of the mean that a mean deviation has to exceed


cdef double sums(const floating *a, const floating *weight, size_t n, size_t m, size_t step,
                 double *mean, double *sd, double *deviation) noexcept nogil:
    """`moments` of a (n, m); the sum of the weights."""
    cdef size_t rows = (n + step - 1) // step, i, j
    cdef double total = 0.0, s = 1.0, d, rounding
    cdef double *left = mean + 3 * m    # what rounding has left of the sum of differences from the mean
    cdef const floating *row
    for j in range(m):
        mean[j] = sd[j] = deviation[j] = 0.0
    for i in range(rows):
        row = a + i * step * m
        s = 1.0 if weight == NULL else weight[i * step]
        total += s
        for j in range(m):
            mean[j] += s * (<double> row[j] - a[j])     # less the first row, so that offsets take no digits
    for j in range(m):
        mean[j] = a[j] + mean[j] / total
        left[j] = 0.0
    for i in range(rows):
        row = a + i * step * m
        s = 1.0 if weight == NULL else weight[i * step]
        for j in range(m):
            d = <double> row[j] - mean[j]
            left[j] += s * d
            deviation[j] += s * fabs(d)
            sd[j] += s * d * d
    rounding = ROUNDING * (FLT_EPSILON if sizeof(floating) == 4 else DBL_EPSILON)
    for j in range(m):
        left[j] /= total
        mean[j] += left[j]
        sd[j] = sqrt(fmax(sd[j] / total - left[j] * left[j], 0.0))
        if deviation[j] <= rounding * fabs(mean[j]) * total:
            sd[j] = deviation[j] = 0.0
    return total


def moments(cnp.ndarray array not None, weight, size_t step=1):
    """Mean, standard deviation and sum of absolute deviations of each column: (3, m), by weight; and the total weight.

    `array` (n, m) and `weight` (n,) or None are native arrays of one type; every `step`-th row is looked at. Spreads
    that are rounding of the mean are 0.
    """
    cdef size_t n = cnp.PyArray_DIM(array, 0), m = cnp.PyArray_DIM(array, 1)
    cdef cnp.ndarray result = np.empty((4, m))
    cdef double *to = <double *> data(result)
    cdef const void *numbers = data(array)
    cdef const void *weights = data(weight)
    cdef bint single = cnp.PyArray_TYPE(array) == cnp.NPY_FLOAT32
    cdef double total
    with nogil:
        if single:
            total = sums(<const float *> numbers, <const float *> weights, n, m, step, to, to + m, to + 2 * m)
        else:
            total = sums(<const double *> numbers, <const double *> weights, n, m, step, to, to + m, to + 2 * m)
    return result[:3], total


def largest(cnp.ndarray vector not None):
    """The largest size of a number in a native vector."""
    cdef size_t n = cnp.PyArray_SIZE(vector), i
    cdef const double *wide = <const double *> data(vector)
    cdef const float *narrow = <const float *> data(vector)
    cdef double found = 0.0
    if cnp.PyArray_TYPE(vector) == cnp.NPY_FLOAT32:
        for i in range(n):
            found = fmax(found, fabs(narrow[i]))
    else:
        for i in range(n):
            found = fmax(found, fabs(wide[i]))
    return found
