"""The Laplace approximation: a trained network's parameters as a normal distribution."""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np

from fastmlp import _validation as check
from fastmlp._hints import hinting
from fastmlp._quiet import quiet
from fastmlp._tables import Page, printed
from fastmlp._types import ArrayLike, Precision
from fastmlp.bayes import doubts, problem, shown
from fastmlp.bayes.omitting import Omitting
from fastmlp.bayes.posterior import Posterior
from fastmlp.derivatives import definite
from fastmlp.errors import NotPositiveDefiniteError
from fastmlp.model import functional
from fastmlp.model.chunks import Chunks
from fastmlp.model.units import Units
from fastmlp.network import Network
from fastmlp.optimize import advice
from fastmlp.terms import objective as objectives
from fastmlp.terms import outputs
from fastmlp.terms.term import Penalty


@printed
@quiet
class Laplace(Omitting):
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
    penalty : WeightDecay, Quadratic, TangentPropagation or their sum, optional
        What the network was trained with: alpha = beta lambda. A `Quadratic`, an old posterior as the prior of new
        data, makes a prior N(m, Pi^-1) with a matrix Pi, beta times that of the penalty, in A in place of diag(alpha),
        and in the evidence, in which the prior's logarithm is that of a density. A `TangentPropagation` is data, of the
        noise precision beta w. One of `prior_precision` and `penalty` is needed.
    noise_precision : float or array-like of shape (K,), optional
        beta in the units of T, for squared error only. (K,): of each output, such as ``fit(noise="per_output")`` tells;
        beside a penalty alpha = beta lambda, 1/beta the mean variance of the noise in the units of the posterior. None:
        (N K - gamma) / SSE, with the gamma that belongs to it, 0 where it is negative. A classifier's and a count's
        is 1.
    noise : {"per_output", "shared"}
        Where several outputs have one beta that was not told: new targets have each output's own noise, `noise_std`,
        or that of beta. The posterior of the parameters, the evidence included, is the same, with one beta: that of a
        network trained with one weight for all.
    hessian : {"ggn", "exact", "diagonal"}
        H: the Gauss-Newton matrix, never indefinite; the exact second derivatives; the diagonal of the Gauss-Newton
        matrix, for networks whose (P, P) matrix is too large.
    sigma : array-like of shape (N,) or (N, K), optional
        Standard deviations of the measurement errors of the targets, in the units of T: target n, k has the variance
        sigma_nk^2 / beta, beta a number, so that E_D = 1/2 sum ((y - t) / sigma)^2. Errors weigh targets, and do not
        count samples, as `sample_weight` does.
    missing : {"raise", "ignore"}
        Of squared error, what nan in T means: an error, or a target that there is none of. It has no weight: the
        others of its sample count, N is another for each output, and so are means and deviations of standardised units.
    absolute_sigma : bool, default=False
        True: errors are known, beta = 1. False: they are known up to one factor, and beta is estimated, as other noise
        is.
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
        alpha, of the parameters in these units; the diagonal of Pi with a `Quadratic`.
    noise_precision : float or ndarray of shape (K,)
        beta in the units of T; 1 for classifiers and counts. With several outputs in standardised units (K,), all from
        one: the noise is the same share of each target's standard deviation. inf where a target is constant, whose
        output is known, and takes no part.
    noise_std : ndarray of shape (K,) or None
        Standard deviations of the noise that `predict` adds, in the units of T: beta^-1/2; with ``noise="per_output"``
        of each output (SSE_k / (N - gamma_k))^1/2, with gamma_k = beta tr(A^-1 J_k'J_k), its share in gamma. With
        ``hessian="exact"`` these shares are those of Gauss-Newton beside the exact A, and do not add up to gamma; with
        "diagonal" they do.
    log_evidence : float
        ln p(T | X) = -beta E_D - sum alpha_i/2 w_i^2 + 1/2 sum ln alpha_i - 1/2 ln|A| + N/2 sum_k ln(beta_k / 2 pi),
        the last term for regression only, less sum ln sigma_nk with `sigma`; for counts less sum ln t!. Of targets in
        their own units: N sum_k ln c_k less than of standardised ones with the scales c_k. Flat and held parameters
        have no terms of their own: compare networks with the same ones.
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
        1 - alpha_i (A^-1)_ii, or 1 - (Pi A^-1)_ii: how far the data determine each parameter.
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
    noise_precision None also P^3 for eigenvalues. Where N K is less than P / 4 (from P = 200 on; from 3,000 on, less
    than P), with the Gauss-Newton matrix and a diagonal prior, N K rows of P numbers take their place: (N K)^2 P
    multiplications, and 2 N K P for each row that is predicted.

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

    @hinting
    def __init__(
        self,
        net: Network,
        X: ArrayLike | Chunks,
        T: ArrayLike | None = None,
        *,
        prior_precision: Precision | None = None,
        penalty: Penalty | None = None,
        noise_precision: ArrayLike | None = None,
        noise: str = "per_output",
        hessian: str = "ggn",
        standardize: bool | Units = False,
        sample_weight: ArrayLike | None = None,
        sigma: ArrayLike | None = None,
        absolute_sigma: bool = False,
        missing: str = "raise",
        n_threads: int | None = None,
    ) -> None:
        self._be_new()
        words = doubts.LIBRARY if penalty is None else doubts.WITH_PENALTY
        self._form(
            words, net, X, T, prior_precision=prior_precision, penalty=penalty, noise_precision=noise_precision,
            noise=noise, hessian=hessian, standardize=standardize, sample_weight=sample_weight, sigma=sigma,
            absolute_sigma=absolute_sigma, missing=missing, n_threads=n_threads,
        )  # fmt: skip

    @classmethod
    def _make(cls, words: doubts.Words, net: Network, X: ArrayLike, T: ArrayLike, **options: Any) -> Self:
        """As the constructor; `words` are those of another caller."""
        posterior = cls.__new__(cls)
        posterior._form(words, net, X, T, **options)
        return posterior

    @quiet
    def _form(
        self, words: doubts.Words, net: Network, X: Any, T: Any, *, hessian: str = "ggn", centred: str = "",
        noise: str = "per_output", **options: Any,
    ) -> None:  # fmt: skip
        """What the constructor does; the prior of groups that begin with `centred` has its mean where they are."""
        hessian = check.choice(hessian, "hessian", problem.HESSIANS)
        by_output = check.choice(noise, "noise", ("per_output", "shared")) == "per_output"
        frame, objective, words, own = problem.Arguments(net, X, T, hessian=hessian, **options).posed(words)
        found, covariance = (None, None) if own is None else (own.found, own.covariance)
        posterior = Posterior(
            objective, objective.x0, hessian, frame.varying, words=words, found=found, covariance=covariance
        )
        if centred:
            posterior = posterior.centred(centred)
        self._be_new()
        self._frame, self._posterior = frame, posterior
        self._freedom = math.inf if own is None else 2 * own.found.value  # beta SSE, which is N K - gamma
        if by_output and own is not None and np.count_nonzero(frame.varying) > 1 and not frame.measured:
            self._own_noise = posterior.noise_by_output()
            left = self._own_noise * outputs.squared_errors(objective.data, posterior.params)
            self._freedom = np.where(left > 0, left, np.inf)
        doubts.warn(posterior, words)
        if said := frame.beyond(posterior.beta):
            advice.say(said)

    def _shown(self) -> Page:
        title = f"{type(self).__name__}: normal posterior of the parameters, {self.hessian} curvature"
        return Page(title, (shown.facts(self), shown.layers(self)))

    def updated(
        self, X: ArrayLike | Chunks, T: ArrayLike | None = None, *, sample_weight: ArrayLike | None = None,
        sigma: ArrayLike | None = None, missing: str = "raise",
    ) -> Laplace:  # fmt: skip
        """The posterior after more samples, with this one as the prior: earlier samples are not needed.

        Parameters
        ----------
        X : array-like of shape (N, D)
        T : array-like of shape (N, K) or (N,)
            New samples alone.
        sample_weight : array-like of shape (N,), optional
        sigma : array-like of shape (N,) or (N, K), optional
            Measurement errors of the new targets, if the old ones have some, and else none.
        missing : {"raise", "ignore"}
            As of `Laplace`; of an output there may be no target at all.

        Returns
        -------
        Laplace
            At w_0 - (A_0 + G)^-1 g, one Gauss-Newton step: w_0 and A_0 those of this one, g and G the gradient and the
            Gauss-Newton matrix of beta E_D(new) there. Its second derivatives are A_0 and those of Gauss-Newton for the
            new samples, its `log_evidence` is ln p(T_new | T_old); beta and the units stay as they are.

        Raises
        ------
        TypeError, ValueError
            If an argument is wrong, or parameters are shared.

        Notes
        -----
        For a network without hidden layer, squared error and the same precisions, the posterior of all samples. Else
        the old samples count by their quadratic form alone, and the more the parameters move, the less that is: a way
        to follow new data between trainings on all of them (`fastmlp.refit`), not instead of these. More steps would
        lead to the minimum of the new loss and that quadratic form, which is worse than where the first one ends, and
        often than w_0: far away the form is too small.

        Cost: a Gauss-Newton matrix of the new samples, and P^3 / 6 multiplications.

        References
        ----------
        PRML 3.3.1, and 5.4.2 for the sequential form.

        Examples
        --------
        >>> import fastmlp
        >>> net = fastmlp.Network([1, 1])
        >>> net.params = [0.0, 1.5]  # the mean of 1 and 2
        >>> prior = {"W1": float("inf"), "b1": 0.0}
        >>> old = fastmlp.Laplace(net, [[0.0]] * 2, [1.0, 2.0], prior_precision=prior, noise_precision=1.0)
        >>> new = old.updated([[0.0]], [3.0])
        >>> new.params.round(9), new.params_std.round(4)
        (array([0., 2.]), array([0.    , 0.5774]))
        """
        own = self._posterior
        samples = functional.check_samples(own.architecture, X, T, sample_weight, sigma, missing)
        if self._frame.measured != (sigma is not None):
            expected = "errors of the new targets, as the old ones have" if self._frame.measured else "None, as before"
            raise ValueError(f"sigma: expected {expected}, got {'none' if sigma is None else 'some'}")
        objectives.require_some(samples)
        frame = self._frame.also(samples)
        if frame.units is not None:
            samples = frame.units.applied(samples)
        objective = own.as_prior_of(samples)
        v, gradient, A = objective.x0, objective.grad(objective.x0), objective.ggn(objective.x0)
        try:
            v = v - definite.solve(definite.factored(A), gradient) if len(v) else v
        except NotPositiveDefiniteError as error:  # beyond rounding: each of the two is positive semi-definite
            raise NotPositiveDefiniteError(
                f"sample_weight: expected new samples that count about as much as the old ones, got some beside which "
                f"the old posterior's precision is lost in rounding ({error}); take more equal weights"
            ) from error
        kind = "ggn" if own.hessian == "exact" else own.hessian  # away from an optimum of the new samples
        new = Laplace._of(frame, Posterior(objective, v, kind, frame.varying), self._freedom)
        new._own_noise = self._own_noise
        return new
