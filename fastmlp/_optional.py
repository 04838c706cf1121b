"""Libraries that are not required, imported when something first asks for them."""

from __future__ import annotations

import sys
from typing import Any

from fastmlp import _memory

PACKAGES = {"sklearn": "scikit-learn"}  # where the package to install has another name than its module
#: address space of their libraries, 46 and 53 MB today, and of the thread that imports them: one that has failed for
#: want of it may not be imported again
ROOM = {"matplotlib": 160 * _memory.MB, "pandas": 160 * _memory.MB}


def load(module: str, library: str, asker: str) -> Any:
    """A module, or an ImportError that says which package `asker` needs, if that is what is missing.

    MemoryError where there is too little for it, which would be an ImportError of one of its libraries.
    """
    package = PACKAGES.get(library, library)
    if library == "sklearn":
        _memory.estimators()
    if library in ROOM and module not in sys.modules:
        _memory.ask(ROOM[library], f"the libraries of {package}")
    try:
        return _memory.undisturbed(module, package)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != library:
            raise
        raise ImportError(f"{asker} needs {package}: pip install {package}") from error
