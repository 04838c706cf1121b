"""Names of the inputs: the columns of a table, which a network remembers and by which it knows them again.

A table is what has `columns`, as pandas, polars and Dask have; columns that are not all called by texts have no names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastmlp import _validation as check

SHOWN = 8  # names in a message


def of_table(X: Any) -> tuple[str, ...] | None:
    """The names of its columns; None where there are none."""
    columns = getattr(X, "columns", None)
    if columns is None:
        return None
    try:
        names = tuple(columns)
    except TypeError:
        return None
    return tuple(map(str, names)) if names and all(isinstance(name, str) for name in names) else None


def checked(value: Any, n_inputs: int) -> tuple[str, ...]:
    """A user's names, one for each input; TypeError or ValueError for something else."""
    names = tuple(check.sequence(value, "input_names", "a name for each input"))
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"input_names: expected texts, got {type(name).__name__}")
    if len(names) != n_inputs:
        raise ValueError(f"input_names: expected {n_inputs}, one for each input, got {len(names)}")
    return names


def check_same(known: tuple[str, ...], X: Any) -> None:
    """ValueError where X is a table with other columns, or with these in another order; arrays have no names."""
    names = of_table(X)
    if names is None or names == known:
        return
    missing, unknown = without(known, names), without(names, known)
    if not (missing or unknown):
        raise ValueError(
            f"X: expected the columns in the order of the fit, {listed(known)}, got {listed(names)}; "
            "give X[list(net.input_names)]"
        )
    found = [f"without {listed(missing)}"] * bool(missing) + [f"with {listed(unknown)}"] * bool(unknown)
    raise ValueError(
        f"X: expected the columns of the fit, {listed(known)}, got a table {' and '.join(found)}; give these columns, "
        "or X.to_numpy() if the names alone are others"
    )


def without(names: Sequence[str], others: Sequence[str]) -> list[str]:
    """Those that are not among the others."""
    known = set(others)
    return [name for name in names if name not in known]


def listed(names: Sequence[str]) -> str:
    """Some of them, for a message."""
    more = [f"... ({len(names)})"] * (len(names) > SHOWN)
    return ", ".join([*map(repr, names[:SHOWN]), *more])


def called(known: Sequence[str] | None, group: str) -> str:
    """A group of parameters as results have it: "W1[:,0] age" where the weights from one input have its name."""
    if known is None or not group.startswith("W1[:,"):
        return group
    return f"{group} {known[int(group[5:-1])]}"


def or_numbered(names: Sequence[str] | None, n_inputs: int) -> tuple[str, ...]:
    """The names, else x1, x2, ..."""
    return tuple(names) if names is not None else tuple(f"x{i}" for i in range(1, n_inputs + 1))
