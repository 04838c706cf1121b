"""Memory maps, where the system ends a process that reads beyond a file's end, or writes where the disk is full."""

from __future__ import annotations

import errno
import mmap
import os
from typing import Any

import numpy as np


def check_whole(array: Any) -> None:
    """OSError if this is a memory map whose file has become shorter than it was when it was mapped."""
    mapping = getattr(array, "_mmap", None) if isinstance(array, np.memmap) else None
    if mapping is not None and mapping.size() < len(mapping):
        raise OSError(
            f"expected a file of {len(mapping)} bytes as when it was mapped, got {mapping.size()}: {_of(array)}"
        )


def whole(array: Any) -> Any:
    """What is no memory map as it is; of one a plain array, which NumPy and the checks are quicker with.

    OSError as of `check_whole`.
    """
    if not isinstance(array, np.memmap):
        return array
    check_whole(array)
    return np.asarray(array)


def reserve(out: Any) -> None:
    """OSError if this is a memory map, or a part of one, that is to be written to, and there is no room on disk for it.

    A new file has no place there before its pages are written. Where none can be reserved, nothing is done.
    """
    mapping = getattr(out, "_mmap", None) if isinstance(out, np.memmap) else None
    if mapping is None or out.mode not in ("r+", "w+") or not hasattr(os, "posix_fallocate"):
        return
    check_whole(out)
    try:
        file = open(out.filename, "r+b")  # noqa: SIM115 - closed below; errors of opening are told from those of room
    except (OSError, TypeError):  # its name is gone, or never was
        return
    start = out.offset - out.offset % mmap.ALLOCATIONGRANULARITY  # of the mapping, in the file; of all its views
    first = _address(out) - _address(np.frombuffer(mapping, np.uint8, 1))
    with file:
        try:
            os.posix_fallocate(file.fileno(), start + first, out.nbytes)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):
                raise OSError(error.errno, f"out: {error.strerror}", _of(out)) from None


def _address(array: Any) -> int:
    return int(array.__array_interface__["data"][0])


def _of(array: Any) -> str:
    return str(array.filename)
