# Some of the parameters of a network, whose second derivatives alone are wanted: all others are fixed.

from fastmlp._core.sums.plan cimport Net


# A unit that chosen parameters lead into.
cdef struct Unit:
    int l
    size_t i
    size_t first, n             # which they are, counted unit by unit


cdef struct Chosen:
    size_t n
    const Py_ssize_t *params    # (n,), ascending: that of each row of the matrix
    # of dense layers alone:
    size_t n_units
    const Unit *units           # in the order of their layers
    const size_t *unit          # (n,), of each parameter, unit by unit: its unit,
    const size_t *input         # the input that it weighs, the last but one for the bias,
    const size_t *row           # and its row of the matrix


# Owns the arrays.
cdef class Places:
    cdef Chosen chosen
    cdef object given
    cdef void *memory
    cdef int order(self, const Net *net) except -1
