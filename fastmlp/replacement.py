"""Files that appear complete or not at all, and reading that never waits.

The content goes to a temporary file beside the target, which then takes the target's name. Who is killed meanwhile
leaves one behind; the next save of the same target removes it. A temporary file in use is known by a lock that its
process holds, and that ends with it (POSIX); elsewhere by not being removable while it is open, and by its age.
"""

from __future__ import annotations

import contextlib
import math
import os
import stat
import time
from collections.abc import Iterator
from typing import IO, BinaryIO

from fastmlp import _memory

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

AT_ONCE = 1 << 23  # bytes, between which Ctrl-C is answered
DAY = 86_400.0  # seconds after which a temporary file without a lock is nobody's, where there are none


def write(path: str, content: bytes | memoryview, *, lasting: bool = True) -> None:
    """Put a file in place of another, or where there is none; a link stays a link.

    If it is not to be `lasting`, the disk is not waited for: the machine's end may leave half of it, though not the
    process's. For what has a checksum and can be had again.
    """
    shutil = _memory.late("shutil")
    target = os.path.realpath(path)
    if os.path.exists(target) and not os.path.isfile(target):
        raise OSError(f"path: expected the name of a file, got {target!r}, which is something else")
    stem = _stem(target)
    _remove_stale(stem)
    file = _create(stem)
    temporary = file.name
    try:
        with file:
            with contextlib.suppress(FileNotFoundError):
                shutil.copymode(target, temporary)  # of the file that is replaced; a new one has the umask's
            for first in range(0, len(content), AT_ONCE):
                file.write(content[first : first + AT_ONCE])
            file.flush()
            if lasting:
                os.fsync(file.fileno())
            if fcntl is not None:  # before the lock ends
                os.replace(temporary, target)
        if fcntl is None:  # which cannot rename what is open
            os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def read(path: str, limit: int, argument: str = "path") -> bytes:
    """The content of a regular file of at most so many bytes, else a ValueError; never waits."""
    with opened(path) as file:
        return part(file, 0, regular(file, limit, argument))


def opened(path: str) -> BinaryIO:
    """A file or whatever else bears this name, to be read; never waits."""
    return open(path, "rb", opener=_without_waiting)


def regular(file: BinaryIO, limit: float = math.inf, argument: str = "path") -> int:
    """The size of an open file; ValueError where it is a pipe or a device, or has more bytes."""
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"{argument}: expected a regular file, got {_kind(status.st_mode)}")
    if status.st_size > limit:
        raise ValueError(f"{argument}: expected a file of at most {limit} bytes, got {status.st_size}")
    return status.st_size


def part(file: BinaryIO, start: int, size: int) -> bytes:
    """So many bytes of a file from `start` on, fewer where it ends before; Ctrl-C is answered on the way."""
    file.seek(start)
    return b"".join([file.read(min(left, AT_ONCE)) for left in range(size, 0, -AT_ONCE)])


def _without_waiting(path: str, flags: int) -> int:
    """Opening a pipe waits for somebody who writes to it, unless told not to."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0))


def _kind(mode: int) -> str:
    if stat.S_ISFIFO(mode):
        return "a pipe"
    return "a device" if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) else "something else"


def _stem(target: str) -> str:
    """What the names of all temporary files of a target begin with; of a fixed length, since names have a longest."""
    folder, name = os.path.split(target)
    digest = _memory.late("hashlib").sha256(os.fsencode(name)).hexdigest()
    return os.path.join(folder, f".fastmlp-{digest[:16]}-")


def _create(stem: str) -> IO[bytes]:
    """A new temporary file, locked."""
    while True:
        file = open(f"{stem}{os.urandom(8).hex()}.tmp", "xb")  # noqa: SIM115 - closed by the caller
        if _lock(file.fileno()) is not False and os.fstat(file.fileno()).st_nlink:
            return file
        file.close()  # another save has found it before it was locked


def _lock(descriptor: int) -> bool | None:
    """Whether the file is now locked, by nobody else; None where there are no locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without
        return None
    return True


def _remove_stale(stem: str) -> None:
    """Remove the temporary files that no living save holds, as far as that can be done."""
    with contextlib.suppress(OSError):
        for path in list(_beginning_with(stem)):
            with contextlib.suppress(OSError):
                _remove_if_stale(path)


def _beginning_with(stem: str) -> Iterator[str]:
    folder, beginning = os.path.split(stem)
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(beginning) and entry.is_file(follow_symlinks=False):
                yield entry.path


def _remove_if_stale(path: str) -> None:
    descriptor = _without_waiting(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    try:
        free = _lock(descriptor)
        if free is None:
            free = time.time() - os.fstat(descriptor).st_mtime > DAY
        if free and fcntl is not None:  # still locked, so that nobody can take it for his own
            os.unlink(path)
    finally:
        os.close(descriptor)
    if free and fcntl is None:
        os.unlink(path)
