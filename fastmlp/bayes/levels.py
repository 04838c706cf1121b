"""The noise levels whose precisions the evidence is asked for: one of all outputs, or one of each.

All numbers are in the frame's units, one for each level (B,).
"""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np

from fastmlp import _validation as check
from fastmlp._types import Float, Mask
from fastmlp.bayes.frame import Frame
from fastmlp.bayes.posterior import Posterior
from fastmlp.model import units
from fastmlp.model.functional import Samples
from fastmlp.optimize import advice, explained, reference
from fastmlp.optimize.settled import shortened
from fastmlp.terms import DataTerm, outputs

START_SIGNAL = 100.0  # variance of the targets over that of the noise
MOST_SIGNAL = 1e12  # the same where the noise is at its floor
LEAST_VARIANCE = 1e-290  # of which float64 holds the reciprocal, and that of the noise
DIGITS = 20  # binary, where data differ by less
FINE = 2.0**17  # the same where noise is ten times what samples on a grid have lost (see `quantized`)
CLOSE = 0.9  # share of that precision from which on the noise counts as at its floor


class Levels:
    """The levels of some targets.

    Parameters
    ----------
    frame : Frame
    samples : Samples
        In its units.
    by_output : bool
        A level for each output whose targets vary, where there are several, and their noise is not known.
    known : float or ndarray of shape (K,), optional
        The precisions, if they are not to be sought; one for each output makes a level of each.

    Attributes
    ----------
    n_targets : ndarray of shape (B,)
        By weight.
    deviations, variances : ndarray of shape (B,)
        Of the targets, in the mean of the level's outputs; variances of targets with measurement errors by these.
    highest : ndarray of shape (B,)
        The precisions of noise at its floor.
    """

    def __init__(self, frame: Frame, samples: Samples, by_output: bool, known: Any = None) -> None:
        self.frame, self.is_regression = frame, frame.architecture.loss.has_noise
        self.are_on_grid = False
        self._asked = by_output, known
        self.varying = np.flatnonzero(frame.varying)
        self.known = known if self.is_regression else 1.0
        several = by_output if self.known is None else np.ndim(self.known) == 1
        self.by_output = self.is_regression and len(self.varying) > 1 and several
        each = samples.counts(len(frame.varying))[self.varying]
        self.n_targets = each if self.by_output else np.array([each.sum()])
        self.deviations = self.variances = np.array([np.nan])
        if self.is_regression:
            self.deviations, self.variances = self._spread(samples)
        self.highest = np.full(len(self), np.inf) if self.are_known else MOST_SIGNAL / self.variances

    def on(self, samples: Samples) -> Levels:
        """Those of other samples of the same kind."""
        return Levels(self.frame, samples, *self._asked)

    def on_grid(self) -> Levels:
        """The same, by spreads of few digits, which rounding of the data does not move."""
        other = copy.copy(self)
        other.are_on_grid = True
        other.deviations, other.variances, other.highest = (
            shortened(each, DIGITS) for each in (self.deviations, self.variances, self.highest)
        )
        return other

    def are_fine(self, levels: Float) -> bool:
        """Whether noise of these precisions is too little for samples on a grid, whose errors would be part of it."""
        return self.is_regression and bool((levels * self.variances > FINE).any())

    def __len__(self) -> int:
        return len(self.n_targets)

    @property
    def are_known(self) -> bool:
        """Whether nothing is to be sought."""
        return self.known is not None

    def _spread(self, samples: Samples) -> tuple[Float, Float]:
        name = advice.remedies().targets
        own = units.target_columns(samples, name).deviation[self.varying]
        if not own.any():
            raise ValueError(
                f"{name}: expected targets with noise, got constant ones, up to rounding; if they vary, subtract "
                "their offset"
            )
        spread = np.atleast_1d((own**2).mean())
        if self.by_output:  # a constant among raw targets has the size of the others
            spread = np.where(own > 0, own**2, (own[own > 0] ** 2).mean())
        if not ((spread >= LEAST_VARIANCE) & (spread <= 1 / LEAST_VARIANCE)).all():
            raise ValueError(
                f"{name}: expected targets of a variance from {LEAST_VARIANCE:g} to {1 / LEAST_VARIANCE:g}, got a "
                f"standard deviation of {own.max():.3g}; take standardize=True, or multiply {name} by a number"
            )
        if samples.targets.factors is None:
            return np.sqrt(spread), spread
        found = reference.of(self.frame.architecture, samples)
        if not self.by_output:
            return np.sqrt(spread), 2 * found.loss / self.n_targets
        assert found.sd is not None
        measured = (found.total * found.sd**2)[self.varying] / self.n_targets
        return np.sqrt(spread), np.where(measured > 0, measured, measured[measured > 0].mean())

    def start(self, value: Any) -> Float:
        """The precisions to begin with; `value` is given in the units of the user's targets."""
        if not self.is_regression:
            if value is not None:
                loss = self.frame.architecture.loss
                raise ValueError(f"noise_precision: expected None for {loss}, got {check.shown(value)}")
            return np.ones(1)
        if self.are_known:
            return np.array(self.known, np.float64)[self.varying] if self.by_output else np.array([float(self.known)])
        if value is None:
            return START_SIGNAL / self.variances
        each = self.frame.unchecked_precision(check.number(value, "noise_precision", 0.0, above=True))
        own = np.broadcast_to(each, len(self.frame.varying))[self.varying]
        own = own if self.by_output else np.atleast_1d(np.mean(own))
        # a start, which may be 0 or infinite there
        return np.minimum(self.highest, np.maximum(own, np.finfo(np.float64).tiny))

    def of_outputs(self, levels: Float) -> float | Float:
        """The precisions as a data term takes them: a number, or one for each output (K,), 1 of what is known."""
        if not self.by_output:
            return float(levels[0])
        beta = np.ones(len(self.frame.varying))
        beta[self.varying] = levels
        return beta

    def at_floor(self, levels: Float) -> Mask:
        """Where the noise is at its floor, or as good as there."""
        return np.asarray(levels > CLOSE * self.highest)

    def moved(self, before: Float, after: Float) -> Float:
        """The precisions after a move: as before if they are known, at the floor where they would be close to it."""
        return before if self.are_known else np.where(self.at_floor(after), self.highest, after)

    def outputs_where(self, mask: Mask) -> tuple[int, ...]:
        """The outputs of some levels (B,)."""
        return tuple(self.varying[np.broadcast_to(mask, self.varying.shape)].tolist())

    def freedom(self, posterior: Posterior, levels: Float) -> float | Float:
        """N - gamma of the noise, a number or one for each output (K,); infinite where it is known, or at its floor."""
        if self.are_known:
            return math.inf
        left = self.n_targets - self.determined(posterior)
        left = np.where(self.at_floor(levels) | (left <= 0), np.inf, left)
        if not self.by_output:
            return float(left[0])
        result = np.full(len(self.frame.varying), np.inf)
        result[self.varying] = left
        return result

    def signal(self, levels: Float) -> float:
        """The variance of the targets over that of the noise, at most; 1 for classes and counts."""
        return float((levels * self.variances).max()) if self.is_regression else 1.0

    def unexplained(self, data: DataTerm, posterior: Posterior) -> float:
        """The share of the targets' variance that a network leaves, mean over the targets."""
        errors = self.squared_errors(data, posterior) / self.variances
        return float(errors.sum() / self.n_targets.sum())

    def squared_errors(self, data: DataTerm, posterior: Posterior) -> Float:
        """SSE of each level, of a term without beta."""
        if not self.by_output:
            return np.array([2 * data.value(posterior.params)])
        return outputs.squared_errors(data, posterior.params)[self.varying]

    def determined(self, posterior: Posterior) -> Float:
        """How many parameters the targets of each level determine: gamma, or gamma_k."""
        if not self.by_output:
            return np.array([posterior.effective_n_params])
        data, free, params = posterior.data, posterior.free, posterior.params
        return outputs.determined(data, free, params, posterior.covariance)[self.varying]

    def least_gradient(self, levels: Float, samples: Samples) -> float:
        """What rounding of the targets leaves of the residuals r in beta J'r, over a rounding."""
        total = samples.total_weight
        if samples.targets.factors is not None:
            weights = explained.weights(samples)
            assert weights is not None
            total = float(weights[:, self.varying].sum(axis=0).mean())
        return total * float((levels * self.deviations).max()) if self.is_regression else total
