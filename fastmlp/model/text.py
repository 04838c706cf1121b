"""Networks as text: in a line, and as a table of their layers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp._tables import Table
from fastmlp.model.architecture import Architecture
from fastmlp.model.units import Units

Mask = NDArray[np.bool_]


def line(architecture: Architecture, units: Units | None, pruned: Mask | None) -> str:
    """The call that makes one, and what else there is to say of it."""
    names = [activation.name for activation in architecture.hidden]
    hidden = repr(names[0]) if len(set(names)) == 1 else repr(names)
    text = (
        f"Network({list(architecture.specification)}, hidden={hidden}, output={architecture.output.name!r}, "
        f"loss={architecture.loss.name!r}, dtype={architecture.dtype.name!r})"
    )
    phrases = _phrases(units, pruned)
    return f"{text} with {' and '.join(phrases)}" if phrases else text


def table(architecture: Architecture, units: Units | None, pruned: Mask | None) -> str:
    """A line for each layer."""
    rows: list[tuple[Any, ...]] = []
    for number, layer in enumerate(architecture.layers, 1):
        rows.append((number, layer.phrase(), layer.activation, layer.n_params))
    rows.append(("total", "", "", architecture.n_params))
    lines = [str(Table(rows, ("layer", "shape", "activation", "parameters")))]
    lines.append(f"loss: {architecture.loss}, dtype: {architecture.dtype.name}")
    return "\n".join([*lines, *_phrases(units, pruned, "trained in ")])


def _phrases(units: Units | None, pruned: Mask | None, trained: str = "") -> list[str]:
    """What there is to say besides."""
    phrases = [] if units is None else [trained + units.phrase()]
    return phrases if pruned is None else [*phrases, f"{pruned.sum()} of {len(pruned)} parameters pruned"]
