"""What `n_threads` means.

None is FASTMLP_NUM_THREADS where it is set, else what OpenMP grants (OMP_NUM_THREADS, the affinity of the process,
limits set by threadpoolctl or joblib), which are looked at where there is work for more than one thread; a number is
taken as it is, up to OpenMP's own limit and 64, the largest number of slots. Results do not depend on it, to the bit.
The child of a fork has one thread (`_core.team` says why).
"""

from __future__ import annotations

import functools
import os
import warnings
from typing import Any

from fastmlp import _validation as check
from fastmlp._core import team
from fastmlp.errors import ForkWarning

MAX_THREADS = 64

_warned = 0  # the process that has had its ForkWarning


def resolve(n_threads: Any = None) -> int:
    """Number of threads that a call may use, at least 1; the child of a fork is warned once that it is 1."""
    threads = wanted(n_threads)
    if threads == 1 or not team.forked():
        return threads
    _warn_of_fork()
    return 1


def _warn_of_fork() -> None:
    global _warned
    if _warned != os.getpid():
        _warned = os.getpid()
        message = (
            "this process is the child of a fork, which OpenMP's threads do not survive: fastmlp uses one thread here, "
            "with the same results; processes started by spawn, forkserver or joblib's loky have all threads"
        )
        warnings.warn(message, ForkWarning, stacklevel=3)


def wanted(n_threads: Any = None) -> int:
    """As `resolve`, forks left aside."""
    granted, limit = team.max_threads()
    if n_threads is not None:
        threads = check.integer(n_threads, "n_threads", 1)
    else:
        threads = _asked_for(team.asked_for()) or granted
    return max(1, min(threads, limit, MAX_THREADS))


@functools.cache
def _asked_for(variable: bytes | None) -> int:
    """What FASTMLP_NUM_THREADS says, 0 if nothing."""
    text = (variable or b"").decode(errors="replace").strip()
    if not text:
        return 0
    if not text.isdecimal():
        raise ValueError(f"FASTMLP_NUM_THREADS: expected an integer >= 1, got {text!r}")
    return check.integer(int(text), "FASTMLP_NUM_THREADS", 1)
