"""Means and spreads of the columns of an array, in double, and the columns in units of them; by passes over its rows.

With the power of two p that brings max |x| of a column to about 1, and m the mean of p x as it has been rounded,

    y = p x,  d = y - m,    mean = (m + avg(d)) / p,    sd = sqrt(avg(d^2) - avg(d)^2) / p

so that a column times 2^k has mean and deviation times 2^k, to the bit, and nothing overflows on the way. With avg(d)
the relative error of the variance is of the order of n eps + (n eps)^3 (mean / sd)^2 at most, whatever the offset
(Chan, Golub and LeVeque 1983); sums of CHUNK rows are added up, so that n is that of a chunk and of their number.

A column is constant if no value is farther from its mean than rounding of its own type takes it: `roundings` units.
"""

from cpython.exc cimport PyErr_CheckSignals
from libc.float cimport DBL_EPSILON, DBL_MIN, FLT_EPSILON, FLT_MIN
from libc.math cimport HUGE_VAL, fabs, fmax, fmin, frexp, ldexp, sqrt

import numpy as np

cimport numpy as cnp
from cython cimport floating

from fastmlp._core.storage.arrays cimport data

cnp.import_array()

cdef enum:
    CHUNK = 1024                # rows whose sums are added up by themselves
    BETWEEN_SIGNALS = 1 << 22   # numbers


cdef struct Rows:                   # of an array (n, m), with their weights or NULL
    const void *numbers
    const void *weights
    size_t m
    bint single


cdef inline double weight_of(const Rows *rows, size_t i, double largest) noexcept nogil:
    if rows.weights == NULL:
        return 1.0
    if rows.single:
        return (<const float *> rows.weights)[i] / largest
    return (<const double *> rows.weights)[i] / largest


cdef size_t add_ends(const floating *a, const Rows *rows, size_t first, size_t last, double *low,
                     double *high) noexcept nogil:
    """Smallest and largest numbers of rows that count; how many these are."""
    cdef size_t i, j, m = rows.m, count = 0
    cdef floating x, least, most
    cdef const floating *at
    for j in range(m):      # column by column, so that what is compared stays in registers
        least, most = <floating> low[j], <floating> high[j]
        at = a + first * m + j
        count = 0
        for i in range(first, last):
            if rows.weights == NULL or weight_of(rows, i, 1.0) != 0.0:
                x = at[0]
                least = x if x < least else least
                most = x if x > most else most
                count += 1
            at += m
        low[j], high[j] = least, most
    return count


cdef double add_rows(const floating *a, const Rows *rows, size_t first, size_t last, double largest, const double *p,
                     double *sums) noexcept nogil:
    """Add s p x to `sums` (m,), by way of the chunk's own; the sum of the weights s."""
    cdef size_t i, j, m = rows.m
    cdef double s, own, power, total = 0.0
    cdef const floating *at
    for j in range(m):
        own, power, total = 0.0, p[j], 0.0
        at = a + first * m + j
        for i in range(first, last):
            s = 1.0 if rows.weights == NULL else weight_of(rows, i, largest)
            if s != 0.0:            # what has no weight may be beyond all bounds
                own += s * (at[0] * power)
            total += s
            at += m
        sums[j] += own
    return total


cdef void add_deviations(const floating *a, const Rows *rows, size_t first, size_t last, double largest,
                         const double *p, const double *middle, double *sums) noexcept nogil:
    """Add s d, s d^2 and s |d| to `sums` (3, m)."""
    cdef size_t i, j, m = rows.m
    cdef double s, d, one, two, size, power, mean
    cdef const floating *at
    for j in range(m):
        one, two, size, power, mean = 0.0, 0.0, 0.0, p[j], middle[j]
        at = a + first * m + j
        for i in range(first, last):
            s = 1.0 if rows.weights == NULL else weight_of(rows, i, largest)
            d = at[0] * power - mean if s != 0.0 else 0.0
            one += s * d
            two += s * (d * d)
            size += s * fabs(d)
            at += m
        sums[j] += one
        sums[m + j] += two
        sums[2 * m + j] += size


cdef void finish(const double *low, const double *high, const double *p, const double *middle, const double *sums,
                 double total, double rounding, double tiny, size_t m, double *mean, double *sd,
                 double *spread) noexcept nogil:
    """Mean, standard deviation and mean absolute deviation of each column; the latter two are 0 of a constant."""
    cdef size_t j
    cdef double first, reach, largest
    for j in range(m):
        first = sums[j] / total
        mean[j] = (middle[j] + first) / p[j]
        largest = fmax(fabs(low[j]), fabs(high[j])) * p[j]
        reach = fmax(high[j] * p[j] - middle[j], middle[j] - low[j] * p[j])
        sd[j] = sqrt(fmax(sums[m + j] / total - first * first, 0.0)) / p[j]
        spread[j] = sums[2 * m + j] / total / p[j]
        # differences among subnormal numbers are rounding too
        if reach <= rounding * largest or reach / p[j] < tiny:
            sd[j] = spread[j] = 0.0


def moments(cnp.ndarray array not None, cnp.ndarray weight, roundings):
    """Rows (5, m): mean, standard deviation, mean absolute deviation, smallest and largest of each column, by weight.

    And the sum of the weights. `array` (n, m) and `weight` (n,) or None are native arrays of one type; at least one
    row counts. `roundings`: as many as there are rows that count, but not
    less than the first of these numbers, and no more than the second.
    """
    cdef Rows rows
    rows.m = cnp.PyArray_DIM(array, 1)
    rows.single = cnp.PyArray_TYPE(array) == cnp.NPY_FLOAT32
    rows.numbers, rows.weights = data(array), NULL if weight is None else data(weight)
    cdef size_t n = cnp.PyArray_DIM(array, 0), m = rows.m
    cdef size_t between = max(1, BETWEEN_SIGNALS // max(1, m * CHUNK)) * CHUNK, first, stop, chunk, last, count = 0
    cdef double largest = 1.0 if weight is None else float(weight.max()), total = 0.0
    cdef double rounding = FLT_EPSILON if rows.single else DBL_EPSILON
    cdef cnp.npy_intp shape[2]
    shape[0], shape[1] = 5, m
    cdef cnp.ndarray result = cnp.PyArray_EMPTY(2, shape, cnp.NPY_FLOAT64, 0)
    cdef cnp.ndarray room = cnp.PyArray_ZEROS(2, shape, cnp.NPY_FLOAT64, 0)
    cdef double *mean = <double *> data(result)
    cdef double *low = mean + 3 * m
    cdef double *high = mean + 4 * m
    cdef double *p = <double *> data(room)
    cdef double *middle = p + m
    cdef double *sums = p + 2 * m
    cdef size_t j, turn
    cdef int exponent
    for j in range(m):
        low[j], high[j] = HUGE_VAL, -HUGE_VAL
    for turn in range(3):
        for first in range(0, n, between):
            stop = min(n, first + between)
            with nogil:
                chunk = first
                while chunk < stop:
                    last = min(stop, chunk + CHUNK)
                    if turn == 0 and rows.single:
                        count += add_ends(<const float *> rows.numbers, &rows, chunk, last, low, high)
                    elif turn == 0:
                        count += add_ends(<const double *> rows.numbers, &rows, chunk, last, low, high)
                    elif turn == 1 and rows.single:
                        total += add_rows(<const float *> rows.numbers, &rows, chunk, last, largest, p, sums)
                    elif turn == 1:
                        total += add_rows(<const double *> rows.numbers, &rows, chunk, last, largest, p, sums)
                    elif rows.single:
                        add_deviations(<const float *> rows.numbers, &rows, chunk, last, largest, p, middle, sums)
                    else:
                        add_deviations(<const double *> rows.numbers, &rows, chunk, last, largest, p, middle, sums)
                    chunk = last
            PyErr_CheckSignals()
        if turn == 0:
            for j in range(m):
                frexp(fmax(fabs(low[j]), fabs(high[j])), &exponent)
                p[j] = ldexp(1.0, -max(exponent, -1022))    # p max |x| lies in [1/2, 1), or is subnormal, or 0
        elif turn == 1:
            for j in range(m):
                middle[j], sums[j] = sums[j] / total, 0.0
    rounding *= fmin(fmax(count, roundings[0]), roundings[1])
    finish(low, high, p, middle, sums, total, rounding, FLT_MIN if rows.single else DBL_MIN, m, mean, mean + m,
           mean + 2 * m)
    return result, total * largest


cdef void scale_rows(const floating *a, size_t n, size_t m, const double *shift, const double *scale,
                     const double *slack, floating *to) noexcept nogil:
    cdef size_t i, j
    cdef double d
    for i in range(n):
        for j in range(m):
            d = <double> a[i * m + j] - shift[j]
            d = 0.0 if fabs(d) <= slack[j] else d
            to[i * m + j] = <floating> (d / scale[j])


def scaled(cnp.ndarray array not None, cnp.ndarray shift not None, cnp.ndarray scale not None,
           cnp.ndarray slack not None):
    """A new array (x - shift) / scale, of the type of `array`; 0 where x is within `slack` of the shift."""
    cdef size_t n = cnp.PyArray_DIM(array, 0), m = cnp.PyArray_DIM(array, 1), first, count
    cdef size_t between = max(1, BETWEEN_SIGNALS // max(1, m))
    cdef cnp.ndarray result = np.empty((n, m), array.dtype)
    cdef const double *numbers = <const double *> data(array)
    cdef double *to = <double *> data(result)
    cdef const double *by = <const double *> data(scale)
    cdef const double *from_ = <const double *> data(shift)
    cdef const double *within = <const double *> data(slack)
    cdef bint single = cnp.PyArray_TYPE(array) == cnp.NPY_FLOAT32
    for first in range(0, n, between):
        count = min(n - first, between)
        with nogil:
            if single:
                scale_rows((<const float *> numbers) + first * m, count, m, from_, by, within,
                           (<float *> to) + first * m)
            else:
                scale_rows(numbers + first * m, count, m, from_, by, within, to + first * m)
        PyErr_CheckSignals()
    return result


def largest(cnp.ndarray vector not None):
    """The largest size of a number in a native vector, nan where there is one."""
    cdef size_t n = cnp.PyArray_SIZE(vector), i
    cdef const double *wide = <const double *> data(vector)
    cdef const float *narrow = <const float *> data(vector)
    cdef double size, found = 0.0   # compared as they are: GCC 12 fails at fmax here, for 64-bit ARM
    if cnp.PyArray_TYPE(vector) == cnp.NPY_FLOAT32:
        for i in range(n):
            size = fabs(narrow[i])
            found = found if size <= found or found != found else size
    else:
        for i in range(n):
            size = fabs(wide[i])
            found = found if size <= found or found != found else size
    return found
