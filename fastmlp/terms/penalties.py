"""The penalty of an objective as a function of the free parameters: weight decay, and all other terms."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp import _validation as check
from fastmlp._core.fits.asked import Asked
from fastmlp.model.architecture import Architecture
from fastmlp.terms import Sum, WeightDecay, asked
from fastmlp.terms.reparam import FreeParameters

Float = NDArray[np.float64]


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


class Terms(Asked):
    """All terms in Python of an objective: beside values, gradients and matrices products and residuals."""

    number = staticmethod(asked.number)
    pair = staticmethod(asked.pair)
    array = staticmethod(asked.array)
    matrices = asked.MATRICES
    matrix_by_products = staticmethod(asked.matrix_by_products)
    product = staticmethod(asked.product)

    def products(self, p: Float, v: Float, kind: str) -> Float:
        """The sum of their matrices times v (n,), or times the columns of v (n, m)."""
        w, directions = self._all(p), v if self.free is None else self.free.push(v)
        if directions.ndim == 1:
            result = self._summed(w, directions, kind)
        else:
            result = np.empty_like(directions)
            for column, product in zip(directions.T, result.T, strict=True):
                product[:] = self._summed(w, column, kind)
        return result if self.free is None else self.free.pull(result)

    def residuals(self, p: Float) -> Float:
        """What is squared, term by term."""
        return np.concatenate([asked.residuals(term, self._all(p)) for term in self.terms])

    def residual_jac(self, p: Float) -> Float:
        """Derivatives of the residuals (rows, n)."""
        J = np.concatenate([asked.residual_jac(term, self._all(p)) for term in self.terms])
        return J if self.free is None else np.ascontiguousarray(self.free.pull(J.T).T)

    def _summed(self, w: Float, v: Float, kind: str) -> Float:
        total = self.product_of(self.terms[0], w, v, kind)
        for term in self.terms[1:]:
            total = total + self.product_of(term, w, v, kind)
        return total

    def _all(self, p: Float) -> Float:
        return p if self.free is None else self.free.expand(p)
