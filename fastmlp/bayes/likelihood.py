"""The samples' losses as functions of what is linear in w: the outputs under squared error, the logits else.

The formulas of `Loss`, with the weights of the samples, the noise precision, and the targets' own.
"""

from __future__ import annotations

import numpy as np

from fastmlp import _memory
from fastmlp._types import Float, Mask
from fastmlp.model.functional import Samples
from fastmlp.model.losses import Loss


def log_density(loss: Loss, samples: Samples, mean: Float, variance: Float, varying: Mask) -> Float:
    """Ln p(t|x) (N,) of targets that vary, with normal distributions, or of classes with moderated probabilities."""
    xlogy = _memory.scipy("special").xlogy

    targets = samples.targets.rows(mean.shape[1])
    if loss.has_noise:
        observed = varying if samples.targets.observed is None else varying & samples.targets.observed
        each = np.log(2 * np.pi * variance) + (targets - mean) ** 2 / variance
        return np.asarray(-0.5 * np.where(observed, each, 0.0).sum(axis=1))
    if not loss.is_of_classes:
        raise ValueError(f"log_density: expected a regression or a classifier, got {loss}")
    result = xlogy(targets, mean).sum(axis=1)
    if not loss.couples_outputs:
        others = np.where(mean > 0.5, variance / np.where(mean > 0, mean, 1.0), 1 - mean)  # as variance = p (1 - p)
        result += xlogy(1 - targets, others).sum(axis=1)
    return np.asarray(result)


def derivatives(
    loss: Loss, samples: Samples, center: Float, noise_precision: Float | float
) -> tuple[Float, Float, Float]:
    """Targets (N, K), and the first (N, K) and second (N, K, K) derivatives of the samples' losses."""
    targets, totals = samples.targets.rows(center.shape[1]), samples.targets.totals
    delta, curvature = loss.slope(center, targets, totals), loss.curvature(center, totals)
    if loss.has_noise:
        measured = samples.targets.factors
        each = np.asarray(noise_precision) if measured is None else noise_precision * measured
        delta, curvature = each * delta, np.expand_dims(each, -1) * curvature
    if samples.weight is not None:
        delta, curvature = samples.weight[:, np.newaxis] * delta, samples.weight[:, np.newaxis, np.newaxis] * curvature
    return targets, delta, curvature


def third(loss: Loss, samples: Samples, center: Float, V: Float) -> Float:
    """u_m = sum_kl V_kl dLambda_kl / da_m (N, K) for V (N, K, K), see `Loss.third`."""
    u = loss.third(center, V, samples.targets.totals)
    return u if samples.weight is None else np.asarray(samples.weight[:, np.newaxis] * u)
