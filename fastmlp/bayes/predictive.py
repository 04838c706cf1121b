"""What a network predicts whose parameters are normally distributed around trained ones: outputs, densities, slopes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, overload

import numpy as np

from fastmlp import _memory
from fastmlp import _validation as check
from fastmlp._quiet import quiet
from fastmlp._types import ArrayLike, Float, Seed
from fastmlp.bayes import intervals, likelihood
from fastmlp.bayes.parameters import Parameters
from fastmlp.bayes.prediction import Prediction
from fastmlp.derivatives import exact as derivatives
from fastmlp.derivatives import mixed
from fastmlp.model import functional, moderation
from fastmlp.network import Network

BLOCK = 2**18  # numbers of a Jacobian that are held at once
BAND = 2**28  # multiplications of one call of BLAS: 15 ms on one core


@quiet
class Predictive(Parameters):
    """What `Parameters` makes of new inputs; `fastmlp.Laplace` documents the whole."""

    @overload
    def predict(
        self,
        X: ArrayLike,
        parts: Literal[True],
        *,
        noise_std: ArrayLike | None = None,
        interval: None = None,
        n_draws: int = 1000,
        rng: Seed = 0,
    ) -> Prediction: ...
    @overload
    def predict(
        self,
        X: ArrayLike,
        parts: Literal[False] = False,
        *,
        noise_std: ArrayLike | None = None,
        interval: float,
        n_draws: int = 1000,
        rng: Seed = 0,
    ) -> tuple[Float, Float]: ...
    @overload
    def predict(
        self,
        X: ArrayLike,
        parts: bool = False,
        *,
        noise_std: ArrayLike | None = None,
        interval: float | None = None,
        n_draws: int = 1000,
        rng: Seed = 0,
    ) -> tuple[Float, Float] | Any: ...  # probabilities of a classifier
    def predict(
        self,
        X: ArrayLike,
        parts: bool = False,
        *,
        noise_std: ArrayLike | None = None,
        interval: float | None = None,
        n_draws: int = 1000,
        rng: Seed = 0,
    ) -> Prediction | tuple[Float, Float] | Any:
        """What new targets will be, with the uncertainty of the parameters: y(x, w) linearised in w.

        Parameters
        ----------
        X : array-like of shape (N, D)
        parts : bool, default=False
            Return the mean and both parts of the variance, for any loss.
        noise_std : float or array-like of shape (N,) or (N, K), optional
            Of regression: which noise new targets have, a standard deviation in the units of T. With ``sigma`` it is
            meant like that, known up to the same factor, and new targets without it have no noise: the variance is that
            of the function. Else None is the noise that was found, `noise_std`.
        interval : float, optional
            A probability such as 0.95: between which numbers a new target lies with it, as much being left below as
            above. Of classifiers not the target, but its probability, as far as w is unknown.
        n_draws, rng : int; int or numpy.random.Generator
            For softmax: how many draws of the K logits, and their source. The same seed gives the same result.

        Returns
        -------
        (mean, variance) : ndarrays of shape (N, K)
            For regression and counts; the variance is that of a target, noise included.
        probabilities : ndarray of shape (N, K)
            For classifiers.
        Prediction
            With `parts`: `mean`, `epistemic` = Var E[t|w], which more data would lessen, and `noise` = E Var[t|w],
            which they would not; the variance of a target is their sum.
        (low, high) : ndarrays of shape (N, K)
            With `interval`.

        Raises
        ------
        TypeError, ValueError
            If X is not an array of finite real numbers of shape (N, D), or another argument is wrong.

        Notes
        -----
        With J = dy/dw at w, or of the logits a where the loss is not squared error, V = J A^-1 J':

        ==================  ========================================================================================
        squared error       mean y(x, w), variance diag V + noise_std^2                        (PRML 5.172, 5.173)
        logistic            E[sigma(a)], a ~ N(a(x, w), V), by quadrature right to 2e-13       (PRML 5.185-5.190)
        softmax             E[softmax(a)], by `n_draws` pairwise opposite draws of the logits
        exp, Poisson        mean rate r = exp(a + V/2), variance r + (exp(V) - 1) r^2          (log-normal rate)
        ==================  ========================================================================================

        Intervals are quantiles of these distributions: for squared error normal ones, or where beta was estimated
        Student's, with the `degrees_of_freedom` of beta; noise that is told is normal beside Student's function.
        Without hidden layer and with a flat prior they are those of linear regression. Those of counts are whole, and
        right to 1e-6 in probability; those of logistic outputs are exact, those of softmax are of the draws.

        Cost: a Jacobian by the parameters and N K P^2 multiplications; memory a block of the Jacobian.
        """
        n_draws = check.integer(n_draws, "n_draws", 1, check.bits_for(self._architecture.n_outputs))
        if type(rng) is not int or rng < 0:  # such a number needs no generator to be checked, which takes 40 us to make
            rng = check.generator(rng)
        if interval is not None:
            if check.boolean(parts, "parts"):
                raise ValueError("parts: expected False with an interval, got True")
            return interval_of([self], X, interval, noise_std, n_draws, rng)
        X = self._checked(X)
        prediction = self._prediction(X, self._noise_of(noise_std, len(X)), n_draws, rng)
        if check.boolean(parts, "parts"):
            return prediction
        if self._architecture.loss.is_of_classes:
            return prediction.mean
        return prediction.mean, prediction.epistemic + prediction.noise

    def _checked(self, X: ArrayLike) -> Float:
        """Inputs in the posterior's units."""
        architecture = self._posterior.architecture
        return self._frame.inputs(architecture.rows(X))

    def extrapolation(self, X: ArrayLike) -> Float:
        """How far new samples lie outside of those that the network was trained on, input by input.

        Parameters
        ----------
        X : array-like of shape (N, D)

        Returns
        -------
        ndarray of shape (N, D)
            0 between the least and the largest that was seen of an input; else by how many of its standard deviations
            it is above, or with a minus below. inf where an input that never varied does.

        Raises
        ------
        TypeError, ValueError
            If X is not an array of finite real numbers of shape (N, D); for posteriors of files and pickles of earlier
            versions, which do not know.

        Notes
        -----
        Error bars know what the data leave open of this network, with its prior: where units saturate, outputs and
        their variances hardly change any more, however far away a sample is. Gaps within the data, which this does not
        see, widen them.

        Examples
        --------
        >>> import fastmlp
        >>> posterior = fastmlp.fit_evidence(fastmlp.Network([1, 1], rng=0), [[0.0], [1.0], [2.0]], [0.1, 0.3, 0.2])
        >>> posterior.extrapolation([[-1.0], [0.5], [4.0]]).ravel().round(3).tolist()
        [-1.225, 0.0, 2.449]
        """
        return self._frame.outside(self._architecture.rows(X))

    @property
    def has_variance(self) -> bool:
        """Whether `predict` returns a variance too: not for classifiers, whose probabilities say all."""
        return not self._architecture.loss.is_of_classes

    def log_density(
        self, X: ArrayLike, T: ArrayLike, *, noise_std: ArrayLike | None = None, missing: str = "raise"
    ) -> Float:
        """Ln p(t|x) of new samples, how well they are foretold.

        Parameters
        ----------
        X : array-like of shape (N, D)
        T : array-like of shape (N, K)
            As for `Network.loss`.
        noise_std : float or array-like of shape (N,) or (N, K), optional
            As for `predict`; needed with ``sigma``.
        missing : {"raise", "ignore"}
            Of regression, what nan in T means: an error, or a target that there is none of, whose density is left out.

        Returns
        -------
        ndarray of shape (N,)
            For regression of the normal distributions of `predict`, outputs taken as independent; for classifiers of
            the moderated probabilities.

        Raises
        ------
        TypeError, ValueError
            If X or T is wrong; for counts, whose prediction has no closed form.

        Notes
        -----
        Cost: as `predict`.
        """
        samples = functional.check_samples(self._architecture, X, T, missing=missing)
        if self._frame.measured and noise_std is None:
            raise ValueError("noise_std: expected the errors of these targets, as sigma told those of others, got None")
        prediction = self.predict(samples.X, parts=True, noise_std=noise_std)
        variance = prediction.epistemic + prediction.noise
        return likelihood.log_density(self._architecture.loss, samples, prediction.mean, variance, self._frame.varying)

    @property
    def network(self) -> Network:
        """A new network with the parameters w, in float64."""
        return Network._make(self._architecture, self.params, self.units, trained=True, pruned=self._frame.pruned)

    def _noise_of(self, noise_std: ArrayLike | None, n_samples: int) -> Float | None:
        """Variances of the noise of new targets in the user's units, (1, 1), (N, 1) or (N, K), where they are told."""
        loss, K = self._architecture.loss, self._architecture.n_outputs
        if noise_std is None:
            return np.zeros((1, 1)) if self._frame.measured else None
        if not loss.has_noise:
            raise ValueError(f"noise_std: expected None for {loss}, got {check.shown(type(noise_std).__name__)}")
        std = check.real_array(noise_std, "noise_std", np.float64)
        if std.shape not in ((), (n_samples,), (n_samples, K)):
            raise ValueError(
                f"noise_std: expected a number or shape ({n_samples},) or ({n_samples}, {K}), got {std.shape}"
            )
        if not (std >= 0).all():
            raise ValueError(f"noise_std: expected numbers >= 0, got {std.min()}")
        variance = std**2 if std.ndim == 2 else (std**2).reshape(-1, 1)
        return variance / np.asarray(self._posterior.beta) if self._frame.measured else variance

    def _prediction(self, X: Float, told: Float | None, n_draws: int, rng: Seed) -> Prediction:
        own = self._posterior
        loss = own.architecture.loss
        if loss.couples_outputs:
            return self._moderated_classes(X, n_draws, check.generator(rng))
        mean, variance, noise = loss.moderated(*self._linear(X))
        if not loss.has_noise:
            return Prediction(mean, variance, noise)
        c = self._frame.output_scale
        found = np.where(self._frame.varying, c * (c / self._noise_precision), 0.0) if told is None else told
        noise = noise * found
        return Prediction(self._frame.outputs(mean), c * (c * variance), noise)

    def _linear(self, X: Float) -> tuple[Float, Float]:
        """Means and variances of the outputs, the logits but for squared error, in the posterior's units."""
        own = self._posterior
        center, variance = np.empty((2, len(X), own.architecture.n_outputs))
        for rows, y, J in own.linearised(X, BLOCK):
            center[rows], variance[rows] = y, own.covariance.quadratic(J, own.n_threads)
        return center, variance

    def _marginals(self, X: Float, told: Float | None, draws: Float | None) -> intervals.Marginals:
        """Distributions of new targets, or of the probabilities of classes; X in the posterior's units."""
        own, loss = self._posterior, self._architecture.loss
        if draws is not None:
            blocks = (
                moderation.softmax_draws(logits, own.covariance.times_root(J, own.n_threads), draws)
                for _, logits, J in own.linearised(X, BLOCK)
            )
            return intervals.Drawn(np.concatenate(list(blocks)))
        if not loss.has_noise:
            mean, variance = self._linear(X)
            kind = intervals.Poisson if loss.is_of_counts else intervals.Logistic
            return kind(mean, np.sqrt(variance))
        mean, epistemic, noise = self._prediction(X, told, 0, 0)
        freedom = np.broadcast_to(np.asarray(self.degrees_of_freedom, np.float64), mean.shape[1:])
        if told is None or self._frame.measured or np.isinf(freedom).all():
            return intervals.Student(mean, np.sqrt(epistemic + noise), freedom)
        return intervals.BesideNoise(mean, np.sqrt(epistemic), np.sqrt(noise), freedom)

    def _moderated_classes(self, X: Float, n_draws: int, rng: np.random.Generator) -> Prediction:
        own, draws = self._posterior, moderation.opposite_draws(n_draws, self._architecture.n_outputs, rng)
        found = np.empty((3, len(X), self._architecture.n_outputs))
        for rows, logits, J in own.linearised(X, BLOCK):
            found[:, rows] = moderation.softmax(logits, own.covariance.times_root(J, own.n_threads), draws)
        return Prediction(*found)

    def covariance(self, X: ArrayLike) -> Float:
        """Joint covariance of the outputs at all rows of X, without noise; of the logits but for squared error.

        Parameters
        ----------
        X : array-like of shape (N, D)

        Returns
        -------
        ndarray of shape (N, K, N, K)
            J A^-1 J', symmetric; ``.reshape(N * K, N * K)`` is a matrix. In the squared units of T for regression.

        Raises
        ------
        TypeError, ValueError
            If X is not an array of finite real numbers of shape (N, D).

        Notes
        -----
        N K P^2 + (N K)^2 P multiplications, and N K (P + N K) numbers.
        """
        X, own = self._checked(X), self._posterior
        shape = (len(X), self._architecture.n_outputs)
        rooted = [own.covariance.times_root(J, own.n_threads) for _, _, J in own.linearised(X, BLOCK)]
        V = np.concatenate(
            [np.empty((0, own.free.n)), *(each.reshape(each.shape[0] * each.shape[1], own.free.n) for each in rooted)]
        )
        V *= np.tile(self._frame.output_scale, len(X))[:, np.newaxis]
        return _gram(V).reshape(shape * 2)

    def predict_jacobian(self, X: ArrayLike) -> tuple[Float, Float]:
        """Derivatives dy_k/dx_i with their variances: error bars on slopes.

        Parameters
        ----------
        X : array-like of shape (N, D)

        Returns
        -------
        (mean, variance) : ndarrays of shape (N, K, D)
            dy/dx at w, as `Network.jacobian`, and g' A^-1 g with g = d2y_k / dx_i dw, exact to first order in w.

        Raises
        ------
        TypeError, ValueError
            If X is not an array of finite real numbers of shape (N, D).

        Notes
        -----
        For classifiers and counts these are slopes of the outputs y(x, w) at w, not of moderated ones. Cost: D
        Jacobians by the parameters and N K D P^2 multiplications; memory a block.
        """
        architecture, own = self._architecture, self._posterior
        X = self._checked(X)
        mean = derivatives.jacobian(architecture, own.params, X, "inputs", "outputs", own.n_threads)
        variance = np.empty(mean.shape)
        size = max(1, BLOCK // (architecture.n_params * architecture.n_outputs * architecture.n_inputs))
        for first in range(0, len(X), size):
            rows = slice(first, first + size)
            g = own.free.restrict(mixed.input_params(architecture, own.params, X[rows], own.n_threads))
            variance[rows] = own.covariance.quadratic(g, own.n_threads).transpose(0, 2, 1)
        ratio = self._frame.output_scale[:, np.newaxis] / self._frame.input_scale
        return ratio * mean, ratio * (ratio * variance)


def interval_of(
    members: Sequence[Predictive], X: ArrayLike, level: Any, noise_std: ArrayLike | None, n_draws: int, rng: Any
) -> tuple[Float, Float]:
    """Quantiles of the equal mixture of what these posteriors foretell, as much probability below as above them."""
    level, architecture = check.number(level, "interval", 0.0, above=True, high=1.0), members[0]._architecture
    seen = [member._checked(X) for member in members]
    shape = len(seen[0]), architecture.n_outputs
    told = [member._noise_of(noise_std, len(seen[0])) for member in members]
    told = [None if each is None else np.broadcast_to(each, shape) for each in told]
    draws = None
    if architecture.loss.couples_outputs:
        draws = moderation.opposite_draws(n_draws, architecture.n_outputs, check.generator(rng))
    low, high = np.empty((2, *shape))
    size = max(1, shape[0] if draws is None else BLOCK * 8 // draws.size)
    for first in range(0, shape[0], size):
        rows = slice(first, first + size)
        marginals = [
            member._marginals(inputs[rows], None if noise is None else noise[rows], draws)
            for member, inputs, noise in zip(members, seen, told, strict=True)
        ]
        low[rows], high[rows] = (intervals.quantile(marginals, (1 + sign * level) / 2) for sign in (-1, 1))
    return low, high


def _gram(V: Float) -> Float:
    """V V', band by band, as Ctrl-C waits for each call of BLAS."""
    n = len(V)
    result, height = np.empty((n, n)), max(1, BAND // max(1, V.size))
    for first in range(0, n, height):
        band = slice(first, first + height)
        result[band, :first] = _memory.product(V[band], V[:first].T)
        result[:first, band] = result[band, :first].T
        result[band, band] = _memory.product(V[band], V[band].T)
    return result
