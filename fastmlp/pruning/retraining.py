"""From where a quadratic model has its minimum to the minimum itself.

Near by that takes a few gradients with the model's A^-1, and few matrices (`_core/fits/quasi.pyx`). Where the objective
does not fall as it should, Levenberg-Marquardt goes on; among many parameters L-BFGS before it, as there a matrix costs
as much as hundreds of gradients.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from fastmlp._core.fits import lbfgs as compiled_lbfgs
from fastmlp._core.fits import lm as compiled_lm
from fastmlp._core.fits import quasi
from fastmlp._core.fits.descent import Descent
from fastmlp._core.fits.journal import Journal
from fastmlp._types import Float
from fastmlp.optimize import lbfgs, lm
from fastmlp.pruning.deletions import Deletions
from fastmlp.pruning.optimum import Known
from fastmlp.pruning.reduced import Reduced

FEW = 60  # quasi-Newton steps, of which ten are the rule
MANY = 1000  # parameters: with 2,000 samples a Hessian and its factor cost 300 gradients, 1,000 with 3,000 parameters
GRADIENTS = 100  # steps of L-BFGS that take the place of one by Levenberg-Marquardt
MOST = 1_000_000  # steps of a training, as numbers of each may be kept


class Arrival(NamedTuple):
    """Where a training has led."""

    v: Float
    nit: int
    there: bool  # |g|_inf <= tol, at a minimum
    cut: bool  # by the steps or the seconds that were given
    value_and_grad: tuple[float, Float]
    known: Known | None  # where it is a minimum, and its matrix was asked for


def to_minimum(reduced: Reduced, v: Float, tol: float, max_iter: int, seconds: float) -> Arrival:
    """Where |g|_inf <= tol, or where nothing falls any more, or after so many steps or seconds."""
    descent = compiled_lm.Descent(reduced.compiled, v, tol, lm.OPTIONS)
    _advance(descent, max_iter, seconds)
    return _arrival(reduced, descent, "exact")  # by which it tells minima from saddles


def by_gradients(reduced: Reduced, v: Float, tol: float, max_iter: int, seconds: float) -> tuple[Float, int]:
    """As far as L-BFGS comes in what costs less than so many matrices, and its steps; from few parameters it stays."""
    if len(v) < MANY:
        return v, 0
    descent = compiled_lbfgs.Descent(reduced.compiled, v, tol, lbfgs.OPTIONS)
    _advance(descent, GRADIENTS * max_iter, seconds)
    return descent.params, descent.counts[0]


def near_minimum(reduced: Reduced, v: Float, tol: float, L: Float) -> Arrival:
    """The same by quasi-Newton steps; the model is A = L L'."""
    model = quasi.Model(L, True, np.arange(len(v)), np.empty((0, len(v))))
    descent = quasi.Descent(reduced.compiled, v, tol, model, None)
    _advance(descent, FEW, math.inf)
    return _arrival(reduced, descent, None)


def after_deletions(
    reduced: Reduced, v: Float, tol: float, deletions: Deletions, hessian: str, seconds: float
) -> Arrival:
    """The same from where deletions have led; with the second derivatives there."""
    descent = quasi.Descent(reduced.compiled, v, tol, quasi.Model(*deletions.parts), hessian == "exact")
    _advance(descent, FEW, seconds)
    return _arrival(reduced, descent, hessian)


def _advance(descent: Descent, max_iter: int, seconds: float) -> None:
    journal, max_iter = None, min(max_iter, MOST)
    if seconds < math.inf:
        journal = Journal(max_iter, len(descent.params))
        journal.open(max(0.0, seconds))
    descent.advance(max_iter, journal)


def _arrival(reduced: Reduced, descent: Descent, hessian: str | None) -> Arrival:
    there = descent.status == "converged"
    found = descent.value + reduced.constant, descent.gradient
    known = Known(found, hessian, descent.matrix) if there and hessian is not None else None
    return Arrival(descent.params, descent.counts[0], there, descent.status == "running", found, known)
