"""Candidates on their way by workers elsewhere: they go there and come back as they are, to the same bits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from typing import Any

from fastmlp import _executors, _threads
from fastmlp._executors import Job
from fastmlp.bayes.budget import Budget
from fastmlp.bayes.journal import Journal, Journals
from fastmlp.bayes.screening import Candidate, Search
from fastmlp.network.network import Network
from fastmlp.optimize import advice


def begin(
    executor: Any, search: Search, drawn: Iterable[tuple[Network, Journal]], threads: int, budget: Budget,
    done: list[Candidate], journals: Journals,
) -> list[Candidate | None]:  # fmt: skip
    """Candidates of networks, None for which there was no time; `done` has them as they come."""
    shared = _executors.packed(search, "data")
    jobs = [
        Job(f"start {n} of {net.layers[1:-1]} hidden units", (net, threads, n, budget, own, bool(done)), shared)
        for n, (net, own) in enumerate(drawn)
    ]
    found: list[Candidate | None] = [None] * len(jobs)
    with _answers(executor, _begun, jobs) as answers:
        for place, candidate in answers:
            if candidate is not None:
                found[place] = candidate.follow(candidate, budget)
                journals.keep(candidate.journal)
                done.append(candidate)
    return found


def go(
    executor: Any, how: Callable[..., None], candidates: Sequence[Candidate], arguments: tuple[Any, ...],
    budget: Budget, journals: Journals,
) -> None:  # fmt: skip
    """``how(candidate, *arguments)`` of each."""
    nothing = _executors.packed(None, "data")
    jobs = [Job(each.name, (each, how, arguments), nothing) for each in candidates]
    with _answers(executor, _gone, jobs) as answers:
        for place, candidate in answers:
            journals.keep(candidates[place].follow(candidate, budget).journal)


def _answers(executor: Any, function: Callable[..., Any], jobs: Sequence[Job]) -> Any:
    jobs = [job._replace(arguments=(advice.remedies(), *job.arguments)) for job in jobs]
    return closing(_executors.answers(executor, function, jobs, advice.relay))


def _begun(
    search: Search, remedies: advice.Remedies, net: Network, threads: int, number: int, budget: Budget,
    journal: Journal, is_late: bool,
) -> Candidate | None:  # fmt: skip
    """In a worker. One candidate there is in any case."""
    if budget.over and (number or is_late):
        return None
    with advice.once(remedies):
        return search.begun(net, _threads.resolve(threads), number, budget, journal)


def _gone(
    _: None, remedies: advice.Remedies, candidate: Candidate, how: Callable[..., None], arguments: tuple[Any, ...]
) -> Candidate:
    with advice.once(remedies):
        how(candidate, *arguments)
    return candidate
