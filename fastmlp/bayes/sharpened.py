"""A posterior whose A = beta J' W J + Pi has lost digits, from the rows of J themselves.

Where the noise is far below the signal and there are fewer samples than parameters, the directions that the data say
nothing about have only Pi, as much as 1e-12 of the largest eigenvalue, and J'J leaves 1e-4 of it. The triangle of
[(beta W)^1/2 J; Pi^1/2] by reflections has errors of the square root of that. W are the weights of samples and of
measurement errors, and beta is one number or one for each output.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fastmlp._types import Float, Mask
from fastmlp.bayes.posterior import Posterior
from fastmlp.derivatives.definite import Covariance
from fastmlp.derivatives.wide import WideCovariance

BLOCK = 2**17  # numbers of a Jacobian that are held at once
LOST = 1e-10  # share of variances, from which on the rows are asked


def sharpened(posterior: Posterior, varying: Mask) -> Posterior:
    """The same, its parameters one step nearer to the optimum, if A would be short of digits; of squared error, decay.

    The step is one of Gauss and Newton, which at such precisions of the noise sees all curvature that matters.
    """
    if not posterior.architecture.loss.has_noise or isinstance(posterior.covariance, WideCovariance):
        return posterior
    if posterior.rounding.share <= LOST:
        return posterior
    at = _by_rows(posterior, posterior.free.reduce(posterior.params), varying)
    after = _by_rows(at, at.free.reduce(at.params) - at.times_covariance(at.gradient), varying)
    return after if after.distance < at.distance else at


def _by_rows(posterior: Posterior, v: Float, varying: Mask) -> Posterior:
    objective = posterior.known_objective
    rows = _rows(posterior.changed(params=objective.expand(v)))
    return Posterior(objective, v, varying=varying, covariance=Covariance.of_rows(rows, posterior.prior))


def _rows(posterior: Posterior) -> Iterator[Float]:
    """(beta W)^1/2 J (N K, n), some at a time."""
    for term in posterior.data.each():
        roots = np.sqrt(term.precisions)
        for rows, _, J in posterior.linearised(term.samples.X, BLOCK):
            yield (roots[rows][..., np.newaxis] * J).reshape(-1, J.shape[-1])
