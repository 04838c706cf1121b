"""What each column of the table does to the target: how much it changes it, and along which curve."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastmlp._types import Float, Index
from fastmlp.sensitivities import sensitivity

if TYPE_CHECKING:
    from fastmlp.tables.model import TableModel

ROWS = 2000  #: over which changes are averaged
SINGLE = 10  #: rows that are followed on their own
LEVELS = 12  #: of a category that are looked at, the most frequent ones
STEPS = 40  #: along a number


class Effect(NamedTuple):
    """How much an input changes the target, or the probabilities of the classes."""

    name: str
    change: float  #: root mean square over the rows, and classes, per standard deviation of the input
    direction: float | None  #: the mean, with its sign; None of categories and of classes


class Curve(NamedTuple):
    """The target along one input, all others at their medians, or most frequent levels."""

    name: str
    places: tuple[str, ...] | Float  #: levels, or numbers (n,)
    mean: Float  #: (n, 1), or probabilities of classes (n, K)
    band: tuple[Float, Float] | None  #: of a new target (n,), (n,); none of classes
    single: Float  #: the target of some rows of the table when only this input is changed (SINGLE, n); none of classes
    seen: Float | None  #: deciles of a number


def effects(model: TableModel, X: Float) -> tuple[Effect, ...]:
    """Of every input that is coded, the largest change first.

    For a number the change is dy/dx times the input's standard deviation. For a category it is the standard deviation
    of what the network says of a row when its level is exchanged, levels weighted by how often they occur: the same
    where the network is linear.
    """
    X = spread(X, ROWS)
    found = sensitivity(model.network, X)
    changes = found.raw.root_mean_square * found.input_sd
    means = found.raw.mean * found.input_sd
    result = []
    for column, places in _coded(model):
        if column.kind == "category":
            change, direction = _exchanged(model.network, X, places), None
        else:
            change = float(np.sqrt((changes[:, places] ** 2).mean()))
            direction = float(means[0, places[0]]) if model.classes is None else None
        result.append(Effect(column.name, change, direction))
    return tuple(sorted(result, key=lambda each: -each.change))


def _coded(model: TableModel) -> Iterator[tuple[Any, Index]]:
    """Inputs with their coded columns."""
    places = np.asarray(model.schema.places)
    for i, column in enumerate(model.schema.inputs):
        own = np.flatnonzero(places == i)
        if own.size:
            yield column, own


def _exchanged(network: Any, X: Float, places: Index) -> float:
    levels, counts = _levels(X[:, places])
    outputs = []
    for level in levels:
        rows = X.copy()
        rows[:, places] = level
        outputs.append(network.predict(rows))
    shares = counts / counts.sum()
    centered = np.array(outputs) - np.tensordot(shares, outputs, axes=1)
    return float(np.sqrt(np.tensordot(shares, centered**2, axes=1).mean()))


def _levels(coded: Float) -> tuple[Float, Float]:
    """The rows (n, L) that occur most often, and how often."""
    found: dict[bytes, list[int]] = {}
    for n, row in enumerate(np.ascontiguousarray(coded)):
        found.setdefault(row.tobytes(), []).append(n)
    most = sorted(found.values(), key=lambda rows: (-len(rows), rows[0]))[:LEVELS]
    return coded[[rows[0] for rows in most]], np.array([float(len(rows)) for rows in most])


def curves(model: TableModel, X: Float, names: tuple[str, ...]) -> list[Curve]:
    """Of these inputs."""
    X = spread(X, ROWS)
    coded = {column.name: (column, places) for column, places in _coded(model)}
    middle = np.median(X, axis=0)
    for column, places in coded.values():
        if column.kind == "category":
            middle[places] = _levels(X[:, places])[0][0]
    return [_curve(model, X, middle, *coded[name]) for name in names]


def _curve(model: TableModel, X: Float, middle: Float, column: Any, places: Index) -> Curve:
    seen = None
    if column.kind == "category":
        levels = _levels(X[:, places])[0]
        called = tuple(_level(model, column, places, level) for level in levels)
    else:
        x = X[:, places[0]]
        levels, seen = np.linspace(x.min(), x.max(), STEPS)[:, np.newaxis], np.quantile(x, np.linspace(0, 1, 11))
    rows = np.tile(middle, (len(levels), 1))
    rows[:, places] = levels
    along = called if seen is None else levels[:, 0]
    if model.classes is not None:
        return Curve(column.name, along, model.probabilities(rows), None, np.empty((0, len(rows))), seen)
    mean, low, high = model.predictive(rows, 0.9)
    single = np.repeat(spread(X, SINGLE), len(levels), axis=0)
    single[:, places] = np.tile(levels, (len(single) // len(levels), 1))
    followed = _means(model, single).reshape(-1, len(levels))
    return Curve(column.name, along, mean[:, np.newaxis], (low, high), followed, seen)


def _means(model: TableModel, X: Float) -> Float:
    """What is predicted (N,), without the cost of error bars."""
    members = getattr(model.posterior, "members", None)
    networks = [model.network] if members is None else [member.network for member in members]
    return np.asarray(np.mean([network.predict(X)[:, 0] for network in networks], axis=0))


def _level(model: TableModel, column: Any, places: Index, coded: Float) -> str:
    """What a coded level is called: of the column that is 1, or what all zeros stand for."""
    names: list[str] = [model.schema.names[place].removeprefix(f"{column.name}=") for place in places]
    if coded.any():
        return names[int(np.argmax(coded))]
    others = [level for level in column.levels if level not in names]
    return str(others[0]) if others else "other"


def spread(rows: Any, n: int) -> Any:
    """At most n of them, evenly spread."""
    return rows[:: -(-len(rows) // n)]
