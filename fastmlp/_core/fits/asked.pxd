# Terms of an objective that are written in Python: what the compiled floor asks them for.

from fastmlp._core.threads.team cimport Watch


# The terms at x (n,); their gradient and the lower triangle of their Hessian, or Gauss-Newton matrix, are added to g
# (n,) and B (n, n), where these are not NULL. `terms` is a Python object that the caller keeps: see `asked.pyx`. Takes
# the GIL; an exception stops the watch, and waits for `team.check`.
cdef double add(void *terms, size_t n, const double *x, double *g, double *B, bint exact, Watch *watch) noexcept nogil
# The same of samples that come in chunks: their loss, to whose gradient and matrix g and B are set.
cdef double loss(void *chunks, size_t n, const double *x, double *g, double *B, bint exact, Watch *watch) noexcept nogil
