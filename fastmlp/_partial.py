"""What is done of a long call when an exception ends it: handed over on the exception itself, as `partial`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, overload

from fastmlp._cached import cached_property

T = TypeVar("T", covariant=True)


class Later(Sequence[T]):
    """A sequence that is made when somebody first looks at it, so that an exception is not kept waiting for it."""

    def __init__(self, make: Callable[[], Sequence[T]]) -> None:
        self._make = make

    @cached_property
    def _items(self) -> list[T]:
        return list(self._make())

    @property
    def is_made(self) -> bool:
        """Whether somebody has looked at it."""
        return "_items" in vars(self)

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[T]: ...
    def __getitem__(self, place: int | slice) -> Any:
        return self._items[place]

    def __repr__(self) -> str:
        return repr(self._items) if self.is_made else "[not looked at yet]"

    def __reduce__(self) -> tuple[type[list[Any]], tuple[list[T]]]:
        return list, (self._items,)


@contextlib.contextmanager
def handing_over(partial: Callable[[], Any]) -> Iterator[None]:
    """Give an exception that ends the block, KeyboardInterrupt above all, what is done by then."""
    try:
        yield
    except BaseException as error:
        with contextlib.suppress(AttributeError):  # somebody's exception with slots
            error.partial = partial()  # type: ignore[attr-defined]
        raise
