"""What the columns of a table are, and tables as the numbers that a network takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from fastmlp._types import Array, Float, Index
from fastmlp.tables import entries

NUMBER, CATEGORY, CONSTANT = KINDS = ("number", "category", "constant")
MOST_LEVELS = 100  # of a column: each is a column of its own for the network


class Column(NamedTuple):
    """One column of a table; numbers are of the rows that a network was trained on."""

    name: str
    kind: str  #: "number", "category" or "constant"
    levels: tuple[str, ...] = ()  #: of a category, and the text of a constant one
    unit_mean: float = 0.0
    unit_sd: float = 1.0
    smallest: float = 0.0
    largest: float = 1.0

    @property
    def coded(self) -> tuple[str, ...]:
        """The names of the columns of numbers that stand for it: one for each level, of two levels for the second."""
        if self.kind == NUMBER:
            return (self.name,)
        if self.kind == CONSTANT:
            return ()
        return tuple(f"{self.name}={level}" for level in self._coded_levels)

    @property
    def _coded_levels(self) -> tuple[str, ...]:
        return self.levels[1:] if len(self.levels) == 2 else self.levels

    def measured(self, numbers: Float) -> Self:
        """The same with the mean, standard deviation and range of these numbers."""
        return self._replace(
            unit_mean=float(numbers.mean()), unit_sd=float(numbers.std()),
            smallest=float(numbers.min()), largest=float(numbers.max()),
        )  # fmt: skip

    def numbers_of(self, frame: Any) -> Float:
        """The entries of a column of numbers."""
        found = entries.read(frame, self.name)
        if found.dtype == np.float64:
            return found
        i = next(i for i, text in enumerate(found) if not entries.is_number(text))
        raise ValueError(
            f"{entries.place(frame, i, self.name)}: expected a number, as in training, got {found[i]!r}; correct it"
        )

    def codes_of(self, frame: Any) -> Index:
        """Of a category, which level each entry is."""
        number = {level: i for i, level in enumerate(self.levels)}
        texts = entries.of_texts(frame[self.name])
        codes = np.array([number.get(text, number.get(entries.canonical(text), -1)) for text in texts], np.intp)
        for i in np.flatnonzero(codes < 0)[:1]:
            known = ", ".join(map(repr, self.levels[:8])) + (", ..." if len(self.levels) > 8 else "")
            got = repr(texts[i]) if texts[i] else "a missing value"
            raise ValueError(
                f"{entries.place(frame, i, self.name)}: expected one of {known}, as in training, got {got}; "
                "correct it, or leave the row out"
            )
        return codes

    def coded_of(self, frame: Any) -> Float:
        """The numbers that stand for the entries: (N, 1) of numbers, zeros and ones (N, levels) of categories."""
        if self.kind == NUMBER:
            return self.numbers_of(frame)[:, None]
        codes = np.array([self.levels.index(level) for level in self._coded_levels])
        coded: Float = (self.codes_of(frame)[:, None] == codes).astype(np.float64)
        return coded


class Schema(NamedTuple):
    """Which columns a network takes and which it predicts."""

    inputs: tuple[Column, ...]
    target: Column

    @property
    def names(self) -> list[str]:
        """What the columns of `encoded` are called, such as "speed" and "colour=red"."""
        return [name for column in self.inputs for name in column.coded]

    @property
    def places(self) -> list[int]:
        """For each column of `encoded` the number of the input that it belongs to."""
        return [i for i, column in enumerate(self.inputs) for _ in column.coded]

    def encoded(self, frame: Any) -> Float:
        """The inputs as numbers (N, D), by the names of the columns; columns that are not known are not looked at.

        Raises
        ------
        ValueError
            If a column is not there, or an entry is not of its kind: with the row and the column.
        """
        used = [column for column in self.inputs if column.kind != CONSTANT]
        check_there(frame, [column.name for column in used])
        return np.concatenate([column.coded_of(frame) for column in used], axis=1)

    def target_of(self, frame: Any) -> Float | Index:
        """The targets (N,): numbers, or numbers of classes."""
        check_there(frame, [self.target.name])
        return self.target.numbers_of(frame) if self.target.kind == NUMBER else self.target.codes_of(frame)

    def measured(self, X: Float, T: Array) -> Schema:
        """The same with what is known of the numbers that a network is trained on."""
        places = self.places
        inputs = [
            column.measured(X[:, places.index(i)]) if column.kind == NUMBER else column
            for i, column in enumerate(self.inputs)
        ]
        target = self.target.measured(T) if self.target.kind == NUMBER else self.target
        return Schema(tuple(inputs), target)


def schema_of(frame: Any, target: str, ignored: Sequence[str] = (), *, classes: bool = False) -> Schema:
    """What the columns of a table are.

    Parameters
    ----------
    frame : pandas.DataFrame
    target : str
        The column that is to be predicted: numbers, or texts and two different numbers, which are classes.
    ignored : sequence of str
        Columns that are not looked at.
    classes : bool, default=False
        Numbers in the target name classes, however many they are.

    Raises
    ------
    ValueError
        If one is not there, is neither numbers nor categories, or nothing is left to learn: with row and column.
    """
    check_there(frame, [target, *ignored])
    if target in ignored:
        raise ValueError(f"expected another column than the target {target!r} to ignore; leave out --ignore {target!r}")
    others = [name for name in frame.columns if name != target and name not in ignored]
    if not others:
        raise ValueError(f"expected columns beside the target {target!r}, got none; is the separator right?")
    told = _target(frame, target, classes)
    inputs = tuple(_input(frame, name) for name in others)
    if all(column.kind == CONSTANT for column in inputs):
        raise ValueError(f"expected columns that vary beside the target {target!r}, got only constant ones")
    return Schema(inputs, told)


def check_there(frame: Any, names: Sequence[str]) -> None:
    """Whether a table has these columns; ValueError if not."""
    there = [str(name) for name in frame.columns]
    for name in names:
        if name not in there:
            close = [other for other in there if other.strip().lower() == name.strip().lower()]
            meant = f", did you mean {close[0]!r}?" if close else ""
            listed = ", ".join(map(repr, there[:12])) + (", ..." if len(there) > 12 else "")
            raise ValueError(f"expected a column {name!r}, got {listed}{meant}")


def _input(frame: Any, name: str) -> Column:
    found = entries.read(frame, name)
    if found.dtype == np.float64:
        if (found == found[0]).all():
            return Column(name, CONSTANT, (), float(found[0]), 0.0, float(found[0]), float(found[0]))
        return Column(name, NUMBER)
    levels = sorted(set(found.tolist()))
    if len(levels) == 1:
        return Column(name, CONSTANT, tuple(levels))
    _check_levels(frame, name, len(levels), f"give numbers, fewer texts, or leave it out: --ignore {name!r}")
    return Column(name, CATEGORY, tuple(levels))


def _target(frame: Any, name: str, classes: bool) -> Column:
    found = entries.read(frame, name)
    is_numbers = found.dtype == np.float64
    levels = sorted(set(found.tolist()))
    if len(levels) == 1:
        raise ValueError(f"column {name!r}: expected a target that varies, got {levels[0]!r} in all rows")
    if is_numbers and len(levels) > 2 and not classes:
        return Column(name, NUMBER)
    _check_levels(frame, name, len(levels), "give numbers, or fewer classes")
    named = [entries.plain(level) for level in levels] if is_numbers else levels
    counts = {level: int((found == level).sum()) for level in levels}
    for level, shown in zip(levels, named, strict=True):
        if counts[level] < 2:
            i = int(np.flatnonzero(found == level)[0])
            raise ValueError(
                f"{entries.place(frame, i, name)}: expected at least two rows of each class, got one of {shown!r}; "
                "delete it, or join it with another class"
            )
    return Column(name, CATEGORY, tuple(named))


def _check_levels(frame: Any, name: str, count: int, remedy: str) -> None:
    if count > MOST_LEVELS or count > 0.5 * len(frame):
        raise ValueError(
            f"column {name!r}: expected numbers, or texts that come back, at most {MOST_LEVELS} different ones, got "
            f"{count} different texts in {len(frame)} rows, as names or numbers of things have; {remedy}"
        )
