# Minima and saddles told apart by the matrix of a point, and the way down from a saddle.

from fastmlp._core.fits.equations cimport Equations
from fastmlp._core.fits.objective cimport Point, Problem
from fastmlp._core.threads.team cimport Watch


# Curvature that counts as none at a point, for each variable (n,).
cdef void flatness(const Problem *problem, const Point *point, double tol, double *shifts) noexcept nogil
# v (n,) becomes the unit vector of the most negative curvature, in units of the shifts, and `curvature` v'B v; False
# if there is none.
cdef bint find_way_down(const Equations *eq, const double *B, const double *shifts, double *v, double *curvature,
                        Watch *watch) noexcept nogil
