"""How the Occam factor of the evidence changes with the parameters: the gradient of ln|A|.

A = sum_n J' Lambda J + diag(alpha), with J the derivatives of the outputs (squared error) or logits y by w, Lambda(y)
the second derivatives of the loss by them. With V = J A^-1 J' of a sample,

    d ln|A| / dw = sum_n [2 sum_k H_k v_k + J' u],    v = Lambda J A^-1,    u_m = sum_kl V_kl dLambda_kl / dy_m.

and H_k = d2y_k / dw dw (`derivatives/mixed.py`).

alpha and beta move w, the trained network, by dw/d ln alpha_g = -H^-1 (alpha w)_g and dw/d ln beta = H^-1 (alpha w),
H the exact second derivatives of the log posterior. So they move ln|A| by more than what they themselves are in it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fastmlp import _memory
from fastmlp._core.curvature import cholesky
from fastmlp.bayes import likelihood
from fastmlp.bayes.laplace import Laplace
from fastmlp.derivatives import exact as derivatives
from fastmlp.derivatives import mixed
from fastmlp.model.functional import Samples
from fastmlp.model.losses import Targets
from fastmlp.terms import DataTerm

Float = NDArray[np.float64]

BLOCK = 2**17  # numbers of a Jacobian that are held at once, in the caches


def corrections(posterior: Laplace, where: list[NDArray[np.intp]]) -> Float:
    """What the optimum's motion adds to the derivatives of the log evidence by ln alpha_g, and by ln beta, the last."""
    free, alpha = posterior._free, posterior.prior_precision
    if not len(free):
        return np.zeros(len(where) + 1)
    term = DataTerm(posterior._architecture, posterior._samples, posterior._beta, posterior._n_threads)
    H = np.ascontiguousarray(term.hessian(posterior._params, "exact")[np.ix_(free, free)])
    H[np.diag_indices_from(H)] += alpha[free]
    motion = np.zeros(len(alpha))
    if cholesky.factor(H) == 0:  # else not a minimum, to rounding, which does not say where it moves to
        change = cholesky.solve(H, -0.5 * log_det_gradient(posterior)[free])
        motion[free] = change * alpha[free] * posterior._params[free]
    return np.array([*(-motion[each].sum() for each in where), motion.sum()])


def log_det_gradient(posterior: Laplace) -> Float:
    """The gradient d ln|A| / dw (P,), with alpha and beta held, A from the Gauss-Newton matrix."""
    architecture, samples, free = posterior._architecture, posterior._samples, posterior._free
    gradient, own = np.zeros(len(posterior._params)), np.zeros(len(free))
    covariance = posterior._covariance.matrix if architecture.loss.has_noise else None
    size = max(1, BLOCK // (architecture.n_outputs * len(gradient)))
    for first in range(0, len(samples.X), size):
        part = _part(samples, slice(first, first + size))
        center, J = derivatives.linearise(architecture, posterior._params, part.X, posterior._n_threads)
        J = J if len(free) == len(gradient) else np.ascontiguousarray(J[..., free])
        if covariance is not None:  # Lambda, beta s_n, does not depend on the outputs
            v = _memory.product(_flat(J), covariance).reshape(J.shape)
            v *= np.reshape(posterior._beta, (-1, 1))
            if part.weight is not None:
                v *= part.weight[:, np.newaxis, np.newaxis]
        else:
            rooted = posterior._covariance.times_root(J, posterior._n_threads)
            _, _, Lambda = likelihood.derivatives(architecture.loss, part, center, posterior._beta)
            v = posterior._covariance.from_root(
                Lambda * rooted if center.shape[1] == 1 else _memory.product(Lambda, rooted), posterior._n_threads
            )
            u = likelihood.third(architecture.loss, part, center, _memory.product(rooted, rooted.transpose(0, 2, 1)))
            own += u.ravel() @ _flat(J)
        if len(free) < len(gradient):
            v, known = np.zeros((*v.shape[:2], len(gradient))), v
            v[..., free] = known
        gradient += 2 * mixed.along_directions(architecture, posterior._params, part.X, v, posterior._n_threads)
    gradient[free] += own
    return gradient


def _part(samples: Samples, rows: slice) -> Samples:
    """Some of the samples, as views."""
    values, labels, weight = (None if each is None else each[rows] for each in (*samples.targets, samples.weight))
    return Samples(samples.X[rows], Targets(values, labels), weight)


def _flat(array: Float) -> Float:
    """Samples and outputs as one axis."""
    return array.reshape(-1, array.shape[-1])
