"""What `n_threads` means.

None is FASTMLP_NUM_THREADS where it is set, else what OpenMP grants (OMP_NUM_THREADS, the affinity of the process,
limits set by threadpoolctl or joblib); a number is taken as it is, up to OpenMP's own limit and 64, the largest number
of slots. Results do not depend on it, to the bit.
"""

from __future__ import annotations

import os
from typing import Any

from fastmlp import _validation as check
from fastmlp._core import team

MAX_THREADS = 64


def resolve(n_threads: Any = None) -> int:
    """Number of threads that a call may use, at least 1."""
    granted, limit = team.max_threads()
    if n_threads is not None:
        wanted = check.integer(n_threads, "n_threads", 1)
    elif text := os.environ.get("FASTMLP_NUM_THREADS", "").strip():
        if not text.isdecimal():
            raise ValueError(f"FASTMLP_NUM_THREADS: expected an integer >= 1, got {text!r}")
        wanted = check.integer(int(text), "FASTMLP_NUM_THREADS", 1)
    else:
        wanted = granted
    return max(1, min(wanted, limit, MAX_THREADS))
