"""What a fit is measured by: the best constant prediction, its loss, and its pull on the output biases.

With y = c_k for every sample, c_k the weighted mean of the targets (the frequency of a class, the mean rate), the
derivative of the loss by a pre-activation of the canonical pair is s_n (c_k - t_nk). Their sum vanishes; the sum of
their sizes is how large a gradient is that the samples do not agree on:

    R = max_k sum_n s_n |t_nk - c_k|

Targets with measurement errors have s_n / sigma_nk^2 in place of s_n, missing ones 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from fastmlp._types import Array, Float
from fastmlp.model import moments
from fastmlp.model.activations import ANY
from fastmlp.model.architecture import Architecture
from fastmlp.model.functional import Samples
from fastmlp.terms.objective import Objective

#: default `tol` in units of R, and where R is 0, for |g|_inf of a sum over samples
TOL, TOL_F32 = 1e-8, 1e-5
ABSOLUTE_TOL, ABSOLUTE_TOL_F32 = 1e-6, 1e-3
MISSED = 0.1  # share of a constant target from which on a network has not learnt it


class Reference(NamedTuple):
    """The best constant prediction of some samples, and their targets' spread."""

    loss: float  #: its data loss, a sum
    pull: float  #: R, 0 where all targets are equal up to rounding
    output: Float  #: c (K,)
    mean: Float | None  #: of real targets (K,): c, but where that is beyond what outputs can be
    sd: Float | None
    total: Float | float  #: sum of the weights of the targets, (K,) with measurement errors


def of(architecture: Architecture, samples: Samples) -> Reference:
    """The best constant prediction of these samples."""
    if samples.has_labels:
        return _of_labels(architecture, samples)
    if (factors := samples.targets.factors) is not None:
        values = samples.targets.values
        assert values is not None
        mean, sd, deviation, total = _measured(values, samples.weight, factors)
        c = _attained(architecture, mean)
        loss = 0.5 * float((total * (sd**2 + (c - mean) ** 2)).sum())
        return Reference(loss, float((total * deviation).max()), c, mean, sd, total)
    mean, sd, deviation, *_, count = moments.of_samples(samples, targets=True)
    c = _attained(architecture, mean)
    if architecture.loss.has_noise:
        shifts = (c - mean).tolist() if c is not mean else ()
        loss = 0.5 * count * sum(x * x for x in (*sd.tolist(), *shifts))
    else:  # linear in the targets
        loss = count * float(architecture.loss.least(mean).sum())
    return Reference(loss, count * max(deviation.tolist()), c, mean, sd, count)


def _attained(architecture: Architecture, mean: Float) -> Float:
    """The mean, or what a constant can be of it: a mean beyond the range of outputs is not within reach."""
    attained = architecture.output.range
    return mean if attained == ANY else np.clip(mean, *attained)


def _measured(values: Array, weight: Array | None, precision: Array) -> tuple[Float, Float, Float, Float]:
    """Means, standard and mean deviations (K,) of targets with errors, by their weights, and the sums of these."""
    each = precision.T if weight is None else weight * precision.T
    found = [moments.of_columns(values[:, [k]], np.ascontiguousarray(each[k])) for k in range(len(each))]
    mean, sd, deviation = (np.concatenate(column) for column in list(zip(*found, strict=True))[:3])
    return mean, sd, deviation, np.array([one[-1] for one in found], np.float64)


def least(architecture: Architecture, samples: Samples) -> float:
    """The data loss of outputs that equal the targets."""
    if architecture.loss.has_noise or samples.has_labels:
        return 0.0
    return float(samples.summed(lambda some: _least(architecture, some), inputs=False))


def _least(architecture: Architecture, samples: Samples) -> float:
    t = samples.targets.values
    assert t is not None
    losses = architecture.loss.least(t.astype(np.float64))
    return float(losses.sum() if samples.weight is None else samples.weight @ losses.sum(axis=1))


def bound(objective: Objective, constant: Reference) -> float:
    """The data loss that a network which does no worse than a constant has at the most.

    Up to rounding, and up to what the penalty takes for the output biases that a constant needs. Where all targets are
    equal, a network of linear outputs is to come near them, and of others nothing is asked.
    """
    margin = near(objective.architecture, constant) if constant.pull == 0 else None
    if constant.pull == 0 and margin is None:
        return np.inf
    rounding = 100 * float(np.finfo(objective.architecture.dtype).eps)
    largest = constant.loss + rounding * abs(constant.loss)
    if margin is not None:
        largest += 0.5 * float(np.sum(constant.total * margin**2))
    if objective.decay is None or objective.free is not None:
        return largest
    architecture = objective.architecture
    decay = objective.decay[architecture.places[-1].biases]
    if not decay.any():
        return largest
    if decay.size < architecture.n_outputs:  # of channels
        decay = np.repeat(decay, architecture.n_outputs // decay.size)
    with np.errstate(all="ignore"):
        biases = _LINKS.get(architecture.output.name, np.asarray)(constant.output)
    return largest + 0.5 * float(decay @ np.where(np.isfinite(biases), biases, 0.0) ** 2)


def near(architecture: Architecture, constant: Reference) -> Float | None:
    """How far from constant targets (K,) linear outputs may be that have learnt them; nan where targets vary.

    A tenth of the constant. Zeros have the size of the other targets, or of 1, as starting values have. None where
    there are no constants.
    """
    if not architecture.output.is_linear or constant.mean is None or constant.sd is None or constant.sd.all():
        return None
    others = float(constant.sd.max()) or 1.0
    size = np.where(constant.mean == 0, others, np.abs(constant.mean))
    return np.where(constant.sd == 0, MISSED * size, np.nan)


_LINKS: dict[str, Callable[[Float], Float]] = {
    "logistic": lambda p: np.log(p) - np.log1p(-p),
    "softmax": lambda p: np.log(p) - np.log(p).mean(),
    "exp": np.log,
    "tanh": np.arctanh,
}


def default_tol(architecture: Architecture, constant: Reference) -> float:
    """For |g|_inf of a sum over samples: relative to R, so that it does not depend on the units of the targets."""
    single = architecture.dtype == np.float32
    if constant.pull == 0:
        return ABSOLUTE_TOL_F32 if single else ABSOLUTE_TOL
    return (TOL_F32 if single else TOL) * constant.pull


def _of_labels(architecture: Architecture, samples: Samples) -> Reference:
    def by_class(some: Samples) -> Float:
        labels = some.targets.labels
        assert labels is not None
        return np.bincount(labels, some.weight, architecture.n_outputs).astype(np.float64)

    sums = samples.summed(by_class, inputs=False)
    total = float(sums.sum())
    p = sums / total
    loss = total * float(architecture.loss.least(p).sum())
    return Reference(loss, float((2 * sums * (1 - p)).max()), p, None, None, total)
