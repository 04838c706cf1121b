"""Compiled full-batch loops: how the steps of a `Descent` of `_core` are reported, and ended."""

from __future__ import annotations

from typing import Any, Protocol

from numpy.typing import NDArray

from fastmlp._core.fits.journal import Journal
from fastmlp.optimize.monitor import CONVERGED, FLAT, MAX_FUN, MAX_ITER, STALLED, Monitor, Stop
from fastmlp.terms.objective import Objective

MOST_STEPS = 1000
MOST_SECONDS = 0.1  # until the network, which a signal handler may look at, follows the steps
_STATUS = {"running": MAX_ITER, "converged": CONVERGED, "stalled": STALLED, "flat": FLAT, "max_fun": MAX_FUN}


class Descent(Protocol):
    """A solver of the compiled floor at its latest step."""

    value: float
    penalty: float
    grad_norm: float

    def advance(self, n_steps: int, journal: Journal | None = None) -> str:
        """Make up to so many steps; one of the words of `_STATUS`."""

    @property
    def params(self) -> NDArray[Any]:
        """The free parameters."""

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Numbers of steps, values, gradients and Hessians."""


def follow(descent: Descent, objective: Objective, monitor: Monitor, max_iter: int) -> int:
    """Make steps until one is the last; its status.

    Where nobody looks at each step they are made many at a time, and reported together.
    """
    journal = Journal(max(1, min(max_iter, MOST_STEPS)), objective.x0.size)
    status = descent.advance(0)
    try:
        _report(monitor.begin, descent, objective)
        while status == "running" and monitor.n_iter < max_iter:
            if not monitor.watched:
                started = monitor.elapsed
                journal.open(min(MOST_SECONDS, monitor.deadline - started))
                try:
                    status = descent.advance(max_iter - monitor.n_iter, journal)
                finally:  # also what was done before Ctrl-C
                    _report_many(monitor, descent, objective, journal, started)
                monitor.check_time()
                continue
            status = descent.advance(1)
            if descent.counts[0] > monitor.n_iter:
                _report(monitor.step, descent, objective)
            else:
                monitor.check_time()
        return _STATUS[status]
    except Stop as stop:
        return CONVERGED if status == "converged" else stop.status


def _report(record: Any, descent: Descent, objective: Objective) -> None:
    mean = objective.data.mean(descent.value - descent.penalty)
    record(objective.expand(descent.params), descent.value + objective.constant, mean, descent.grad_norm)


def _report_many(monitor: Monitor, descent: Descent, objective: Objective, journal: Journal, started: float) -> None:
    values, penalties, grad_norms, seconds = journal.columns
    means = objective.data.mean(values - penalties)
    lowest, lowest_x = journal.lowest
    monitor.absorb(
        objective.expand(descent.params), values + objective.constant, means, grad_norms, started + seconds,
        (lowest + objective.constant, objective.expand(lowest_x)),
    )  # fmt: skip
