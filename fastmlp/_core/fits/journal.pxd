# What became of the steps that a compiled loop has made by itself.


cdef struct Steps:
    size_t n, most          # noted; room for so many
    double *numbers         # (most, 4): objective, penalty, |g|_inf, seconds since the journal was opened
    size_t n_params
    double lowest           # the lowest objective,
    double *lowest_x        # (n_params,), and where
    double opened, until    # on the clock of `team.seconds`


# Note a step; whether there is room and time for another one.
cdef bint note(Steps *steps, double value, double penalty, double grad_norm, const double *x) noexcept nogil


cdef class Journal:
    cdef Steps steps
    cdef object arrays
