"""Where this process comes from, as far as OpenMP is concerned; looked at before a compiled module brings OpenMP in.

A fork copies the calling thread only, but also GNU OpenMP's list of the others, for which the child would wait for
ever. `team` hears of forks from its import on; of those before, Linux tells. Other systems have LLVM's OpenMP, which
survives forks, or no forks.
"""

from __future__ import annotations

import os
import sys

PF_FORKNOEXEC = 0x40  # of Linux: forked, and no program started since


def _read(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


_flags = _read("/proc/self/stat").rpartition(")")[2].split()[6:7]
_forked = bool(_flags) and bool(int(_flags[0]) & PF_FORKNOEXEC)
_by_fork_server = any("multiprocessing.forkserver" in argument for argument in sys.orig_argv)

#: whether this is the process that multiprocessing starts for no other purpose than to be forked
FORK_SERVER = _by_fork_server and not _forked
#: whether GNU OpenMP may have come here by a fork, with threads of which nothing is left; the child of a fork server
#: has loaded libraries of its own since, so that there it is the parent that knows
INHERITS_OPENMP = _forked and "libgomp" in _read(f"/proc/{os.getppid() if _by_fork_server else 'self'}/maps")
