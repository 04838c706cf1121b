# Memory for workspaces and partial sums, and the arithmetic of its sizes.

from libc.stdlib cimport free, malloc

cdef extern from * nogil:
    """
    #include <stdint.h>
    #if defined(__linux__)
    #include <sys/mman.h>
    #endif

    #if defined(__GNUC__)
    static inline size_t fmlp_times(size_t a, size_t b)
    {
        size_t product;
        return __builtin_mul_overflow(a, b, &product) ? SIZE_MAX : product;
    }
    #else
    static inline size_t fmlp_times(size_t a, size_t b) { return b && a > SIZE_MAX / b ? SIZE_MAX : a * b; }
    #endif
    static inline size_t fmlp_plus(size_t a, size_t b) { return a > SIZE_MAX - b ? SIZE_MAX : a + b; }

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
    const size_t SIZE_MAX
    void fmlp_prefer_large_pages(void *memory, size_t n_bytes)
    # a b and a + b, SIZE_MAX where that is too large for a size_t; so it stays from then on, and nobody has such memory
    size_t times "fmlp_times"(size_t a, size_t b)
    size_t plus "fmlp_plus"(size_t a, size_t b)


# numbers rounded up to a multiple
cdef inline size_t ceil_to(size_t n, size_t multiple) noexcept nogil:
    return times((n - 1) // multiple + 1, multiple) if n > 0 else 0


# the same for a power of 2, without a division, which takes as long as a call
cdef inline size_t ceil_to_power(size_t n, size_t power) noexcept nogil:
    return SIZE_MAX if n > SIZE_MAX - power else (n + power - 1) & ~(power - 1)


cdef inline void *reserve(size_t n_bytes) noexcept nogil:
    """Memory for `free`; NULL if there is none."""
    cdef void *memory = NULL if n_bytes == SIZE_MAX else malloc(n_bytes)
    fmlp_prefer_large_pages(memory, n_bytes)
    return memory
