"""Points that a full-batch solver visits, with the objective and its gradient there; whether it still gets on."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastmlp._core.fits.rules import FLATTER, LONGEST_WANDERING
from fastmlp._core.sums.moments import largest
from fastmlp._types import Float
from fastmlp.optimize.bounds import Bounds
from fastmlp.terms.objective import Objective

DROWNED = 1e3  # units of rounding of the objective below which a difference of two values tells nothing


class Point(NamedTuple):
    """Parameters, the objective and its gradient there."""

    x: Float
    value: float
    gradient: Float
    grad_norm: float  # |gradient|_inf, of the projected one with bounds


def seen(objective: Objective, x: Float) -> Point:
    """The point at x, finite or not."""
    value, gradient = objective.value_and_grad(x)
    return Point(x, value, gradient, largest(gradient))


def evaluate(objective: Objective, x: Float, bounds: Bounds | None = None) -> Point:
    """The point at x, of which a copy is taken: inf and zeros where objective or gradient are not finite."""
    value, gradient = objective.value_and_grad(x)
    if not math.isfinite(value) or not math.isfinite(largest(gradient)):  # a bad step: the gradient means nothing
        return Point(x.copy(), np.inf, np.zeros_like(gradient), np.inf)
    return Point(x.copy(), value, gradient, grad_norm(x, gradient, bounds))


def grad_norm(x: Float, gradient: Float, bounds: Bounds | None) -> float:
    """|gradient|_inf, with bounds of what does not lead out of them."""
    return largest(gradient if bounds is None else bounds.projected(x, gradient))


def reduction(objective: Objective, start: Point, end: Point) -> float:
    """f(start) - f(end); where that drowns in rounding, from the gradients at both ends by the trapezoidal rule.

    The rule is exact for quadratic functions, which is what is left of any on so short a way.
    """
    difference = start.value - end.value
    if abs(difference) > DROWNED * _eps(objective) * abs(start.value):
        return difference
    return 0.5 * float((start.x - end.x) @ (start.gradient + end.gradient))


class Progress:
    """Tells a solver that goes on from one that wanders about within rounding errors."""

    def __init__(self, objective: Objective, start: Point) -> None:
        self._eps = _eps(objective)
        self._value, self._grad_norm = start.value, start.grad_norm
        self._wandering = 0

    def ended(self, point: Point) -> bool:
        """Whether neither value nor gradient has become smaller for long, up to this point."""
        lower = point.value < self._value - self._eps * abs(self._value)
        flatter = point.grad_norm < FLATTER * self._grad_norm
        if lower:
            self._value = point.value
        if flatter:
            self._grad_norm = point.grad_norm
        self._wandering = 0 if lower or flatter else self._wandering + 1
        return self._wandering >= LONGEST_WANDERING


def _eps(objective: Objective) -> float:
    return float(np.finfo(objective.architecture.dtype).eps)


def report(record: Callable[..., Any], objective: Objective, point: Point) -> None:
    """Tell a point to the monitor: `record` is its `begin` or `step`."""
    mean_loss = objective.data.mean(point.value - objective.penalty_value(point.x))
    record(objective.expand(point.x), point.value, mean_loss, point.grad_norm)
