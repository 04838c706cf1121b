"""What several commands do with files: errors that name them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def named(path: Path) -> Iterator[None]:
    """What is wrong with a file is said with its name in front."""
    try:
        yield
    except OSError as error:
        raise OSError(f"{path}: expected a file that can be read, got none ({error.strerror or error})") from error
    except ValueError as error:
        raise ValueError(f"{path}: {str(error).removeprefix('path: ')}") from error


def check_places(given: Path, places: dict[str, Path | None]) -> None:
    """Whether files can be written there, and are others than that which is read; before a minute has gone."""
    taken = {os.path.realpath(given): str(given)}
    for option, path in places.items():
        if path is None:
            continue
        if os.path.realpath(path) in taken:
            raise ValueError(
                f"argument {option}: expected another file than {taken[os.path.realpath(path)]}, got {path}"
            )
        taken[os.path.realpath(path)] = str(path)
        folder = path.absolute().parent
        if path.is_dir():
            raise ValueError(f"argument {option}: expected the name of a file, got the folder {path}")
        if str(path) == "-" or (path.exists() and not path.is_file()):
            raise ValueError(f"argument {option}: expected the name of a file, got {path}, which is something else")
        if not folder.is_dir() or not os.access(folder, os.W_OK):
            raise ValueError(f"argument {option}: expected a file in a folder that can be written to, got {path}")
