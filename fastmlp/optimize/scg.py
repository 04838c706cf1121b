"""Scaled conjugate gradients (Møller 1993): conjugate directions, with steps from the exact curvature along them.

Along the unit vector u from w, with slope g'u < 0 (else -u is taken) and curvature c = u'Hu, the step is Newton's in
one dimension, damped: alpha = -g'u / (c + lambda), where lambda = -2c if c + lambda would not be positive. Delta is the
reduction of the objective over the one that this parabola promises, alpha |g'u| / 2. With these letters Møller's rules:

    Delta >= 0      the step is made
    Delta >= 3/4    lambda /= 4
    Delta <  1/4    lambda += (c + lambda) (1 - Delta): alpha becomes the minimum of the parabola through the trial
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fastmlp import _validation as check
from fastmlp._core.storage import arrays
from fastmlp._types import Float
from fastmlp.optimize.earlier import Earlier
from fastmlp.optimize.monitor import CONVERGED, MAX_ITER, STALLED, Monitor, Stop
from fastmlp.optimize.points import Point, Progress, evaluate, reduction, report
from fastmlp.terms.objective import Objective

OPTIONS = {"damping": 1e-6}
LEAST_DAMPING = 1e-15  # from zero it could not grow again
LEAST_GAIN = -98.0  # a step is a hundredth of the one before at the least, also where the objective is infinite


def check_state(earlier: Earlier) -> None:
    """The next direction, lambda, and the number of steps since the last -g."""
    earlier.vector("direction")
    earlier.number("damping", 0.0, above=True)
    earlier.count("age", bits=62)


def solve(
    objective: Objective,
    monitor: Monitor,
    *,
    max_iter: int,
    tol: float,
    state: dict[str, Any] | None,
    options: dict[str, Any],
) -> tuple[int, dict[str, Any], tuple[int, int, int]]:
    """Minimise until |g|_inf <= tol; returns a status, the solver's state, and (nfev, njev, nhev).

    An iteration takes a product with the Hessian and a value with its gradient, about four gradients, and each
    rejected step one more. Every P steps, and where a direction leads nowhere, the next one is -g.
    """
    damping = check.number({**OPTIONS, **options}["damping"], "damping", 0.0, above=True)
    search = _Search(objective, damping, state)
    progress = Progress(objective, search.here)
    status = MAX_ITER
    try:
        report(monitor.begin, objective, search.here)
        while search.here.grad_norm > tol and monitor.n_iter < max_iter:
            moved = search.advance(monitor.check_time)
            if moved:
                report(monitor.step, objective, search.here)
            if not moved or progress.ended(search.here):
                status = STALLED
                break
    except Stop as stop:
        status = stop.status
    if search.here.grad_norm <= tol:
        status = CONVERGED
    return status, search.state, (search.n_values, search.n_values, search.n_products)


class _Search:
    """The present point, the next direction from it, lambda, and the number of steps since the last -g."""

    def __init__(self, objective: Objective, damping: float, state: dict[str, Any] | None) -> None:
        self.objective = objective
        self.here = evaluate(objective, objective.x0)
        self.n_values, self.n_products = 1, 0
        self.first_damping = damping
        if state is None:
            self._start_anew()
        else:
            self.direction, self.damping, self.age = state["direction"], state["damping"], state["age"]

    @property
    def state(self) -> dict[str, Any]:
        """What the next step depends on, beside the point."""
        return {"direction": self.direction, "damping": self.damping, "age": self.age}

    def advance(self, on_rejection: Callable[[], None]) -> bool:
        """Make one step; False if none changes the parameters, not even along -g."""
        if self._step_along_direction(on_rejection):
            return True
        self._start_anew()
        return self._step_along_direction(on_rejection)

    def _start_anew(self) -> None:
        self.direction, self.damping, self.age = -self.here.gradient, self.first_damping, 0

    def _step_along_direction(self, on_rejection: Callable[[], None]) -> bool:
        here, length = self.here, float(np.linalg.norm(self.direction))
        u = self.direction / length if 0 < length < math.inf else np.zeros_like(self.direction)
        slope = float(here.gradient @ u)
        if slope > 0:  # the parabola along u has its minimum on the other side
            u, slope = -u, -slope
        if not slope < 0:
            return False
        curvature = self._curvature(u)
        while True:
            if curvature + self.damping <= 0:
                self.damping = -2 * curvature
            stiffness = curvature + self.damping
            x = self._rounded(here.x, -slope / stiffness, u)
            if arrays.same(x, here.x):
                return False
            there = evaluate(self.objective, x)
            self.n_values += 1
            gain = 2 * stiffness / slope * (reduction(self.objective, here, there) / slope)
            if gain >= 0.75:
                self.damping = max(self.damping / 4, LEAST_DAMPING)
            elif not gain >= 0.25:  # nan too
                self.damping += stiffness * (1 - max(LEAST_GAIN, gain))
            if gain >= 0:
                self._move(there, u, slope)
                return True
            on_rejection()

    def _curvature(self, u: Float) -> float:
        self.n_products += 1
        curvature = float(u @ self.objective.hessp(self.here.x, u))
        return curvature if math.isfinite(curvature) else 0.0  # then lambda alone finds a step

    def _rounded(self, x: Float, alpha: float, u: Float) -> Float:
        """The end of a step in the network's type, so that k + k steps equal 2 k."""
        with np.errstate(all="ignore"):
            return self.objective.rounded(x + alpha * u)

    def _move(self, there: Point, u: Float, slope: float) -> None:
        """Go there, and turn: p = -g + beta u with beta = g'(g - g_before) / |g_before'u|."""
        g = there.gradient
        beta = float(g @ (g - self.here.gradient)) / -slope
        self.here = there
        self.age = (self.age + 1) % u.size
        self.direction = beta * u - g if self.age else -g
