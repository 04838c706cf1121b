"""Networks of one size on their way: compared near by, and once more close to the end, which the best of them sees."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from fastmlp.bayes.alternation import Alternation, Step
from fastmlp.bayes.ascent import Path
from fastmlp.bayes.evidence import Evidence
from fastmlp.bayes.starts import Start

# of the networks, that go on to close by the end: as high as where all are trained, for 0.3 to 0.8 of the time. With a
# third 5 to 12 nats lower in the median on two of four sets
SHARE = 2 / 3
CLOSE = 0.2  # change of the logarithms of precisions there: what is left to gain are tenths of a nat

Climb = Callable[[Alternation, list[Step], int, float], Path]


class Candidate:
    """A network on its way, by the steps that it has come by.

    Attributes
    ----------
    start : Start
        Where it has come to.
    """

    def __init__(
        self, hidden: tuple[int, ...], number: int, alternation: Alternation, steps: list[Step], n_threads: int
    ) -> None:
        self._where, self._alternation, self._steps, self._n_threads = (hidden, number), alternation, steps, n_threads
        self.start = self._at(Path.so_far(steps))
        self.is_near = len(steps) > 1  # else its precisions are those that all have begun with

    def goes_on(self, climb: Climb, max_iter: int, tol: float) -> None:
        """To the end."""
        path = climb(self._alternation, self._steps, max_iter, tol)
        self.start = self._at(path.polished(self._alternation))

    def comes_close(self, climb: Climb, max_iter: int, tol: float) -> None:
        """To close by the end."""
        self._steps, self.is_near = climb(self._alternation, self._steps, max_iter, max(tol, CLOSE)).steps, True
        self.start = self._at(Path.so_far(self._steps))

    def stays(self) -> None:
        """Where it is, since others are better."""
        self.start = self._at(Path.so_far(self._steps)._replace(end="screened"))

    def _at(self, path: Path) -> Start:
        return Start(*self._where, Evidence(path, self._alternation, self._n_threads))


def best(candidates: Sequence[Candidate], share: float = 0.0) -> list[Candidate]:
    """That with the largest evidence so far, or such a share of all; the others stay where they are.

    Those that cannot be compared yet go on too.
    """
    ranked = sorted(candidates, key=lambda each: (each.is_near, -each.start.posterior.log_evidence))
    n = max(1, math.ceil(share * len(candidates)), sum(not each.is_near for each in candidates))
    for each in ranked[n:]:
        each.stays()
    return ranked[:n]
