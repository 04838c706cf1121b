"""The posterior as a normal distribution of an objective's free parameters: precisions, evidence, curvature."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Self

import numpy as np

from fastmlp import _sets
from fastmlp._cached import cached_property
from fastmlp._quiet import quiet
from fastmlp._types import Float, Index, Mask
from fastmlp.bayes import derivative_data, doubts, modes
from fastmlp.bayes.prior import Prior
from fastmlp.derivatives import definite, wide
from fastmlp.derivatives import exact as derivatives
from fastmlp.derivatives.definite import EPS, Covariance
from fastmlp.derivatives.eigenvalues import eigenvalues
from fastmlp.derivatives.gram import Gram
from fastmlp.derivatives.wide import WideCovariance
from fastmlp.errors import NotPositiveDefiniteError
from fastmlp.model.functional import Samples
from fastmlp.terms import DataTerm, Quadratic, outputs, reparam
from fastmlp.terms.objective import Objective
from fastmlp.terms.reparam import FreeParameters
from fastmlp.terms.tangents import OnSamples

#: what a posterior consists of: the architecture; the free parameters, and all of them (P,); beta; what `hessian` and
#: `n_threads` were; beta H (n, n) or its diagonal, the objective's gradient (n,), Pi, A^-1; gamma_i (n,);
#: ln p(T | X, w) and ln p(T | X); the sum of the sample weights, and that of each output's targets (K,); the objective,
#: None where samples are left out
PARTS = (
    "architecture", "free", "params", "beta", "hessian", "n_threads", "curvature", "gradient", "grad_norm", "prior",
    "covariance", "gamma", "log_likelihood", "log_evidence", "total_weight", "counts", "objective",
)  # fmt: skip


class Derivatives(NamedTuple):
    """Of the data term, and of derivatives that are data, by the free parameters."""

    value: float
    gradient: Float  #: (n,)
    curvature: Float | Gram  #: beta H (n, n), or its diagonal (n,)

    def times(self, beta: float) -> Derivatives:
        """The same at beta times the noise precision; the curvature is multiplied in place."""
        curvature = self.curvature
        if isinstance(curvature, Gram):
            curvature.rows *= math.sqrt(beta)
        else:
            curvature *= beta
        return Derivatives(beta * self.value, beta * self.gradient, curvature)


class Posterior:
    """N(v, A^-1) with A = beta H + Pi, of the free parameters v (n,) of an objective, in the objective's units.

    Whatever is fixed or shared is the objective's `FreeParameters`' business: all vectors and matrices here are by the
    free parameters, but for `params` (P,).

    Parameters
    ----------
    objective : Objective
        The negative log posterior: a data term with the noise precision, a penalty that is a normal prior's.
    v : ndarray of shape (n,)
        The maximum of the posterior, or near by.
    hessian : {"ggn", "exact", "diagonal"}
    varying : ndarray of shape (K,), optional
        The outputs whose targets have a density; else all.
    helped : bool, default=False
        Whether a matrix that rounding has made indefinite is mended, or refused.
    words : doubts.Words
        Names of what the caller has given, for messages.
    found : Derivatives, optional
        Those of the data there, if they are known.
    covariance : Covariance, optional
        A^-1, likewise.

    Raises
    ------
    NotPositiveDefiniteError
        If A is not positive definite, or not finite.
    """

    @quiet
    def __init__(
        self,
        objective: Objective,
        v: Float,
        hessian: str = "ggn",
        varying: Mask | None = None,
        *,
        helped: bool = False,
        words: doubts.Words = doubts.LIBRARY,
        found: Derivatives | None = None,
        covariance: Covariance | WideCovariance | None = None,
    ) -> None:
        data = objective.data
        self.objective: Objective | None = objective
        self.architecture, self.n_threads, self.hessian = data.architecture, data.n_threads, hessian
        self.free = objective.free or reparam.Whole(len(v))
        self.params: Float = objective.expand(v)
        self.beta, self.total_weight = data.noise_precision, data.samples.total_weight
        self.counts: Float = data.samples.counts(self.architecture.n_outputs)
        known = derivative_data.among(objective)
        prior = Prior(objective, self.free, v)
        self.prior = prior.precision
        if found is None:
            found = derivatives_of(data, known, self.free, self.params, hessian, self.prior)
        self.curvature = found.curvature
        if not (definite.is_finite(self.curvature) and np.isfinite(self.prior).all()):
            raise NotPositiveDefiniteError(
                f"{words.subject}: expected second derivatives that are finite numbers, got others: outputs, "
                "sample_weight or precisions are too large"
            )
        self.gradient: Float = found.gradient + prior.gradient
        self.grad_norm = float(np.abs(self.gradient).max(initial=0.0))
        try:
            self.covariance = covariance or wide.covariance(self.curvature, self.prior, helped=helped)
        except NotPositiveDefiniteError as error:
            raise doubts.without_inverse(
                error, words, self.architecture, self.free.first, self.curvature, self.prior
            ) from None
        self.gamma = prior.determined(self.covariance)
        self.log_likelihood = log_normalizer(data, varying) + derivative_data.log_normalizer(known, varying)
        self.log_likelihood -= found.value
        self.log_evidence = self.log_likelihood + prior.log_density() - 0.5 * self.covariance.log_det_precision

    @classmethod
    def of_parts(cls, **parts: Any) -> Self:
        """One of `PARTS` that are known already."""
        posterior = cls.__new__(cls)
        for name in PARTS:
            setattr(posterior, name, parts[name])
        return posterior

    def changed(self, **parts: Any) -> Self:
        """The same but for some of its `PARTS`."""
        other = type(self).__new__(type(self))
        for name, part in (self.__dict__ | parts).items():
            setattr(other, name, part)
        return other

    def as_prior_of(self, samples: Samples) -> Objective:
        """The negative log posterior of other samples, with this one for the prior, and the same beta."""
        if not self.free.is_selection:
            raise ValueError("tied: expected a posterior without shared parameters, got one that has some")
        precision = definite.plus(self.curvature, self.prior)
        if precision.ndim == 2:
            whole = np.zeros((len(self.params),) * 2)
            whole[np.ix_(self.free.first, self.free.first)] = precision
        else:
            whole = self.free.push(precision)
        data = DataTerm(self.architecture, samples, self.beta, self.n_threads)
        free = None if isinstance(self.free, reparam.Whole) else self.free
        return Objective(data, Quadratic(self.params, whole), self.params, free)

    @property
    def data(self) -> DataTerm:
        """The samples, at the noise precision beta."""
        return self.known_objective.data

    @property
    def samples(self) -> Samples:
        """Those that it was formed from."""
        return self.data.samples

    @property
    def known_objective(self) -> Objective:
        """The objective; ValueError if it has been left out."""
        if self.objective is None:
            raise ValueError(
                "posterior: expected one that knows its samples, got one of a file without them, or from a copy of an "
                "estimator: save it with samples=True, ask it before the model is copied, or form it anew by "
                "fastmlp.Laplace"
            )
        return self.objective

    @property
    def prior_precision(self) -> Float:
        """Of all parameters (P,): the diagonal of Pi, infinite for what is fixed."""
        alpha = np.full(len(self.params), math.inf)
        depends = self.free.index >= 0
        alpha[depends] = definite.diagonal(self.prior)[self.free.index[depends]]
        return alpha

    @property
    def effective_n_params(self) -> float:
        """How many parameters the data determine, tr(beta H A^-1)."""
        return float(self.gamma.sum())

    @cached_property
    def distance(self) -> float:
        """By so many posterior standard deviations v is away from the optimum, to second order."""
        return float(np.linalg.norm(self.covariance.times_root(self.gradient)))

    @cached_property
    def rounding(self) -> doubts.Rounding:
        """How much of the variances is lost in rounding."""
        return doubts.rounding(self.curvature, self.prior, self.covariance)

    @cached_property
    def negative_eigenvalues(self) -> Float:
        """Those of beta H, beyond rounding: only the exact one has any, which the prior then outweighs."""
        matrix = self.curvature
        if isinstance(matrix, Gram):
            return np.empty(0)
        found = np.sort(matrix) if matrix.ndim == 1 else eigenvalues(matrix)
        limit = len(found) * EPS * np.abs(found).max(initial=0.0)
        return np.asarray(found[found < -limit])

    def linearised(self, X: Float, numbers: int) -> Iterator[tuple[slice, Float, Float]]:
        """Outputs, logits but for squared error, of some samples after the other, and J by the free parameters.

        X is in the units of the posterior; so many `numbers` of J are held at once.
        """
        for rows, center, J in derivatives.in_blocks(self.architecture, self.params, X, numbers, self.n_threads):
            yield rows, center, self.free.restrict(J)

    def precision(self, change: Float) -> float:
        """The form change' A change, for a change of v."""
        A_change = definite.times(self.curvature, change) + definite.times(self.prior, change)
        return float(change @ A_change)

    def empirical_fisher(self) -> Float:
        """F (n, n), the sum of outer products of the samples' gradients."""
        derivative_data.refuse(self.objective, "gradients of single samples")
        return self.data.factor * self.free.project_used(
            self.data.hessian(self.params, "empirical_fisher", self.free.used)
        )

    def times_covariance(self, rows: Float) -> Float:
        """Rows (..., n) times A^-1."""
        return self.covariance.from_root(self.covariance.times_root(rows, self.n_threads), self.n_threads)

    def all_params(self, matrix: Float) -> Float:
        """A matrix by the free parameters (n, n) as one by all (P, P): J M J'."""
        return self.free.spread(self.free.spread(matrix).T).T

    def apart(self) -> Callable[[Index], float]:
        """For some of all parameters w (P,) the form w' C^-1 w, C their covariance."""
        if not isinstance(self.covariance, WideCovariance):
            C = self.all_params(self.covariance.matrix)
            return lambda where: modes.distance(self.params[where], C[np.ix_(where, where)])
        covariance, v = self.covariance, self.free.reduce(self.params)

        def form(where: Index) -> float:
            own = _sets.unique(self.free.index[where])
            own = own[own >= 0]
            if not len(own):
                return math.inf if self.params[where].any() else 0.0
            return covariance.marginal(own, v[own])

        return form

    def centred(self, kind: str) -> Self:
        """With a prior that does not pull at weights "W" or biases "b": its mean for these is where they are."""
        chosen = np.zeros(len(self.params), bool)
        for name, where in self.architecture.groups.items():
            chosen[where] = name.startswith(kind)
        chosen = chosen[self.free.first]
        pull = definite.times(self.prior, np.where(chosen, self.free.reduce(self.params), 0.0))
        other = self.changed(gradient=self.gradient - np.where(chosen, pull, 0.0))
        other.__dict__.pop("distance", None)
        return other

    def noise_by_output(self) -> Float:
        """(N - gamma_k) / SSE_k (K,), of each output beside one beta; that where parameters take up all of it."""
        count = self.counts
        left = np.minimum(count, count - outputs.determined(self.data, self.free, self.params, self.covariance))
        with np.errstate(divide="ignore"):
            own = left / outputs.squared_errors(self.data, self.params)
        return np.where(left > self.free.n * EPS * count, own, self.beta)

    def without_samples(self) -> Self:
        """The same but for what looks at the samples."""
        return self.changed(objective=None)


def derivatives_of(
    data: DataTerm, known: tuple[OnSamples, ...], free: FreeParameters, params: Float, hessian: str, Pi: Float
) -> Derivatives:
    """Those of the data term and of what is known besides; in one pass with the Gauss-Newton matrix.

    That is held by its rows where they are few, and Pi is a diagonal.
    """
    matrix: Float | Gram
    if has_rows(known, hessian, Pi) and wide.pays(n_rows(data), free.n):
        value, gradient = data.value_and_grad(params)
        matrix = by_rows(data, free, params)
    elif hessian == "ggn":
        value, gradient, matrix = data.normal_equations(params, free.used)
        matrix = free.project_used(matrix)
    else:
        value, gradient = data.value_and_grad(params)
        matrix = _curvature(data, free, params, hessian)
    for each in known:
        other, slope = each.value_and_grad(params)
        value, gradient = value + other, gradient + slope
    own = derivative_data.curvature(known, free, params, hessian)
    return Derivatives(value, free.pull(gradient), matrix if own is None else definite.plus(matrix, own))


def has_rows(known: tuple[OnSamples, ...], hessian: str, Pi: Float) -> bool:
    """Whether beta H may be held by its rows, beside Pi."""
    return hessian == "ggn" and Pi.ndim == 1 and not known


def n_rows(data: DataTerm) -> int:
    """How many these are."""
    return len(data.samples.X) * data.architecture.n_outputs


def by_rows(data: DataTerm, free: FreeParameters, params: Float) -> Gram:
    """Beta H for the Gauss-Newton matrix, by its rows."""
    return Gram(free.restrict(data.rows(params)))


def _curvature(data: DataTerm, free: FreeParameters, params: Float, hessian: str) -> Float:
    """Beta H (n, n) by the free parameters, or its diagonal."""
    if hessian == "diagonal":
        return free.pull(free.coefficient * data.hessian_diagonal(params, "ggn"))
    return free.project_used(data.hessian(params, hessian, free.used))


def log_normalizer(data: DataTerm, varying: Mask | None) -> float:
    """What the loss leaves out of the log likelihood."""
    loss = data.architecture.loss
    if loss.has_noise:
        varying = np.ones(data.architecture.n_outputs, bool) if varying is None else varying
        measured = 0.5 * _log_precisions(data.samples, varying)
        counts = data.samples.counts(data.architecture.n_outputs)[varying]
        if data.scale is None:
            return measured + 0.5 * float(counts.sum()) * math.log(data.factor / (2 * math.pi))
        return measured + 0.5 * float(counts @ np.log(data.scale[varying] / (2 * math.pi)))
    if data.samples.has_labels:
        return 0.0

    def log_base(samples: Samples) -> float:
        T = samples.targets.values
        assert T is not None
        weight = np.ones(len(T)) if samples.weight is None else samples.weight
        return float(weight @ [math.fsum(row) for row in loss.log_base(T)])

    return float(data.samples.summed(log_base, inputs=False))


def _log_precisions(samples: Samples, varying: Mask) -> float:
    """Sum of s_n ln 1/sigma_nk^2, 0 without measurement errors."""
    precision = samples.targets.precision
    if precision is None:
        return 0.0
    each = np.log(np.where(precision > 0, precision, 1.0)[:, varying]).sum(axis=1)  # 0 of missing targets
    return float(each.sum() if samples.weight is None else samples.weight @ each)
