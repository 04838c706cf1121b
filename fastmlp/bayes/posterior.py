"""The posterior of a network's parameters as a normal distribution: precisions, evidence, draws."""

from __future__ import annotations

import copy
import math
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fastmlp import _memory, _threads
from fastmlp import _validation as check
from fastmlp._cached import cached_property
from fastmlp._quiet import quiet
from fastmlp.bayes import doubts, modes
from fastmlp.bayes.covariance import EPS, Covariance, noise_precision
from fastmlp.bayes.frame import Frame, framed
from fastmlp.bayes.pickled import restored
from fastmlp.bayes.precisions import by_parameter
from fastmlp.derivatives import exact as derivatives
from fastmlp.errors import NotPositiveDefiniteError
from fastmlp.model import functional, units
from fastmlp.model.architecture import Architecture
from fastmlp.model.functional import Samples
from fastmlp.model.units import Units
from fastmlp.network.network import Network, check_network
from fastmlp.terms import DataTerm, WeightDecay
from fastmlp.terms import objective as objectives

Float = NDArray[np.float64]
AT_ONCE = 1_000  # networks whose parameters are drawn together

HESSIANS = ("ggn", "exact", "diagonal")


@quiet
class Posterior:
    """What is known about the parameters; `fastmlp.Laplace` documents the arguments and attributes."""

    _words = doubts.LIBRARY  # names of what the caller has given, for messages
    _helped = False  # whether a matrix that rounding has made indefinite is mended, or refused

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
        standardize: Any = False,
        sample_weight: Any = None,
        n_threads: Any = None,
    ) -> None:
        self._be_new()
        self._words = doubts.LIBRARY if penalty is None else doubts.WITH_PENALTY
        self._set_up(
            net, X, T, prior_precision, penalty, noise_precision, hessian, standardize, sample_weight, n_threads
        )
        doubts.warn(self)

    @classmethod
    def _make(cls, words: doubts.Words, *given: Any, **options: Any) -> Self:
        """As the constructor, without its warning; `words` are those of another caller."""
        posterior = cls.__new__(cls)
        posterior._words = words
        posterior._set_up(*given, **options)
        return posterior

    @quiet
    def _set_up(
        self, net: Network, X: Any, T: Any, prior_precision: Any = None, penalty: Any = None,
        noise_precision: Any = None, hessian: str = "ggn", standardize: Any = False, sample_weight: Any = None,
        n_threads: Any = None,
    ) -> None:  # fmt: skip
        """What the constructor does, without its warning."""
        own = check_network(net)._architecture
        architecture = own
        if own.dtype != np.float64:
            self._words = self._words._replace(remedy=f"{self._words.remedy}, in float64")
            architecture = own.changed(dtype="float64")
        hessian = check.choice(hessian, "hessian", HESSIANS)
        samples = functional.check_samples(architecture, X, T, sample_weight)
        objectives.require_samples(samples)
        _threads.resolve(n_threads)
        frame, samples = framed(architecture, units.chosen(standardize, net.units, architecture, samples), samples)
        params = net.params.astype(np.float64)
        if frame.units is not None:
            params = frame.units.unfolded(architecture, params)
        elif net.units is not None:
            self._words = self._words._replace(hint=doubts.KNOWS_UNITS)
        alpha = _prior(architecture, prior_precision, penalty)
        beta = _noise_given(frame, noise_precision, scaled=penalty is not None)
        params[frame.known], alpha[frame.known] = 0.0, np.inf
        self._solve(frame, params, samples, alpha, beta, hessian, n_threads, scaled=penalty is not None)

    def _be_new(self) -> None:
        """As a network is made once, so is a posterior: calls that have begun count on what they have read."""
        if "_architecture" in self.__dict__:
            raise RuntimeError("Laplace: expected a new object, got one that is a posterior already; make another one")

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._be_new()
        self.__dict__.update(restored(state))

    @classmethod
    def _of(
        cls, frame: Frame, params: Float, samples: Samples, alpha: Float, beta: Any, hessian: str, n_threads: Any
    ) -> Self:
        """The posterior of a problem in the units of `frame`; beta is None where it is to be found."""
        posterior = cls.__new__(cls)
        posterior._solve(frame, params, samples, alpha, beta, hessian, n_threads, scaled=False)
        return posterior

    def _solve(
        self, frame: Frame, params: Float, samples: Samples, alpha: Float, beta: Any, hessian: str, n_threads: Any, *,
        scaled: bool,
    ) -> None:  # fmt: skip
        """All there is to know; with `scaled` alpha is lambda, in units of beta."""
        self._architecture, self._frame = frame.architecture, frame
        self._params, self._samples, self._n_threads = params, samples, n_threads
        self.hessian = hessian
        self._free = np.flatnonzero(np.isfinite(alpha))
        beta = self._noise(alpha, scaled=scaled) if beta is None else beta
        self._beta = beta
        self.prior_precision: Float = alpha * beta if scaled else alpha
        term = DataTerm(self._architecture, samples, beta, n_threads)
        if self.hessian == "ggn":
            value, gradient, matrix = term.normal_equations(params)  # in one pass
            self._curvature = self._by_free(matrix)
        else:
            value, gradient = term.value_and_grad(params)
            self._curvature = self._second_derivatives(term)
        w, prior = params[self._free], self.prior_precision[self._free]
        if not (np.isfinite(self._curvature).all() and np.isfinite(prior).all()):
            raise NotPositiveDefiniteError(
                f"{self._words.subject}: expected second derivatives that are finite numbers, got others: outputs, "
                "sample_weight or precisions are too large"
            )
        self._gradient: Float = gradient[self._free] + prior * w
        self.grad_norm = float(np.abs(self._gradient).max(initial=0.0))
        try:
            self._covariance = Covariance(self._curvature, prior, helped=self._helped)
        except NotPositiveDefiniteError as error:
            raise doubts.without_inverse(error, self, self._curvature, prior) from None
        self.gamma = np.zeros(len(alpha))
        self.gamma[self._free] = 1 - prior * self._covariance.diagonal
        self._log_likelihood = self._log_normalizer() - value
        self._log_evidence = (
            self._log_likelihood
            - 0.5 * float(prior @ w**2)
            + 0.5 * float(np.log(prior[prior > 0]).sum())
            - 0.5 * self._covariance.log_det_precision
        )

    @property
    def params(self) -> Float:
        """The parameters w (P,) of the network in the data's units; a copy."""
        return self._frame.params(self._params).copy()

    @property
    def units(self) -> Units | None:
        """In which the posterior was found, if not in those of the data: as `Network.units`."""
        return self._frame.units

    @property
    def noise_precision(self) -> Any:
        """The noise precision beta in the units of the targets; 1 for classifiers and counts."""
        return self._frame.precision(self._beta)

    @property
    def log_likelihood(self) -> float:
        """Ln p(T | X, w), at w, a density in the units of the targets."""
        return self._log_likelihood - self._frame.log_volume(self._total_weight)

    @property
    def log_evidence(self) -> float:
        """Ln p(T | X), likewise; see above."""
        return self._log_evidence - self._frame.log_volume(self._total_weight)

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
            diagonal = derivatives.hessian_diagonal(term.batch, self._params, "ggn", self._n_threads)
            return np.asarray(term.factor * diagonal[self._free])
        return self._by_free(term.hessian(self._params, self.hessian))

    def _by_free(self, matrix: Float) -> Float:
        return matrix if len(self._free) == len(matrix) else matrix[np.ix_(self._free, self._free)]

    def _noise(self, alpha: Float, *, scaled: bool) -> Any:
        """The beta that belongs to these data and alpha."""
        if not self._architecture.loss.has_noise:
            return 1.0
        if not self._frame.varying.any():
            raise ValueError(f"{self._words.noise}: T is constant")
        term = DataTerm(self._architecture, self._samples, 1.0, self._n_threads)
        n_targets = self._samples.total_weight * np.count_nonzero(self._frame.varying)
        curvature, prior = self._second_derivatives(term), alpha[self._free]
        try:
            return noise_precision(curvature, prior, n_targets, 2 * term.value(self._params), scaled=scaled)
        except NotPositiveDefiniteError as error:
            raise doubts.without_inverse(error, self, curvature, prior) from None
        except ValueError as error:
            raise doubts.without_noise(error, self) from None

    @cached_property
    def distance(self) -> float:
        """By so many posterior standard deviations the network is away from the optimum, to second order."""
        return float(np.linalg.norm(self._covariance.times_root(self._gradient)))

    def _centre(self, kind: str) -> None:
        """Let the prior of weights "W" or biases "b" have its mean where they are, so that it does not pull at them."""
        for name, where in self._architecture.groups.items():
            if name.startswith(kind):
                own = (self._free >= where.start) & (self._free < where.stop)
                where = self._free[own]
                self._gradient[own] -= self.prior_precision[where] * self._params[where]
        self.__dict__.pop("distance", None)

    @property
    def rounding(self) -> float:
        """Eps times the condition number of A scaled to a unit diagonal: at most about so wrong are variances."""
        return self._rounding.share

    @cached_property
    def _rounding(self) -> doubts.Rounding:
        return doubts.rounding(self._curvature, self.prior_precision[self._free], self._covariance)

    def _log_normalizer(self) -> float:
        """What the loss leaves out of the log likelihood."""
        count, T = self._samples.total_weight, self._samples.targets.values
        if self._architecture.loss.has_noise:
            beta = np.broadcast_to(self._beta, self._architecture.n_outputs)[self._frame.varying]
            return 0.5 * count * float(np.log(beta / (2 * math.pi)).sum())
        if self._architecture.loss.is_of_counts:
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
        return modes.log_distinct(self._architecture, self._params, self._all(self._covariance.matrix))

    @cached_property
    def negative_eigenvalues(self) -> Float:
        """Those of beta H, beyond rounding: only the exact one has any, which the prior then outweighs."""
        matrix = self._curvature
        eigenvalues = np.sort(matrix) if matrix.ndim == 1 else _eigenvalues(matrix)
        limit = len(eigenvalues) * EPS * np.abs(eigenvalues).max(initial=0.0)
        return np.asarray(eigenvalues[eigenvalues < -limit])

    def _all(self, matrix: Float) -> Float:
        """A matrix of all parameters (P, P), with zeros for those that are held."""
        result = np.zeros((len(self._params),) * 2)
        result[np.ix_(self._free, self._free)] = matrix
        return result

    @property
    def params_covariance(self) -> Float:
        """A^-1 (P, P), with zeros for parameters that are held; in the data's units, as `params`."""
        return self._frame.covariance(self._all(self._covariance.matrix))

    @property
    def params_std(self) -> Float:
        """Standard errors of the parameters (P,), sqrt((A^-1)_ii), likewise."""
        if self.units is not None:
            return np.sqrt(np.diagonal(self.params_covariance))
        std = np.zeros(len(self._params))
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
        half = self._covariance.times_root(self._empirical_fisher(), self._n_threads)
        return 2 * (float(np.trace(self._covariance.from_root(half, self._n_threads))) - self.log_likelihood)

    def _empirical_fisher(self) -> Float:
        """F (n, n) by the parameters that are not held."""
        term = DataTerm(self._architecture, self._samples, self._beta, self._n_threads)
        return term.factor * term.hessian(self._params, "empirical_fisher")[np.ix_(self._free, self._free)]

    @property
    def sandwich_covariance(self) -> Float:
        """A^-1 F A^-1 (P, P), F the sum of outer products of the samples' gradients: holds for any kind of noise."""
        half = self._sandwiched(self._empirical_fisher())
        return self._frame.covariance(self._all(self._sandwiched(half.T)))

    def _sandwiched(self, rows: Float) -> Float:
        """Rows times A^-1."""
        return self._covariance.from_root(self._covariance.times_root(rows, self._n_threads), self._n_threads)

    def sample(self, n: int = 1, rng: Any = None) -> Float:
        """Parameters drawn from the posterior.

        Parameters
        ----------
        n : int, default=1
        rng : None, int or numpy.random.Generator

        Returns
        -------
        ndarray of shape (n, P)
            A row for each draw, in the data's units, as `params`.

        Raises
        ------
        TypeError, ValueError
            If n is not an integer from 0 on, or rng not a seed or generator.

        Notes
        -----
        A network with such parameters is not what `predict` averages over, which is linear in them: where the posterior
        is wide its outputs scatter more, and far from the normal distribution.
        """
        n = check.integer(n, "n", 0, check.bits_for(len(self._params)))
        generator = check.generator(rng)
        result = np.empty((n, len(self._params)))
        for first in range(0, n, AT_ONCE):  # signals are answered in between
            rows = result[first : first + AT_ONCE]
            draws = generator.standard_normal((len(rows), len(self._free)))
            moves = np.zeros(rows.shape)
            moves[:, self._free] = self._covariance.from_root(draws, self._n_threads)
            np.add(self.params, self._frame.directions(moves), out=rows)
        return result


def _eigenvalues(matrix: Float) -> Float:
    _memory.blas(4 * matrix.nbytes)
    return np.asarray(np.linalg.eigvalsh(matrix))


def _noise_given(frame: Frame, value: Any, *, scaled: bool) -> Any:
    """The user's noise precision in the units of the frame; None if it is to be found."""
    architecture = frame.architecture
    if not architecture.loss.has_noise:
        if value is not None:
            raise ValueError(f"noise_precision: expected None for {architecture.loss}, got {check.shown(value)}")
        return 1.0
    if value is None:
        return None
    if not check.is_scalar(value, "noise_precision"):
        if isinstance(value, np.ndarray) and value.shape == frame.varying.shape:
            value = np.where(frame.varying, value, 1.0)  # inf, of a constant target, counts for nothing
        given: Any = check.vector(value, "noise_precision", architecture.n_outputs, np.float64)
    else:
        given = check.number(value, "noise_precision", 0.0, above=True)
    own = frame.own_precision(given)
    if np.ndim(own) and scaled:
        several = "an array" if np.ndim(value) else "one for outputs of several scales; leave it out"
        raise ValueError(f"noise_precision: expected one number together with a penalty, got {several}")
    return own


def _prior(architecture: Architecture, prior_precision: Any, penalty: Any) -> Float:
    """Alpha of each parameter, or lambda = alpha / beta where a penalty is given."""
    if (prior_precision is None) == (penalty is None):
        raise ValueError(
            "prior_precision: expected either it or a penalty, got " + ("none" if penalty is None else "both")
        )
    if penalty is None:
        return by_parameter(architecture, prior_precision, "prior_precision")
    if not isinstance(penalty, WeightDecay):
        raise TypeError(f"penalty: expected a fastmlp.WeightDecay, got {check.shown(penalty)}")
    return penalty.diagonal(architecture)
