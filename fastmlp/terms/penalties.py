"""The penalty of an objective as a function of the free parameters: weight decay, and all other terms."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmlp import _validation as check
from fastmlp._core.fits.asked import Asked
from fastmlp._types import Float, Index
from fastmlp.model.architecture import Architecture
from fastmlp.model.units import Units
from fastmlp.terms import DataTerm, Sum, TangentPropagation, WeightDecay, asked
from fastmlp.terms.reparam import FreeParameters
from fastmlp.terms.tangents import Joint, OnSamples
from fastmlp.terms.term import Penalty, is_part


def split(penalty: Penalty | None) -> tuple[WeightDecay | None, tuple[Any, ...]]:
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


def has_matrix(penalty: Penalty | None) -> bool:
    """Whether the penalty's matrix takes no differences of gradients."""
    return all(asked.is_twice_differentiable(term) for term in of_params(penalty))


def of_params(penalty: Penalty | None) -> list[Any]:
    """The terms that are functions of the parameters alone, weight decay aside."""
    return [term for term in split(penalty)[1] if not isinstance(term, TangentPropagation)]


def n_directions(penalty: Penalty | None, architecture: Architecture) -> int:
    """In how many directions the penalty differentiates the network at each sample."""
    own = [term for term in split(penalty)[1] if isinstance(term, TangentPropagation)]
    return sum(architecture.n_inputs if term.tau is None else term.tau.shape[-2] for term in own)


def refuse_terms(penalty: Penalty | None, where: str) -> None:
    """TypeError where a penalty has to be weight decay, and sums over the samples."""
    if penalty is None or isinstance(penalty, WeightDecay):
        return
    if not is_part(penalty) or of_params(penalty):
        raise TypeError(
            f"penalty: expected a fastmlp.WeightDecay, a fastmlp.TangentPropagation, their sum or None {where}, "
            f"got {check.shown(penalty)}"
        )


def refuse_rows(penalty: Penalty | None) -> None:
    """ValueError where terms have something for each sample, and samples are changed by `augment`."""
    for term in split(penalty)[1]:
        if isinstance(term, TangentPropagation) and term.is_of_rows:
            raise ValueError(
                "augment: expected without directions or derivatives of single samples, which are others once these "
                f"are changed, got it with {check.shown(term)}; directions (M, D) of all samples are taken"
            )


def seen_in(
    penalty: Penalty | None, architecture: Architecture, n_samples: int, rows: Index | None, own: Units | None
) -> Any:
    """The penalty of a training on some of the samples (None: all), in standardised units (None: the data's)."""
    tangents = [term for term in split(penalty)[1] if isinstance(term, TangentPropagation)]
    if not tangents:
        return penalty
    parts = []
    for part in Sum(penalty).parts:
        if isinstance(part, TangentPropagation):
            part.require(architecture, n_samples)
            part = part if rows is None else part.rows(rows)
            part = part if own is None else part.in_units(own)
        parts.append(part)
    return Sum(*parts)


def bound(terms: tuple[Any, ...], data: DataTerm) -> tuple[Any, ...]:
    """Terms other than weight decay as functions of the parameters, those on the samples on these."""
    for term in terms if data.in_chunks else ():
        if isinstance(term, TangentPropagation):
            raise TypeError(
                f"penalty: expected none on the samples with Chunks, got {check.shown(term)}; take arrays, or "
                "penalty=net.objective(X, T, penalty=...) with it on some of the samples"
            )
    return tuple(term.on(data) if isinstance(term, TangentPropagation) else term for term in terms)


def joined(terms: tuple[Any, ...], data: DataTerm) -> tuple[DataTerm | Joint, tuple[Any, ...]]:
    """What one pass over the samples sums up, the data term and those on the samples, and the others."""
    own = [term for term in terms if isinstance(term, OnSamples) and term.data is data]
    if not own:
        return data, terms
    return Joint(data, own), tuple(term for term in terms if term not in own)


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
