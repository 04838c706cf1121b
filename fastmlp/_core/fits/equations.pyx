"""The damped Newton equations (B + D) s = -g: factored, solved, and what their step promises."""

from libc.string cimport memcpy

from fastmlp._core.bridge cimport root_ops
from fastmlp._core.curvature cimport cholesky
from fastmlp._core.threads cimport team
from fastmlp._core.bridge.vector_ops cimport dot
from fastmlp._core.threads.team cimport Watch

cdef enum:
    TOGETHER = 16       # rows that are copied between looks at signals


cdef bint factorize(const Equations *eq, const double *B, double share, const double *shifts,
                    Watch *watch) noexcept nogil:
    """Once the watch has stopped neither L nor what is returned has a meaning.

    Signals are answered between some rows: the pages of L may be new.
    """
    cdef size_t n = eq.n, i
    for i in range(n):
        if i % TOGETHER == 0 and not team.keep_on(watch, 8 * n * TOGETHER):
            return True
        memcpy(eq.L + i * n, B + i * n, (i + 1) * sizeof(double))
        eq.L[i * n + i] += share * shifts[i] if shifts != NULL else share
    return cholesky.factored(eq.ops, n, eq.L, watch) == 0


cdef void solve(const Equations *eq, double *b) noexcept nogil:
    cdef size_t n = eq.n
    root_ops.cholesky_forward(eq.ops, n, <const double *> eq.L, n, 1, b, n)
    root_ops.cholesky_backward(eq.ops, n, <const double *> eq.L, n, 1, b, n)


cdef double promise(const Equations *eq, const double *g, const double *s, double mu) noexcept nogil:
    return 0.5 * (mu * dot(eq.ops, eq.n, s, s) - dot(eq.ops, eq.n, g, s))
