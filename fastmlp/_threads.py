"""What `n_threads` means.

None is FASTMLP_NUM_THREADS where it is set, else what OpenMP grants (OMP_NUM_THREADS, the affinity of the process,
limits set by threadpoolctl or joblib), which are looked at where there is work for more than one thread; a number is
taken as it is, up to OpenMP's own limit and 64, the largest number of slots. Results do not depend on it, to the bit.
The child of a fork has one thread (`_core.team` says why). Where the system gives no thread (`_core.crew`), one does
the work, and a later call tries again.
"""

from __future__ import annotations

import contextvars
import functools
import os
import threading
from collections.abc import Callable, Iterable
from typing import Any

from fastmlp import _memory
from fastmlp import _validation as check
from fastmlp._core.threads import crew, team
from fastmlp.errors import ForkWarning, ThreadWarning, warn_caller

MAX_THREADS = 64
ANY = 2**31  # bits of a number of threads: it is cut down to what there is

_warned: dict[type[Warning], int] = {}  # the process that has had its warning


def resolve(n_threads: int | None = None) -> int:
    """Number of threads that a call may use, at least 1; the child of a fork is warned once that it is 1."""
    threads = wanted(n_threads)
    if threads == 1 or not team.forked():
        return threads
    _warn_once(
        ForkWarning,
        "this process is the child of a fork, which OpenMP's threads do not survive: fastmlp uses one thread here, "
        "with the same results; processes started by spawn, forkserver or joblib's loky have all threads",
    )
    return 1


def _warn_once(category: type[Warning], message: str) -> None:
    if _warned.get(category) != os.getpid():
        _warned[category] = os.getpid()
        warn_caller(message, category)


def _warn_of_missing(n_threads: int, error: int) -> None:
    """One thread has done what was for so many: the system's error says why, or -1 that their stack is too small."""
    cause = "their stack is smaller than 128 kB" if error < 0 else os.strerror(error)
    _warn_once(
        ThreadWarning,
        f"n_threads: expected {n_threads} threads, got one, since the others cannot be made ({cause}); results are "
        "the same. Limits of threads (ulimit -u), of memory (ulimit -v), and OMP_STACKSIZE, the memory of each thread, "
        "decide; n_threads=1 asks for no other",
    )


team.tell_of_missing(_warn_of_missing)


def can_be_made(n_threads: int) -> bool:
    """Whether there are so many threads of Python's own; if not, it is told once."""
    error = crew.lacking(n_threads)
    if error:
        _warn_of_missing(n_threads, error)
    return not error


def wanted(n_threads: int | None = None) -> int:
    """As `resolve`, forks left aside."""
    granted, limit = team.max_threads()
    if n_threads is not None:
        threads = check.integer(n_threads, "n_threads", 1, bits=ANY)
    else:
        threads = _asked_for(team.asked_for()) or granted
    most = limit if limit < MAX_THREADS else MAX_THREADS  # `min` and `max` take as long as all the rest
    return threads if threads < most else most


@functools.cache
def _asked_for(variable: bytes | None) -> int:
    """What FASTMLP_NUM_THREADS says, 0 if nothing."""
    text = (variable or b"").decode(errors="replace").strip()
    if not text:
        return 0
    if not text.isdecimal():
        raise ValueError(f"FASTMLP_NUM_THREADS: expected an integer >= 1, got {text!r}")
    return check.integer(int(text), "FASTMLP_NUM_THREADS", 1)


def each(function: Callable[..., Any], arguments: Iterable[tuple[Any, ...]], n_threads: int) -> list[Any]:
    """``function(*arguments)`` for each, so many at once, by threads of Python's own, in the caller's context.

    Arguments are asked for as threads become free, by the calling one, up to the first exception. One in the calling
    thread, KeyboardInterrupt above all, is not kept waiting: calls of the compiled floor that are under way end at
    their next look at signals. Where the calling thread does not keep the interpreter from ending, neither do these.
    """
    lock, running, over = threading.Lock(), set[int](), False
    free = threading.Semaphore(n_threads)
    answers: list[Any] = []
    failures: dict[int, BaseException] = {}

    def call(place: int, context: contextvars.Context, own: tuple[Any, ...]) -> None:
        thread = threading.get_ident()
        try:
            with lock:
                if over:
                    return
                running.add(thread)
            try:
                answers[place] = context.run(function, *own)
            finally:
                with lock:
                    running.discard(thread)
                    team.forget(thread)
        except BaseException as error:
            failures[place] = error
        finally:
            free.release()

    def end() -> None:
        nonlocal over
        with lock:
            over = True
            for thread in running:
                team.interrupt(thread)

    try:
        for place, own in enumerate(arguments):
            free.acquire()
            if failures:
                break
            answers.append(None)
            _memory.start(threading.Thread(target=call, args=(place, contextvars.copy_context(), own)))
        for _ in range(n_threads):  # until all are done
            if not failures:
                free.acquire()
        if failures:
            raise failures[min(failures)]
        return answers
    except BaseException:
        _surely(end)
        raise


def _surely(function: Callable[[], None]) -> None:
    """Call what may be called twice, again where Ctrl-C ends it."""
    while True:
        try:
            return function()
        except KeyboardInterrupt:
            pass
