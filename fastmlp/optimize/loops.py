"""Compiled full-batch loops: how the steps of a `Descent` of `_core` are reported, and ended."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from fastmlp import _threads
from fastmlp._core.fits import lbfgs, lm
from fastmlp._core.fits.journal import Journal
from fastmlp._core.fits.objective import Objective as Compiled
from fastmlp._core.fits.span import Span
from fastmlp._core.threads import team
from fastmlp.optimize.monitor import CONVERGED, OUTCOMES, TIME_LIMIT, Monitor, Stop
from fastmlp.optimize.subspace import Seen
from fastmlp.terms.objective import Objective
from fastmlp.terms.tangents import Joint

Descent = lm.Descent | lbfgs.Descent
MOST_STEPS = 1000
MOST_SECONDS = 0.1  # until the network, which a signal handler may look at, follows the steps


def compiled(
    objective: Objective, n_threads: int | None = None, *, curved: bool = True, span: Span | None = None
) -> Compiled:
    """The objective as the compiled floor has it; on the threads of its data term, or on so many.

    Not `curved` it is for gradients alone, and terms on the samples are summed with the loss.
    """
    data, free = objective.data, objective.free
    n_threads = _threads.resolve(data.n_threads) if n_threads is None else n_threads
    ties = None if free is None else free.compiled
    if (chunks := objective.by_chunks) is not None:
        return Compiled(None, 1.0, objective.decay, n_threads, None, objective.terms, chunks=chunks)
    if not curved and isinstance(objective.sums, Joint):
        tangents = objective.sums.compiled
        return Compiled(data.batch, data.factor, objective.decay, n_threads, ties, objective.rest, tangents)
    return Compiled(data.batch, data.factor, objective.decay, n_threads, ties, objective.terms, span=span)


def follow(
    descent: Descent, objective: Objective | Seen, monitor: Monitor, max_iter: int
) -> tuple[int, dict[str, Any], tuple[int, int, int]]:
    """Make steps until one is the last; a status, the solver's state, and (nfev, njev, nhev).

    Where nobody looks at each step they are made many at a time, and reported together.
    """
    journal = Journal(max(1, min(max_iter, MOST_STEPS)), objective.x0.size)
    status = descent.advance(0)
    try:
        _report(monitor.begin, descent, objective)
        while status == "running" and monitor.n_iter < max_iter:
            if not monitor.watched:
                started = monitor.elapsed
                left = monitor.deadline - started
                journal.open(min(MOST_SECONDS, left))
                try:
                    status = within(left, descent.advance, max_iter - monitor.n_iter, journal)
                finally:  # also what was done before Ctrl-C
                    _report_many(monitor, descent, objective, journal, started)
                monitor.check_time()
                continue
            status = within(monitor.deadline - monitor.elapsed, descent.advance, 1)
            if descent.counts[0] > monitor.n_iter:
                _report(monitor.step, descent, objective)
            else:
                monitor.check_time()
        ended = OUTCOMES[status]
    except team.TimeOver:
        ended = TIME_LIMIT
    except Stop as stop:
        ended = CONVERGED if status == "converged" else stop.status
    return ended, descent.state, descent.counts[1:]


def within(seconds: float, advance: Callable[..., str], *arguments: Any) -> str:
    """What `advance` returns; TimeOver, within a step too, if it takes longer, with the fit at its latest step."""
    if seconds == math.inf:
        return advance(*arguments)
    team.limit(seconds)
    try:
        return advance(*arguments)
    finally:
        team.unlimited()


def _report(record: Any, descent: Descent, objective: Objective | Seen) -> None:
    mean = objective.data.mean(descent.value - descent.penalty)
    record(objective.expand(descent.params), descent.value + objective.constant, mean, descent.grad_norm)


def _report_many(
    monitor: Monitor, descent: Descent, objective: Objective | Seen, journal: Journal, started: float
) -> None:
    columns = journal.columns(objective.constant, objective.data.size, started)
    lowest, lowest_x = journal.lowest
    lowest_seen = lowest + objective.constant, objective.expand(lowest_x)
    monitor.absorb(objective.expand(descent.params), columns, lowest_seen)
