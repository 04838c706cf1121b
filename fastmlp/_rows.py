"""Rows of a list that are found by name: one object of each, which nobody changes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar, NoReturn, Self

from fastmlp import _validation as check


class Row:
    """``Kind(name)`` is the row of that name; ``str`` of it is the name again, copies and pickles are the row."""

    _rows: ClassVar[dict[str, Any]]
    name: str

    def __init_subclass__(cls) -> None:
        cls._rows = {}

    def __new__(cls, name: str) -> Self:
        return cls._chosen(name, "name", cls._rows)

    @classmethod
    def _chosen(cls, name: Any, argument: str, options: Collection[str]) -> Self:
        """The row of a name that is among the options."""
        row: Self = cls._rows[check.choice(name, argument, options)]
        return row

    @classmethod
    def _add(cls, name: str, **facts: Any) -> Self:
        """A new row, the last of the list."""
        row = object.__new__(cls)
        row.__dict__.update(facts, name=name)
        cls._rows[name] = row
        return row

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"{name}: expected to be read only, as all facts of {self!r}")

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    def __reduce__(self) -> tuple[type[Row], tuple[str]]:
        return type(self), (self.name,)
