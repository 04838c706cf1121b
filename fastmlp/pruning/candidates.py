"""What may be deleted: single parameters, hidden units, inputs, or selections of the user's; and what is dead.

A unit is its row of weights, its bias, and the weights that leave it; an input is its column of the first layer.
Parameters are dead where they cannot change an output: those that lead into a unit which none leaves, and those that
leave a unit which is 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from fastmlp import _sets
from fastmlp import _validation as check
from fastmlp._types import Index, Mask
from fastmlp.model import selection
from fastmlp.model.activations import Activation
from fastmlp.model.architecture import Architecture

#: of parameters; where all have one, the rows of an array (n, 1)
Sets = Sequence[Index] | Index

WHAT = ("weights", "units", "inputs")


class Candidates:
    """Sets of parameters that may be deleted, each with a name.

    Parameters
    ----------
    architecture : Architecture
    what : str or sequence
        One of WHAT, or selections as `fixed` of `Network.objective` takes them.
    keep : str, sequence or ndarray, optional
        Parameters that stay, given likewise: a set that has one of them is no candidate.
    """

    def __init__(self, architecture: Architecture, what: Any, keep: Any = ()) -> None:
        self.architecture = architecture
        kept = np.zeros(architecture.n_params, bool)
        kept[selection.positions(architecture, keep, "keep")] = True
        named = _selected(architecture, what)
        left = [each for each in named if not kept[each[1]].any()]
        self.names, self.sets = [name for name, _ in left], [where for _, where in left]
        single = bool(left) and all(len(where) == 1 for where in self.sets)
        self._single = np.concatenate(self.sets) if single else None

    def left(self, pruned: Mask) -> Left:
        """Those of which something is left, and what that is."""
        if self._single is not None:
            numbers = (~pruned[self._single]).nonzero()[0]
            return Left(self._single[numbers, np.newaxis], numbers)
        rest = [where[~pruned[where]] for where in self.sets]
        numbers = np.flatnonzero([len(where) for where in rest])
        return Left([rest[number] for number in numbers], numbers)


class Left(NamedTuple):
    """What may be deleted next."""

    sets: Sets
    numbers: Index  # which of all candidates they are

    def among(self, place: Index) -> Sets:
        """The sets by where each parameter (P,) is among others."""
        return place[self.sets] if isinstance(self.sets, np.ndarray) else [place[S] for S in self.sets]


def _selected(architecture: Architecture, what: Any) -> list[tuple[str, Index]]:
    if isinstance(what, str) and what in WHAT:
        return list({"weights": _weights, "units": _units, "inputs": _inputs}[what](architecture))
    expected = f"{', '.join(map(repr, WHAT))} or a list of selections"
    if isinstance(what, str):
        raise ValueError(f"what: expected {expected}, got {check.shown(what)}")
    given = check.sequence(what, "what", expected)
    sets = [(each if isinstance(each, str) else "", selection.positions(architecture, each, "what")) for each in given]
    if any(len(_sets.unique(where)) < max(1, len(where)) for _, where in sets):
        raise ValueError("what: expected selections of parameters, each once, got an empty one or one twice")
    return [(name or _name(architecture, where), where) for name, where in sets]


def _name(architecture: Architecture, where: Index) -> str:
    return ", ".join(selection.name_of(architecture, int(i)) for i in where)


def _weights(architecture: Architecture) -> Iterator[tuple[str, Index]]:
    yield from zip(selection.names(architecture), np.arange(architecture.n_params)[:, np.newaxis], strict=True)


def _units(architecture: Architecture) -> Iterator[tuple[str, Index]]:
    places = architecture.unravel(np.arange(architecture.n_params))
    architecture.check_dense("what")
    for layer, width in enumerate(architecture.widths[1:-1]):
        for j in range(width):
            into = np.append(places.weights[layer][j], places.biases[layer][j])
            yield f"a{layer + 1}[{j}]", np.concatenate([into, places.weights[layer + 1][:, j]])


def _inputs(architecture: Architecture) -> Iterator[tuple[str, Index]]:
    architecture.check_dense("what", 0)
    places = architecture.unravel(np.arange(architecture.n_params))
    for i, column in enumerate(places.weights[0].T):
        yield f"W1[:,{i}]", column.copy()


@cache
def _is_zero_at_zero(h: Activation) -> bool:
    return not h.value(0.0)


def dead(architecture: Architecture, pruned: Mask, silent: Mask) -> Mask:
    """All that is dead once parameters are pruned, these included; `silent` inputs are 0 in all samples."""
    result = pruned.copy()
    if not architecture.is_dense:
        return result  # which weights lead where is known of dense layers alone
    weights, biases = architecture.unravel(result)
    weights[0][:, silent] = True
    n_dead = -1
    while n_dead < (n_dead := int(np.count_nonzero(result))):
        for layer, h in enumerate(architecture.hidden):
            unused = np.logical_and.reduce(weights[layer + 1], axis=0)
            weights[layer][unused], biases[layer][unused] = True, True
            if _is_zero_at_zero(h):
                zero = np.logical_and.reduce(weights[layer], axis=1) & biases[layer]
                weights[layer + 1][:, zero] = True
    return result
