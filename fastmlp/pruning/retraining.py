"""From where a quadratic model has its minimum to the minimum itself.

The model's A^-1 makes Newton steps of gradients, and is corrected by what they show (BFGS, in the two loops of Nocedal
and Wright, algorithm 7.4): near by that takes a few gradients, and no matrix. Where the objective does not fall as it
should, Levenberg-Marquardt goes on.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fastmlp._core.curvature import cholesky
from fastmlp._core.fits.journal import Journal
from fastmlp._core.fits.lm import Descent
from fastmlp._core.fits.rules import ACCEPT, NOISE
from fastmlp.optimize import lm
from fastmlp.optimize.loops import compiled
from fastmlp.pruning.reduced import Reduced

Float = NDArray[np.float64]

QUASI_STEPS = 3  # with one model; as many cost as much as a Hessian and its factor
MODELS = 10  # that are formed where the steps have led
HALVINGS = 6  # of a step that is too long


def to_minimum(reduced: Reduced, v: Float, tol: float, max_iter: int, seconds: float) -> tuple[Float, int]:
    """Where |g|_inf <= tol, or where nothing falls any more, or after so many steps or seconds; and the steps."""
    descent = Descent(compiled(reduced.objective), v, tol, lm.OPTIONS)
    journal = None
    if seconds < math.inf:
        journal = Journal(max_iter, len(v))
        journal.open(max(0.0, seconds))
    descent.advance(max_iter, journal)
    return descent.params, descent.counts[0]


def near_minimum(reduced: Reduced, v: Float, tol: float, inverse: Callable[[Float], Float]) -> tuple[Float, int, bool]:
    """The same by quasi-Newton steps, `inverse` the product with A^-1; and whether it is there."""
    value, gradient = reduced.value_and_grad(v)
    pairs: list[tuple[Float, Float, float]] = []
    for n_steps in range(MODELS * QUASI_STEPS):
        if float(np.abs(gradient).max(initial=0.0)) <= tol:
            return v, n_steps, True
        if len(pairs) >= QUASI_STEPS:
            inverse, pairs = _model(reduced, v), []
        step = -_corrected(gradient, pairs, inverse)
        slope, length = float(gradient @ step), 1.0
        for _ in range(HALVINGS):
            new_value, new_gradient = reduced.value_and_grad(v + length * step)
            close = abs(new_value - value) <= NOISE[8] * abs(value)
            if close or new_value <= value + ACCEPT * length * slope:
                break
            length *= 0.5
        else:
            return v, n_steps, False
        change, curvature = new_gradient - gradient, length * float(step @ (new_gradient - gradient))
        if curvature > 0:  # else the correction would not be positive definite
            pairs.append((length * step, change, curvature))
        v, value, gradient = v + length * step, new_value, new_gradient
    return v, MODELS * QUASI_STEPS, False


def _model(reduced: Reduced, v: Float) -> Callable[[Float], Float]:
    """The product with the inverse of the second derivatives at another point."""
    L = reduced.matrix(v, "exact")
    if cholesky.factor(L):
        L = reduced.matrix(v, "ggn")
        if cholesky.factor(L):
            return lambda g: g
    return lambda g: cholesky.solve(L, g)


def _corrected(gradient: Float, pairs: list[tuple[Float, Float, float]], inverse: Callable[[Float], Float]) -> Float:
    """The product of the corrected A^-1 with a gradient."""
    q, shares = gradient, []
    for s, y, curvature in reversed(pairs):
        shares.append(float(s @ q) / curvature)
        q = q - shares[-1] * y
    r = inverse(q)
    for (s, y, curvature), share in zip(pairs, reversed(shares), strict=True):
        r = r + (share - float(y @ r) / curvature) * s
    return r
