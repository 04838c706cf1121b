# Large results: arrays whose memory is used again; see results.pyx.

cimport numpy as cnp


# A new array, of any numbers.
cdef cnp.ndarray empty(int n_axes, cnp.npy_intp *shape, int typenum)
