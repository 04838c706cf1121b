"""Interleaved timing: in every round each contestant has its turn, so that all see the same machine.

A job is a function of n that does its work n times. One piece of work takes (time of job(n) - time of job(0)) / n: what
a call, a loop or a training costs to set up drops out, on all sides alike, and is reported apart.
"""

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

Job = Callable[[int], object]
SAMPLE = 0.004  # seconds a sample lasts at least: a thousand times what reading the clock costs


class Timing(NamedTuple):
    """Seconds for one piece of work, round by round, and for setting up."""

    rounds: list[float]
    setups: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)

    @property
    def minimum(self) -> float:
        return min(self.rounds)

    @property
    def setup(self) -> float:
        return statistics.median(self.setups)


def repeat(function: Callable[..., object], *args: object) -> Job:
    """The job of calling a function."""

    def job(n: int) -> None:
        for _ in range(n):
            function(*args)

    return job


def interleave(
    jobs: Mapping[str, Job], seconds: float, least_rounds: int = 5, clock: Callable[[], float] = time.process_time
) -> dict[str, Timing]:
    """Time all jobs, turn by turn, until the seconds are over and `least_rounds` are done.

    Parameters
    ----------
    jobs : mapping of name to job
    seconds : float
        Of real time, for all jobs together.
    least_rounds : int
    clock : callable
        By default the processor time of the whole process, which on one CPU is what the work took, helper threads
        included, whatever else the machine was doing.
    """

    def elapsed(job: Job, n: int) -> float:
        begin = clock()
        job(n)
        return clock() - begin

    counts = {name: _count(lambda n, job=job: elapsed(job, n)) for name, job in jobs.items()}
    timings = {name: Timing([], []) for name in jobs}
    names = list(jobs)
    deadline = time.perf_counter() + seconds
    gc.collect()
    gc.disable()
    try:
        while len(timings[names[0]].rounds) < least_rounds or time.perf_counter() < deadline:
            for name in names:
                setup = elapsed(jobs[name], 0)
                total = elapsed(jobs[name], counts[name])
                timings[name].setups.append(setup)
                timings[name].rounds.append((total - setup) / counts[name])
            names.append(names.pop(0))  # nobody always follows the same one
    finally:
        gc.enable()
    return timings


def _count(elapsed: Callable[[int], float]) -> int:
    """Repetitions that make a sample long enough, and longer than its setting up.

    Finding them warms up: compilers may be at work in the first call, so it does not count.
    """
    elapsed(1)
    setup = elapsed(0)
    n = 1
    while (spent := elapsed(n) - setup) < max(SAMPLE, setup):
        n = max(2 * n, int(n * min(100.0, 1.2 * SAMPLE / max(spent, 1e-6))))
    return n
