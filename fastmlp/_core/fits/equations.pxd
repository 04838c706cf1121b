# The damped Newton equations (B + D) s = -g at a point, D a diagonal matrix.

from fastmlp._core.threads.team cimport Watch


cdef struct Equations:
    size_t n
    const void *ops             # kernels for double
    double *L                   # (n, n), Cholesky factor of B + D, lower triangle


# L L' = B + share * diag(shifts), NULL for ones; whether that is positive definite. B is read in its lower triangle.
cdef bint factorize(const Equations *eq, const double *B, double share, const double *shifts,
                    Watch *watch) noexcept nogil
# b becomes (L L')^-1 b.
cdef void solve(const Equations *eq, double *b) noexcept nogil
# What the step promises where D = mu I: -g's - s'B s/2 = (mu s's - g's) / 2.
cdef double promise(const Equations *eq, const double *g, const double *s, double mu) noexcept nogil
