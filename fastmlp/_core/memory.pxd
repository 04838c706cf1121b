# Memory for workspaces and partial sums.

from libc.stdlib cimport free, malloc

cdef extern from * nogil:
    """
    #if defined(__linux__)
    #include <stdint.h>
    #include <sys/mman.h>
    #endif

    /* Ask for large pages: the first touch of a small one costs more than the arithmetic on its numbers. */
    static void fmlp_prefer_large_pages(void *memory, size_t n_bytes)
    {
    #if defined(MADV_HUGEPAGE)
        enum { PAGE = 4096, MANY = 4 << 20 };
        if (memory && n_bytes >= MANY) {
            const uintptr_t first = ((uintptr_t)memory + PAGE - 1) / PAGE * PAGE;
            madvise((void *)first, (uintptr_t)memory + n_bytes - first, MADV_HUGEPAGE);
        }
    #else
        (void)memory, (void)n_bytes;
    #endif
    }
    """
    void fmlp_prefer_large_pages(void *memory, size_t n_bytes)


cdef inline void *reserve(size_t n_bytes) noexcept nogil:
    """Memory for `free`; NULL if there is none."""
    cdef void *memory = malloc(n_bytes)
    fmlp_prefer_large_pages(memory, n_bytes)
    return memory
