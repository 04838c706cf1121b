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
from fastmlp import _validation as check
from fastmlp.derivatives import definite, wide
from fastmlp.derivatives.definite import EPS, Covariance
from fastmlp.derivatives.gram import Gram
from fastmlp.derivatives.wide import WideCovariance
from fastmlp.errors import NotPositiveDefiniteError, PosteriorWarning, warn_caller
from fastmlp.model import selection
from fastmlp.model.architecture import Architecture
from fastmlp.model.functional import Samples

Float = NDArray[np.float64]

FARTHEST = 0.1  # posterior standard deviations from the optimum
LARGEST_ERROR = 1e-3  # of variances, as a share
POWER_STEPS = 3
TIED = 1e-6  # share by which variances differ that rounding is not to tell apart
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
KNOWS_UNITS = "; the network was trained in standardised units: standardize=True works there"
WITH_PENALTY = LIBRARY._replace(
    prior="penalty", remedy="train it on these samples with this penalty (method='lm', a smaller tol)"
)


class Rounding(NamedTuple):
    """How much is lost in rounding, and where."""

    share: float  #: eps times the condition number of A, scaled to a unit diagonal
    direction: Float  #: the least determined one (n,), by parameters scaled likewise


def rounding(B: Float | Gram, prior: Float, covariance: Covariance | WideCovariance) -> Rounding:
    """For A = B + Pi, by a few steps of the power method: 9 n^2 multiplications."""
    if B.ndim == prior.ndim == 1 or len(prior) < 2:
        return Rounding(EPS, np.ones(len(prior)))
    scale = np.sqrt(covariance.precisions)
    variances = scale**2 * covariance.diagonal

    def scaled(v: Float) -> Float:
        v = v / scale
        return (definite.times(B, v) + definite.times(prior, v)) / scale

    largest, _ = _norm(scaled, check.generator(0).standard_normal(len(prior)))
    start = np.zeros(len(prior))  # the first of the largest, whichever of equal ones rounding makes larger
    start[np.argmax(variances >= (1 - TIED) * variances.max())] = 1.0
    inverse, direction = _norm(lambda v: scale * covariance.apply(scale * v), start)
    return Rounding(EPS * max(largest, 1.0) * inverse, direction)


def _rounding_at_most(covariance: Covariance | WideCovariance) -> float:
    """Without a product: eigenvalues are no larger than the traces, n and sum A_ii (A^-1)_ii."""
    return EPS * len(covariance.precisions) * float(covariance.precisions @ covariance.diagonal)


def _norm(apply: Callable[[Float], Float], v: Float) -> tuple[float, Float]:
    """The largest eigenvalue of a positive definite matrix, or somewhat less, and a direction that has it."""
    norm = 0.0
    for _ in range(POWER_STEPS):
        v = apply(v / np.linalg.norm(v))
        norm = float(np.linalg.norm(v))
    return norm, v


def warn(posterior: Any, words: Words) -> None:
    """One PosteriorWarning for all that is wrong."""
    distance, found = posterior.distance, []
    if not distance <= FARTHEST:
        found.append(
            f"the network is {distance:.3g} posterior standard deviations away from the optimum (expected: "
            f"at most {FARTHEST}), where error bars do not hold; {words.remedy}"
        )
    # most matrices are far from any doubt, and this is all that it costs
    if not _rounding_at_most(posterior.covariance) <= LARGEST_ERROR and not posterior.rounding.share <= LARGEST_ERROR:
        share, direction = posterior.rounding
        names = _names(posterior.architecture, posterior.free.first, np.abs(direction))
        found.append(
            f"rounding changes variances by a share of up to about {share:.1g} (expected: at most {LARGEST_ERROR}), "
            f"since {names} are hardly determined together; take a larger {words.prior}, or leave out what is redundant"
        )
    if found:
        warn_caller(f"{words.subject}: {'; '.join(found)}{words.hint}", PosteriorWarning)


def without_inverse(
    error: NotPositiveDefiniteError, words: Words, architecture: Architecture, first: NDArray[np.intp], B: Float | Gram,
    prior: Float,
) -> NotPositiveDefiniteError:  # fmt: skip
    """What to say about A = B + Pi that has no Cholesky factor, which `error` says; of parameters at `first` of all."""
    if not isinstance(B, Gram) and not np.isfinite(B).all():
        advice = "; take X in other units, as by standardize=True: its squares are too large to be numbers"
        return NotPositiveDefiniteError(f"{words.subject}: {error}{advice}")
    flat, indefinite = _null_space(B, prior)
    if indefinite or not flat.any():
        advice = f"; train to a minimum (method='lm'), take a larger {words.prior}, or hessian='ggn'"
    else:
        has_prior = definite.diagonal(prior)[flat >= SHARE * flat.max()].any()
        names = _names(architecture, first, flat)
        advice = (
            f", since neither the data nor the prior determine {names}; take "
            + (f"a larger {words.prior}" if has_prior else f"{words.prior} > 0 for them")
            + ", or leave out what is redundant: a column of X that others add up to, a unit that does nothing"
        )
    return NotPositiveDefiniteError(f"{words.subject}: {error}{advice}{words.hint}")


def _null_space(B: Float | Gram, prior: Float) -> tuple[Float, bool]:
    """How much of each parameter (n,) lies in directions without curvature, and whether there is a negative one."""
    if isinstance(B, Gram):  # only flat ones can be such
        where, precision = wide.precision_of_flat(B, prior)
        strength = np.zeros(len(prior))
        if len(where):
            strength[where], _ = _null_space(precision, np.zeros(len(where)))
        return strength, False
    A = definite.plus(B, prior)
    diagonal = definite.diagonal(A)
    if A.ndim == 1:
        return (diagonal <= 0).astype(np.float64), False
    scale = np.where(diagonal > 0, np.sqrt(np.abs(diagonal)), 1.0)
    _memory.blas(8 * A.nbytes)
    eigenvalues, vectors = np.linalg.eigh(A / scale[:, np.newaxis] / scale)
    limit = 10 * len(A) * EPS * max(1.0, float(np.abs(eigenvalues).max()))
    return np.linalg.norm(vectors[:, np.abs(eigenvalues) <= limit], axis=1), bool(eigenvalues[0] < -limit)


def _names(architecture: Architecture, first: NDArray[np.intp], strength: Float) -> str:
    """The parameters that a direction moves most."""
    where = np.flatnonzero(strength >= SHARE * strength.max())
    names = [selection.name_of(architecture, int(i)) for i in first[where[:NAMED]]]
    return ", ".join(names) + (f" and {len(where) - NAMED} more" if len(where) > NAMED else "")


def without_noise(error: ValueError, words: Words, samples: Samples) -> ValueError:
    """What to say where the data do not determine the noise, which `error` says in numbers."""
    total, n_samples = samples.total_weight, samples.n_counting
    if total < n_samples:
        advice = (
            f"sample_weight counts samples, and adds up to {total:.4g} for {n_samples} of them: multiply it by "
            f"{n_samples / total:.4g}, and {words.prior} too if the optimum is to stay where it is"
        )
    else:
        advice = f"take more samples, fewer units or a larger {words.prior}"
    return ValueError(f"{words.noise}: {error}; {advice}{words.hint}")
