"""Memory maps, where the system ends a process that reads beyond a file's end, or writes where the disk is full."""

from __future__ import annotations

import errno
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


def reserve(out: Any) -> None:
    """OSError if this is a memory map to be written to, and there is no room on disk for all of its file.

    A new one has no place there before its pages are written. Systems that cannot reserve any are left alone.
    """
    if not isinstance(out, np.memmap) or out.filename is None or out.mode not in ("r+", "w+"):
        return
    check_whole(out)
    if not hasattr(os, "posix_fallocate"):
        return
    with open(out.filename, "r+b") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, os.fstat(file.fileno()).st_size)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):
                raise OSError(error.errno, f"out: {error.strerror}", _of(out)) from None


def _of(array: Any) -> str:
    return str(array.filename)
