"""Derivatives of the network that are data: what they add to the likelihood of a posterior."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from fastmlp._types import Float, Mask
from fastmlp.terms.objective import Objective
from fastmlp.terms.reparam import FreeParameters
from fastmlp.terms.tangents import OnSamples


def among(objective: Objective) -> tuple[OnSamples, ...]:
    """Those of an objective."""
    terms = () if objective.terms is None else objective.terms.terms
    return tuple(term for term in terms if isinstance(term, OnSamples))


def others(objective: Objective) -> tuple[Any, ...]:
    """The terms that are parts of the prior."""
    terms = () if objective.terms is None else objective.terms.terms
    return tuple(term for term in terms if not isinstance(term, OnSamples))


def count(known: Iterable[OnSamples], varying: Mask) -> float:
    """How many numbers they are, by weight, of the outputs that vary; those of w = 0 say nothing."""
    return sum(float(each.counts.sum()) for each in known if each.weight) * float(varying.sum())


def log_normalizer(known: Iterable[OnSamples], varying: Mask | None) -> float:
    """What their squared errors leave out of the log likelihood, in the units that they were given in."""
    total = 0.0
    for each in known:
        if each.weight:
            shape = each.n_directions, each.data.architecture.n_outputs
            one = 0.5 * math.log(each.weight / (2 * math.pi)) + np.broadcast_to(each.given.log_units, shape)
            total += float(each.counts @ (one if varying is None else one[:, varying]).sum(axis=1))
    return total


def curvature(known: Iterable[OnSamples], free: FreeParameters, params: Float, hessian: str) -> Float | None:
    """The sum of their matrices (n, n) by the free parameters, or of the diagonals; None if there are none."""
    total = None
    for each in known:
        matrix = each.hess(params) if hessian == "exact" else each.ggn(params)
        if hessian == "diagonal":
            own = free.pull(free.coefficient * np.diag(matrix))
        else:
            own = free.project(0.5 * (matrix + matrix.T))
        total = own if total is None else total + own
    return total


def refuse(objective: Objective | None, what: str) -> None:
    """ValueError where a formula knows of values only."""
    if objective is not None and among(objective):
        raise ValueError(f"penalty: expected one without a TangentPropagation for {what}, got one with it")
