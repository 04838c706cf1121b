"""Work that is done elsewhere: by whatever has the `submit` of `concurrent.futures.Executor`.

Neither `concurrent.futures` nor `multiprocessing` is imported: futures are asked for `result`, `cancel` and
`add_done_callback` only. Each job is pickled here, and read by the worker after it has seen that both are one build.
"""

from __future__ import annotations

import pickle
import sys
import traceback
from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple

from fastmlp import _memory
from fastmlp import _validation as check
from fastmlp._core.bridge import kernels
from fastmlp._version import __version__
from fastmlp.errors import Said, heard

LOOK = 0.05  # seconds between which Ctrl-C is answered where waiting cannot be interrupted
SHOWN = 12  # of the jobs that are missing, by name

Tell = Callable[[str, type[Warning]], None]


class Build(NamedTuple):
    """What the bits of a result depend on, beside its arguments."""

    version: str
    isa: str

    def __str__(self) -> str:
        return f"fastmlp {self.version} with instruction set {self.isa}"


class Job(NamedTuple):
    """A call for a worker."""

    name: str  #: for messages
    arguments: tuple[Any, ...]
    shared: bytes  #: its first argument, packed, which jobs have in common


class Failure(NamedTuple):
    """An exception of the call itself."""

    error: Exception


def build() -> Build:
    """Of this process."""
    return Build(__version__, kernels.isa_name)


def checked(executor: Any) -> Any:
    """The executor, or a TypeError."""
    if executor is not None and not callable(getattr(executor, "submit", None)):
        expected = "None, or an executor with the method submit of concurrent.futures.Executor"
        raise TypeError(f"executor: expected {expected}, got {check.shown(executor)}")
    return executor


def packed(thing: Any, name: str, argument: str = "executor") -> bytes:
    """Pickled; with functions of notebooks, too, where the executor has brought cloudpickle."""
    dumps = getattr(sys.modules.get("cloudpickle"), "dumps", pickle.dumps)
    try:
        return dumps(thing, protocol=5)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise TypeError(
            f"{argument}: expected {name} that can be pickled, got others ({error}); define functions and classes in a "
            "module that workers can import"
        ) from error


def answers(executor: Any, function: Callable[..., Any], jobs: Sequence[Job], tell: Tell) -> Generator[tuple[int, Any]]:
    """``function(shared, *arguments)`` of each job by its place, as they come; closed, what has not begun is cancelled.

    An exception of the function is raised at once. What an executor has lost, with a worker that has died, is told in
    the end, by a RuntimeError.
    """
    queue = _memory.late("queue")
    arrived = queue.SimpleQueue()
    places: dict[Any, int] = {}  # of futures
    sent: dict[int, Any] = {}  # what jobs have in common, by its identity
    lost: dict[int, Exception] = {}
    told: set[Said] = set()
    try:
        for place, job in enumerate(jobs):
            call = packed((function, job.arguments), job.name)
            if id(job.shared) not in sent:
                sent[id(job.shared)] = _handed_out(executor, job.shared)
            try:
                future = executor.submit(work, build(), job.name, sent[id(job.shared)], call)
            except RuntimeError as error:  # the executor is at its end
                lost[place] = error
                continue
            places[future] = place
            future.add_done_callback(arrived.put)
        while places:
            try:
                future = arrived.get(timeout=LOOK)
            except queue.Empty:
                continue
            place = places.pop(future)
            try:
                answer, said = future.result()
            except Exception as error:
                lost[place] = error
                continue
            for each in said:
                if each not in told:
                    told.add(each)
                    tell(*each)
            if isinstance(answer, Failure):
                raise answer.error
            yield place, answer
    finally:
        for future in list(places):
            future.cancel()
    if lost:
        raise RuntimeError(_missing(lost, jobs)) from lost[min(lost)]


def work(caller: Build, name: str, shared: bytes, call: bytes, *held: Any) -> tuple[Any, list[Said]]:
    """In the worker: the answer, or the Failure, and what was warned of; `held` is what lies there."""
    try:
        refuse_other(caller, "client" if held else "executor")
    except RuntimeError as error:
        return Failure(error), []
    with heard() as said:
        try:
            function, arguments = pickle.loads(call)
            return function(pickle.loads(shared), *held, *arguments), said
        except Exception as error:
            error.add_note(f"in {name}, in a worker:\n{traceback.format_exc()}")
            return Failure(_movable(error)), said


def refuse_other(caller: Build, argument: str) -> None:
    """RuntimeError in a worker that is not of the caller's build."""
    mine = build()
    if tuple(caller) != tuple(mine):
        raise RuntimeError(
            f"{argument}: expected workers of {Build(*caller)}, got one of {mine}, whose results have other bits; "
            "install one version everywhere, and set FASTMLP_ISA to an instruction set that all have"
        )


def _handed_out(executor: Any, shared: bytes) -> Any:
    """What jobs have in common, as `submit` is given it: Dask sends it to each worker once, others with each job."""
    client = getattr(executor, "_client", None)
    return shared if client is None else client.scatter(shared, hash=True)


def _movable(error: Exception) -> Exception:
    """An exception that pickles give back, or one that says the same."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        other = RuntimeError(f"{type(error).__name__}: {error}")
        other.__notes__ = error.__notes__
        return other
    return error


def _missing(lost: dict[int, Exception], jobs: Sequence[Job]) -> str:
    names = [jobs[place].name for place in sorted(lost)]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    first = lost[min(lost)]
    return (
        f"executor: expected an answer to each of {len(jobs)} jobs, got none to {len(names)}: "
        f"{'; '.join(names[:SHOWN])}{more} ({type(first).__name__}: {str(first).rstrip('.')}); a worker may have died, "
        "for want of memory above all: call again, where checkpoint= trains only what is missing"
    )
