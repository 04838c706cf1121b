"""Names of the inputs, the columns of a table, and of classes: a network remembers them, and knows them again.

A table is what has `columns`, as pandas, polars and Dask have; columns that are not all called by texts have no names.
Classes have names where a target is a text; they are numbered in sorted order.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastmlp import _validation as check
from fastmlp._types import Index

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


def checked(value: Any, argument: str, n: int, each: str) -> tuple[str, ...]:
    """A user's names, one for each; TypeError or ValueError for something else."""
    names = tuple(check.sequence(value, argument, f"a name for each {each}"))
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"{argument}: expected texts, got {type(name).__name__}")
    if len(names) != n:
        raise ValueError(f"{argument}: expected {n}, one for each {each}, got {len(names)}")
    return tuple(map(str, names))


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


# ---- classes ----


def texts(T: Any) -> list[str] | None:
    """Targets (N,) that are texts; None where they are something else."""
    items: list[Any] = []
    with contextlib.suppress(Exception):  # of strange objects, which are refused elsewhere
        if isinstance(T, (list, tuple)):
            items = list(T) if isinstance(T[0], str) else []
        elif T.dtype.kind in "OUT" and T.ndim == 1:  # with numbers there is nothing to be read
            items = np.asarray(T).tolist()
    return items if items and all(isinstance(item, str) for item in items) else None


def of_classes(found: Sequence[str], n_classes: int) -> tuple[str, ...]:
    """The classes that are there, in sorted order; ValueError if these are not as many as the network has."""
    names = sorted(set(found))
    if len(names) != n_classes:
        raise ValueError(
            f"T: expected names of {n_classes} classes, as many as the network has, got {len(names)}: {listed(names)}; "
            "net.class_names = [...] names them all"
        )
    return tuple(names)


def numbers(known: Sequence[str], found: Sequence[str]) -> Index:
    """The places of targets (N,) among the classes; ValueError where one is none."""
    places = {name: place for place, name in enumerate(known)}
    if strange := without(sorted(set(found)), known):
        raise ValueError(f"T: expected classes {listed(known)}, got {listed(strange)}")
    return np.array([places[name] for name in found], np.intp)
