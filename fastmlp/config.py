"""What this build is and runs on: `show_config`, for bug reports and for the curious."""

from __future__ import annotations

import os
import platform
import sys
from typing import Any

import numpy as np

from fastmlp import _memory, _threads
from fastmlp._core.bridge import kernels
from fastmlp._core.threads import team
from fastmlp._version import __version__


def config() -> dict[str, Any]:
    """Versions, instruction sets, OpenMP and threads as a dict."""
    return {
        "fastmlp": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": _memory.late("scipy").__version__,
        "platform": f"{sys.platform} {platform.machine()}",
        "openmp": team.openmp_version or "not compiled in",
        "threads": 1 if team.forked() else _threads.wanted(),
        "child of a fork": "yes, for which one thread has to do" if team.forked() else "no",
        "instruction set": kernels.isa_name,
        "instruction sets usable": ", ".join(kernels.isa_names),
        "environment": {
            name: os.environ[name]
            for name in ("FASTMLP_NUM_THREADS", "FASTMLP_CROWD", "FASTMLP_ISA")
            if name in os.environ
        },
    }


def show_config() -> None:
    """Print versions, instruction sets, OpenMP and threads.

    Examples
    --------
    >>> import fastmlp
    >>> fastmlp.show_config()  # doctest: +ELLIPSIS
    fastmlp ...
    """
    for name, value in config().items():
        print(f"{name:<24}{value}")
