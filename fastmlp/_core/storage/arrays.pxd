# Pointers into NumPy arrays; see arrays.pyx.

cimport numpy as cnp

cdef enum:
    RELEASE_NUMBERS = 50_000    # from which on other Python threads are let run


cdef bint native(object value, int typenum) noexcept
cdef bint finite(cnp.ndarray array) noexcept
cdef cnp.ndarray own(cnp.ndarray array)
cdef void *data(object array) noexcept
cdef cnp.ndarray vector(cnp.npy_intp n, const double *x)
