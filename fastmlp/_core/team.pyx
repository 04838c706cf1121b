"""The team of threads: what OpenMP grants."""

cdef extern from *:
    """
    #ifdef _OPENMP
    #include <omp.h>
    #define FMLP_OPENMP _OPENMP
    #else
    #define FMLP_OPENMP 0
    static int omp_get_max_threads(void) { return 1; }
    static int omp_get_thread_limit(void) { return 1; }
    #endif
    """
    int FMLP_OPENMP
    int omp_get_max_threads() noexcept nogil
    int omp_get_thread_limit() noexcept nogil


# The OpenMP version the extension was compiled with (yyyymm), 0 without OpenMP.
openmp_version = FMLP_OPENMP


def max_threads():
    """(threads OpenMP grants now, its hard limit)."""
    return omp_get_max_threads(), omp_get_thread_limit()
