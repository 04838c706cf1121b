"""From given precisions to those that the evidence prefers: uphill to a maximum, or to the fixed point."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp.bayes.alternation import FARTHEST, Alternation, Proposal
from fastmlp.bayes.laplace import Laplace

Float = NDArray[np.float64]

SMALLEST_STEP = 1 / 64
ENOUGH = 1e-4  # share of the rise that the gradient promises
ROUNDING = 1e-9  # of the log evidence
MEMORY = 8  # steps
MOST_JUMPS = 1
SMALLEST_SHARE = 1 / 8  # of a proposal, towards the fixed point


class Step(NamedTuple):
    """A point of the path."""

    posterior: Laplace
    precisions: Float


class Path(NamedTuple):
    """Steps, and what they have come to: "maximum", "fixed_point", or "" if nowhere yet."""

    steps: list[Step]
    end: str


def to_maximum(alternation: Alternation, start: Float, max_iter: int, tol: float) -> Path:
    """Uphill to a maximum of the log evidence.

    Corrected re-estimation has the sign of the gradient in each component, so that a part of its step is always uphill.
    It is made quicker by the curvature along the last few steps (L-BFGS). Where no part is uphill, the network's
    optimum has ceased to exist, and training goes on to another one: the path jumps there once, and may fall. If it
    comes to such an edge again it goes to the fixed point instead, which has no edges.
    """
    path = [Step(alternation.trained(start), start)]
    memory, jumps = _Memory(), 0
    for _ in range(max_iter):
        posterior, precisions = path[-1]
        proposal = alternation.proposal(posterior, precisions, corrected=True)
        if proposal.dead.any():
            path.append(_pruned(alternation, precisions, proposal))
            memory = _Memory()
            continue
        if np.abs(proposal.change).max() <= tol:
            return Path(path, "maximum")
        memory.note(precisions, proposal.gradient)
        direction = memory.direction(proposal)
        promised, share, before = float(proposal.gradient @ direction), 1.0, posterior._params
        slack = ROUNDING * abs(posterior._log_evidence)
        while True:
            step = _stepped(alternation, precisions, share * direction)
            if step.posterior._log_evidence >= posterior._log_evidence + ENOUGH * share * promised - slack:
                break
            if share <= SMALLEST_STEP:
                jumps, memory = jumps + 1, _Memory()
                break
            share /= 2
            alternation.net.params = before
        if jumps > MOST_JUMPS:
            rest = to_fixed_point(alternation, precisions, max_iter - len(path), tol)
            return Path(path + rest.steps, rest.end)
        path.append(step)
    return Path(path, "")


def to_fixed_point(alternation: Alternation, start: Float, max_iter: int, tol: float) -> Path:
    """Plain re-estimation to its fixed point; steps are shortened while they swing."""
    path = [Step(alternation.trained(start), start)]
    last, share = np.zeros(len(start)), 1.0
    for _ in range(max_iter):
        posterior, precisions = path[-1]
        proposal = alternation.proposal(posterior, precisions, corrected=False)
        if proposal.dead.any():
            path.append(_pruned(alternation, precisions, proposal))
            continue
        if np.abs(proposal.change).max() <= tol:
            return Path(path, "fixed_point")
        share = max(SMALLEST_SHARE, share / 2) if last @ proposal.change < 0 else min(1.0, 2 * share)
        last = proposal.change
        path.append(_stepped(alternation, precisions, share * proposal.change))
    return Path(path, "")


def _stepped(alternation: Alternation, precisions: Float, change: Float) -> Step:
    after = precisions * np.exp(change)
    return Step(alternation.trained(after), after)


def _pruned(alternation: Alternation, precisions: Float, proposal: Proposal) -> Step:
    after = np.where(proposal.dead, np.inf, precisions)
    return Step(alternation.trained(after), after)


class _Memory:
    """Curvature of the log evidence along the last steps, with re-estimation for what they do not say (L-BFGS)."""

    def __init__(self) -> None:
        self.at: tuple[Float, Float] | None = None
        self.pairs: list[tuple[Float, Float]] = []

    def note(self, precisions: Float, gradient: Float) -> None:
        """Where the path is."""
        here = np.log(np.where(np.isfinite(precisions), precisions, 1.0)), gradient
        if self.at is not None:
            s, y = here[0] - self.at[0], self.at[1] - here[1]
            if s @ y > 1e-3 * np.sqrt((s @ s) * (y @ y)):
                self.pairs = [*self.pairs, (s, y)][-MEMORY:]
        self.at = here

    def direction(self, proposal: Proposal) -> Float:
        """Uphill, no component longer than what re-estimation may be."""
        q, coefficients = proposal.gradient.copy(), []
        for s, y in reversed(self.pairs):
            coefficients.append((s @ q) / (s @ y))
            q -= coefficients[-1] * y
        with np.errstate(invalid="ignore", divide="ignore"):
            scale = proposal.change / proposal.gradient
        q *= np.where(proposal.gradient == 0, 0.0, scale)
        for (s, y), coefficient in zip(self.pairs, reversed(coefficients), strict=True):
            q += (coefficient - (y @ q) / (s @ y)) * s
        q = np.clip(q, -FARTHEST, FARTHEST)
        uphill = q @ proposal.gradient > ENOUGH * float(proposal.change @ proposal.gradient)
        return np.asarray(q if uphill else proposal.change)
