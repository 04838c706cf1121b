"""The Laplace approximation: what a network predicts whose parameters are normally distributed around trained ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp import _memory
from fastmlp import _validation as check
from fastmlp._quiet import quiet
from fastmlp._tables import Page, printed
from fastmlp.bayes import likelihood, mixed, moderation, shown
from fastmlp.bayes.influence import LeaveOneOut, Removal
from fastmlp.bayes.posterior import Posterior
from fastmlp.bayes.prediction import Prediction
from fastmlp.bayes.training import to_maximum
from fastmlp.derivatives import exact as derivatives
from fastmlp.model import functional
from fastmlp.network import Network

Float = NDArray[np.float64]

BLOCK = 2**18  # numbers of a Jacobian that are held at once
TOLERANCE = 1e-8  # gradient of the log posterior without a sample


@printed
@quiet
class Laplace(Posterior):
    """Posterior of a trained network's parameters, approximated by N(w, A^-1), A = beta H + diag(alpha).

    The posterior is exp(-beta E_D(w) - sum_i alpha_i/2 w_i^2), with E_D = 1/2 sum (y - t)^2 for regression, and the
    cross entropy or the Poisson loss else, with beta = 1. The network should be at its maximum. One
    that was trained with ``WeightDecay(lam)`` belongs to alpha = beta lam, which ``penalty=`` takes care of.

    Parameters
    ----------
    net : Network
        Trained on X, T; copied, in float64.
    X, T, sample_weight, n_threads
        As for `Network.loss`. A weight counts how often a sample is there.
    prior_precision : float, sequence of float, or dict, optional
        alpha >= 0: one for all; one for each group in the order of ``net.groups``; one for each parameter (P,); or by
        names of groups, ``{"W1[:,0]": 1.0, "W2": 0.1}``, where overlaps add up and what is left out has 0. A flat prior
        is improper. ``inf`` holds parameters at their values, as `fixed` of `Network.fit` does.
    penalty : WeightDecay, optional
        What the network was trained with: alpha = beta lambda. One of `prior_precision` and `penalty` is needed.
    noise_precision : float or array-like of shape (K,), optional
        beta in the units of T, for squared error only; (K,) with `prior_precision` only. None: (N K - gamma) / SSE,
        with the gamma that belongs to it. A classifier's and a count's is 1.
    hessian : {"ggn", "exact", "diagonal"}
        H: the Gauss-Newton matrix, never indefinite; the exact second derivatives; the diagonal of the Gauss-Newton
        matrix, for networks whose (P, P) matrix is too large.
    standardize : bool or Units, default=False
        True: the posterior of the problem that ``fit(standardize=True)`` solves, in the units that the network knows
        (`Network.units`), or else in those of X and T; units may be given too. `prior_precision` and `penalty` are
        those of that problem. The posterior is kept there, and all it says is in the units of X and T: once means are
        taken off no diagonal prior in raw units is the same.

    Attributes
    ----------
    params : ndarray of shape (P,)
        w, of a network that takes and gives the units of X and T.
    units : Units or None
        In which the posterior was found: as `Network.units`.
    prior_precision : ndarray of shape (P,)
        alpha, of the parameters in these units.
    noise_precision : float or ndarray of shape (K,)
        beta in the units of T; 1 for classifiers and counts. With several outputs in standardised units (K,), all from
        one: the noise is the same share of each target's standard deviation. inf where a target is constant, whose
        output is known, and takes no part.
    log_evidence : float
        ln p(T | X) = -beta E_D - sum alpha_i/2 w_i^2 + 1/2 sum ln alpha_i - 1/2 ln|A| + N/2 sum_k ln(beta_k / 2 pi),
        the last term for regression only; for counts less sum ln t!. Of targets in their own units: N sum_k ln c_k
        less than of standardised ones with the scales c_k. Flat and held parameters have no terms of their
        own: compare networks with the same ones.
    log_likelihood : float
        ln p(T | X, w), at w.
    aic, bic, nic : float
        Information criteria: -2 ln p(T | X, w) plus 2 gamma, gamma ln N, or 2 tr(F A^-1), F the sum of outer products
        of the samples' gradients. The noise precision is not counted as a parameter.
    log_symmetries : float
        sum over hidden layers of ln M!, and M ln 2 if the activation is odd: by so much do all modes that differ by
        exchange of units and signs exceed one.
    log_distinct_symmetries : float
        The same for modes that do not overlap: units that do nothing do not count. Add it where networks of different
        sizes are compared.
    gamma : ndarray of shape (P,)
        1 - alpha_i (A^-1)_ii: how far the data determine each parameter.
    grad_norm : float
        Largest derivative of the negative log posterior, in the units of the posterior: 0 at a maximum. The formulas
        hold there.
    distance : float
        sqrt(g' A^-1 g), g its gradient: by so many posterior standard deviations the network is away from the optimum,
        to second order.
    rounding : float
        eps times the condition number of A, scaled to a unit diagonal (by a few steps of the power method): variances
        are wrong by no more than about this share, mostly by a tenth of it or less.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, or the data do not determine the noise.
    NotPositiveDefiniteError
        If A is not positive definite: at a saddle with ``hessian="exact"``, or with a flat prior where parameters are
        not determined by the data (softmax outputs never are). Says the smallest eigenvalue, and which parameters.

    Warns
    -----
    PosteriorWarning
        If it should not be trusted: ``distance > 0.1`` or ``rounding > 1e-3``. Says what may be changed.

    Notes
    -----
    Cost: `Network.hessian`, one Cholesky factorisation and inversion, P^3 / 2 multiplications; memory three (P, P)
    matrices, and half a one more from the first prediction on, or vectors with ``hessian="diagonal"``. With
    noise_precision None also P^3 for eigenvalues.

    References
    ----------
    PRML, 5.7: (5.162)-(5.178), (5.180)-(5.190); MacKay (1992), A practical Bayesian framework for backpropagation
    networks; Immer et al. (2021), Improving predictions of Bayesian neural nets via local linearization.

    Examples
    --------
    >>> import numpy as np, fastmlp
    >>> x = np.linspace(-1, 1, 30)[:, None]
    >>> t = np.sin(3 * x) + 0.1 * np.random.default_rng(0).normal(size=x.shape)
    >>> net, penalty = fastmlp.Network([1, 3, 1], rng=1), fastmlp.WeightDecay(0.01, 0.01)
    >>> result = net.fit(x, t, penalty=penalty)
    >>> posterior = fastmlp.Laplace(net, x, t, penalty=penalty)
    >>> mean, variance = posterior.predict([[0.0], [3.0]])
    >>> bool(variance[1, 0] > 4 * variance[0, 0] > 4 * 0.1**2 / 2)
    True
    """

    def _shown(self) -> Page:
        title = f"{type(self).__name__}: normal posterior of the parameters, {self.hessian} curvature"
        return Page(title, (shown.facts(self), shown.layers(self)))

    def predict(self, X: Any, parts: bool = False, *, n_draws: int = 1000, rng: Any = 0) -> Any:
        """What new targets will be, with the uncertainty of the parameters: y(x, w) linearised in w.

        Parameters
        ----------
        X : array-like of shape (N, D)
        parts : bool, default=False
            Return the mean and both parts of the variance, for any loss.
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

        Raises
        ------
        TypeError, ValueError
            If X is not an array of finite real numbers of shape (N, D), or another argument is wrong.

        Notes
        -----
        With J = dy/dw at w, or of the logits a where the loss is not squared error, V = J A^-1 J':

        ==================  ========================================================================================
        squared error       mean y(x, w), variance diag V + 1/beta                             (PRML 5.172, 5.173)
        logistic            E[sigma(a)], a ~ N(a(x, w), V), by quadrature right to 2e-13       (PRML 5.185-5.190)
        softmax             E[softmax(a)], by `n_draws` pairwise opposite draws of the logits
        exp, Poisson        mean rate r = exp(a + V/2), variance r + (exp(V) - 1) r^2          (log-normal rate)
        ==================  ========================================================================================

        Cost: a Jacobian by the parameters and N K P^2 multiplications; memory a block of the Jacobian.
        """
        n_draws = check.integer(n_draws, "n_draws", 1, check.bits_for(self._architecture.n_outputs))
        if type(rng) is not int or rng < 0:  # such a number needs no generator to be checked, which takes 40 us to make
            rng = check.generator(rng)
        prediction = self._prediction(self._checked(X), n_draws, rng)
        if parts:
            return prediction
        if self.has_variance:
            return prediction.mean, prediction.epistemic + prediction.noise
        return prediction.mean

    def _checked(self, X: Any) -> Float:
        """Inputs in the posterior's units."""
        return self._frame.inputs(check.matrix(X, "X", self._architecture.n_inputs, self._architecture.dtype))

    @property
    def has_variance(self) -> bool:
        """Whether `predict` returns a variance too: not for classifiers, whose probabilities say all."""
        return not self._architecture.loss.is_of_classes

    def log_density(self, X: Any, T: Any) -> Float:
        """Ln p(t|x) of new samples, how well they are foretold.

        Parameters
        ----------
        X : array-like of shape (N, D)
        T : array-like of shape (N, K)
            As for `Network.loss`.

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
        samples = functional.check_samples(self._architecture, X, T)
        prediction = self.predict(samples.X, parts=True)
        variance = prediction.epistemic + prediction.noise
        return likelihood.log_density(self._architecture.loss, samples, prediction.mean, variance, self._frame.varying)

    @property
    def network(self) -> Network:
        """A new network with the parameters w, in float64."""
        return Network._make(self._architecture, self._frame.params(self._params), self.units, trained=True)

    def _prediction(self, X: Float, n_draws: int, rng: Any) -> Prediction:
        loss = self._architecture.loss
        if loss.couples_outputs:
            p, variance = self._moderated_classes(X, n_draws, check.generator(rng))
            return Prediction(p, variance, np.maximum(p * (1 - p) - variance, 0.0))
        center, variance = np.empty((2, len(X), self._architecture.n_outputs))
        for rows, y, J in self._linearised(X):
            center[rows], variance[rows] = y, self._covariance.quadratic(J, self._n_threads)
        if loss.has_noise:
            c = self._frame.output_scale
            noise = np.zeros(center.shape) + np.where(self._frame.varying, c * (c / np.asarray(self._beta)), 0.0)
            return Prediction(self._frame.outputs(center), c * (c * variance), noise)
        if loss.is_of_counts:
            rate, variance = moderation.log_normal(center, variance)
            return Prediction(rate, variance, rate)
        p, variance = moderation.logistic(center, variance)
        return Prediction(p, variance, np.maximum(p * (1 - p) - variance, 0.0))

    def _moderated_classes(self, X: Float, n_draws: int, rng: np.random.Generator) -> tuple[Float, Float]:
        draws = moderation.opposite_draws(n_draws, self._architecture.n_outputs, rng)
        p, variance = np.empty((2, len(X), self._architecture.n_outputs))
        for rows, logits, J in self._linearised(X):
            p[rows], variance[rows] = moderation.softmax(logits, self._covariance.times_root(J, self._n_threads), draws)
        return p, variance

    def _linearised(self, X: Float) -> Iterator[tuple[slice, Float, Float]]:
        """Outputs, logits but for squared error, of some samples after the other, and J by parameters not held."""
        size = max(1, BLOCK // (self._architecture.n_outputs * len(self._params)))
        for first in range(0, len(X), size):
            rows = slice(first, min(first + size, len(X)))
            center, J = derivatives.linearise(self._architecture, self._params, X[rows], self._n_threads)
            yield rows, center, J if len(self._free) == len(self._params) else np.ascontiguousarray(J[..., self._free])

    def _linearised_at_once(self) -> tuple[Float, Float]:
        """The same (N, K) and (N, K, n) of all samples of the posterior."""
        n_samples, n_outputs = len(self._samples.X), self._architecture.n_outputs
        center, J = np.empty((n_samples, n_outputs)), np.empty((n_samples, n_outputs, len(self._free)))
        for rows, own_center, own_J in self._linearised(self._samples.X):
            center[rows], J[rows] = own_center, own_J
        return center, J

    def covariance(self, X: Any) -> Float:
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
        X = self._checked(X)
        shape, V = (len(X), self._architecture.n_outputs), np.empty((0, len(self._free)))
        for _, _, J in self._linearised(X):
            rooted = self._covariance.times_root(J, self._n_threads)
            V = np.concatenate([V, rooted.reshape(len(J) * J.shape[1], V.shape[1])])
        V *= np.tile(self._frame.output_scale, len(X))[:, np.newaxis]
        return _memory.product(V, V.T).reshape(shape * 2)

    def leave_one_out(self, retrain: str = "none") -> LeaveOneOut:
        """Each sample predicted by the network that was trained without it, without training any.

        Parameters
        ----------
        retrain : {"none", "doubtful", "all"}
            For which samples a network is trained after all, from w on, without the sample.

        Returns
        -------
        LeaveOneOut
            `outputs`, `residuals` (outputs less targets), `losses`, `leverage`, `cooks_distance`, and `doubtful`.

        Raises
        ------
        ValueError
            If retrain is not one of these, or the posterior has left out its samples, as copies of an estimator's do.

        Notes
        -----
        For one output and squared error the residual r_n becomes r_n / (1 - h_n), h_n = beta J_n A^-1 J_n'; else one
        Newton step with the sample's K x K part of the curvature taken off. Exact without hidden layer under squared
        error. With hidden units it holds at a minimum, best with ``hessian="exact"``, and less the nearer h_n is to 1.
        alpha and beta stay as they are, and the network in its basin: all three were chosen with the sample. A sample
        weighted s_n leaves with all of its weight. Where h_n is 1 to rounding, or more, the sample alone determines a
        parameter, and all but its leverage is nan; `retrain` trains there.

        Cost: as `predict` for all samples; memory N K P numbers twice. A training from near by for each of `retrain`.

        References
        ----------
        Hansen and Larsen (1996), Linear unlearning for cross-validation; Monari and Dreyfus (2002).

        Examples
        --------
        >>> import fastmlp
        >>> net = fastmlp.Network([1, 1])
        >>> net.params = [0.0, 2.0]  # the mean of 1, 2 and 3
        >>> prior = {"W1": float("inf"), "b1": 0.0}
        >>> posterior = fastmlp.Laplace(net, [[0.0]] * 3, [1.0, 2.0, 3.0], prior_precision=prior)
        >>> posterior.leave_one_out().outputs.T.round(12)  # means of the two others
        array([[2.5, 2. , 1.5]])
        """
        retrain = check.choice(retrain, "retrain", ("none", "doubtful", "all"))
        result = self._removal().leave_one_out(self.effective_n_params)
        if retrain != "none":
            for n in range(len(result.outputs)) if retrain == "all" else np.flatnonzero(result.doubtful):
                self._train_without(int(n), result)
        return self._for_the_user(result)

    def _for_the_user(self, result: LeaveOneOut) -> LeaveOneOut:
        if self.units is None or self.units.targets is None:
            return result
        residuals = self._frame.output_scale * result.residuals
        losses = 0.5 * (residuals**2).sum(axis=1)
        return result._replace(outputs=self._frame.outputs(result.outputs), residuals=residuals, losses=losses)

    def _train_without(self, n: int, result: LeaveOneOut) -> None:
        """Put what the trained network says in the place of what the formula does."""
        architecture, samples, row = self._architecture, self._samples, slice(n, n + 1)
        weight = np.ones(len(samples.X)) if samples.weight is None else samples.weight.copy()
        weight[n] = 0.0
        without = samples._replace(weight=weight)
        params = to_maximum(
            architecture, self._params, without, self.prior_precision, self._beta, TOLERANCE, self._n_threads
        )
        result.outputs[row] = functional.predict(architecture, params, samples.X[row])
        result.residuals[row] = result.outputs[row] - samples.targets.rows(architecture.n_outputs)[row]
        result.losses[row] = functional.sample_losses(architecture, params, samples.rows(np.array([n])))
        change = (params - self._params)[self._free]
        distance = (
            change @ (self._curvature @ change if self._curvature.ndim == 2 else self._curvature * change)
            + self.prior_precision[self._free] @ change**2
        )
        result.cooks_distance[n] = distance / self.effective_n_params

    def influence(self, X: Any = None) -> Float:
        """What leaving out each sample changes: the parameters, or the predictions at X.

        Parameters
        ----------
        X : array-like of shape (N_new, D), optional

        Returns
        -------
        ndarray of shape (N, P) or (N, N_new, K)
            w_(-n) - w, or the change of the outputs at X, to first order in w; of the logits but for squared error.

        Raises
        ------
        TypeError, ValueError
            If X is not an array of finite real numbers of shape (N_new, D), or the posterior has left out its samples.

        Notes
        -----
        As `leave_one_out`; nan for a sample that alone determines a parameter.
        """
        change = self._removal().params_change()
        if X is None:
            result = np.zeros((len(change), len(self._params)))
            result[:, self._free] = change
            return self._frame.directions(result)
        X = self._checked(X)
        result = np.empty((len(change), len(X), self._architecture.n_outputs))
        for rows, _, J in self._linearised(X):
            result[:, rows] = np.einsum("mkp,np->nmk", J, change)
        return self._frame.output_scale * result

    def _removal(self) -> Removal:
        center, J = self._linearised_at_once()
        return Removal(self._architecture, self._samples, center, J, self._covariance, self._beta)

    def predict_jacobian(self, X: Any) -> tuple[Float, Float]:
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
        architecture = self._architecture
        X = self._checked(X)
        mean = derivatives.jacobian(architecture, self._params, X, "inputs", "outputs", self._n_threads)
        variance = np.empty(mean.shape)
        size = max(1, BLOCK // (len(self._params) * architecture.n_outputs * architecture.n_inputs))
        for first in range(0, len(X), size):
            rows = slice(first, first + size)
            g = mixed.input_params(architecture, self._params, X[rows])[..., self._free]
            variance[rows] = self._covariance.quadratic(g, self._n_threads).transpose(0, 2, 1)
        ratio = self._frame.output_scale[:, np.newaxis] / self._frame.input_scale
        return ratio * mean, ratio * (ratio * variance)
