"""The penalty of an objective as a function of the free parameters: weight decay, and all other terms."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp import _validation as check
from fastmlp._core.storage import arrays
from fastmlp._quiet import quiet
from fastmlp.model.architecture import Architecture
from fastmlp.terms import Sum, WeightDecay, asked
from fastmlp.terms.reparam import FreeParameters

Float = NDArray[np.float64]
REMEMBERED = 4  # latest values, among which is that of the step which a solver reports


def split(penalty: Any) -> tuple[WeightDecay | None, tuple[Any, ...]]:
    """The weight decay in a penalty, which is one vector to the compiled floor, and the other terms."""
    if penalty is None or isinstance(penalty, WeightDecay):
        return penalty, ()
    decay, others = None, []
    for part in Sum(penalty).parts:
        if isinstance(part, WeightDecay):
            decay = part if decay is None else decay + part
        else:
            others.append(part)
    return decay, tuple(others)


def decay_of(
    penalty: WeightDecay | None, architecture: Architecture, free: FreeParameters | None
) -> tuple[Float | None, float]:
    """The lambda of each free parameter, sum_i lambda_i c_i^2 of those that share it; the penalty on the fixed ones."""
    if penalty is None:
        return None, 0.0
    decay = penalty.diagonal(architecture)
    if free is None:
        return decay, 0.0
    return free.pull(decay * free.coefficient), 0.5 * float(decay @ free.offset**2)


def has_matrix(penalty: Any) -> bool:
    """Whether the penalty's matrix takes no differences of gradients."""
    return all(asked.is_twice_differentiable(term) for term in split(penalty)[1])


def refuse_terms(penalty: Any, where: str) -> None:
    """TypeError where a penalty has to be weight decay alone."""
    if penalty is not None and not isinstance(penalty, WeightDecay):
        raise TypeError(f"penalty: expected a fastmlp.WeightDecay or None {where}, got {check.shown(penalty)}")


class Terms:
    """All terms in Python of an objective, added up and seen through the map from the free parameters, p (n,).

    Points are taken as they are, for good: nobody else is to change them.

    Parameters
    ----------
    terms : tuple of Term
    free : FreeParameters, optional
    """

    def __init__(self, terms: tuple[Any, ...], free: FreeParameters | None) -> None:
        self.terms, self.free = terms, free
        self._latest: tuple[tuple[Float, float], ...] = ()

    def value(self, p: Float) -> float:
        """The terms at p."""
        w, value = self._all(p), 0.0
        for term in self.terms:
            value += asked.value(term, w)
        return self._noted(p, value)

    def value_and_grad(self, p: Float) -> tuple[float, Float]:
        """The terms and their gradient (n,)."""
        w = self._all(p)
        value, gradient = asked.value_and_grad(self.terms[0], w)
        for term in self.terms[1:]:
            other, slope = asked.value_and_grad(term, w)
            value, gradient = value + other, gradient + slope
        return self._noted(p, value), gradient if self.free is None else self.free.pull(gradient)

    def matrix(self, p: Float, kind: str) -> Float:
        """The sum of their Hessians, or Gauss-Newton matrices (n, n), symmetric to rounding."""
        w = self._all(p)
        matrix = asked.matrix(self.terms[0], w, kind)
        for term in self.terms[1:]:
            matrix = matrix + asked.matrix(term, w, kind)
        return matrix if self.free is None else self.free.project(matrix)

    @quiet
    def product(self, p: Float, v: Float, kind: str) -> Float:
        """The same times v (n,), or times the columns of v (n, m)."""
        w, directions = self._all(p), v if self.free is None else self.free.push(v)
        if directions.ndim == 1:
            result = self._product(w, directions, kind)
        else:
            result = np.empty_like(directions)
            for column, product in zip(directions.T, result.T, strict=True):
                product[:] = self._product(w, column, kind)
        return result if self.free is None else self.free.pull(result)

    def residuals(self, p: Float) -> Float:
        """What is squared, term by term."""
        return np.concatenate([asked.residuals(term, self._all(p)) for term in self.terms])

    def residual_jac(self, p: Float) -> Float:
        """Derivatives of the residuals (rows, n)."""
        J = np.concatenate([asked.residual_jac(term, self._all(p)) for term in self.terms])
        return J if self.free is None else np.ascontiguousarray(self.free.pull(J.T).T)

    def known(self, p: Float) -> float:
        """The terms at p, without asking again where that was one of the latest points."""
        for point, value in reversed(self._latest):
            if arrays.same(point, p):
                return value
        return self.value(p.copy())

    def _product(self, w: Float, v: Float, kind: str) -> Float:
        product = asked.product(self.terms[0], w, v, kind)
        for term in self.terms[1:]:
            product = product + asked.product(term, w, v, kind)
        return product

    def _all(self, p: Float) -> Float:
        return p if self.free is None else self.free.expand(p)

    def _noted(self, p: Float, value: float) -> float:
        self._latest = (*self._latest[1 - REMEMBERED :], (p, value))
        return value
