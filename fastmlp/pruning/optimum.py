"""A trained network, and what is asked about it: its second derivatives, their inverse, evidence and criteria.

E is the data term plus sum lambda_i/2 w_i^2, A its second derivatives. With a noise precision beta, 1 but for squared
error, the posterior of the parameters has the precision beta A and the prior precisions alpha_i = beta lambda_i:

    ln p(T) = ln p(T|w) - sum alpha_i/2 w_i^2 + 1/2 sum ln alpha_i - 1/2 ln|beta A|          (PRML 4.137)

as `Laplace.log_evidence`, and gamma = n - sum lambda_i (A^-1)_ii does not depend on beta. What is not given is the beta
that belongs to these data, (N K - gamma) / SSE (PRML 5.180).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp import _matrices
from fastmlp._cached import cached_property
from fastmlp._core.curvature import cholesky
from fastmlp.derivatives import definite
from fastmlp.errors import NotPositiveDefiniteError, PosteriorWarning, warn_caller
from fastmlp.pruning.deletions import Deletions
from fastmlp.pruning.reduced import Reduced

Float = NDArray[np.float64]

HESSIANS = ("exact", "ggn")
FARTHEST = 0.1  # posterior standard deviations from the optimum


class Known(NamedTuple):
    """What a training has found out about where it ended."""

    value_and_grad: tuple[float, Float]
    hessian: str
    matrix: Float


class Optimum:
    """The parameters v (n,) of a reduced problem, and what follows from them.

    Parameters
    ----------
    reduced : Reduced
    v : ndarray of shape (n,)
    hessian : {"exact", "ggn"}
        Which second derivatives; of Gauss-Newton too where the exact ones are not positive definite.
    noise_precision : float, optional
    known : Known, optional
        Of these parameters.
    """

    def __init__(
        self, reduced: Reduced, v: Float, hessian: str, noise_precision: float | None, known: Known | None = None
    ) -> None:
        self.reduced, self.v, self._wanted, self._given = reduced, v, hessian, noise_precision
        self._known, self._holds_biases = known, False

    def hold_biases(self) -> None:
        """Take second derivatives from now on as of `Reduced.held`; before they are asked for, or after they failed."""
        self._holds_biases = True

    @cached_property
    def value_and_grad(self) -> tuple[float, Float]:
        """E and its gradient (n,)."""
        return self._known.value_and_grad if self._known is not None else self.reduced.value_and_grad(self.v)

    @cached_property
    def penalty(self) -> float:
        """The part of E that does not depend on the data."""
        return self.reduced.penalty(self.v)

    @property
    def data_loss(self) -> float:
        """The other part, a sum over the samples."""
        return self.value_and_grad[0] - self.penalty

    @property
    def grad_norm(self) -> float:
        """|g|_inf."""
        return float(np.abs(self.value_and_grad[1]).max(initial=0.0))

    def require_finite(self) -> None:
        """ValueError where there is no number for E."""
        value = self.value_and_grad[0]
        if not math.isfinite(value):
            raise ValueError(f"net: expected one whose objective is a finite number on these data, got {value}")

    @cached_property
    def _factored(self) -> tuple[str, Float, Float]:
        """Which second derivatives these are, A, and its root."""
        for kind in HESSIANS[HESSIANS.index(self._wanted) :]:
            A = self._matrix(kind)
            L = _matrices.copied(A)
            if cholesky.factor(L) == 0:
                return kind, A, L
            if not np.isfinite(A).all():
                raise ValueError("net: expected one whose second derivatives are finite on these data, got others")
        smallest, largest = definite.extremes(A)
        raise NotPositiveDefiniteError(
            "penalty: expected one with which the matrix of second derivatives is positive definite, got the smallest "
            f"eigenvalue {smallest:.3g} (the largest: {largest:.3g}); take a larger penalty, on biases too, or train "
            f"to a minimum{self.reduced.problem.hint}"
        )

    def _matrix(self, kind: str) -> Float:
        known = self._known
        A = known.matrix if known is not None and known.hessian == kind else self.reduced.matrix(self.v, kind)
        return self.reduced.held(A) if self._holds_biases else self.reduced.settled(A)

    @property
    def hessian(self) -> str:
        """Which second derivatives are used."""
        return self._factored[0]

    @property
    def matrix(self) -> Float:
        """A (n, n)."""
        return self._factored[1]

    @property
    def factor(self) -> Float:
        """L in the lower triangle, with L L' = A."""
        return self._factored[2]

    @cached_property
    def predicted_decrease(self) -> float:
        """G' A^-1 g / 2: how far E lies above the minimum, to second order."""
        gradient = self.value_and_grad[1]
        return 0.5 * float(gradient @ self.solve(gradient))

    def solve(self, b: Float) -> Float:
        """A^-1 b."""
        return cholesky.solve(self._factored[2], b)

    @property
    def distance(self) -> float:
        """By so many posterior standard deviations the parameters are away from the optimum, to second order."""
        beta = self.noise_precision
        if math.isnan(beta):  # a noise that explains all of the loss
            beta = self.reduced.problem.n_targets / (2 * self.data_loss) if self.data_loss > 0 else 0.0
        return math.sqrt(2 * beta * abs(self.predicted_decrease))  # of any sign where it is infinite

    def length(self, change: Float) -> float:
        """Of a change of v, in posterior standard deviations; nan where the data do not determine the noise."""
        return math.sqrt(self.noise_precision * float(change @ self.matrix @ change))

    def warn_if_far(self) -> None:
        """One PosteriorWarning where a quadratic model says little."""
        if self.distance > FARTHEST:
            warn_caller(
                f"net: expected a network at an optimum, got one that is {self.distance:.3g} posterior standard "
                f"deviations away (at most: {FARTHEST}), where saliencies do not hold; train it on these samples with "
                f"this penalty (method='lm', a smaller tol){self.reduced.problem.hint}",
                PosteriorWarning,
            )

    @cached_property
    def effective_n_params(self) -> float:
        """Gamma."""
        return len(self.v) - float(self.reduced.decay @ self.variances)

    @property
    def log_det(self) -> float:
        """Ln|A|."""
        return 2 * float(np.log(self.factor.diagonal()).sum())

    @property
    def inverse(self) -> Float:
        """A^-1 (n, n)."""
        return cholesky.inverse(self.factor)

    @cached_property
    def variances(self) -> Float:
        """The diagonal of A^-1 (n,)."""
        return cholesky.row_squares(cholesky.inverse_root(self.factor))

    @cached_property
    def noise_precision(self) -> float:
        """Beta; nan where the data do not determine it.

        Exact second derivatives may be almost singular where a unit is about to die, and gamma of any negative size.
        It counts as 0 then: the noise is no smaller than the residuals.
        """
        problem = self.reduced.problem
        if not problem.architecture.loss.has_noise or problem.beta is not None:
            return 1.0  # E is a negative log posterior
        if self._given is not None:
            return self._given
        n_targets, sse = problem.n_targets, 2 * self.data_loss
        spare = n_targets - max(0.0, self.effective_n_params)
        return spare / sse if sse > 0 and spare > 0 else math.nan

    @cached_property
    def log_likelihood(self) -> float:
        """Ln p(T|w), in the units of the targets."""
        problem, beta = self.reduced.problem, self.noise_precision
        return problem.log_normalizer(beta) - beta * self.data_loss

    @cached_property
    def log_evidence(self) -> float:
        """Ln p(T), likewise, without equivalent modes; nan with a flat prior."""
        if not self.reduced.decay.all():
            return math.nan
        decay = self.reduced.decay
        prior = float(np.log(decay).sum()) - self.noise_precision * float(decay @ self.v**2)
        return self.log_likelihood + 0.5 * (prior - self.log_det)  # n/2 ln beta of |alpha| and of |beta A| cancel

    @property
    def aic(self) -> float:
        """2 (n - ln p(T|w))."""
        return 2 * (len(self.v) - self.log_likelihood)

    @property
    def bic(self) -> float:
        """N ln N - 2 ln p(T|w)."""
        return len(self.v) * math.log(self.reduced.problem.samples.total_weight) - 2 * self.log_likelihood

    @cached_property
    def nic(self) -> float:
        """2 (tr(F A^-1) - ln p(T|w)), F the sum of outer products of the samples' gradients (Murata et al. 1994)."""
        F, beta = self.reduced.fisher(self.v), self.noise_precision
        return 2 * (beta * float((F * self.inverse).sum()) - self.log_likelihood)


class Foreseen(Optimum):
    """Where a quadratic model has its minimum once some parameters are 0: evidence and criteria by the model's A.

    Its determinant and A^-1 are known from the deletions, so that a step costs a gradient.

    Parameters
    ----------
    reduced : Reduced
    v : ndarray of shape (n,)
    before : Optimum
        Where the model comes from.
    deletions : Deletions
        The model without all that is not left.
    """

    def __init__(self, reduced: Reduced, v: Float, before: Optimum, deletions: Deletions) -> None:
        super().__init__(reduced, v, before._wanted, before._given)
        self._before, self._deletions = before, deletions
        self._variances, self._log_det = deletions.variances[deletions.alive], before.log_det + deletions.log_det

    @property
    def hessian(self) -> str:
        """That of the model."""
        return self._before.hessian

    @property
    def log_det(self) -> float:
        """Ln|A|."""
        return self._log_det

    @property
    def variances(self) -> Float:
        """The diagonal of A^-1 (n,)."""
        return self._variances

    @property
    def inverse(self) -> Float:
        """A^-1 (n, n), until the next deletion."""
        return self._deletions.inverse
