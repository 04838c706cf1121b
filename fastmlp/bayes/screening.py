"""Networks of one size on their way: compared near by, and once more close to the end, which the best of them sees."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from fastmlp._types import Float
from fastmlp.bayes.alternation import DIGITS, Alternation, Step
from fastmlp.bayes.ascent import Path, near_by, off_grid
from fastmlp.bayes.budget import Budget
from fastmlp.bayes.evidence import Evidence
from fastmlp.bayes.frame import Frame
from fastmlp.bayes.journal import Journal
from fastmlp.bayes.levels import Levels
from fastmlp.bayes.starts import Start
from fastmlp.model.functional import Samples
from fastmlp.model.units import Units
from fastmlp.network.network import Network
from fastmlp.optimize.settled import shortened

# of the networks, that go on to close by the end: as high as where all are trained, for 0.3 to 0.8 of the time. With a
# third 5 to 12 nats lower in the median on two of four sets
SHARE = 2 / 3
CLOSE = 0.2  # change of the logarithms of precisions there: what is left to gain are tenths of a nat
NEXT = 0.02  # the same where a search leaves the grid: at 0.2 some had a long way left, and rounding led them elsewhere

Climb = Callable[..., Path]  # (alternation, steps, max_iter, tol, across)


class Candidate:
    """A network on its way, by the path that it has come by.

    Parameters
    ----------
    hidden, number
        Of its `Start`.
    alternation : Alternation
    steps : list of Step
        Where it has come to near by.
    n_threads : int
    samples : Samples, optional
        Those as they are, where the alternation sees others on the way (`quantized`).
    """

    def __init__(
        self, hidden: tuple[int, ...], number: int, alternation: Alternation, steps: list[Step], n_threads: int,
        samples: Samples | None = None,
    ) -> None:  # fmt: skip
        self._where, self._alternation, self._n_threads = (hidden, number), alternation, n_threads
        self._path, self._samples = Path(steps, ""), samples
        self._before: list[Step] = []  # on the grid, once it has left that
        self.is_near = len(steps) > 1  # else its precisions are those that all have begun with

    def goes_on(self, climb: Climb, max_iter: int, tol: float) -> None:
        """To the end, with the samples as they are."""
        if self._samples is not None:
            self._path = climb(self._alternation, self._path.steps, max_iter, max(tol, NEXT), tol)
            self._leave_grid(self._samples)
        if not (self._before and self._path.end):
            self._path = climb(self._alternation, self._path.steps, max_iter - len(self._before), tol)
        self._path = self._path.polished(self._alternation)

    def comes_close(self, climb: Climb, max_iter: int, tol: float) -> None:
        """To close by the end."""
        self._path, self.is_near = climb(self._alternation, self._path.steps, max_iter, max(tol, CLOSE)), True

    def stays(self) -> None:
        """Where it is, since others are better."""
        self._path = Path.so_far(self._path.steps)._replace(end="screened")

    @property
    def name(self) -> str:
        """For messages."""
        hidden, number = self._where
        return f"start {number} of {hidden} hidden units"

    def follow(self, other: Candidate, budget: Budget) -> Self:
        """What a worker has made of it, or of a copy, in this process's budget."""
        vars(self).update(vars(other))
        self._alternation.budget = budget
        return self

    @property
    def journal(self) -> Journal:
        """What it has been told on its way."""
        return self._alternation.journal

    @property
    def log_evidence(self) -> float:
        """Of the best point so far, of the samples that it has seen."""
        return max(step.posterior.log_evidence for step in self._path.steps)

    @property
    def start(self) -> Start:
        """Where it has come to, by the samples as they are."""
        alternation, before = self._alternation, self._before
        path = self._path if self._path.end else Path.so_far(self._path.steps)
        if self._samples is not None:
            *before, last = path.steps
            alternation = alternation.on(self._samples, alternation.params_at(last))
            path = Path([alternation.seen(last)], path.end)
        return Start(*self._where, Evidence(path, alternation, self._n_threads, before))

    def _leave_grid(self, samples: Samples) -> None:
        """The same precisions, trained with the samples as they are from now on."""
        self._before, last, end = self._path.steps, self._path.steps[-1], self._path.end
        begin = self._alternation.params_at(last)
        self._alternation, self._samples = self._alternation.on(samples, begin, len(self._before)), None
        self._path = off_grid(self._alternation, last, end)


class Search(NamedTuple):
    """What all candidates have in common, and how each begins."""

    frame: Frame
    samples: Samples
    on_grid: Samples | None
    by_output: bool
    known: Any  #: the noise, if it is
    groups: str
    prior_precision: Any
    noise_precision: Any
    max_iter: int
    tol: float
    is_quick: bool
    n_threads: int  #: of the posteriors

    def begun(
        self, network: Network, threads: int, number: int, budget: Budget, journal: Journal | None = None
    ) -> Candidate:
        """A network, trained to near by."""
        architecture = network._architecture.changed(dtype="float64").called_as(self.frame.architecture)
        frame = self.frame._replace(architecture=architecture, pruned=network._pruned)
        begin = params_in(frame.units, network)
        levels = Levels(frame, self.samples, self.by_output, self.known)
        seen, at_last = self.samples, None
        if self.on_grid is not None and not levels.are_fine(levels.start(self.noise_precision)):
            seen, at_last, levels = self.on_grid, self.samples, levels.on_grid()
            begin = shortened(begin, DIGITS)
        alternation = Alternation(
            begin, frame, seen, self.groups, 0.01 * self.tol, threads, budget, number, levels, journal
        )
        start = alternation.start(self.prior_precision, self.noise_precision)
        path = near_by(alternation, start, self.max_iter, quick=self.is_quick)
        return Candidate(network.layers[1:-1], number, alternation, path, self.n_threads, at_last)


def params_in(own: Units | None, net: Network) -> Float:
    """The parameters of a network in these units."""
    return net.params.astype(np.float64) if own is None else net._in_units(own)


def best(candidates: Sequence[Candidate], share: float = 0.0) -> list[Candidate]:
    """That with the largest evidence so far, or such a share of all; the others stay where they are.

    Those that cannot be compared yet go on too.
    """
    ranked = sorted(candidates, key=lambda each: (each.is_near, -each.log_evidence))
    n = max(1, math.ceil(share * len(candidates)), sum(not each.is_near for each in candidates))
    for each in ranked[n:]:
        each.stays()
    return ranked[:n]
