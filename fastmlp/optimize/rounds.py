"""`fit` with a noise of each output: trained, weighed by what each output has left, and trained again.

The objective is sum_k omega_k E_k + penalty, with E_k half the squared errors of output k, and beta times that of a
posterior whose outputs have the precisions beta_k = beta omega_k. After a training beta_k = (N - gamma_k) / SSE_k
(`terms/outputs.py`), and the next one has omega_k = beta_k / beta, with the mean variance of the noise for 1/beta, as
one noise for all outputs would have it. So the prior alpha = beta lambda is that of the plain objective, which for
outputs alike is the same.
"""

from __future__ import annotations

import copy
import dataclasses
import time
from typing import TYPE_CHECKING

import numpy as np

from fastmlp import _validation as check
from fastmlp._types import Float, Mask
from fastmlp.derivatives.definite import Covariance
from fastmlp.errors import NotPositiveDefiniteError
from fastmlp.model.chunked import ChunkedSamples
from fastmlp.model.functional import Samples
from fastmlp.model.model import Model
from fastmlp.optimize import advice
from fastmlp.optimize.fit import Trained, trained
from fastmlp.optimize.monitor import CALLBACK, DIVERGED, TIME_LIMIT
from fastmlp.optimize.options import FitOptions
from fastmlp.terms import outputs, penalties, reparam

if TYPE_CHECKING:
    from fastmlp.optimize.results import FitResult

NOISES = ("shared", "per_output")
MOST = 5  # trainings, of which two to four are the rule
SETTLED = 0.01  # change of a logarithm of the weights, from which on they stay
ENDS = (TIME_LIMIT, CALLBACK, DIVERGED)
MOST_PARAMS, MOST_WORK = 2_000, 1e10  # P, and N K P^2, up to which gamma_k is counted: it takes a matrix
LEAST_LEFT = 1e-3  # share of the targets that parameters do not take up
LEAST_NOISE = 1e-8  # of the variance of the targets, which may be met: a smaller one hides all else in rounding


def fit(net: Model, samples: Samples, asked: FitOptions) -> FitResult:
    """Minimise the objective from the network's parameters, in rounds where each output has its own noise."""
    if check.choice(asked.noise, "noise", NOISES) == "shared":
        return trained(net, samples, asked).result
    if isinstance(samples, ChunkedSamples):
        raise ValueError(
            "noise: expected 'shared' with Chunks, got 'per_output'; fit_evidence tells each output's noise of them"
        )
    loss = net._architecture.loss
    if not loss.has_noise:
        raise ValueError(f"noise: expected 'shared' for {loss}, which has no noise to be told, got 'per_output'")
    if asked.warm_start is not None:
        raise ValueError("warm_start: expected None with noise='per_output', whose rounds train anew, got a result")
    with advice.once():
        return _in_rounds(net, samples, asked)


def _in_rounds(net: Model, samples: Samples, asked: FitOptions) -> FitResult:
    rounds, share = _Rounds(asked), None
    while True:
        last = trained(net, samples, rounds.next(), share)
        varying, scale = _targets(last)
        used = np.ones(len(varying)) if share is None else share
        beta = _precisions(last, used, varying)
        share = np.where(varying, beta / outputs.common_precision(beta, varying), 1.0)
        if rounds.number == MOST or last.result.status in ENDS or np.abs(np.log(share / used)).max() <= SETTLED:
            break
    # in the proportions of the last training, whose optimum the network is at
    beta = used * outputs.common_precision(beta / used, varying)
    if samples.targets.precision is not None:  # of 1/sigma^2, in all units
        scale = np.ones_like(scale)
    with np.errstate(over="ignore", divide="ignore"):
        last.result.noise_precision = np.where(varying, beta / scale / scale, np.inf)
    return last.result


class _Rounds:
    """What each is asked for: the same, drawing the same, in the time that is left."""

    def __init__(self, asked: FitOptions) -> None:
        self.asked, self.number, self.started = asked, 0, time.perf_counter()
        self.generator = check.generator(asked.rng)
        self.at_first = copy.deepcopy(self.generator)

    def next(self) -> FitOptions:
        """Of the next one."""
        self.number += 1
        own = dataclasses.replace(self.asked)
        own.rng = self.generator if self.number == 1 else copy.deepcopy(self.at_first)
        if own.time_limit is not None and self.number > 1:
            own.time_limit = max(0.0, own.time_limit - (time.perf_counter() - self.started))
        return own


def _targets(last: Trained) -> tuple[Mask, Float]:
    """Which targets are not known to be constant (K,), and the scales that they were trained in."""
    units, K = last.result.units, last.objective.architecture.n_outputs
    if units is None or units.targets is None:
        return np.ones(K, bool), np.ones(K)
    return ~units.targets.constant, units.targets.scale


def _precisions(last: Trained, share: Float, varying: Mask) -> Float:
    """(N - gamma_k) / SSE_k (K,) in the units of the training, whose outputs had these weights."""
    data = last.objective.data
    squares = outputs.squared_errors(data, last.params) / share
    count = data.samples.counts(len(varying))
    left = count - _determined(last)
    if not (left > -LEAST_LEFT * count)[varying].all():
        raise ValueError(
            f"noise: expected samples that determine the noise of each output, got {count.min():g} by sample_weight, "
            f"which counts samples, for {last.objective.x0.size} parameters: multiply it, and the penalty, or leave it "
            "out"
        )
    noise = squares / np.maximum(left, LEAST_LEFT * count)
    return np.asarray(1 / np.maximum(noise, LEAST_NOISE * outputs.variances(data.samples) / share))


def _determined(last: Trained) -> Float:
    """gamma_k (K,), 0 where that takes too much, or there is no positive definite matrix."""
    objective, params = last.objective, last.params
    free, nothing = objective.free or reparam.Whole(len(params)), np.zeros(objective.architecture.n_outputs)
    work = len(objective.data.samples.X) * len(nothing) * free.n**2
    if free.n > MOST_PARAMS or work > MOST_WORK or not penalties.has_matrix(objective.penalty):
        return nothing
    try:
        A = objective.ggn(free.reduce(params.astype(np.float64)))
        covariance = Covariance(A, np.zeros(len(A)), helped=True)
    except NotPositiveDefiniteError:
        return nothing
    return outputs.determined(objective.data, free, params, covariance)
