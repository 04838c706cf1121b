"""Precisions chosen by the evidence: training and re-estimation in turn, until both agree."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp import _validation as check
from fastmlp import functional, selection
from fastmlp import objective as objectives
from fastmlp.architecture import Architecture
from fastmlp.bayes.laplace import Laplace
from fastmlp.errors import IdenticalUnitsWarning
from fastmlp.network import Network, check_network
from fastmlp.terms import DataTerm, WeightDecay

Float = NDArray[np.float64]

GROUPS = ("layers", "all", "ard")
DEAD = 1e-3  # share of a group's parameters that the data determine, at which it is pruned
SMALLEST_STEP = 1 / 8  # of the way to the new precisions, in logarithms
FALL = 1.0  # of the log evidence below the largest so far, that is let pass
PERFECT = 1e-12  # sum of squared errors over that of the targets, below which there is no noise
START_ALPHA, START_SIGNAL = 0.1, 100.0  # prior precision; variance of the targets over that of the noise


class Evidence(Laplace):
    """The posterior at precisions that the evidence has chosen: what `fastmlp.fit_evidence` returns.

    Attributes
    ----------
    group_precisions : dict
        alpha by name of the group; inf for those that were pruned. `prior_precision` has it by parameter.
    pruned : tuple of str
        Groups that the data say nothing about: their parameters are 0.
    history : dict of ndarray
        One entry for each step up to this posterior, the start first: log_evidence, effective_n_params,
        noise_precision, prior_precision (steps, groups).
    converged : bool
        Whether re-estimation would change no precision by more than `tol`. Else this is the posterior with the largest
        evidence up to `max_iter`, or up to where re-estimation lowered it.
    """

    group_precisions: dict[str, float]
    pruned: tuple[str, ...]
    history: dict[str, Float]
    converged: bool


def fit_evidence(
    net: Network,
    X: Any,
    T: Any,
    groups: str = "layers",
    *,
    prior_precision: float = START_ALPHA,
    noise_precision: float | None = None,
    sample_weight: Any = None,
    max_iter: int = 200,
    tol: float = 1e-4,
    n_threads: Any = None,
) -> Evidence:
    """Train a network with prior and noise precisions that maximise the evidence, and no validation set.

    Parameters
    ----------
    net : Network
        Trained in place, from its present parameters, by Levenberg-Marquardt.
    X, T, sample_weight, n_threads
        As for `Network.loss`; X, and T for regression, best in standardised units, in which the start makes sense.
    groups : {"layers", "all", "ard"}
        What has a precision of its own: the weights and the biases of each layer, as in ``net.groups``; all together;
        the weights from each input ("W1[:,0]"), and the other groups (automatic relevance determination).
    prior_precision, noise_precision : float, optional
        Where to start: alpha, 0.1, and beta, 100 over the variance of the targets: a weak prior, since a strong one may
        flatten the network before it has learnt anything. Classifiers and counts have beta = 1.
    max_iter : int
        Re-estimations.
    tol : float
        Converged once no ln alpha_g, and not ln beta, would change by more than this.

    Returns
    -------
    Evidence
        A `Laplace` of the trained network, with `group_precisions`, `pruned`, `history` and `converged` too.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, or the fit becomes perfect, so that there is no noise to estimate.

    Notes
    -----
    In turn the network is trained with weight decay alpha_g / beta, and

        alpha_g = gamma_g / |w_g|^2,    beta = (N K - sum gamma_g) / SSE,    gamma_g = P_g - alpha_g tr_g A^-1,

    with the Gauss-Newton matrix in A. Where the log evidence falls, by more than 1 below the largest so far, the step
    is halved, in logarithms, and tried again; where an eighth is too much still, this is the end, and the result the
    posterior of the largest evidence. For the fixed point is not the maximum of the evidence of a network with hidden
    units, since A depends on w: mostly it is a little lower, but where weights into hidden units shrink and those out
    of them grow, re-estimation may go far astray.

    A group that is determined to less than a thousandth of its parameters, gamma_g <= 0.001 P_g, is on its way to an
    infinite precision: its weights become 0, and stay.

    Cost: a training from near by and a `Laplace` for each step. The result depends on the start: train several
    networks, and take the one with the largest ``log_evidence + log_symmetries``.

    References
    ----------
    PRML (3.91)-(3.98), (5.175)-(5.180), 7.2.1; MacKay (1992).

    Examples
    --------
    >>> import numpy as np, fastmlp
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(-2, 2, (100, 2))
    >>> T = np.sin(2 * X[:, 0]) + 0.1 * rng.normal(size=100)  # the second input does not matter
    >>> posterior = fastmlp.fit_evidence(fastmlp.Network([2, 5, 1], rng=1), X, T, groups="ard")
    >>> bool(abs(posterior.noise_precision**-0.5 - 0.1) < 0.02), posterior.converged
    (True, True)
    >>> bool(posterior.group_precisions["W1[:,1]"] > 100 * posterior.group_precisions["W1[:,0]"])
    True
    """
    max_iter, tol = check.integer(max_iter, "max_iter", 0), check.number(tol, "tol", 0.0)
    alternation = _Alternation(check_network(net), X, T, groups, 0.01 * tol, sample_weight, n_threads)
    alpha = np.full(len(alternation.groups), check.number(prior_precision, "prior_precision", 0.0, above=True))
    beta = alternation.start_beta(noise_precision)

    posterior, share, converged = alternation.trained(alpha, beta), 1.0, False
    best = posterior, alpha
    path = [(posterior.log_evidence, posterior.effective_n_params, beta, alpha)]
    for _ in range(max_iter):
        new_alpha, new_beta = alternation.re_estimated(posterior)
        converged = _change(alpha, new_alpha) <= tol and abs(math.log(new_beta / beta)) <= tol
        if converged:
            break
        before = net.params
        while True:
            next_alpha, next_beta = _part_way(alpha, new_alpha, share), beta * (new_beta / beta) ** share
            candidate = alternation.trained(next_alpha, next_beta)
            falls = not candidate.log_evidence >= best[0].log_evidence - FALL
            if not falls or share <= SMALLEST_STEP:
                break
            share /= 2
            net.params = before
        if falls:
            break
        posterior, alpha, beta, share = candidate, next_alpha, next_beta, min(1.0, 2 * share)
        path.append((posterior.log_evidence, posterior.effective_n_params, beta, alpha))
        if posterior.log_evidence > best[0].log_evidence:
            best = posterior, alpha
    if not converged:
        posterior, alpha = best
        net.params = posterior.params
        path = path[: 1 + [step[0] for step in path].index(posterior.log_evidence)]
    posterior.group_precisions = dict(zip(alternation.groups, alpha.tolist(), strict=True))
    posterior.pruned = tuple(name for name, value in posterior.group_precisions.items() if value == math.inf)
    names = ("log_evidence", "effective_n_params", "noise_precision", "prior_precision")
    posterior.history = {name: np.array(values) for name, values in zip(names, zip(*path, strict=True), strict=True)}
    posterior.converged = converged
    return posterior


class _Alternation:
    """Training at given precisions, to |gradient of the log posterior| <= tol, and precisions for a trained network."""

    def __init__(
        self, net: Network, X: Any, T: Any, groups: Any, tol: float, sample_weight: Any, n_threads: Any
    ) -> None:
        architecture = net._architecture
        self.net, self.given, self.tol = net, (X, T), tol
        self.options = {"sample_weight": sample_weight, "n_threads": n_threads}
        self.samples = functional.check_samples(architecture, X, T, sample_weight)
        objectives.require_samples(self.samples)
        self.groups = _named_groups(architecture, check.choice(groups, "groups", GROUPS))
        self.where = [selection.positions(architecture, names, "groups") for names in self.groups.values()]
        self.is_regression = architecture.loss == "squared_error"
        values = self.samples.targets.values
        self.squares = 0.0 if values is None else float((values.astype(np.float64) ** 2).sum())

    def start_beta(self, value: Any) -> float:
        """The noise precision to begin with."""
        if not self.is_regression:
            if value is not None:
                raise ValueError(f"noise_precision: expected None for {self.net.loss_name}, got {value!r}")
            return 1.0
        assert self.samples.targets.values is not None
        variance = float(self.samples.targets.values.var(axis=0, dtype=np.float64).mean())
        if variance == 0:
            raise ValueError("T: expected targets with noise, got constant ones")
        return START_SIGNAL / variance if value is None else check.number(value, "noise_precision", 0.0, above=True)

    def trained(self, alpha: Float, beta: float) -> Evidence:
        """The posterior at the optimum for these precisions that is next to the present parameters."""
        precisions = {name: a for a, names in zip(alpha, self.groups.values(), strict=True) for name in names}
        held = [name for name, a in precisions.items() if a == math.inf]
        if held:
            params = self.net.params
            params[selection.positions(self.net._architecture, held, "groups")] = 0.0
            self.net.params = params
        if len(held) < len(precisions):
            penalty = WeightDecay({name: a / beta for name, a in precisions.items() if a < math.inf})
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", IdenticalUnitsWarning)  # units that have died are
                self.net.fit(
                    *self.given, method="lm", penalty=penalty, fixed=held or None, tol=self.tol / beta, **self.options
                )
        noise = beta if self.is_regression else None
        return Evidence(self.net, *self.given, prior_precision=precisions, noise_precision=noise, **self.options)

    def re_estimated(self, posterior: Laplace) -> tuple[Float, float]:
        """gamma_g / |w_g|^2, inf for the dead, and (N K - gamma) / SSE."""
        gamma = np.array([posterior.gamma[where].sum() for where in self.where])
        squares = np.array([(posterior.params[where] ** 2).sum() for where in self.where])
        dead = gamma <= DEAD * np.array([len(where) for where in self.where])
        new_alpha = np.where(dead | (squares == 0), math.inf, gamma / np.where(squares > 0, squares, 1.0))
        if not self.is_regression:
            return new_alpha, 1.0
        sse = 2 * DataTerm(posterior._architecture, posterior._samples).value(posterior.params)
        left = self.samples.total_weight * self.net.layers[-1] - posterior.effective_n_params
        if sse <= PERFECT * self.squares:
            raise ValueError(
                "T: expected targets with noise, which the network cannot fit perfectly, got a sum of squared errors "
                f"of {sse:g}, where that of zero outputs is {self.squares:g}"
            )
        return new_alpha, left / sse


def _named_groups(architecture: Architecture, groups: str) -> dict[str, list[str]]:
    """What shares a precision, by names that `selection` knows."""
    layers = list(architecture.groups)
    if groups == "all":
        return {"all": layers}
    if groups == "ard":
        layers[:1] = [f"W1[:,{i}]" for i in range(architecture.n_inputs)]
    return {name: [name] for name in layers}


def _change(alpha: Float, new: Float) -> float:
    """Largest difference of logarithms; what is pruned already does not change."""
    kept = np.isfinite(alpha)
    return float(np.abs(np.log(new[kept] / alpha[kept])).max(initial=0.0))


def _part_way(alpha: Float, new: Float, share: float) -> Float:
    """From alpha to the new precisions by a share of the logarithms; the dead die at a whole step only."""
    alive = np.isfinite(new)
    result = np.where(alive | (share < 1.0), alpha, math.inf)
    result[alive] *= (new[alive] / alpha[alive]) ** share
    return result
