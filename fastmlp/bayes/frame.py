"""Between the units that a posterior computes in and those of the user's data.

A posterior of standardised data stays one: once means are taken off, biases mix with weights, and no diagonal prior in
raw units is the same. So inputs go in as u = (x - m)/s, and what comes out is mapped: outputs y = c v + d, their
variances times c^2, slopes times c/s, the density of the targets divided by the product of the c.

Targets that are constant are known: in standardised units they and their outputs are 0, and say nothing of the noise of
the others. Their outputs' parameters are held there, and no density has them.

Targets with measurement errors sigma of their own are v with sigma / c: beta, the factor that 1/sigma^2 still needs, is
a number, the same in all units.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastmlp._types import Float, Index, Mask
from fastmlp.model import moments
from fastmlp.model.architecture import Architecture
from fastmlp.model.functional import Samples
from fastmlp.model.units import Units
from fastmlp.optimize import advice

LEAST = float(np.finfo(np.float64).tiny) * 8  # of noise precisions, which are divided by 2 pi
ROUNDINGS = 16 * float(np.finfo(np.float64).eps)  # of an input, which put it at no distance
VAST = 230.0  # of a logarithm, from which on targets are of no usual size: 1e100


class Frame(NamedTuple):
    """The affine maps; without units none."""

    architecture: Architecture
    units: Units | None
    pruned: Mask | None = None  #: parameters (P,) that the network holds at 0 in these units
    measured: bool = False  #: whether targets have errors of their own, so that beta is a number without unit
    seen: Float | None = None  #: of the user's inputs the least, the largest, the standard deviation (3, D)

    @property
    def input_scale(self) -> Float:
        """The s (D,)."""
        return np.ones(self.architecture.n_inputs) if self.units is None else self.units.inputs.scale

    @property
    def output_scale(self) -> Float:
        """The c (K,), 1 where targets are as the user gives them."""
        targets = None if self.units is None else self.units.targets
        return np.ones(self.architecture.n_outputs) if targets is None else targets.scale

    @property
    def varying(self) -> Mask:
        """Outputs (K,) whose targets are not known to be constant."""
        targets = None if self.units is None else self.units.targets
        return np.ones(self.architecture.n_outputs, bool) if targets is None else ~targets.constant

    @property
    def known(self) -> Index:
        """Positions of parameters that are 0: those of the other outputs, and what is pruned."""
        if self.pruned is None and self.varying.all():
            return np.empty(0, np.intp)
        mask = np.zeros(self.architecture.n_params, bool) if self.pruned is None else self.pruned.copy()
        if not self.varying.all():
            weights, biases = self.architecture.unravel(mask)
            weights[-1][~self.varying] = biases[-1][~self.varying] = True
        return np.flatnonzero(mask)

    def inputs(self, X: Float) -> Float:
        """The user's inputs (N, D) as the posterior sees them."""
        return X if self.units is None else self.units.inputs.standardized(X)

    def outside(self, X: Float) -> Float:
        """How far the user's inputs (N, D) are below (-) or above (+) those that were seen, in standard deviations."""
        if self.seen is None:
            raise ValueError(
                "posterior: expected one that knows how far its inputs went, got one of an earlier version; "
                "form it anew"
            )
        low, high, deviation = self.seen
        away = np.minimum(X - low, 0.0) + np.maximum(X - high, 0.0)
        away[np.abs(away) <= ROUNDINGS * np.maximum(np.abs(low), np.abs(high))] = 0.0
        with np.errstate(divide="ignore", over="ignore"):
            return np.asarray(np.divide(away, deviation, out=np.zeros_like(away), where=away != 0))

    def also(self, samples: Samples) -> Frame:
        """The same after more samples, in the user's units."""
        if self.seen is None:
            return self
        low, high, deviation = self.seen
        new = moments.of_samples(samples)
        return self._replace(seen=np.array([np.minimum(low, new.low), np.maximum(high, new.high), deviation]))

    def outputs(self, Y: Float) -> Float:
        """Outputs (..., K) for the user."""
        if self.units is None or self.units.targets is None:
            return Y
        return Y * self.units.targets.scale + self.units.targets.shift

    def params(self, w: Float) -> Float:
        """The parameters (P,) of the network in the data's units."""
        return w if self.units is None else self.units.folded(self.architecture, w)

    def directions(self, V: Float) -> Float:
        """Changes (n, P) of the parameters, likewise."""
        return V if self.units is None else self.units.turned(self.architecture, V)

    def covariance(self, C: Float) -> Float:
        """A covariance (P, P) of the parameters, likewise."""
        return C if self.units is None else self.directions(self.directions(C).T)

    def precision(self, beta: float | Float) -> float | Float:
        """A noise precision for the user: a number, or one for each output where there are several scales.

        Infinite where the target is constant.
        """
        if self.measured or self.units is None or self.units.targets is None:
            return beta
        with np.errstate(over="ignore", divide="ignore"):
            raw = np.where(self.varying, np.asarray(beta) / self.output_scale / self.output_scale, np.inf)
        return float(raw[0]) if len(raw) == 1 and np.ndim(beta) == 0 else raw

    def beyond(self, beta: Any) -> str:
        """What to say of targets of such a size that float64 holds no square of their noise; else ""."""
        if self.measured or not self.architecture.loss.has_noise or not self.varying.any():
            return ""
        sd = np.broadcast_to(self.output_scale / np.sqrt(beta), self.varying.shape)
        vast = np.abs(np.log(self.output_scale)) > VAST  # else the noise is what it was told to be
        info = np.finfo(np.float64)
        with np.errstate(over="ignore", under="ignore", divide="ignore"):
            held = (sd * sd >= info.tiny) & (sd * sd <= 1 / info.tiny)
        where = np.flatnonzero(self.varying & vast & ~held)
        if not len(where):
            return ""
        size = float(sd[where[0]])
        become, name = ("0", "infinite") if size < 1 else ("infinite", "0"), advice.remedies().targets
        return (
            f"{name}: column {where[0]} has noise of {size:.3g}, whose square is beyond the range of float64: "
            f"variances are {become[0]} or inexact, and noise_precision is {become[1]}; multiply {name} by a number"
        )

    def own_precision(self, beta: Any) -> Any:
        """The way back.

        Raises
        ------
        ValueError
            If there is no such number of full precision.
        """
        own = self.unchecked_precision(beta)
        if not ((own >= LEAST) & (own < np.inf)).all():
            raise ValueError(
                f"noise_precision: expected numbers from {LEAST:.3g} on, also in standardised units, got {own}"
            )
        if self.measured or self.units is None or self.units.targets is None:
            return beta
        return float(own[0]) if len(own) == 1 and np.ndim(beta) == 0 else own

    def unchecked_precision(self, beta: Any) -> Float:
        """One for each output, or for each that has a scale of its own; perhaps 0 or infinite."""
        own = np.asarray(beta, np.float64)
        return own if self.measured else own * self.output_scale * self.output_scale

    def log_volume(self, counts: Float) -> float:
        """By how much the log density of n_k targets (K,) is less in the user's units: sum_k n_k ln c_k."""
        return float(counts[self.varying] @ np.log(np.abs(self.output_scale[self.varying])))


def framed(
    architecture: Architecture, own: Units | None, samples: Samples, pruned: Mask | None
) -> tuple[Frame, Samples]:
    """The frame of these units, and the samples in it."""
    inputs = moments.of_samples(samples)
    seen = np.array([inputs.low, inputs.high, inputs.deviation], np.float64)
    frame = Frame(architecture, own, pruned, samples.targets.precision is not None, seen)
    return frame, samples if own is None else own.applied(samples)
