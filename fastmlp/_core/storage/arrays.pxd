# Pointers into NumPy arrays; see arrays.pyx.

cimport numpy as cnp

cdef enum:
    RELEASE_NUMBERS = 50_000    # from which on other Python threads are let run


cdef inline bint native(object value, int typenum) noexcept:
    """Whether `value` is an ndarray, no subclass, of that type; C-contiguous, aligned, in native byte order."""
    return (type(value) is cnp.ndarray and cnp.PyArray_TYPE(<cnp.ndarray> value) == typenum
            and cnp.PyArray_ISCARRAY_RO(<cnp.ndarray> value))


cdef inline void *data(object array) noexcept:
    """Where the numbers of an array lie; NULL for None."""
    return NULL if array is None else cnp.PyArray_DATA(<cnp.ndarray> array)


cdef bint finite(cnp.ndarray array) noexcept
cdef cnp.ndarray own(cnp.ndarray array)
cdef cnp.ndarray vector(cnp.npy_intp n, const double *x)
