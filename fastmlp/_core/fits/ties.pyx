"""Fixed and shared weights, as the solvers that run without the GIL see them."""

import numpy as np


cdef class Ties:
    """The map from the free parameters to all of them.

    Parameters
    ----------
    index : ndarray of shape (P,)
        Which free parameter each depends on; -1: none, it is fixed. Of some there is one.
    coefficient, offset : ndarray of shape (P,)
    n : int
        How many are free.
    """

    def __cinit__(self, const Py_ssize_t[::1] index not None, const double[::1] coefficient not None,
                  const double[::1] offset not None, size_t n):
        self.map = Map(index.shape[0], n, &index[0], &coefficient[0], &offset[0])
        self.places = (np.asarray(index) >= 0).nonzero()[0]
        cdef const Py_ssize_t[::1] used = np.asarray(index)[self.places]
        cdef const double[::1] factors = np.asarray(coefficient)[self.places]
        self.used = Map(used.shape[0], n, &used[0], &factors[0], NULL)
        self.arrays = (index, coefficient, offset, used, factors)
