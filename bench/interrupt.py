"""How soon a call answers Ctrl-C: every public call that may take a second, each in processes of its own.

    python bench/interrupt.py                       # the table
    python bench/interrupt.py --calls Laplace bfgs --signals 20

`longest` is the longest stretch without an answer, seen by a timer whose handler raises nothing; `Ctrl-C` the longest
time from a signal, sent while such a call runs, to KeyboardInterrupt in the caller's frame. Seconds are those of the
process's processor time or of the clock, whichever are fewer: other programs on the machine count for neither. `state`
says whether what was computed with is whole after each of them. `LAPACK` marks calls that wait for a single call of
LAPACK or BLAS, NumPy's or SciPy's, which nobody can interrupt.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from long_calls import CALLS, LAPACK

GOAL = 0.1  # seconds
TICK = 0.005  # of the timer
BUSY, LIMIT = 300, 3600  # seconds of the processor, and of the clock: other programs may hold it


def clocks() -> tuple[float, float]:
    """Seconds of the clock and of the process."""
    return time.perf_counter(), time.process_time()


def since(begun: tuple[float, float]) -> float:
    """The fewer seconds of both clocks."""
    return min(now - then for now, then in zip(clocks(), begun, strict=True))


def gaps(call: Callable[[], Any], seconds: float) -> float:
    """The longest stretch without an answer in a call that is broken off after so many seconds of processor time."""
    latest, longest, end = clocks(), 0.0, time.process_time() + seconds

    def answer(*_: Any) -> None:
        nonlocal latest, longest, end
        longest, latest = max(longest, since(latest) - TICK), clocks()
        if latest[1] > end:
            end = math.inf
            raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, answer)
    signal.setitimer(signal.ITIMER_REAL, TICK, TICK)
    try:
        call()
    except KeyboardInterrupt:
        pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return max(longest, since(latest) - TICK)


def ctrl_c(call: Callable[[], Any], after: float) -> float | None:
    """From a signal so many seconds after the beginning to its exception; None if the call was over before."""
    sent: list[tuple[float, float]] = []
    over = threading.Event()

    def send() -> None:
        if not over.wait(after):
            sent.append(clocks())
            os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        call()
        over.set()
        thread.join()
        return None
    except KeyboardInterrupt:
        return since(sent[0])
    finally:
        over.set()
        thread.join()


def one(name: str, n_signals: int) -> dict[str, Any]:
    """Measure a call in this process."""
    resource.setrlimit(resource.RLIMIT_CPU, (BUSY, BUSY))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are born deaf to it
    work = CALLS[name]()
    started = time.perf_counter()
    longest = gaps(work.call, 6.0)
    seconds, intact = time.perf_counter() - started, work.intact()
    times = []
    for number in range(n_signals):
        taken = ctrl_c(work.call, seconds * (number + 0.5) / n_signals)
        times += [] if taken is None else [taken]
        intact = intact and work.intact()
    return {
        "call": name, "seconds": seconds, "longest": longest, "Ctrl-C": max(times, default=0.0),
        "signals": len(times), "state": "whole" if intact else "BROKEN",
    }  # fmt: skip


def measure(name: str, n_signals: int) -> dict[str, Any]:
    """The same in a process of its own."""
    program = [sys.executable, __file__, "--one", name, "--signals", str(n_signals)]
    try:
        done = subprocess.run(program, capture_output=True, text=True, check=False, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return {"call": name, "state": f"FAILED: no end within {LIMIT} s"}
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or f"status {done.returncode}"
        return {"call": name, "state": f"FAILED: {last}"}
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", nargs="+", default=list(CALLS), choices=list(CALLS), metavar="NAME")
    parser.add_argument("--signals", type=int, default=5, help="Ctrl-C for each call, spread over its time")
    parser.add_argument("--one", choices=list(CALLS), metavar="NAME", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(one(arguments.one, arguments.signals)))
        return 0
    print(f"{'call':<28}{'seconds':>9}{'longest':>9}{'Ctrl-C':>9}{'signals':>9}  state")
    late = 0
    for name in arguments.calls:
        row = measure(name, arguments.signals)
        if "longest" not in row:
            print(f"{name:<28}  {row['state']}", flush=True)
            late += 1
            continue
        worst = max(row["longest"], row["Ctrl-C"])
        excused = row["call"] in LAPACK
        late += (worst > GOAL and not excused) or row["state"] != "whole"
        print(
            f"{name:<28}{row['seconds']:>9.2f}{row['longest']:>9.3f}{row['Ctrl-C']:>9.3f}{row['signals']:>9}  "
            f"{row['state']}" + ("  LAPACK" if excused else "  late") * (worst > GOAL),
            flush=True,
        )
    return int(late > 0)


if __name__ == "__main__":
    sys.exit(main())
