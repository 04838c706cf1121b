"""The samples' losses as functions of what is linear in w: the outputs under squared error, the logits else.

Their derivatives by these, up to the third: residuals, curvature Lambda (K, K), and how it changes along the K axes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp import _memory, functional
from fastmlp.architecture import Architecture
from fastmlp.functional import Samples

Float = NDArray[np.float64]


def outputs_alone(architecture: Architecture) -> tuple[Architecture, Float]:
    """A network that makes outputs of the logits, and hands on outputs where those are what is linear in w."""
    K = architecture.n_outputs
    output = "identity" if architecture.loss == "squared_error" else architecture.output
    alone = Architecture.create([K, K], "tanh", output, architecture.loss, "float64")
    return alone, np.append(np.eye(K).ravel(), np.zeros(K))


def values(samples: Samples, n_outputs: int) -> Float:
    """Targets (N, K), for labels the rows of the unit matrix."""
    return np.eye(n_outputs)[samples.targets.labels] if samples.targets.values is None else samples.targets.values


def log_density(
    architecture: Architecture, samples: Samples, mean: Float, variance: Float, varying: NDArray[np.bool_]
) -> Float:
    """Ln p(t|x) (N,) of targets that vary, with normal distributions, or of classes with moderated probabilities."""
    xlogy = _memory.scipy("special").xlogy

    targets = values(samples, architecture.n_outputs)
    if architecture.loss == "squared_error":
        targets, mean, variance = targets[:, varying], mean[:, varying], variance[:, varying]
        return np.asarray(-0.5 * (np.log(2 * np.pi * variance) + (targets - mean) ** 2 / variance).sum(axis=1))
    if architecture.loss == "poisson":
        raise ValueError("log_density: expected a regression or a classifier, got counts")
    result = xlogy(targets, mean).sum(axis=1)
    if architecture.loss == "binary_cross_entropy":
        result += xlogy(1 - targets, 1 - mean).sum(axis=1)
    return np.asarray(result)


def derivatives(
    architecture: Architecture, samples: Samples, center: Float, noise_precision: Any
) -> tuple[Float, Float, Float]:
    """Targets (N, K), and the first (N, K) and second (N, K, K) derivatives of the samples' losses."""
    eye, targets = np.eye(center.shape[1]), values(samples, center.shape[1])
    alone, params = outputs_alone(architecture)
    y = functional.predict(alone, params, center)
    if architecture.loss == "squared_error":
        delta, slope = noise_precision * (y - targets), np.broadcast_to(noise_precision, y.shape)
        curvature = slope[:, np.newaxis] * eye
    elif architecture.loss == "cross_entropy":
        total = targets.sum(axis=1, keepdims=True)
        delta = total * y - targets
        curvature = total[:, :, np.newaxis] * (y[:, np.newaxis] * eye - y[:, :, np.newaxis] * y[:, np.newaxis])
    else:
        delta, slope = y - targets, y * (1 - y) if architecture.loss == "binary_cross_entropy" else y
        curvature = slope[:, np.newaxis] * eye
    if samples.weight is not None:
        delta, curvature = samples.weight[:, np.newaxis] * delta, samples.weight[:, np.newaxis, np.newaxis] * curvature
    return targets, delta, curvature


def third(architecture: Architecture, samples: Samples, center: Float, V: Float) -> Float | None:
    """u_m = sum_kl V_kl dLambda_kl / da_m (N, K) for V (N, K, K); None where Lambda is constant.

    Lambda is the covariance of the targets given the logits, and its derivative their third cumulant: with softmax
    u_m = p_m (q_m - sum_k p_k q_k), q_m = (e_m - p)' V (e_m - p).
    """
    if architecture.loss == "squared_error":
        return None
    y = functional.predict(*outputs_alone(architecture), center)
    variance = np.diagonal(V, axis1=1, axis2=2)
    if architecture.loss == "cross_entropy":
        q = variance - 2 * np.einsum("nkl,nl->nk", V, y)
        u = y * (q - (y * q).sum(axis=1, keepdims=True))
        if samples.targets.values is not None:
            u *= samples.targets.values.sum(axis=1, keepdims=True)
    else:
        u = variance * (y if architecture.loss == "poisson" else y * (1 - y) * (1 - 2 * y))
    return np.asarray(u if samples.weight is None else samples.weight[:, np.newaxis] * u)
