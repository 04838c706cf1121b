"""What leaving out a sample does to a trained network, from the factorisation of the posterior: no training.

Without sample n the posterior's maximum moves, to first order in the sample's own part of the curvature, by

    w_(-n) - w = A^-1 J_n' u_n,    u_n = (I - Lambda_n V_n)^-1 delta_n,    V_n = J_n A^-1 J_n',

with delta and Lambda the first and second derivative of its loss by its outputs (squared error) or logits. For squared
error and one output the residual becomes r_n / (1 - h_n), with the leverage h_n = beta V_n. At h_n = 1 the sample alone
determines a parameter, and no number is right: I - Lambda V is singular. Rounding of A, entries of which are wrong by
eps sqrt(A_ii A_jj), changes the leverage by eps |D A^-1 J'|^2 Lambda, D^2 the diagonal of A.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastmlp import _memory
from fastmlp._tables import LINES, Page, Table, how_many, printed
from fastmlp._types import Float, Index, Mask
from fastmlp.bayes import likelihood
from fastmlp.derivatives.definite import EPS, Covariance
from fastmlp.derivatives.wide import WideCovariance
from fastmlp.model.architecture import Architecture
from fastmlp.model.functional import Samples

ROOM = 8  # roundings, with one for each parameter
DOUBTFUL = 0.3  # leverage from which the formula is a rough one in networks with hidden units


NEAR_ONE = 0.9  # leverage from which it may be 1 to rounding


@printed
class LeaveOneOut(NamedTuple):
    """Each sample seen by the network that was trained without it: what `Laplace.leave_one_out` returns.

    Where a sample alone determines a parameter (leverage 1 to rounding) there is no such network: nan.
    """

    outputs: Float  #: (N, K), in the units of T
    residuals: Float  #: (N, K), outputs less targets, likewise
    losses: Float  #: (N,), in nats for classifiers and counts, half squared errors for regression
    leverage: Float  #: (N,), tr Lambda_n V_n, whose sum is gamma with the Gauss-Newton matrix
    cooks_distance: Float  #: (N,), (w_(-n) - w)' A (w_(-n) - w) / gamma
    doubtful: Mask  #: (N,), leverage >= 0.3: the formula is a rough one, and not used if `retrain` says so

    def _shown(self) -> Page:
        n_samples, n_outputs = self.outputs.shape
        one = n_outputs == 1  # several have no room in a line
        rows = [
            (n, *((self.outputs[n, 0], self.residuals[n, 0]) if one else ()), self.losses[n], self.leverage[n],
             self.cooks_distance[n], "doubtful" * bool(self.doubtful[n]))
            for n in range(min(n_samples, LINES))
        ]  # fmt: skip
        heading = ("sample", *(("output", "residual") if one else ()), "loss", "leverage", "Cook's distance", "")
        title = f"LeaveOneOut: {how_many(n_samples, 'sample')}, {np.count_nonzero(self.doubtful)} of them doubtful"
        return Page(title, (Table(rows, heading, ">" * (len(heading) - 1) + "<", n_samples),))


class Removal:
    """The quantities above for every sample.

    Parameters
    ----------
    architecture : Architecture
    samples : Samples
    center : ndarray of shape (N, K)
        Outputs, or logits where the loss is not squared error.
    J : ndarray of shape (N, K, n)
        Their derivatives by the parameters.
    covariance : Covariance or WideCovariance
    noise_precision : float or ndarray of shape (K,)
    """

    def __init__(
        self, architecture: Architecture, samples: Samples, center: Float, J: Float,
        covariance: Covariance | WideCovariance,
        noise_precision: Float | float,
    ) -> None:  # fmt: skip
        self.architecture, self.samples, self.center = architecture, samples, center
        self.targets, delta, curvature = likelihood.derivatives(architecture.loss, samples, center, noise_precision)
        self.rooted = covariance.times_root(J)
        _memory.blas(4 * J.nbytes + 64 * len(J) * J.shape[1] ** 2)
        self.V = self.rooted @ self.rooted.transpose(0, 2, 1)
        share = curvature @ self.V
        self.leverage = np.trace(share, axis1=1, axis2=2)
        self.covariance = covariance
        left = np.eye(center.shape[1]) - share
        left[self._alone(curvature)] = np.nan
        self.u = np.linalg.solve(left, delta[:, :, np.newaxis])[:, :, 0]

    def _alone(self, curvature: Float) -> Index:
        """The samples that alone determine a parameter: I - Lambda V has no positive determinant, to rounding."""
        near = np.flatnonzero(~(self.leverage < NEAR_ONE))
        _memory.blas(4 * self.rooted.nbytes + 8 * curvature.nbytes)
        values, vectors = np.linalg.eigh(curvature[near])
        half = vectors * np.sqrt(np.maximum(values, 0.0))[:, np.newaxis]  # half half' = Lambda
        left = 1 - np.linalg.eigvalsh(half.transpose(0, 2, 1) @ self.V[near] @ half).max(axis=1)
        moved = self.covariance.from_root(self.rooted[near]) * np.sqrt(self.covariance.precisions)
        error = ((half.transpose(0, 2, 1) @ moved) ** 2).sum(axis=(1, 2))
        alone: Index = near[~(left > (self.rooted.shape[2] + ROOM) * EPS * np.maximum(error, 1.0))]
        return alone

    def params_change(self) -> Float:
        """w_(-n) - w (N, n)."""
        return self.covariance.from_root(np.einsum("nk,nkp->np", self.u, self.rooted))

    def leave_one_out(self, gamma: float) -> LeaveOneOut:
        """What there is to know about each sample."""
        center = self.center + np.einsum("nkj,nj->nk", self.V, self.u)
        loss = self.architecture.loss
        undefined = ~np.isfinite(center).all(axis=1)
        center[undefined] = 0.0
        outputs = loss.outputs(center)
        residuals = outputs - self.samples.targets.told(outputs.shape[1])
        missing = self.samples.targets.observed is not None and np.isnan(residuals)
        losses = loss.value(center, np.where(missing, outputs, self.targets))
        outputs[undefined], losses[undefined], residuals[undefined] = np.nan, np.nan, np.nan
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = np.einsum("nk,nkj,nj->n", self.u, self.V, self.u) / gamma
        doubtful = ~(self.leverage < DOUBTFUL)
        return LeaveOneOut(outputs, residuals, losses, self.leverage, distance, doubtful)
