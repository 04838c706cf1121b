"""The posterior of a network's parameters as a normal distribution: precisions, evidence, draws."""

from __future__ import annotations

import copy
import math
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fastmlp import _threads, derivatives, functional
from fastmlp import _validation as check
from fastmlp import objective as objectives
from fastmlp.architecture import Architecture
from fastmlp.bayes import modes
from fastmlp.bayes.covariance import EPS, Covariance, noise_precision
from fastmlp.bayes.precisions import by_parameter
from fastmlp.functional import Samples
from fastmlp.network import Network, check_network
from fastmlp.terms import DataTerm, WeightDecay

Float = NDArray[np.float64]

HESSIANS = ("ggn", "exact", "diagonal")


class Posterior:
    """What is known about the parameters; `fastmlp.Laplace` documents the arguments and attributes."""

    def __init__(
        self,
        net: Network,
        X: Any,
        T: Any,
        *,
        prior_precision: Any = None,
        penalty: Any = None,
        noise_precision: Any = None,
        hessian: str = "ggn",
        sample_weight: Any = None,
        n_threads: Any = None,
    ) -> None:
        own = check_network(net)._architecture
        architecture = own
        if own.dtype != np.float64:
            architecture = Architecture.create(own.layers, list(own.hidden), own.output, own.loss, "float64")
        self.params: Float = net.params.astype(np.float64)
        self.hessian = check.choice(hessian, "hessian", HESSIANS)
        samples = functional.check_samples(architecture, X, T, sample_weight)
        objectives.require_samples(samples)
        _threads.resolve(n_threads)
        self._architecture, self._samples, self._n_threads = architecture, samples, n_threads
        alpha = _prior(architecture, prior_precision, penalty)
        self._free = np.flatnonzero(np.isfinite(alpha))
        beta = self._noise(noise_precision, alpha, scaled=penalty is not None)
        self.noise_precision = beta
        self.prior_precision: Float = alpha * beta if penalty is not None else alpha
        term = DataTerm(architecture, samples, beta, n_threads)
        if self.hessian == "ggn":
            value, gradient, matrix = term.normal_equations(self.params)  # in one pass
            self._curvature = self._by_free(matrix)
        else:
            value, gradient = term.value_and_grad(self.params)
            self._curvature = self._second_derivatives(term)
        w, prior = self.params[self._free], self.prior_precision[self._free]
        self.grad_norm = float(np.abs(gradient[self._free] + prior * w).max(initial=0.0))
        self._covariance = Covariance(self._curvature, prior)
        self.gamma = np.zeros(len(alpha))
        self.gamma[self._free] = 1 - prior * self._covariance.diagonal
        self.log_likelihood = self._log_normalizer() - value
        self.log_evidence = (
            self.log_likelihood
            - 0.5 * float(prior @ w**2)
            + 0.5 * float(np.log(prior[prior > 0]).sum())
            - 0.5 * self._covariance.log_det_precision
        )

    @property
    def _samples(self) -> Samples:
        if self._known_samples is None:
            raise ValueError(
                "posterior: expected one that knows its samples, got one from a copy or file of an estimator, which "
                "leaves them out; ask it before the model is copied or saved, or form it anew by fastmlp.Laplace"
            )
        return self._known_samples

    @_samples.setter
    def _samples(self, samples: Samples) -> None:
        self._known_samples: Samples | None = samples
        self._total_weight = samples.total_weight

    def _without_samples(self) -> Self:
        """The same but for what looks at them: `nic`, `sandwich_covariance`, `leave_one_out`, `influence`."""
        light = copy.copy(self)
        light._known_samples = None
        return light

    def _second_derivatives(self, term: DataTerm) -> Float:
        """Beta H (n, n) by the parameters that are not held, or its diagonal."""
        if self.hessian == "diagonal":
            diagonal = derivatives.hessian_diagonal(term.batch, self.params, "ggn", self._n_threads)
            return np.asarray(term.factor * diagonal[self._free])
        return self._by_free(term.hessian(self.params, self.hessian))

    def _by_free(self, matrix: Float) -> Float:
        return matrix if len(self._free) == len(matrix) else matrix[np.ix_(self._free, self._free)]

    def _noise(self, value: Any, alpha: Float, *, scaled: bool) -> Any:
        if self._architecture.loss != "squared_error":
            if value is not None:
                raise ValueError(f"noise_precision: expected None for {self._architecture.loss}, got {value!r}")
            return 1.0
        if value is None:
            term = DataTerm(self._architecture, self._samples, 1.0, self._n_threads)
            n_targets = self._samples.total_weight * self._architecture.n_outputs
            curvature, prior = self._second_derivatives(term), alpha[self._free]
            return noise_precision(curvature, prior, n_targets, 2 * term.value(self.params), scaled=scaled)
        if np.ndim(value) and scaled:
            raise ValueError("noise_precision: expected one number together with a penalty, got an array")
        if np.ndim(value):
            return check.vector(value, "noise_precision", self._architecture.n_outputs, np.float64)
        return check.number(value, "noise_precision", 0.0, above=True)

    def _log_normalizer(self) -> float:
        """What the loss leaves out of the log likelihood."""
        count, T = self._samples.total_weight, self._samples.targets.values
        if self._architecture.loss == "squared_error":
            mean = float(np.log(np.asarray(self.noise_precision) / (2 * math.pi)).mean())
            return 0.5 * count * self._architecture.n_outputs * mean
        if self._architecture.loss == "poisson":
            assert T is not None
            weight = np.ones(len(T)) if self._samples.weight is None else self._samples.weight
            return -float(weight @ [math.fsum(math.lgamma(t + 1) for t in row) for row in T])
        return 0.0

    @property
    def effective_n_params(self) -> float:
        """Gamma = P - sum alpha_i (A^-1)_ii: how many parameters the data determine (PRML 3.91)."""
        return float(self.gamma.sum())

    @property
    def effective_n_params_by_group(self) -> dict[str, float]:
        """The share of each group of parameters in gamma."""
        return {name: float(self.gamma[where].sum()) for name, where in self._architecture.groups.items()}

    @property
    def log_symmetries(self) -> float:
        """Ln of the number of equivalent modes; see above."""
        return modes.log_symmetries(self._architecture)

    @cached_property
    def log_distinct_symmetries(self) -> float:
        """Ln of the number of those that do not overlap; see above."""
        return modes.log_distinct(self._architecture, self.params, self.params_covariance)

    @cached_property
    def negative_eigenvalues(self) -> Float:
        """Those of beta H, beyond rounding: only the exact one has any, which the prior then outweighs."""
        matrix = self._curvature
        eigenvalues = np.sort(matrix) if matrix.ndim == 1 else np.linalg.eigvalsh(matrix)
        limit = len(eigenvalues) * EPS * np.abs(eigenvalues).max(initial=0.0)
        return np.asarray(eigenvalues[eigenvalues < -limit])

    @property
    def params_covariance(self) -> Float:
        """A^-1 (P, P), with zeros for parameters that are held."""
        covariance = np.zeros((len(self.params),) * 2)
        covariance[np.ix_(self._free, self._free)] = self._covariance.matrix
        return covariance

    @property
    def params_std(self) -> Float:
        """Standard errors of the parameters (P,), sqrt((A^-1)_ii)."""
        std = np.zeros(len(self.params))
        std[self._free] = np.sqrt(self._covariance.diagonal)
        return std

    @property
    def aic(self) -> float:
        """Akaike's criterion, 2 (gamma - ln p(T | X, w)): the smaller the better."""
        return 2 * (self.effective_n_params - self.log_likelihood)

    @property
    def bic(self) -> float:
        """Schwarz's criterion, gamma ln N - 2 ln p(T | X, w)."""
        return self.effective_n_params * math.log(self._total_weight) - 2 * self.log_likelihood

    @property
    def nic(self) -> float:
        """The network information criterion, 2 (tr(F A^-1) - ln p(T | X, w)): that of Akaike where the model is wrong.

        F is the sum of outer products of the samples' gradients; Murata, Yoshizawa and Amari (1994).
        """
        half = self._covariance.times_root(self._empirical_fisher())
        return 2 * (float(np.trace(self._covariance.from_root(half))) - self.log_likelihood)

    def _empirical_fisher(self) -> Float:
        """F (n, n) by the parameters that are not held."""
        term = DataTerm(self._architecture, self._samples, self.noise_precision, self._n_threads)
        return term.factor * term.hessian(self.params, "empirical_fisher")[np.ix_(self._free, self._free)]

    @property
    def sandwich_covariance(self) -> Float:
        """A^-1 F A^-1 (P, P), F the sum of outer products of the samples' gradients: holds for any kind of noise."""
        half = self._covariance.from_root(self._covariance.times_root(self._empirical_fisher()))
        covariance = np.zeros((len(self.params),) * 2)
        covariance[np.ix_(self._free, self._free)] = self._covariance.from_root(self._covariance.times_root(half.T))
        return covariance

    def sample(self, n: int = 1, rng: Any = None) -> Float:
        """Parameters drawn from the posterior.

        Parameters
        ----------
        n : int
        rng : None, int or numpy.random.Generator

        Returns
        -------
        ndarray of shape (n, P)

        Notes
        -----
        A network with such parameters is not what `predict` averages over, which is linear in them: where the posterior
        is wide its outputs scatter more, and far from the normal distribution.
        """
        n, generator = check.integer(n, "n", 0), check.generator(rng)
        draws = np.tile(self.params, (n, 1))
        draws[:, self._free] += self._covariance.from_root(generator.standard_normal((n, len(self._free))))
        return draws


def _prior(architecture: Architecture, prior_precision: Any, penalty: Any) -> Float:
    """Alpha of each parameter, or lambda = alpha / beta where a penalty is given."""
    if (prior_precision is None) == (penalty is None):
        raise ValueError(
            "prior_precision: expected either it or a penalty, got " + ("none" if penalty is None else "both")
        )
    if penalty is None:
        return by_parameter(architecture, prior_precision, "prior_precision")
    if not isinstance(penalty, WeightDecay):
        raise TypeError(f"penalty: expected a fastmlp.WeightDecay, got {penalty!r}")
    return penalty.diagonal(architecture)
