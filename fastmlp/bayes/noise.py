"""The precision of the noise that belongs to the data, by a fixed point from one factorisation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fastmlp import _memory
from fastmlp.derivatives import definite, wide
from fastmlp.derivatives.definite import EPS, Covariance
from fastmlp.derivatives.eigenvalues import eigenvalues
from fastmlp.derivatives.gram import Gram

Float = NDArray[np.float64]

MAX_NEWTON = 200  # steps, of which a handful are the rule


def with_penalty(shares: Float, n_targets: float, sse: float) -> float:
    """The noise precision beta = (N K - gamma) / SSE of a prior that is a penalty's, Pi = beta Lambda.

    Then A = beta (B + Lambda), and gamma does not depend on beta: n less the `shares` of the prior, the diagonal of
    Lambda (B + Lambda)^-1 (n,). It counts as 0 where it is negative, as with an exact Hessian that is almost singular:
    noise is no less than residuals.

    Raises
    ------
    ValueError
        If there is no such beta > 0: a perfect fit, or no more targets than gamma. Says the numbers.
    """
    n = len(shares)
    shares = np.where(shares <= n * EPS, 0.0, shares)
    left = min(n_targets, n_targets - n + float(shares.sum()))  # 0 where it is lost in rounding
    if sse <= 0 or left <= 0:
        determined = f"{n - float(shares.sum()):.4g} parameters that they determine, "
        raise _undetermined(n_targets, determined, n - int(np.count_nonzero(shares)), sse)
    return left / sse


def with_prior(B: Float | Gram, prior: Float, n_targets: float, sse: float) -> float:
    """The noise precision beta = (N K - gamma) / SSE, with the gamma that belongs to it (PRML 3.95, 5.180).

    With C = B + Pi / beta_0 = L L' and the eigenvalues nu of L^-1 Pi L'^-1 / beta_0,

        gamma(beta) = sum beta (1 - nu) / (beta (1 - nu) + beta_0 nu),

    a concave, growing function, so that Newton's iteration for beta SSE + gamma(beta) = N K climbs from the left to the
    only solution. Its first point is where gamma is all it can be.

    Raises
    ------
    NotPositiveDefiniteError
        If C is not positive definite.
    ValueError
        If there is no such beta > 0: a perfect fit, or no more targets than parameters with a flat prior. Says the
        numbers.
    """
    n = len(prior)
    unit = 1.0 if sse <= 0 else n_targets / sse
    nu = _prior_shares(B, prior / unit)
    flat = n - int(np.count_nonzero(nu))
    if sse <= 0 or n_targets <= flat:
        raise _undetermined(n_targets, "", flat, sse)
    curved, prior = (1 - nu)[nu > 0], unit * nu[nu > 0]
    beta = max(0.0, (n_targets - n) / sse)
    for _ in range(MAX_NEWTON):
        A = beta * curved + prior
        gap = n_targets - flat - beta * sse - beta * float((curved / A).sum())
        step = gap / (sse + float((curved * prior / A**2).sum()))
        beta += step
        if abs(step) <= 4 * EPS * beta:
            break
    return beta


def _undetermined(n_targets: float, determined: str, flat: int, sse: float) -> ValueError:
    return ValueError(
        f"{n_targets:g} targets, {determined}{flat} parameters with a flat prior, sum of squared errors {sse:g}"
    )


def _prior_shares(B: Float | Gram, prior: Float) -> Float:
    """Eigenvalues of C^-1 Pi with C = B + Pi: 0 along flat directions, 1 where data say nothing."""
    if isinstance(B, Gram):
        shares = wide.prior_shares(B, prior)
        return np.where(shares <= len(shares) * EPS, 0.0, shares)
    if B.ndim == prior.ndim == 1:
        return prior * Covariance(B, prior).diagonal
    root = definite.inverse_root(definite.factor(B, prior))
    if prior.ndim == 1:
        weighted = np.sqrt(prior)[:, np.newaxis] * root
        nu = eigenvalues(_memory.product(weighted.T, weighted))
    else:
        nu = eigenvalues(_memory.product(_memory.product(root.T, prior), root))
    nu[nu <= len(nu) * EPS] = 0.0
    return np.asarray(nu)
