# Symmetric positive definite systems, for loops without the GIL.

from fastmlp._core.threads.team cimport Watch


cdef size_t factored(const void *ops, size_t n, double *A, Watch *watch) noexcept nogil
