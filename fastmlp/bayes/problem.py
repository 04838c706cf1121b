"""From what the caller of `fastmlp.Laplace` gives to an objective, in the units of the posterior."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastmlp import _threads
from fastmlp import _validation as check
from fastmlp._types import ArrayLike, Float, Index, Mask, Precision
from fastmlp.bayes import derivative_data, doubts, noise, prior
from fastmlp.bayes.frame import Frame, framed
from fastmlp.bayes.posterior import Derivatives, by_rows, derivatives_of, has_rows, n_rows
from fastmlp.bayes.precisions import by_parameter
from fastmlp.derivatives import wide
from fastmlp.derivatives.definite import Covariance
from fastmlp.derivatives.wide import WideCovariance
from fastmlp.errors import NotPositiveDefiniteError
from fastmlp.model import functional, units
from fastmlp.model.architecture import Architecture
from fastmlp.network.network import check_network
from fastmlp.optimize import advice
from fastmlp.terms import DataTerm, Quadratic, Sum, TangentPropagation, gaussian, outputs, penalties, reparam
from fastmlp.terms import objective as objectives
from fastmlp.terms.objective import Objective
from fastmlp.terms.reparam import FreeParameters
from fastmlp.terms.term import Penalty
from fastmlp.terms.told import told_units

HESSIANS = ("ggn", "exact", "diagonal")


class Problem(NamedTuple):
    """The negative log posterior, the frame that it is in, and the words that messages about it use."""

    frame: Frame
    objective: Objective
    words: doubts.Words
    noise: Noise | None  #: what was found on the way, if the noise had to be


class Noise(NamedTuple):
    """A noise precision that belongs to the data, and what it was found from: no second pass, and no second factor."""

    beta: float
    found: Derivatives  #: at this precision
    covariance: Covariance | WideCovariance | None  #: A^-1, where that comes with it


class _Prior(NamedTuple):
    """Alpha (P,), inf where held, other quadratic forms, and derivative data; with `scaled` all in units of beta."""

    alpha: Float
    forms: tuple[Quadratic, ...]
    scaled: bool
    known: tuple[TangentPropagation, ...] = ()

    def hold(self, where: Index) -> Mask:
        """Hold some parameters besides; which are held then (P,), the alpha of which is 0 from now on."""
        self.alpha[where] = np.inf
        held = np.isinf(self.alpha)
        self.alpha[held] = 0.0
        return held

    def penalty(self, beta: float) -> Any:
        """The parts together, times beta."""
        if beta == 1.0:
            decay, others = self.alpha, (*self.forms, *self.known)
        else:
            decay = beta * self.alpha
            forms = [Quadratic(form.center, beta * form.precision) for form in self.forms]
            others = (*forms, *(each.times(beta) for each in self.known))
        return Sum(gaussian.by_parameter(decay), *others) if others else gaussian.by_parameter(decay)


class Arguments(NamedTuple):
    """Those of `fastmlp.Laplace`, which documents them."""

    net: Any
    X: Any
    T: Any
    prior_precision: Any = None
    penalty: Any = None
    noise_precision: Any = None
    hessian: str = "ggn"
    standardize: Any = False
    sample_weight: Any = None
    sigma: ArrayLike | None = None
    absolute_sigma: bool = False
    missing: str = "raise"
    n_threads: Any = None

    def posed(self, words: doubts.Words) -> Problem:
        """The problem, all looked at; the noise found where it is not given."""
        net = check_network(self.net)
        architecture = net._architecture.told_by(self.X, self.T)
        if architecture.dtype != np.float64:
            words = words._replace(remedy=f"{words.remedy}, in float64")
            architecture = architecture.changed(dtype="float64")
        samples = functional.check_samples(architecture, self.X, self.T, self.sample_weight, self.sigma, self.missing)
        objectives.require_samples(samples)
        _threads.resolve(self.n_threads)
        own = units.chosen(self.standardize, net.units, architecture, samples)
        own = None if own is None else told_units(self.penalty, architecture, len(samples.X), own)
        frame, samples = framed(architecture, own, samples, net._pruned)
        params = net.params.astype(np.float64)
        if frame.units is not None:
            params = frame.units.unfolded(architecture, params)
        elif net.units is not None:
            words = words._replace(hint=doubts.KNOWS_UNITS)
        penalty = self.penalty
        if penalty is not None:
            penalty = penalties.seen_in(penalty, architecture, len(samples.X), None, frame.units)
        given = _prior(architecture, self.prior_precision, penalty)
        told = measured_noise(self.noise_precision, self.sigma, self.absolute_sigma)
        beta = noise_given(frame, told, scaled=given.scaled)
        known = frame.known
        params[known] = 0.0
        free = reparam.holding(params, given.hold(known))
        data = DataTerm(architecture, samples, 1.0, self.n_threads)
        own_noise = None
        if beta is None:
            everything = free or reparam.Whole(len(params))
            own_noise = _noise(data, everything, params, given, frame.varying, self.hessian, words)
            beta = own_noise.beta
        factor = 1.0
        if given.scaled:
            factor = beta
            if np.ndim(beta):
                factor = outputs.common_precision(beta, frame.varying)
                if np.count_nonzero(frame.varying) > 1 and words.prior == doubts.WITH_PENALTY.prior:
                    words = words._replace(remedy=f"{words.remedy}, by fit(noise='per_output'), which tells the noise")
        whole = given.penalty(factor)
        return Problem(frame, Objective(data.at(beta), whole, params, free), words, own_noise)


def _noise(
    data: DataTerm, free: FreeParameters, params: Float, given: _Prior, varying: Mask, hessian: str,
    words: doubts.Words,
) -> Noise:  # fmt: skip
    """The beta that belongs to the data, whose term has that of 1, and the prior."""
    known = tuple(each.on(data) for each in given.known)
    n_targets = float(data.samples.counts(len(varying))[varying].sum()) + derivative_data.count(known, varying)
    if not varying.any():
        raise ValueError(f"{words.noise}: {advice.remedies().targets} is constant")
    Pi = prior.precision(free.pull(given.alpha), given.forms, free)
    found = derivatives_of(data, known, free, params, hessian, Pi)
    B = found.curvature
    covariance: Covariance | WideCovariance | None = None
    try:
        if given.scaled:
            covariance = wide.covariance(B, Pi)
            beta = noise.with_penalty(prior.shares(Pi, covariance), n_targets, 2 * found.value)
            covariance = covariance.over(beta)
        else:
            if has_rows(known, hessian, Pi) and wide.pays_for_eigenvalues(n_rows(data), free.n):
                B = by_rows(data, free, params)
            beta = noise.with_prior(B, Pi, n_targets, 2 * found.value)
        return Noise(beta, found.times(beta), covariance)
    except NotPositiveDefiniteError as error:
        raise doubts.without_inverse(error, words, data.architecture, free.first, B, Pi) from None
    except ValueError as error:
        raise doubts.without_noise(error, words, data.samples) from None


def measured_noise(noise_precision: Any, sigma: Any, absolute_sigma: Any) -> Any:
    """The noise precision where measurement errors may say it: 1 with absolute ones."""
    if not check.boolean(absolute_sigma, "absolute_sigma"):
        return noise_precision
    if sigma is None:
        raise ValueError("absolute_sigma: expected sigma, the errors that are meant, got none")
    if noise_precision is not None:
        raise ValueError(
            f"noise_precision: expected None with absolute_sigma, where it is 1, got {check.shown(noise_precision)}"
        )
    return 1.0


def noise_given(frame: Frame, value: Any, *, scaled: bool = False) -> Any:
    """The user's noise precision in the units of the frame; None if it is to be found."""
    architecture = frame.architecture
    if not architecture.loss.has_noise:
        if value is not None:
            raise ValueError(f"noise_precision: expected None for {architecture.loss}, got {check.shown(value)}")
        return 1.0
    if value is None:
        return None
    if not check.is_scalar(value, "noise_precision"):
        value = check.real_array(value, "noise_precision", np.float64, finite=False)
        if value.shape == frame.varying.shape:
            value = np.where(frame.varying, value, 1.0)  # inf, of a constant target, counts for nothing
        given: Any = check.vector(value, "noise_precision", architecture.n_outputs, np.float64)
    else:
        given = check.number(value, "noise_precision", 0.0, above=True)
    own = frame.own_precision(given)
    if np.ndim(own) and not np.ndim(value) and scaled:
        raise ValueError(
            "noise_precision: expected one for each output together with a penalty, got one for outputs of several "
            "scales; leave it out"
        )
    return own


def _prior(architecture: Architecture, prior_precision: Precision | None, penalty: Penalty | None) -> _Prior:
    """From the one of the two that is given."""
    if (prior_precision is None) == (penalty is None):
        raise ValueError(
            "prior_precision: expected either it or a penalty, got " + ("none" if penalty is None else "both")
        )
    if penalty is None:
        return _Prior(by_parameter(architecture, prior_precision, "prior_precision"), (), False)
    decay, forms, known = prior.split(penalty)
    return _Prior(decay.diagonal(architecture), forms, True, known)
