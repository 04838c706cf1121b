"""How the Occam factor of the evidence changes with the parameters: the gradient of ln|A|.

A = sum_n J' Lambda J + Pi, with J the derivatives of the outputs (squared error) or logits y by w, Lambda(y) the second
derivatives of the loss by them. With V = J A^-1 J' of a sample,

    d ln|A| / dw = sum_n [2 sum_k H_k v_k + J' u],    v = Lambda J A^-1,    u_m = sum_kl V_kl dLambda_kl / dy_m,

and H_k = d2y_k / dw dw (`derivatives/mixed.py`).

alpha and beta move w, the trained network, by dw/d ln alpha_g = -H^-1 (alpha w)_g and dw/d ln beta = H^-1 (alpha w),
or dw/d ln beta_k = -H^-1 beta_k grad E_k, H the exact second derivatives of the log posterior. So they move ln|A| by
more than what they themselves are in it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmlp import _memory
from fastmlp._types import Float, Index
from fastmlp.bayes import likelihood
from fastmlp.bayes.posterior import Posterior
from fastmlp.derivatives import definite, mixed
from fastmlp.errors import NotPositiveDefiniteError
from fastmlp.model.functional import Samples
from fastmlp.model.losses import Targets
from fastmlp.terms import outputs

BLOCK = 2**17  # numbers of a Jacobian that are held at once, in the caches


def corrections(posterior: Posterior, where: list[Index], varying: Index | None = None) -> Float:
    """What the optimum's motion adds to the derivatives of the log evidence by ln alpha_g, and by those of the noise.

    These are ln beta, or ln beta_k of each output that varies, where they are told. The prior is weight decay; `where`
    are the parameters of each group, among all.
    """
    free, objective, n_levels = posterior.free, posterior.known_objective, 1 if varying is None else len(varying)
    if not free.n:
        return np.zeros(len(where) + n_levels)
    v = free.reduce(posterior.params)
    s = np.zeros(free.n)
    try:
        L = definite.factored(objective.hess(v))
        s = definite.solve(L, -0.5 * log_det_gradient(posterior))
    except NotPositiveDefiniteError:  # not a minimum, to rounding, which does not say where it moves to
        pass
    motion = free.at_first(s * posterior.prior * v)
    by_group = (-motion[each].sum() for each in where)
    if varying is None:
        return np.array([*by_group, motion.sum()])
    return np.array([*by_group, *-outputs.pulls(posterior.data, posterior.params, free.at_first(s))[varying]])


def log_det_gradient(posterior: Posterior) -> Float:
    """The gradient d ln|A| / dv (n,), with alpha and beta held, A from the Gauss-Newton matrix."""
    gradient, own = posterior.samples.summed(lambda samples: _log_det_gradient(posterior, samples))
    return np.asarray(posterior.free.pull(gradient) + own)


def _log_det_gradient(posterior: Posterior, samples: Samples) -> tuple[Float, Float]:
    """What some samples have of it: by all parameters (P,), and by the free ones (n,)."""
    architecture, free = posterior.architecture, posterior.free
    gradient, own = np.zeros(architecture.n_params), np.zeros(free.n)
    covariance = posterior.covariance.matrix if architecture.loss.has_noise else None
    for rows, center, J in posterior.linearised(samples.X, BLOCK):
        part = _part(samples, rows)
        if covariance is not None:  # Lambda, beta s_n / sigma_n^2, does not depend on the outputs
            v = _memory.product(_flat(J), covariance).reshape(J.shape)
            v *= np.reshape(posterior.beta, (-1, 1))
            if (factors := part.targets.factors) is not None:
                v *= factors[:, :, np.newaxis]
            if part.weight is not None:
                v *= part.weight[:, np.newaxis, np.newaxis]
        else:
            rooted = posterior.covariance.times_root(J, posterior.n_threads)
            _, _, Lambda = likelihood.derivatives(architecture.loss, part, center, posterior.beta)
            v = posterior.covariance.from_root(
                Lambda * rooted if center.shape[1] == 1 else _memory.product(Lambda, rooted), posterior.n_threads
            )
            u = likelihood.third(architecture.loss, part, center, _memory.product(rooted, rooted.transpose(0, 2, 1)))
            own += u.ravel() @ _flat(J)
        v = free.spread(v)
        gradient += 2 * mixed.along_directions(architecture, posterior.params, part.X, v, posterior.n_threads)
    return gradient, own


def _part(samples: Samples, rows: slice) -> Samples:
    """Some of the samples, as views."""
    parts: Any = (*samples.targets, samples.weight)
    *targets, weight = (None if each is None else each[rows] for each in parts)
    return Samples(samples.X[rows], Targets(*targets), weight)


def _flat(array: Float) -> Float:
    """Samples and outputs as one axis."""
    return array.reshape(-1, array.shape[-1])
