"""Sums of many parts, by a tree over their numbers: the same bits wherever, and in whatever order, they are added."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from fastmlp._types import Array


class Sums:
    """Parts added up by a tree over their numbers, 0 with 1, 2 with 3, ..., in whatever order they arrive.

    A part is a number, an array, or a tuple of these; arrays are the caller's no more. They are added in float64, and
    the total has the types of the parts.
    """

    def __init__(self) -> None:
        self._waiting: dict[tuple[int, int], Any] = {}  # by level and place there
        self._types: Any = None

    def add(self, number: int, part: Any) -> None:
        """Part `number`, from 0."""
        self._types = _types(part)
        self._join(0, number, _wide(part))

    def packed(self) -> tuple[Any, list[tuple[int, int, Any]]]:
        """What has been added so far, to be sent: the fewest subtrees, of symmetric matrices one triangle each."""
        return self._types, [(*place, _packed(part)) for place, part in self._waiting.items()]

    def unpack(self, sent: tuple[Any, list[tuple[int, int, Any]]]) -> None:
        """Add what `packed` has made of others of the parts."""
        self._types, subtrees = sent
        for level, place, part in subtrees:
            self._join(level, place, _unpacked(part))

    def _join(self, level: int, number: int, part: Any) -> None:
        while (other := self._waiting.pop((level, number ^ 1), None)) is not None:
            part = _plus(other, part) if number & 1 else _plus(part, other)
            level, number = level + 1, number >> 1
        self._waiting[level, number] = part

    @property
    def total(self) -> Any:
        """The sum of all parts 0 .. n - 1; subtrees without a neighbour wait for the next level."""
        last, *others = (self._waiting[place] for place in sorted(self._waiting))
        for part in others:
            last = _plus(part, last)
        self._waiting.clear()
        return _narrow(last, self._types)


def summed(parts: Iterable[Any]) -> Any:
    """The sum of parts that come in their order."""
    sums = Sums()
    for number, part in enumerate(parts):
        sums.add(number, part)
    return sums.total


def _types(part: Any) -> Any:
    return tuple(map(_types, part)) if isinstance(part, tuple) else getattr(part, "dtype", None)


def _wide(part: Any) -> Any:
    if isinstance(part, tuple):
        return tuple(map(_wide, part))
    return part.astype(np.float64, copy=False) if isinstance(part, np.ndarray) else part


def _plus(a: Any, b: Any) -> Any:
    if isinstance(a, tuple):
        return tuple(map(_plus, a, b))
    with np.errstate(all="ignore"):
        return np.add(a, b, out=a) if isinstance(a, np.ndarray) else a + b


def _narrow(part: Any, types: Any) -> Any:
    if isinstance(part, tuple):
        return tuple(map(_narrow, part, types))
    with np.errstate(over="ignore"):
        return part.astype(types, copy=False) if isinstance(part, np.ndarray) else part


class _Triangle(NamedTuple):
    """The lower one of a matrix that is symmetric to the bit, row by row."""

    n: int
    numbers: Array


def _packed(part: Any) -> Any:
    if isinstance(part, tuple):
        return tuple(map(_packed, part))
    if not isinstance(part, np.ndarray) or part.ndim != 2 or len(part) != part.shape[1]:
        return part
    bits = part.view(np.int64)
    return _Triangle(len(part), part[_lower(len(part))]) if np.array_equal(bits, bits.T) else part


def _unpacked(part: Any) -> Any:
    """Arrays of its own, which can be written to."""
    if isinstance(part, _Triangle):
        matrix, lower = np.empty((part.n, part.n)), _lower(part.n)
        matrix[lower] = matrix.T[lower] = part.numbers
        return matrix
    if isinstance(part, tuple):
        return tuple(map(_unpacked, part))
    return part.copy() if isinstance(part, np.ndarray) and not part.flags.writeable else part


def _lower(n: int) -> Array:
    return np.tri(n, dtype=np.bool_)
