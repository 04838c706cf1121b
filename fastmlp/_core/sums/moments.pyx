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

from fastmlp._core.storage.arrays cimport RELEASE_NUMBERS, data
from fastmlp._core.storage.memory cimport times

cnp.import_array()

cdef enum:
    CHUNK = 1024                # rows whose sums are added up by themselves
    BETWEEN_SIGNALS = 1 << 22   # numbers
    WIDE = 4                    # columns side by side, whose sums do not wait for each other


cdef enum Turn:                     # what a pass over the rows finds
    ENDS
    MEANS
    DEVIATIONS


# Some rows of an array (n, m), with their weights or NULL.
cdef struct Rows:
    const void *numbers
    const void *weights
    size_t m
    size_t first, last              # those at hand, first .. last - 1
    bint single


# What is known of the columns, each (m,).
cdef struct Columns:
    double *low
    double *high
    double *p
    double *middle
    double *sums                    # (3, m): of s p x; then of s d, s d^2 and s |d|
    size_t count                    # rows that count,
    double total                    # the sum of their weights s, in units of
    double largest                  # the largest one


cdef inline double weight_of(const Rows *rows, size_t i, double largest) noexcept nogil:
    if rows.weights == NULL:
        return 1.0
    if rows.single:
        return (<const float *> rows.weights)[i] / largest
    return (<const double *> rows.weights)[i] / largest


cdef inline void add_ends(const floating *at, const Rows *rows, size_t j, size_t width,
                          Columns *columns) noexcept nogil:
    """Smallest and largest numbers of rows that count; how many these are."""
    cdef size_t i, k, count = 0
    cdef floating x
    cdef floating least[WIDE]
    cdef floating most[WIDE]
    for k in range(width):
        least[k], most[k] = <floating> columns.low[j + k], <floating> columns.high[j + k]
    for i in range(rows.first, rows.last):
        if rows.weights == NULL or weight_of(rows, i, 1.0) != 0.0:
            for k in range(width):
                x = at[k]
                least[k] = least[k] if least[k] < x else x      # in this order GCC makes it an instruction
                most[k] = most[k] if most[k] > x else x
            count += 1
        at += rows.m
    for k in range(width):
        columns.low[j + k], columns.high[j + k] = least[k], most[k]
    columns.count += count if j == 0 else 0


cdef inline void add_rows(const floating *at, const Rows *rows, size_t j, size_t width,
                          Columns *columns) noexcept nogil:
    """Sums of s p x, by way of the chunk's own, and of the weights s."""
    cdef size_t i, k
    cdef double s, total = 0.0
    cdef double own[WIDE]
    cdef double power[WIDE]
    for k in range(width):
        own[k], power[k] = 0.0, columns.p[j + k]
    for i in range(rows.first, rows.last):
        s = weight_of(rows, i, columns.largest)
        if s != 0.0:            # what has no weight may be beyond all bounds
            for k in range(width):
                own[k] += s * (at[k] * power[k])
        total += s
        at += rows.m
    for k in range(width):
        columns.sums[j + k] += own[k]
    columns.total += total if j == 0 else 0.0


cdef inline void add_deviations(const floating *at, const Rows *rows, size_t j, size_t width,
                                Columns *columns) noexcept nogil:
    """Sums of s d, s d^2 and s |d|."""
    cdef size_t i, k
    cdef double s, d
    cdef double one[WIDE]
    cdef double two[WIDE]
    cdef double size[WIDE]
    cdef double power[WIDE]
    cdef double mean[WIDE]
    for k in range(width):
        one[k] = two[k] = size[k] = 0.0
        power[k], mean[k] = columns.p[j + k], columns.middle[j + k]
    for i in range(rows.first, rows.last):
        s = weight_of(rows, i, columns.largest)
        if s != 0.0:
            for k in range(width):
                d = at[k] * power[k] - mean[k]
                one[k] += s * d
                two[k] += s * (d * d)
                size[k] += s * fabs(d)
        at += rows.m
    for k in range(width):
        columns.sums[j + k] += one[k]
        columns.sums[rows.m + j + k] += two[k]
        columns.sums[2 * rows.m + j + k] += size[k]


cdef inline void over_columns(const floating *a, const Rows *rows, size_t j, size_t width, Turn turn,
                              Columns *columns) noexcept nogil:
    """Columns j, j + 1, ... of the rows."""
    cdef const floating *at = a + rows.first * rows.m + j
    if turn == ENDS:
        add_ends(at, rows, j, width, columns)
    elif turn == MEANS:
        add_rows(at, rows, j, width, columns)
    else:
        add_deviations(at, rows, j, width, columns)


cdef void over_rows(const floating *a, const Rows *rows, Turn turn, Columns *columns) noexcept nogil:
    """All columns of the rows; widths are constants, so that sums stay in registers."""
    cdef size_t j = 0
    while j + WIDE <= rows.m:
        over_columns(a, rows, j, WIDE, turn, columns)
        j += WIDE
    while j < rows.m:
        over_columns(a, rows, j, 1, turn, columns)
        j += 1


cdef void measure(Columns *columns, size_t m) noexcept nogil:
    """p max |x| lies in [1/2, 1), or is subnormal, or 0."""
    cdef size_t j
    cdef int exponent
    for j in range(m):
        frexp(fmax(fabs(columns.low[j]), fabs(columns.high[j])), &exponent)
        columns.p[j] = ldexp(1.0, -max(exponent, -1022))


cdef void take_means(Columns *columns, size_t m) noexcept nogil:
    cdef size_t j
    for j in range(m):
        columns.middle[j], columns.sums[j] = columns.sums[j] / columns.total, 0.0


cdef void finish(const Columns *columns, size_t m, double rounding, double tiny, double *mean) noexcept nogil:
    """Mean, standard deviation, mean absolute deviation (3, m) of each column; the latter two are 0 of a constant."""
    cdef size_t j
    cdef double first, reach, largest, p, low, high, middle
    cdef double *sd = mean + m
    cdef double *spread = mean + 2 * m
    for j in range(m):
        p, low, high, middle = columns.p[j], columns.low[j], columns.high[j], columns.middle[j]
        first = columns.sums[j] / columns.total
        mean[j] = (middle + first) / p
        largest = fmax(fabs(low), fabs(high)) * p
        reach = fmax(high * p - middle, middle - low * p)
        sd[j] = sqrt(fmax(columns.sums[m + j] / columns.total - first * first, 0.0)) / p
        spread[j] = columns.sums[2 * m + j] / columns.total / p
        # differences among subnormal numbers are rounding too
        if reach <= rounding * largest or reach / p < tiny:
            sd[j] = spread[j] = 0.0


cdef void over_chunks(Rows *rows, size_t first, size_t stop, Turn turn, Columns *columns) noexcept nogil:
    rows.first = first
    while rows.first < stop:
        rows.last = min(stop, rows.first + CHUNK)
        if rows.single:
            over_rows(<const float *> rows.numbers, rows, turn, columns)
        else:
            over_rows(<const double *> rows.numbers, rows, turn, columns)
        rows.first = rows.last


cdef int go_through(Rows *rows, size_t n, Turn turn, Columns *columns) except -1:
    """All rows of an array; signals are answered after some, and other threads let run where there are many."""
    cdef size_t between = max(1, BETWEEN_SIGNALS // max(1, rows.m * CHUNK)) * CHUNK, first
    if times(n, rows.m) < RELEASE_NUMBERS:
        over_chunks(rows, 0, n, turn, columns)
        return 0
    for first in range(0, n, between):
        with nogil:
            over_chunks(rows, first, min(n, first + between), turn, columns)
        PyErr_CheckSignals()
    return 0


cdef Rows rows_of(cnp.ndarray array, cnp.ndarray weight):
    cdef Rows rows
    rows.m, rows.single = cnp.PyArray_DIM(array, 1), cnp.PyArray_TYPE(array) == cnp.NPY_FLOAT32
    rows.numbers, rows.weights = data(array), NULL if weight is None else data(weight)
    rows.first = rows.last = 0
    return rows


cdef Columns columns_of(double *low, double *p, size_t m) noexcept nogil:
    """Columns whose least and largest numbers (2, m) are at hand, and p, the middle and sums (5, m)."""
    cdef Columns columns
    columns.low, columns.high, columns.p, columns.middle, columns.sums = low, low + m, p, p + m, p + 2 * m
    columns.count, columns.total, columns.largest = 0, 0.0, 0.0
    return columns


cdef int find_ends(cnp.ndarray array, cnp.ndarray weight, Rows *rows, Columns *columns) except -1:
    cdef size_t j, n = cnp.PyArray_DIM(array, 0)
    for j in range(rows.m):
        columns.low[j], columns.high[j] = HUGE_VAL, -HUGE_VAL
    if weight is not None and n:
        columns.largest = float(weight.max())
    return go_through(rows, n, ENDS, columns)


cdef int tell(Columns *columns, const Rows *rows, roundings, double *mean) except -1:
    cdef double rounding = FLT_EPSILON if rows.single else DBL_EPSILON
    rounding *= fmin(fmax(columns.count, roundings[0]), roundings[1])
    finish(columns, rows.m, rounding, FLT_MIN if rows.single else DBL_MIN, mean)
    return 0


cdef cnp.ndarray zeros(size_t n_rows, size_t m):
    cdef cnp.npy_intp shape[2]
    shape[0], shape[1] = n_rows, m
    return cnp.PyArray_ZEROS(2, shape, cnp.NPY_FLOAT64, 0)


def moments(cnp.ndarray array not None, cnp.ndarray weight, roundings):
    """Rows (5, m): mean, standard deviation, mean absolute deviation, smallest and largest of each column, by weight.

    And the sum of the weights. A native array (n, m) of float32 or float64, and its weights (n,) in its type, or None;
    at least one row counts. `roundings`: as many as there are rows that count, but not less than the first of these
    numbers, and no more than the second.
    """
    cdef Rows rows = rows_of(array, weight)
    cdef size_t n = cnp.PyArray_DIM(array, 0)
    cdef cnp.ndarray result = zeros(5, rows.m), room = zeros(5, rows.m)
    cdef double *mean = <double *> data(result)
    cdef Columns columns = columns_of(mean + 3 * rows.m, <double *> data(room), rows.m)
    find_ends(array, weight, &rows, &columns)
    columns.largest = columns.largest or 1.0
    measure(&columns, rows.m)
    go_through(&rows, n, MEANS, &columns)
    take_means(&columns, rows.m)
    go_through(&rows, n, DEVIATIONS, &columns)
    tell(&columns, &rows, roundings, mean)
    return result, columns.total * columns.largest


# ---- the same of rows in several parts, pass by pass ----

def ends(cnp.ndarray array not None, cnp.ndarray weight):
    """Smallest and largest numbers (2, m) of the rows that count, how many these are, and the largest weight, or 0."""
    cdef Rows rows = rows_of(array, weight)
    cdef cnp.ndarray result = zeros(2, rows.m)
    cdef Columns columns = columns_of(<double *> data(result), NULL, rows.m)
    find_ends(array, weight, &rows, &columns)
    return result, columns.count, columns.largest


def powers(cnp.ndarray ends not None):
    """p of each column (m,), from the smallest and largest numbers of all parts."""
    cdef size_t m = cnp.PyArray_DIM(ends, 1)
    cdef cnp.ndarray room = zeros(5, m)
    cdef Columns columns = columns_of(<double *> data(ends), <double *> data(room), m)
    measure(&columns, m)
    return room[0]


def sums(cnp.ndarray array not None, cnp.ndarray weight, p, middle, double largest):
    """Sums over rows, (3, m), of s p x without a middle (m,), with one of s d, s d^2, s |d|; and of the weights s."""
    cdef Rows rows = rows_of(array, weight)
    cdef cnp.ndarray room = zeros(5, rows.m)
    cdef Columns columns = columns_of(NULL, <double *> data(room), rows.m)
    room[0] = p
    room[1] = 0.0 if middle is None else middle
    columns.largest = largest
    go_through(&rows, cnp.PyArray_DIM(array, 0), MEANS if middle is None else DEVIATIONS, &columns)
    return room[2:], columns.total


def told(cnp.ndarray ends not None, p, middle, sums, double total, size_t count, bint single, roundings):
    """What `moments` gives, but for the sum of the weights, from the sums of all parts; `total` is that of s."""
    cdef Rows rows
    rows.m, rows.single = cnp.PyArray_DIM(ends, 1), single
    cdef cnp.ndarray result = zeros(5, rows.m), room = zeros(5, rows.m)
    cdef double *mean = <double *> data(result)
    cdef Columns columns = columns_of(mean + 3 * rows.m, <double *> data(room), rows.m)
    result[3:], room[0], room[1], room[2:] = ends, p, middle, sums
    columns.count, columns.total = count, total
    tell(&columns, &rows, roundings, mean)
    return result


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
