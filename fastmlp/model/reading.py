"""What goes wrong with a chunk is said of it by its number."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

#: what an exception of the user's own code is passed on as, with the number of the chunk before it
KEPT = (TypeError, ValueError, MemoryError, OSError)


@contextmanager
def reading(number: int) -> Iterator[None]:
    """What goes wrong while a chunk is read is said of that chunk.

    An exception of a kind that may need more arguments than its text comes out as a RuntimeError.
    """
    try:
        yield
    except KEPT as error:
        kind = type(error) if type(error) in KEPT else next(kept for kept in KEPT if isinstance(error, kept))
        raise kind(f"chunk {number}: {error}") from error
    except Exception as error:
        raise RuntimeError(f"chunk {number}: {type(error).__name__}: {error}") from error
