"""SciPy's least_squares with residuals and exact Jacobian by NumPy, stopped after so many accepted steps."""

from typing import ClassVar

import numpy as np
from scipy.optimize import least_squares

from peers.numpy_curvature import NumpyCurvature


class Enough(Exception):  # noqa: N818 - no error
    """The point asked for has been reached."""


class Minpack(NumpyCurvature):
    """MINPACK's Levenberg-Marquardt, by QR factorisation."""

    needs = ("scipy",)
    offers = ("lm",)
    #: it damps by rules of its own
    descent_tolerance: ClassVar[dict[str, float]] = {"float64": 0.2}
    options: ClassVar[dict[str, str]] = {"method": "lm"}

    def residuals(self, p):
        self.params[:] = p
        return (self.forward(self.X)[-1] - self.T).ravel()

    def levenberg_marquardt(self, n_steps):
        at, steps = self.start, 0

        def jacobian(p):
            nonlocal at, steps
            steps += not np.array_equal(p, at)  # MINPACK looks at the start twice
            at = p.copy()
            self.params[:] = p
            if steps == n_steps:
                raise Enough
            return self.param_jacobian().reshape(-1, len(p))

        try:
            least_squares(self.residuals, self.start, jacobian, ftol=1e-15, xtol=1e-15, gtol=1e-15, **self.options)
        except Enough:
            return self.params.copy()
        finally:
            self.params[:] = self.start
        raise RuntimeError(f"converged before step {n_steps}")


class TrustRegion(Minpack):
    """The trust region reflective method, by singular values."""

    options: ClassVar[dict[str, str]] = {"method": "trf", "tr_solver": "exact"}


class TrustRegionLsmr(Minpack):
    """The same, by an iterative solver."""

    options: ClassVar[dict[str, str]] = {"method": "trf", "tr_solver": "lsmr"}
