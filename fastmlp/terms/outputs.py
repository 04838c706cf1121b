"""What each output tells of its noise: how far it misses its targets, and how many parameters these determine.

With A = sum_k beta_k B_k + Pi, B_k the Gauss-Newton matrix of output k, the leverages of its targets add up to

    gamma_k = beta_k tr(A^-1 B_k) = beta_k sum_n s_n/sigma_nk^2 J_nk A^-1 J_nk',    sum_k gamma_k = gamma,

and beta_k SSE_k = N - gamma_k is PRML (3.95) for each output.
"""

from __future__ import annotations

import numpy as np

from fastmlp._types import Float, Mask
from fastmlp.derivatives import exact as derivatives
from fastmlp.derivatives.definite import Covariance
from fastmlp.derivatives.wide import WideCovariance
from fastmlp.model import units
from fastmlp.model.functional import Samples
from fastmlp.terms.data import DataTerm
from fastmlp.terms.reparam import FreeParameters

BLOCK = 2**18  # numbers of a Jacobian that are held at once


def common_precision(precisions: Float, varying: Mask) -> float:
    """The beta of one noise for all outputs: 1/beta is the mean of their variances 1/beta_k (K,).

    A penalty is multiplied by it beside precisions of each, so that its prior is that beside one.
    """
    return float(1 / np.mean(1 / precisions[varying]))


def variances(samples: Samples) -> Float:
    """Of the targets (K,), by weight, over the mean of sigma^2; a constant counts as large as the others, or as 1."""
    precision, own = samples.targets.precision, units.target_columns(samples, "T").deviation ** 2
    own = np.where(own > 0, own, own[own > 0].mean() if own.any() else 1.0)
    if precision is None:
        return own
    total = precision.sum(axis=0) if samples.weight is None else samples.weight @ precision
    return np.asarray(own * total / samples.counts(len(own)))


def squared_errors(data: DataTerm, params: Float) -> Float:
    """SSE_k = sum_n s_n ((y_nk - t_nk) / sigma_nk)^2 (K,), without beta."""
    return data.at(1.0).summed(lambda term: (term.residuals(params).reshape(len(term.samples.X), -1) ** 2).sum(axis=0))


def determined(data: DataTerm, free: FreeParameters, params: Float, covariance: Covariance | WideCovariance) -> Float:
    """gamma_k (K,), with the `covariance` A^-1 of the free parameters."""
    return data.summed(lambda term: _determined(term, free, params, covariance))


def _determined(data: DataTerm, free: FreeParameters, params: Float, covariance: Covariance | WideCovariance) -> Float:
    X, K = data.samples.X, data.architecture.n_outputs
    leverage = np.empty((len(X), K))
    for rows, _, J in derivatives.in_blocks(data.architecture, params, X, BLOCK, data.n_threads):
        leverage[rows] = covariance.quadratic(free.restrict(J.astype(np.float64, copy=False)), data.n_threads)
    return np.asarray((data.precisions * leverage).sum(axis=0))


def pulls(data: DataTerm, params: Float, change: Float) -> Float:
    """beta_k grad E_k . change (K,), for a change of all parameters (P,): what each output has against it."""
    return data.summed(lambda term: _pulls(term, params, change))


def _pulls(data: DataTerm, params: Float, change: Float) -> Float:
    along = derivatives.jvp(data.architecture, params, data.samples.X, change, "params", "outputs", data.n_threads)
    N = len(data.samples.X)
    return np.asarray((data.residuals(params).reshape(N, -1) * np.sqrt(data.precisions) * along).sum(axis=0))
