"""Row groups of a Parquet file as chunks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastmlp import _optional
from fastmlp import _validation as check

_ASKER = "Chunks.of_parquet"


class RowGroup:
    """One of them; the file is opened each time that it is read.

    Parameters
    ----------
    path : str or path-like
    number : int
    columns : tuple of list of str
        Names of the columns of X, of T, and of the weights or none.
    """

    def __init__(self, path: Any, number: int, columns: tuple[list[str], ...]) -> None:
        self.path, self.number, self.columns = path, number, columns

    def __call__(self) -> tuple[Any, ...]:
        """X, T and weights, or None for what has no columns."""
        names = list(dict.fromkeys(name for part in self.columns for name in part))
        with _opened(self.path) as file:
            table = file.read_row_group(self.number, columns=names)
        X, T, weight = (_matrix(table, part) for part in self.columns)
        return X, T, None if weight is None else weight[:, 0]


def row_groups(path: Any, inputs: Sequence[str], targets: Sequence[str], sample_weight: str | None) -> list[RowGroup]:
    """All of a file, which has these columns."""
    weights = [] if sample_weight is None else [sample_weight]
    columns = {"inputs": _names(inputs, "inputs"), "targets": _names(targets, "targets"), "sample_weight": weights}
    with _opened(path) as file:
        known, n_groups = file.schema_arrow.names, file.num_row_groups
    for argument, names in columns.items():
        for name in names:
            if name not in known:
                raise ValueError(
                    f"{argument}: expected columns of the file, {check.shown(known)}, got {check.shown(name)}"
                )
    if not columns["inputs"]:
        raise ValueError("inputs: expected at least one column, got none")
    return [RowGroup(path, number, tuple(columns.values())) for number in range(n_groups)]


def _names(names: Sequence[str], argument: str) -> list[str]:
    return check.sequence(names, argument, "a sequence of names of columns")


def _opened(path: Any) -> Any:
    return _optional.load("pyarrow.parquet", "pyarrow", _ASKER).ParquetFile(path)


def _matrix(table: Any, names: list[str]) -> Any:
    return np.column_stack([_numbers(table[name], name) for name in names]) if names else None


def _numbers(column: Any, name: str) -> Any:
    if column.null_count:
        raise ValueError(
            f"column {name!r}: expected a number in each row, got {column.null_count} without; leave them out"
        )
    numbers = column.to_numpy()
    if numbers.dtype.kind not in check.REAL_KINDS:
        raise TypeError(f"column {name!r}: expected real numbers, got {column.type}")
    return numbers
