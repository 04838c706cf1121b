"""Libraries that are not required, imported when something first asks for them."""

from __future__ import annotations

import importlib
from typing import Any

PACKAGES = {"sklearn": "scikit-learn"}  # where the package to install has another name than its module


def load(module: str, library: str, asker: str) -> Any:
    """A module, or an ImportError that says which package `asker` needs, if that is what is missing."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != library:
            raise
        package = PACKAGES.get(library, library)
        raise ImportError(f"{asker} needs {package}: pip install {package}") from error
