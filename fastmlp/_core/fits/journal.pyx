"""What became of the steps that a compiled loop has made by itself, for whoever reports them afterwards."""

from libc.math cimport INFINITY
from libc.string cimport memcpy

import numpy as np

from fastmlp._core.threads cimport team

cdef enum:
    COLUMNS = 4


cdef bint note(Steps *steps, double value, double penalty, double grad_norm, const double *x) noexcept nogil:
    cdef double *row = steps.numbers + COLUMNS * steps.n
    row[0], row[1], row[2], row[3] = value, penalty, grad_norm, team.seconds() - steps.opened
    steps.n += 1
    if value < steps.lowest:
        steps.lowest = value
        memcpy(steps.lowest_x, x, steps.n_params * sizeof(double))
    return steps.n < steps.most and row[3] < steps.until


cdef class Journal:
    """Room for the numbers of so many steps.

    Parameters
    ----------
    most : int
    n_params : int
        Of those that are free.
    """

    def __cinit__(self, size_t most, size_t n_params):
        self.arrays = np.empty((most, COLUMNS)), np.empty(n_params)
        cdef double[:, ::1] numbers = self.arrays[0]
        cdef double[::1] x = self.arrays[1]
        self.steps.numbers, self.steps.most = &numbers[0, 0], most
        self.steps.lowest_x, self.steps.n_params = &x[0], n_params
        self.open(INFINITY)

    def open(self, double seconds):
        """Forget all; no step is to begin after so many seconds from now."""
        self.steps.n = 0
        self.steps.lowest = INFINITY
        self.steps.opened, self.steps.until = team.seconds(), seconds

    def columns(self, double constant=0.0, double size=1.0, double started=0.0):
        """Step by step: objective + constant, (objective - penalty) / size, |g|_inf, seconds since `open` + started.

        Lists, as a history is made of.
        """
        cdef const double *row = self.steps.numbers
        cdef list values = [], means = [], grad_norms = [], seconds = []
        for _ in range(self.steps.n):
            values.append(row[0] + constant)
            means.append((row[0] - row[1]) / size)
            grad_norms.append(row[2])
            seconds.append(started + row[3])
            row += COLUMNS
        return values, means, grad_norms, seconds

    @property
    def lowest(self):
        """The lowest objective of these steps and its parameters, a copy."""
        return self.steps.lowest, self.arrays[1].copy()
