"""What is minimised: scikit-learn's objective, a mean, in terms of the library's, a sum.

With weights s_n of the samples, S their sum, and c = K for squared error, which is a mean over outputs too, else c = 1,
(measurement errors are in e_n: squared error is in their units)

    mean objective = 1/(c S) sum_n s_n e_n + alpha/(2 S) |W|^2

Times c N, with weights s_n N / S whose mean is one, it is the library's objective with lambda = alpha c N / S. So a
minibatch of any size sees the losses and the penalty in the same proportion, and steps along c times the gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastmlp import _memory
from fastmlp._types import Array
from fastmlp.estimators.arguments import STOCHASTIC
from fastmlp.model.units import Units
from fastmlp.network import Network
from fastmlp.terms import WeightDecay

LBFGS = {"maxcor": 10, "maxls": 20}  # as scikit-learn's
FTOL = 2.220446049250313e-09  # SciPy's, which scikit-learn leaves as it is: the share of max(1, |mean objective|)
Score = Callable[[Array, Array, Array | None], float]


class Samples(NamedTuple):
    """Inputs, targets as the network takes them, weights and measurement errors, or None; what nan among them is."""

    X: Array
    T: Array
    weight: Array | None
    sigma: Array | None = None
    missing: str = "raise"

    def rows(self, index: Array) -> Samples:
        """Some of them."""
        weight, sigma = (None if each is None else each[index] for each in (self.weight, self.sigma))
        return Samples(self.X[index], self.T[index], weight, sigma, self.missing)

    @property
    def is_plain(self) -> bool:
        """Whether all targets count alike, but for the weights of samples."""
        return self.sigma is None and self.missing == "raise"

    @property
    def importance(self) -> Array | None:
        """How much each sample (N,), or where that differs each target (N, K), counts in a score."""
        observed = ~np.isnan(self.T) if self.missing == "ignore" else None
        if self.sigma is None and (observed is None or observed.all()):
            return self.weight
        precision: Array = np.ones(self.T.shape) if observed is None else observed.astype(np.float64)
        if self.sigma is not None:
            by_target = np.broadcast_to(self.sigma.reshape(len(self.sigma), -1), self.T.shape)
            precision *= (by_target.min() / by_target) ** 2
        return precision if self.weight is None else self.weight[:, np.newaxis] * precision


class Problem:
    """Samples and penalty of a fit, in the library's scale."""

    def __init__(self, net: Network, samples: Samples, alpha: float, own: Units | None) -> None:
        self.X, self.T, weight, self.sigma, self.missing = samples
        self.units = own
        self.n_samples = len(self.X)
        self.outputs_in_mean = outputs_in_mean(net)
        share = 1.0 if weight is None else self.n_samples / float(weight.sum())
        self.weight = None if weight is None else weight * share
        self.decay = alpha * self.outputs_in_mean  # lambda beside the sum of s_n e_n
        self.penalty = WeightDecay(weights=self.decay * share)
        self.offset = offset(net, samples)

    @property
    def divisor(self) -> float:
        """The library's objective over scikit-learn's."""
        return float(self.n_samples * self.outputs_in_mean)

    def mean(self, fun: float) -> float:
        """The mean objective for a sum."""
        return float(fun) / self.divisor + self.offset

    def options(self, estimator: Any, rate: Callable[[int], float]) -> dict[str, Any]:
        """What `Network.fit` is told about the estimator's solver; `rate` is the learning rate of sgd by epoch."""
        e, c = estimator, self.outputs_in_mean
        if e.solver == "lbfgs":
            tols = {"tol": e.tol * self.divisor, "ftol": FTOL, "fatol": FTOL * self.divisor}
            return tols | LBFGS | {"maxfun": e.max_fun}
        if e.solver not in STOCHASTIC:
            return {"tol": e.tol * self.divisor}
        size = 200 if isinstance(e.batch_size, str) else e.batch_size
        batches = {"batch_size": min(size, self.n_samples), "shuffle": e.shuffle, "augment": e.augment}
        if e.solver == "adam":
            moments = {"beta1": e.beta_1, "beta2": e.beta_2, "epsilon": e.epsilon * c}
            return batches | moments | {"learning_rate": e.learning_rate_init}
        inertia = {"momentum": e.momentum, "nesterov": e.nesterovs_momentum, "velocity": "steps"}
        return batches | inertia | {"learning_rate": lambda epoch: rate(epoch) / c}


class Validation:
    """The mean loss of a validation set, without penalty, and its score."""

    def __init__(self, net: Network, samples: Samples, score: Score, own: Units | None) -> None:
        self.samples, self._score = samples, score
        total = len(samples.X) if samples.weight is None else float(samples.weight.sum())
        self._divisor, self._offset = total * outputs_in_mean(net), offset(net, samples)
        # the loss in the units of the training, of a network in those of the data; errors have none
        scale = None if own is None or own.targets is None else own.targets.scale
        precision = 1.0 if scale is None or samples.sigma is not None else 1 / scale**2
        self._objective = net.objective(
            samples.X, samples.T, sample_weight=samples.weight, sigma=samples.sigma, missing=samples.missing,
            noise_precision=precision,
        )  # fmt: skip

    def loss(self, params: Array) -> float:
        """At these parameters."""
        return self._objective.value(params) / self._divisor + self._offset

    def score(self, net: Network) -> float:
        """Of this network; nan where it has diverged."""
        Y = net.predict(self.samples.X)
        return float(self._score(Y, self.samples.T, self.samples.importance)) if np.isfinite(Y).all() else float("nan")


def outputs_in_mean(net: Network) -> int:
    """Number of outputs that the mean objective averages over."""
    return net.layers[-1] if net._architecture.loss.has_noise else 1


def offset(net: Network, samples: Samples) -> float:
    """What scikit-learn's mean loss has more than the library's: t ln t - t for counts, so that a perfect fit has 0."""
    if not net._architecture.loss.is_of_counts:
        return 0.0
    xlogy = _memory.scipy("special").xlogy

    T = samples.T.reshape(len(samples.X), -1)
    return float(np.average((xlogy(T, T) - T).sum(axis=1), weights=samples.weight))
