"""When a posterior is none, or should not be trusted, and what the caller can change about it.

Three things go wrong. The matrix A of second derivatives has no inverse: the directions in which it is flat say which
parameters are not determined. The parameters are not at the optimum, where the gradient g of the negative log posterior
is 0: to second order they are sqrt(g' A^-1 g) standard deviations away from it. And A has an inverse that is lost in
rounding: with the diagonal scaled to 1, which takes the units of the parameters out of it, relative errors of variances
are at most about eps cond(A) (Demmel 1989; Higham, Accuracy and Stability, 10.1), of which they reach a tenth or less.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp import _memory
from fastmlp.bayes.covariance import EPS, Covariance
from fastmlp.errors import NotPositiveDefiniteError, PosteriorWarning, warn_caller
from fastmlp.model import selection

Float = NDArray[np.float64]

FARTHEST = 0.1  # posterior standard deviations from the optimum
LARGEST_ERROR = 1e-3  # of variances, as a share
POWER_STEPS = 3
NAMED = 6  # parameters
SHARE = 0.1  # of the largest component, from which a parameter counts as part of a direction


class Words(NamedTuple):
    """What the caller has given, by the names that are known there."""

    subject: str  #: what a message begins with
    noise: str  #: the same about the noise
    prior: str  #: the argument that makes the prior
    remedy: str  #: how to get to the optimum
    hint: str = ""  #: what else may be the cause


LIBRARY = Words(
    subject="posterior",
    noise="noise_precision: expected a number, since the data do not determine it",
    prior="prior_precision",
    remedy="train it on these samples with penalty prior_precision / noise_precision (method='lm', a smaller tol)",
)
KNOWS_UNITS = "; the network was trained in standardised units: standardize=True forms its posterior there"
WITH_PENALTY = LIBRARY._replace(
    prior="penalty", remedy="train it on these samples with this penalty (method='lm', a smaller tol)"
)


class Rounding(NamedTuple):
    """How much is lost in rounding, and where."""

    share: float  #: eps times the condition number of A, scaled to a unit diagonal
    direction: Float  #: the least determined one (n,), by parameters scaled likewise


def rounding(B: Float, alpha: Float, covariance: Covariance) -> Rounding:
    """For A = B + diag(alpha), by a few steps of the power method: 9 n^2 multiplications."""
    if B.ndim == 1 or len(alpha) < 2:
        return Rounding(EPS, np.ones(len(alpha)))
    scale, root = np.sqrt(covariance.precisions), covariance.root
    variances = scale**2 * covariance.diagonal
    start = np.random.default_rng(0).standard_normal(len(alpha))
    largest, _ = _norm(lambda v: (B @ (v / scale) + alpha * (v / scale)) / scale, start)
    start = (variances == variances.max()).astype(np.float64)
    inverse, direction = _norm(lambda v: scale * (root @ (root.T @ (scale * v))), start)
    return Rounding(EPS * max(largest, 1.0) * inverse, direction)


def _rounding_at_most(covariance: Covariance) -> float:
    """Without a product: eigenvalues are no larger than the traces, n and sum A_ii (A^-1)_ii."""
    return EPS * len(covariance.precisions) * float(covariance.precisions @ covariance.diagonal)


def _norm(apply: Callable[[Float], Float], v: Float) -> tuple[float, Float]:
    """The largest eigenvalue of a positive definite matrix, or somewhat less, and a direction that has it."""
    norm = 0.0
    for _ in range(POWER_STEPS):
        v = apply(v / np.linalg.norm(v))
        norm = float(np.linalg.norm(v))
    return norm, v


def warn(posterior: Any) -> None:
    """One PosteriorWarning for all that is wrong."""
    words, distance, found = posterior._words, posterior.distance, []
    if not distance <= FARTHEST:
        found.append(
            f"the network is {distance:.3g} posterior standard deviations away from the optimum (expected: "
            f"at most {FARTHEST}), where error bars do not hold; {words.remedy}"
        )
    # most matrices are far from any doubt, and this is all that it costs
    if not _rounding_at_most(posterior._covariance) <= LARGEST_ERROR and not posterior.rounding <= LARGEST_ERROR:
        rounding = posterior._rounding
        found.append(
            f"rounding changes variances by a share of up to about {rounding.share:.1g} (expected: at most "
            f"{LARGEST_ERROR}), since {_names(posterior, np.abs(rounding.direction))} are hardly determined together; "
            f"take a larger {words.prior}, or leave out what is redundant"
        )
    if found:
        warn_caller(f"{words.subject}: {'; '.join(found)}{words.hint}", PosteriorWarning)


def without_inverse(
    error: NotPositiveDefiniteError, posterior: Any, B: Float, alpha: Float
) -> NotPositiveDefiniteError:
    """What to say about A = B + diag(alpha) that has no Cholesky factor, which `error` says."""
    words, flat, indefinite = posterior._words, *_null_space(B, alpha)
    if indefinite or not flat.any():
        advice = f"; train to a minimum (method='lm'), take a larger {words.prior}, or hessian='ggn'"
    else:
        has_prior = alpha[flat >= SHARE * flat.max()].any()
        advice = (
            f", since neither the data nor the prior determine {_names(posterior, flat)}; take "
            + (f"a larger {words.prior}" if has_prior else f"{words.prior} > 0 for them")
            + ", or leave out what is redundant: a column of X that others add up to, a unit that does nothing"
        )
    return NotPositiveDefiniteError(f"{words.subject}: {error}{advice}{words.hint}")


def _null_space(B: Float, alpha: Float) -> tuple[Float, bool]:
    """How much of each parameter (n,) lies in directions without curvature, and whether there is a negative one."""
    diagonal = (B if B.ndim == 1 else np.diagonal(B)) + alpha
    if B.ndim == 1:
        return (diagonal <= 0).astype(np.float64), False
    scale = np.where(diagonal > 0, np.sqrt(np.abs(diagonal)), 1.0)
    _memory.blas(8 * B.nbytes)
    eigenvalues, vectors = np.linalg.eigh((B + np.diag(alpha)) / scale[:, np.newaxis] / scale)
    limit = 10 * len(alpha) * EPS * max(1.0, float(np.abs(eigenvalues).max()))
    return np.linalg.norm(vectors[:, np.abs(eigenvalues) <= limit], axis=1), bool(eigenvalues[0] < -limit)


def _names(posterior: Any, strength: Float) -> str:
    """The parameters that a direction moves most."""
    where = np.flatnonzero(strength >= SHARE * strength.max())
    names = [selection.name_of(posterior._architecture, int(i)) for i in posterior._free[where[:NAMED]]]
    return ", ".join(names) + (f" and {len(where) - NAMED} more" if len(where) > NAMED else "")


def without_noise(error: ValueError, posterior: Any) -> ValueError:
    """What to say where the data do not determine the noise, which `error` says in numbers."""
    words, samples = posterior._words, posterior._samples
    total, weight = samples.total_weight, samples.weight
    n_samples = len(samples.X) if weight is None else int(np.count_nonzero(weight))
    if total < n_samples:
        advice = (
            f"sample_weight counts samples, and adds up to {total:.4g} for {n_samples} of them: multiply it by "
            f"{n_samples / total:.4g}, and {words.prior} too if the optimum is to stay where it is"
        )
    else:
        advice = f"take more samples, fewer units or a larger {words.prior}"
    return ValueError(f"{words.noise}: {error}; {advice}{words.hint}")
