"""Networks as text: in a line, and as a table of their layers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp._tables import Table
from fastmlp.model import names
from fastmlp.model.architecture import Architecture
from fastmlp.model.units import Units

Mask = NDArray[np.bool_]


def line(architecture: Architecture, units: Units | None, pruned: Mask | None) -> str:
    """The call that makes one, and what else there is to say of it."""
    activations = [activation.name for activation in architecture.hidden]
    hidden = repr(activations[0]) if len(set(activations)) == 1 else repr(activations)
    text = (
        f"Network({list(architecture.specification)}, hidden={hidden}, output={architecture.output.name!r}, "
        f"loss={architecture.loss.name!r}, dtype={architecture.dtype.name!r})"
    )
    phrases = _phrases(architecture, units, pruned)
    return f"{text} with {' and '.join(phrases)}" if phrases else text


def table(architecture: Architecture, units: Units | None, pruned: Mask | None) -> str:
    """A line for each layer."""
    lines = [str(_of_maps(architecture) if architecture.has_maps else _of_units(architecture))]
    lines.append(f"loss: {architecture.loss}, dtype: {architecture.dtype.name}")
    return "\n".join([*lines, *_phrases(architecture, units, pruned, "trained in ")])


def _of_units(architecture: Architecture) -> Table:
    rows: list[tuple[Any, ...]] = []
    for number, layer in enumerate(architecture.layers, 1):
        rows.append((number, layer.phrase(), layer.activation, layer.n_params))
    rows.append(("total", "", "", architecture.n_params))
    return Table(rows, ("layer", "shape", "activation", "parameters"))


def _of_maps(architecture: Architecture) -> Table:
    """With the shapes of outputs, and how many links a parameter stands for: bias and inputs of each unit.

    Parameters that are absent do not count.
    """
    rows: list[tuple[Any, ...]] = []
    n_params = n_links = 0
    for number, layer in enumerate(architecture.layers, 1):
        n_params, n_links = n_params + layer.n_params - layer.n_absent, n_links + layer.links
        weights, outputs = (" x ".join(map(str, shape)) for shape in (layer.weights, layer.outputs))
        counts = layer.n_params - layer.n_absent, layer.links
        rows.append((number, layer.kind.name, weights, outputs, layer.activation, *counts))
    rows.append(("total", "", "", "", "", n_params, n_links))
    return Table(rows, ("layer", "kind", "weights", "outputs", "activation", "parameters", "links"))


def _phrases(architecture: Architecture, units: Units | None, pruned: Mask | None, trained: str = "") -> list[str]:
    """What there is to say besides."""
    known = {"inputs": architecture.input_names, "classes": architecture.class_names}
    named = [f"{what} {names.listed(each)}" for what, each in known.items() if each is not None]
    phrases = named if units is None else [*named, trained + units.phrase()]
    n_absent = sum(layer.n_absent for layer in architecture.layers)
    n_pruned = 0 if pruned is None else int(pruned.sum()) - n_absent
    there = architecture.n_params - n_absent
    return [*phrases, f"{n_pruned} of {there} parameters pruned"] if n_pruned else phrases
