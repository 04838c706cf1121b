# Terms of an objective that are written in Python: what the compiled floor asks them for.

from fastmlp._core.team cimport Watch


# The terms at x (n,); their gradient and the lower triangle of their matrix (n, n) are added to g and B, where these are
# not NULL. `terms` is a Python object that the caller keeps, as `asked.pyx` describes it. Takes the GIL; an exception
# stops the watch, and waits for `team.check`.
cdef double add(void *terms, size_t n, const double *x, double *g, double *B, Watch *watch) noexcept nogil
