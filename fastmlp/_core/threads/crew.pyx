"""Whether OpenMP's threads can be made: asked before OpenMP is, which would end the process.

GNU OpenMP prints a line and exits where it gets no thread, or no memory for its list of them. So before a parallel
region that would make threads, as many are made here, of the same stack, all alive at once, and put down again. Each
thread that calls has a pool of OpenMP's own, which keeps the threads of the latest region, and makes or drops some
where the next one asks for another number: that number is kept here by thread, and a region of the same size costs
one comparison.

What is left is a moment in which somebody else may take the last thread, or the last memory.
"""

import os
import re


cdef extern from *:
    """
    #if defined(_OPENMP) && !defined(_WIN32)
    #include <errno.h>
    #include <omp.h>
    #include <pthread.h>
    #include <stdlib.h>

    #ifdef __GLIBC__ /* such variables never need memory when a thread first looks at them */
    #define FMLP_EARLY __attribute__((tls_model("initial-exec")))
    #else
    #define FMLP_EARLY
    #endif
    static __thread FMLP_EARLY int fmlp_size = 1; /* of this thread's latest region, itself included */
    static __thread FMLP_EARLY int fmlp_failed;
    static __thread FMLP_EARLY double fmlp_again; /* a time before which nothing is tried again */
    static const double fmlp_pause = 0.1;

    static void fmlp_forget(void) { fmlp_size = 1; }
    static int fmlp_forget_at_forks(void) { return pthread_atfork(fmlp_forget, NULL, NULL); }

    static void *fmlp_wait(void *gate)
    {
        pthread_mutex_lock(gate);
        pthread_mutex_unlock(gate);
        return NULL;
    }

    /* Make n threads and put them down again: 0, or the error, or -1 for a stack too small: kernels take up to 54 KB.
     * What OpenMP allocates for itself is held meanwhile. A stack that is refused is refused by OpenMP too, which
     * then takes the default. */
    static int fmlp_try(int n, size_t stack)
    {
        enum { MOST = 64, RESERVE = 64 << 10, EACH = 4 << 10, DEPTH = 128 << 10 };
        pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
        pthread_attr_t attributes;
        pthread_t threads[MOST];
        int made = 0, error = 0;
        void *reserve = malloc(RESERVE + (size_t)(n > 0 ? n : 0) * EACH);
        if (!reserve)
            return ENOMEM;
        if (n > 0 && !(error = pthread_attr_init(&attributes))) {
            if (stack)
                pthread_attr_setstacksize(&attributes, stack);
            if (!pthread_attr_getstacksize(&attributes, &stack) && stack < DEPTH)
                error = -1;
            pthread_mutex_lock(&gate);
            while (!error && made < n && made < MOST)
                if (!(error = pthread_create(&threads[made], &attributes, fmlp_wait, &gate)))
                    made++;
            pthread_mutex_unlock(&gate);
            while (made > 0)
                pthread_join(threads[--made], NULL);
            pthread_attr_destroy(&attributes);
        }
        free(reserve);
        return error;
    }

    static int fmlp_missing(int n, size_t stack)
    {
        if (n == fmlp_size || n == 1)
            return 0;
        if (fmlp_failed && omp_get_wtime() < fmlp_again)
            return fmlp_failed;
        fmlp_failed = fmlp_try(n - fmlp_size, stack);
        if (fmlp_failed)
            fmlp_again = omp_get_wtime() + fmlp_pause;
        else if (!omp_get_dynamic()) /* else it may be fewer today, and more tomorrow */
            fmlp_size = n;
        return fmlp_failed;
    }
    #else
    static int fmlp_forget_at_forks(void) { return 0; }
    static int fmlp_missing(int n, size_t stack) { return (void)n, (void)stack, 0; }
    static int fmlp_try(int n, size_t stack) { return (void)n, (void)stack, 0; }
    #endif
    """
    int fmlp_forget_at_forks() noexcept
    int fmlp_try(int n, size_t stack)
    int fmlp_missing(int n, size_t stack) noexcept nogil


def stack_bytes(environment):
    """What GNU OpenMP takes for the stack of a thread from the environment, 0 for the system's default."""
    cdef bytes pattern = rb"\s*(\d+)\s*([bkmg]?)\s*"
    for name in (b"OMP_STACKSIZE", b"GOMP_STACKSIZE"):
        found = re.fullmatch(pattern, environment.get(name, b""), re.IGNORECASE)
        if found:
            size = int(found[1]) << {b"b": 0, b"m": 20, b"g": 30}.get(found[2].lower(), 10)
            if size < 1 << 64:
                return size
    return 0


cdef size_t _stack = stack_bytes(getattr(os, "environb", {}))
if fmlp_forget_at_forks():
    raise MemoryError("no memory for a handler of forks")


def lacking(int n_threads):
    """The error with which so many threads more, of the default stack, cannot be made; 0 if they can."""
    return fmlp_try(n_threads, 0)


cdef int missing(int n_threads) noexcept nogil:
    """0 if OpenMP can have so many threads, the calling one included; else the error, or -1 for too small a stack."""
    return fmlp_missing(n_threads, _stack)
