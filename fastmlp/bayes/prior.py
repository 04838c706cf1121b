"""What an objective's penalty says of the free parameters: a normal prior N(m, Pi^-1), flat where Pi has no curvature.

With its gradient r at v the penalty there is 1/2 r' Pi^-1 r above its least value, that at the mean m. So neither m nor
what several quadratic forms have in common needs to be known.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from fastmlp import _matrices, _memory
from fastmlp import _validation as check
from fastmlp._types import Float
from fastmlp.bayes import derivative_data
from fastmlp.derivatives import definite
from fastmlp.derivatives.definite import EPS, Covariance
from fastmlp.derivatives.wide import WideCovariance
from fastmlp.errors import NotPositiveDefiniteError
from fastmlp.terms import Quadratic, TangentPropagation, WeightDecay, penalties
from fastmlp.terms.objective import Objective
from fastmlp.terms.reparam import FreeParameters
from fastmlp.terms.term import Penalty

STEEP = 1e6  # times rounding: pivots above which no eigenvalue counts as 0
SLACK = 1e-8  # of a negative eigenvalue of Pi, as a share of the largest


class Prior:
    """The prior of v (n,).

    Attributes
    ----------
    precision : ndarray of shape (n,) or (n, n)
        Pi.
    gradient : ndarray of shape (n,)
        That of the penalty at v.
    """

    def __init__(self, objective: Objective, free: FreeParameters, v: Float) -> None:
        decay = np.zeros(len(v)) if objective.decay is None else objective.decay
        self.precision, self.gradient = decay, decay * v
        forms = derivative_data.others(objective)
        self._v, self._of_decay_alone = v, not forms
        if forms:
            self.gradient = self.gradient + penalties.Terms(forms, objective.free).value_and_grad(v.copy())[1]
            self.precision = precision(decay, forms, free)

    def determined(self, covariance: Covariance | WideCovariance) -> Float:
        """How far the data determine each parameter (n,): gamma_i = 1 - (Pi A^-1)_ii."""
        return np.asarray(1 - shares(self.precision, covariance))

    def log_density(self) -> float:
        """Ln p(v) + n/2 ln 2 pi; flat directions have no terms of their own."""
        if self._of_decay_alone:
            alpha = self.precision
            return -0.5 * float(alpha @ self._v**2) + 0.5 * float(np.log(alpha[alpha > 0]).sum())
        values, along, flat = self.precision, self.gradient, 0.0
        if not values.size:
            return 0.0
        if values.ndim == 2:
            if (found := _by_factor(values, along)) is not None:
                return found
            _memory.blas(8 * values.nbytes)
            values, vectors = np.linalg.eigh(values)
            along, flat = vectors.T @ along, len(values) * EPS * abs(values[-1])
            if values[0] < -SLACK * abs(values[-1]):
                raise ValueError(f"penalty: expected no negative eigenvalue of its matrix, got {values[0]:.3g}")
        steep = values > flat
        return -0.5 * float((along[steep] ** 2 / values[steep]).sum()) + 0.5 * float(np.log(values[steep]).sum())


def _by_factor(Pi: Float, along: Float) -> float | None:
    """The same where no direction is nearly flat, in a tenth of the time, and with answers to Ctrl-C; else None."""
    L = _matrices.copied(Pi)
    try:
        pivots = np.diagonal(definite.factored(L)) ** 2
    except NotPositiveDefiniteError:
        return None
    if pivots.min() <= STEEP * len(L) * EPS * pivots.max():
        return None
    return -0.5 * float(along @ definite.solve(L, along)) + 0.5 * float(np.log(pivots).sum())


def shares(Pi: Float, covariance: Covariance | WideCovariance) -> Float:
    """The diagonal of Pi A^-1 (n,): what the prior has in each parameter."""
    if Pi.ndim == 1:
        return np.asarray(Pi * covariance.diagonal)
    root = np.diag(covariance.root) if covariance.root.ndim == 1 else covariance.root
    return np.asarray((_memory.product(Pi, root) * root).sum(axis=1))


def precision(decay: Float, forms: Iterable[Quadratic], free: FreeParameters) -> Float:
    """Pi, of weight decay (n,) by the free parameters and quadratic forms: a diagonal, or a matrix."""
    total = decay
    for form in forms:
        if np.ndim(form.precision) == 2:
            own = free.project(form.precision)
        else:
            own = free.pull(form.precision * free.coefficient)
        total = definite.plus(total, own)
    return total


def split(penalty: Penalty | None) -> tuple[WeightDecay, tuple[Quadratic, ...], tuple[TangentPropagation, ...]]:
    """The parts of a penalty that is the negative logarithm of a normal prior, and what of it is data.

    TypeError about any other.
    """
    expected = "penalty: expected a fastmlp.WeightDecay or fastmlp.Quadratic, or their sum, got"
    try:
        decay, terms = penalties.split(penalty)
    except TypeError:
        raise TypeError(f"{expected} {check.shown(penalty)}") from None
    for term in terms:
        if not isinstance(term, (Quadratic, TangentPropagation)):
            raise TypeError(f"{expected} {check.shown(term)}, which is the logarithm of no normal density")
    forms = tuple(term for term in terms if isinstance(term, Quadratic))
    known = tuple(term for term in terms if isinstance(term, TangentPropagation))
    return WeightDecay() if decay is None else decay, forms, known
