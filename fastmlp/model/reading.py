"""What goes wrong with a chunk is said of it by its number."""

from __future__ import annotations

#: what an exception of the user's own code is passed on as, with the number of the chunk before it
KEPT = (TypeError, ValueError, MemoryError, OSError)


class reading:  # noqa: N801 - a context
    """What goes wrong while a chunk is read is said of that chunk.

    An exception of a kind that may need more arguments than its text comes out as a RuntimeError. No generator makes
    this context: what is made of one lets StopIteration pass as it is, which would end sums over chunks.
    """

    def __init__(self, number: int) -> None:
        self._number = number

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, KEPT):
            named = type(error) if type(error) in KEPT else next(kept for kept in KEPT if isinstance(error, kept))
            raise named(f"chunk {self._number}: {error}") from error
        if isinstance(error, Exception):
            raise RuntimeError(f"chunk {self._number}: {type(error).__name__}: {error}") from error
