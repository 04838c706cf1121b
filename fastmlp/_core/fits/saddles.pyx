"""Minima and saddles, told apart by the Hessian B where the gradient g is all but zero; the way down from a saddle.

|g|_inf <= tol is a minimum if B + diag(delta) is positive definite, with delta_i = FLAT max |B_jj| + |g|_inf: flat
directions, as those of dead units and of softmax, pass. With decay none is flatter than lambda_i, and delta_i is
|g|_inf and a millionth of lambda_i, or what rounding makes of B if that is more; |g|_inf, since so near a minimum, and
no nearer, residuals may still bend the Hessian by as much. Where |g|_inf is above tol, it has no part in the latter.
Else inverse iteration finds the direction of negative curvature, in units of delta.
"""

from libc.math cimport INFINITY, cos, fmax, fmin, sqrt

from fastmlp._core.bridge.vector_ops cimport dot
from fastmlp._core.fits.equations cimport factorize, solve

cdef enum:
    POWER_STEPS = 12        # of inverse iteration

# SLIGHT is not a share of |B_ii|: 1e-3 misses two mirrored units, 1e-8 is no safer than one of the decay, and without
# decay flat valleys would never end
cdef double FLAT = 1e-8, FLAT_F32 = 1e-5    # curvature that counts as none, as a share of the largest,
cdef double SLIGHT = 1e-6                   # as a share of the decay,
cdef double LOST = 1e-13, LOST_F32 = 1e-6   # and what is lost in rounding, as a share of the largest


cdef void flatness(const Problem *problem, const Point *point, double tol, double *shifts) noexcept nogil:
    cdef bint wide = problem.itemsize == sizeof(double)
    cdef double near = point.grad_norm if point.grad_norm <= tol else 0.0
    cdef double flat = (FLAT if wide else FLAT_F32) * point.scale + point.grad_norm
    cdef double lost = (LOST if wide else LOST_F32) * point.scale
    cdef size_t i
    for i in range(problem.n):
        shifts[i] = flat
        if problem.decay != NULL and problem.decay[i] > 0.0:
            shifts[i] = fmin(flat, near + fmax(lost, SLIGHT * problem.decay[i]))


cdef double metric(const double *v, const double *shifts, size_t n) noexcept nogil:
    """The root of sum shifts_i v_i^2."""
    cdef double total = 0.0
    cdef size_t i
    for i in range(n):
        total += shifts[i] * v[i] * v[i]
    return sqrt(total)


cdef bint find_way_down(const Equations *eq, const double *B, const double *shifts, double *v, double *curvature,
                        Watch *watch) noexcept nogil:
    """By inverse iteration; once the watch has stopped the result has no meaning."""
    cdef size_t n = eq.n, i
    cdef double share = 1.0, length, norm
    cdef int _
    while not factorize(eq, B, share, shifts, watch):
        share *= 2.0
        if not share < INFINITY:
            return False
    for i in range(n):
        v[i] = (1.0 + cos(<double> i)) / sqrt(shifts[i])
    for _ in range(POWER_STEPS):            # B v = kappa diag(shifts) v, v of length 1 in this metric
        length = metric(v, shifts, n)
        for i in range(n):
            v[i] *= shifts[i] / length
        solve(eq, v)
    length = metric(v, shifts, n)
    norm = sqrt(dot(eq.ops, n, v, v))
    for i in range(n):
        v[i] /= norm
    curvature[0] = (1.0 / length - share) * ((length / norm) * (length / norm))   # kappa, and v'B v of length 1
    return True
