"""From given precisions to those that the evidence prefers: near by, then to a maximum, or to the fixed point."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp._types import Mask
from fastmlp.bayes import doubts
from fastmlp.bayes.alternation import COARSE, DEAD, FARTHEST, SLOW, Alternation, Proposal, Step
from fastmlp.bayes.budget import Stop

Float = NDArray[np.float64]

SMALLEST_STEP = 1 / 64
ENOUGH = 1e-4  # share of the rise that the gradient promises
MEMORY = 8  # steps
LONG = 1 / 16  # change of a logarithm, after which others will follow
CHEAP = 0.1  # nats, that few digits of the logarithms may cost there
MOST_JUMPS = 1
# re-estimations beyond an edge, in which a sixth of those of sin(w x) with 5 hidden units come to better networks, by
# up to 7 nats: 1.2 times the time of a search that ends at one. With 100 no more do
CROSSING = 60
WORTH = 0.5  # nats by which these are better than all before
SMALLEST_SHARE = 1 / 8  # of a proposal, towards the fixed point
ROUNDS = 3  # re-estimations before any group is pruned
# to near by: re-estimations at most, steps of training before each, the most that a logarithm changes at once, and so
# much that is near enough. Refused: going on to half and a fifth of it (concrete 1 to 4 nats lower in the mean of 24),
# twenty steps (2 lower), three times the change, two ways of which the better goes on (no better), a first training
# that ends where it creeps (1 to 7 lower)
QUICK_ROUNDS, QUICK_STEPS, QUICK_CHANGE, NEAR = 10, 5, 1.0, 1.0
# changes beyond which small ones are not the way: where there is no noise, and, of the noise precision downwards, where
# the network has hardly learnt anything yet, and would be made flat
FAR, UNLEARNT = 6.0, -4.0


class Path(NamedTuple):
    """Steps, and what they have come to: "maximum", "edge", "fixed_point", "screened", or "" if nowhere yet."""

    steps: list[Step]
    end: str

    @classmethod
    def so_far(cls, steps: list[Step]) -> Path:
        """Up to the best point."""
        return _best(steps, "", 0.0)

    def polished(self, alternation: Alternation) -> Path:
        """Its last point trained as far as rounding allows, where the search has come to an end.

        Which it has not where time ends that too.
        """
        if not self.end:
            return self
        last = alternation.polished(self.steps[-1])
        return Path([*self.steps[:-1], last], "" if last.cut else self.end)


def near_by(alternation: Alternation, start: Float, max_iter: int, *, quick: bool) -> list[Step]:
    """From a network that is trained with the precisions to begin with, by plain re-estimation after a few steps each.

    Most of the way is gone here, for a third of the time, and starts can be compared. The first training is whole,
    since precisions of a network that has not learnt yet may keep it from learning. Unless it is to be `quick`, this is
    for trainings that the time is too short for.
    """
    path = [alternation.first(start)]
    try:
        alternation.report(path)
        if not (quick or alternation.budget.used > SLOW):
            return path
        while len(path) <= min(max_iter - 1, QUICK_ROUNDS) and not alternation.budget.over:
            change = alternation.proposal(path[-1], corrected=False).change
            largest, learns = np.abs(change).max(), alternation.betas(change).min() >= UNLEARNT
            if largest <= NEAR or (quick and not (learns and largest <= FAR)):
                break
            change = np.clip(change, -QUICK_CHANGE, QUICK_CHANGE)
            after = alternation.moved(path[-1].precisions, change, on_the_way=True)
            path.append(alternation.approached(after, QUICK_STEPS))
    except Stop:
        pass
    return path


def off_grid(alternation: Alternation, last: Step, end: str) -> Path:
    """The precisions that a path on a grid has come to, with the samples as they are.

    What ended at an edge there is at one here, where the evidence is the same but for half a nat: going on, it would be
    left to rounding which of the last trials before it has an optimum.
    """
    try:
        step = alternation.trained(last.precisions)
    except Stop as stop:
        return Path(list(stop.args), "")
    is_same = abs(step.posterior.log_evidence - last.posterior.log_evidence) < WORTH
    if end != "edge" or not (step.finished and is_same and step.posterior.distance <= doubts.FARTHEST):
        return Path([step], "")
    with suppress(Stop):
        alternation.report([step])
    return Path([step], end)


def to_maximum(
    alternation: Alternation, path: list[Step], max_iter: int, tol: float, across: float | None = None
) -> Path:
    """Uphill to a maximum of the log evidence, from the end of a path.

    Corrected re-estimation has the sign of the gradient in each component, so that a part of its step is always uphill.
    It is made quicker by the curvature along the last few steps (L-BFGS). Where no part is uphill, the network's
    optimum has ceased to exist, and training goes on to another one: the path jumps there once, and may fall. If it
    comes to such an edge again, or to a lower maximum, plain re-estimation, which asks for no rise, may lead across to
    better networks, and uphill from there; else the path ends at the best of its points, an edge. `across` is its
    tolerance, if not `tol`.
    """
    path, pruning = list(path), _Pruning(alternation)
    try:
        path = _arrived(alternation, path)
        while True:
            found = _climbed(alternation, path, pruning, max_iter, tol)
            if found.end != "edge" or not _has_crossed(alternation, path, max_iter, tol if across is None else across):
                return found
    except Stop as stop:
        path += stop.args
    return _best(path, "", 0.0)


def _arrived(alternation: Alternation, path: list[Step]) -> list[Step]:
    """Training goes on where a path is; points that it has been at in passing make way for the optimum of the last.

    If the evidence there is less than at the first, they have led astray, and it goes on from the first.
    """
    if alternation.budget.over:
        raise Stop
    alternation.params = path[-1].posterior.params
    if not path[-1].passing:
        return path
    before, there = [step for step in path if not step.passing], alternation.trained(path[-1].precisions)
    if there.posterior.log_evidence >= before[-1].posterior.log_evidence:
        return [*before, there]
    alternation.params = before[-1].posterior.params
    return before


def _climbed(alternation: Alternation, path: list[Step], pruning: _Pruning, max_iter: int, tol: float) -> Path:
    """The path, which goes on uphill from its last point, up to where that ends."""
    memory, jumps = _Memory(), 0
    for nit in range(len(path) - 1, max_iter + 1):
        step = path[-1]
        alternation.report(path)
        if alternation.is_beyond_grid(step):
            return Path(path.copy(), "")
        pruned = pruning.tried(path) if nit < max_iter else None
        if pruned is not None:
            path.append(pruned)
            memory = _Memory()
            continue
        proposal = alternation.proposal(step, corrected=True)
        rounding = alternation.rounding(step.posterior)
        if (proposal.at_floor != memory.at_floor).any():
            memory = _Memory(proposal.at_floor)
        if _is_fixed(proposal, rounding, tol):
            return _best(path, "maximum", rounding)
        if nit == max_iter:
            break
        memory.note(step.precisions, proposal.gradient)
        after, has_risen = _uphill(alternation, step, proposal, memory.direction(proposal), rounding)
        if np.array_equal(after.precisions, step.precisions):  # all that is left to do is less than can be told
            return _best(path, "maximum", rounding)
        path.append(after)
        if not has_risen:
            jumps, memory = jumps + 1, _Memory()
        if jumps > MOST_JUMPS:
            return _best(path, "edge", rounding)
    return _best(path, "", 0.0)


def _has_crossed(alternation: Alternation, path: list[Step], max_iter: int, tol: float) -> bool:
    """Whether plain re-estimation, which the path goes on with, comes to networks that are better than all of it."""
    best, plain = max(step.posterior.log_evidence for step in path), _Plain(alternation)
    for _ in range(CROSSING):
        step = path[-1]
        if step.posterior.log_evidence > best + WORTH or alternation.is_beyond_grid(step):
            return True
        if len(path) > max_iter or not step.finished:
            return False
        alternation.report(path)
        proposal = alternation.proposal(step, corrected=False)
        if _is_fixed(proposal, alternation.rounding(step.posterior), tol):
            return False
        path.append(plain.after(step, proposal))
    return False


def _is_fixed(proposal: Proposal, rounding: float, tol: float) -> bool:
    """Whether no logarithm would change, by more than can be told."""
    return bool(((np.abs(proposal.change) <= tol) | (np.abs(proposal.gradient) <= rounding)).all())


def _uphill(
    alternation: Alternation, at: Step, proposal: Proposal, direction: Float, rounding: float
) -> tuple[Step, bool]:
    """The first of ever shorter steps at which the evidence has risen; or the shortest, behind an edge."""
    direction, plain = (_below_floors(each, alternation, at, proposal) for each in (direction, proposal.change))
    if proposal.gradient @ direction <= ENOUGH * float(proposal.gradient @ plain):  # what was cut off was uphill
        direction = plain
    promised, share = float(proposal.gradient @ direction), 1.0
    is_cheap = COARSE * np.abs(proposal.gradient).max() <= CHEAP
    while True:
        change = share * direction
        on_the_way = bool(is_cheap and np.abs(change).max() > LONG)
        after = alternation.moved(at.precisions, change, on_the_way)
        step = alternation.trained(after)
        rise = step.posterior.log_evidence - at.posterior.log_evidence
        has_risen = rise >= ENOUGH * share * promised - rounding
        is_on_the_way = at.finished and not (step.finished or step.cut)
        if is_on_the_way and rise < alternation.levels.n_targets.sum():
            has_risen = False  # no optimum near by: training is on its way from where the last one has ceased to exist
        if has_risen or share <= SMALLEST_STEP:
            return step, bool(has_risen)
        share /= 2
        alternation.params = at.posterior.params


def _below_floors(direction: Float, alternation: Alternation, at: Step, proposal: Proposal) -> Float:
    """A direction that takes no noise beyond its floor, nor from there."""
    direction = direction.copy()
    noise, room = alternation.betas(direction), alternation.levels.highest / alternation.betas(at.precisions)
    noise[...] = np.where(proposal.at_floor, 0.0, np.minimum(noise, np.log(room)))
    return direction


def to_fixed_point(
    alternation: Alternation, path: list[Step], max_iter: int, tol: float, _across: float | None = None
) -> Path:
    """Plain re-estimation to its fixed point, from the end of a path."""
    path, pruning, plain = list(path), _Pruning(alternation), _Plain(alternation)
    try:
        path = _arrived(alternation, path)
        for nit in range(len(path) - 1, max_iter + 1):
            step = path[-1]
            alternation.report(path)
            if alternation.is_beyond_grid(step):
                return Path(path, "")
            pruned = pruning.tried(path) if nit < max_iter else None
            if pruned is not None:
                path.append(pruned)
                continue
            proposal = alternation.proposal(step, corrected=False)
            if _is_fixed(proposal, alternation.rounding(step.posterior), tol):
                return Path(path, "fixed_point")
            if nit == max_iter:
                break
            path.append(plain.after(step, proposal))
    except Stop as stop:
        path += stop.args
    return _best(path, "", 0.0)


class _Plain:
    """Steps of plain re-estimation, shortened while they swing."""

    def __init__(self, alternation: Alternation) -> None:
        self.alternation, self.share = alternation, 1.0
        self.last: Float | None = None

    def after(self, step: Step, proposal: Proposal) -> Step:
        """The next point."""
        change = proposal.change
        swings = self.last is not None and self.last @ change < 0
        self.share = max(SMALLEST_SHARE, self.share / 2) if swings else min(1.0, 2 * self.share)
        self.last = change
        return self.alternation.trained(self.alternation.moved(step.precisions, self.share * change))


def _best(path: list[Step], end: str, rounding: float) -> Path:
    """The path up to its best point: an edge, if one that has ended goes on to worse ones."""
    evidences = [step.posterior.log_evidence for step in path]
    best = int(np.argmax(evidences))
    if end and evidences[best] <= evidences[-1] + rounding:
        return Path(path.copy(), end)
    return Path(path[: best + 1], "edge" if end else "")


class _Pruning:
    """Groups that seem dead are taken out where the evidence of the network that is trained without says so.

    The log evidence without a group is the limit of that with it for alpha -> inf, so that the two can be compared.
    """

    def __init__(self, alternation: Alternation) -> None:
        self.alternation = alternation
        self.refused = np.full(len(alternation.where), np.inf)  # gamma of groups that were not taken out

    def tried(self, path: list[Step]) -> Step | None:
        """The network without some groups, if that is no worse."""
        at = path[-1]
        if len(path) <= ROUNDS:
            return None
        gamma = self.alternation.gamma(at.posterior)
        dead = self.alternation.dead(at) & ((gamma < 0.5 * self.refused) | (self.refused == np.inf))
        one = np.arange(len(dead)) == np.argmin(np.where(dead, gamma / self.alternation.sizes, np.inf))
        for these in [dead] if dead.sum() <= 1 else [dead, one]:
            if not these.any():
                return None
            after = at.precisions.copy()
            self.alternation.alphas(after)[these] = np.inf
            trial = self.alternation.trained(after)
            # what the groups are worth at most, with gamma as good as nothing
            worth = float(np.minimum(gamma, DEAD * self.alternation.sizes)[these].sum())
            least = at.posterior.log_evidence - worth - self.alternation.rounding(at.posterior)
            if trial.posterior.log_evidence >= least:
                return trial
            self.alternation.params = at.posterior.params
        self.refused[dead] = gamma[dead]
        return None


class _Memory:
    """Curvature of the log evidence along the last steps, with re-estimation for what they do not say (L-BFGS)."""

    def __init__(self, at_floor: Mask | bool = False) -> None:
        self.at_floor = at_floor  # where the curvature along beta does not count
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
