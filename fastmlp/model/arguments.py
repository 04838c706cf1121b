"""What users say of an architecture, checked: layers, hidden activations, the number type."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmlp import _hints
from fastmlp import _validation as check
from fastmlp.model import layers as kinds
from fastmlp.model.activations import HIDDEN, IDENTITY, Activation
from fastmlp.model.layers import Kind, Layer, Shape


def entries_of(layers: Any) -> tuple[Shape, list[Kind]]:
    """The shape of the inputs, and what the layers are."""
    layers = check.sequence(layers, "layers", "a sequence of layer sizes [D, M1, ..., K]")
    inputs = [_input_shape(each) for each in layers[:1]]
    entries = [kinds.taken(each) for each in layers[1:]]
    if not entries:
        raise ValueError(f"layers: expected at least two sizes [D, K], got {check.shown(layers)}")
    if not entries[-1].has_activation:
        raise ValueError(f"layers: expected a last layer with an activation, that of the output, got {entries[-1]!r}")
    return inputs[0], entries


def _input_shape(entry: Any) -> Shape:
    """Of a number of inputs (D,), of signals (channels, length), of images (channels, height, width)."""
    if not isinstance(entry, (tuple, list)):
        return (check.integer(entry, "layers", 1),)
    expected = "a number of inputs, (channels, length) or (channels, height, width)"
    sizes = check.sequence(entry, "layers", expected)
    if len(sizes) not in (2, 3):
        raise ValueError(f"layers: expected {expected} first, got {check.shown(entry)}")
    return tuple([check.integer(size, "layers", 1) for size in sizes])


def layers_of(
    inputs: Shape, entries: list[Kind], hidden: tuple[Activation, ...], output: Activation
) -> tuple[Layer, ...]:
    """The records of the layers, each behind the one before."""
    layers: list[Layer] = []
    shape = inputs
    names = iter((*hidden, output))
    for number, kind in enumerate(entries, 1):
        try:
            layers.append(kind.after(shape, next(names) if kind.has_activation else IDENTITY))
        except ValueError as error:
            raise ValueError(f"{error}, in layer {number}") from None
        shape = layers[-1].outputs
    if not 0 < sum(layer.n_params for layer in layers) <= 2**40:
        sizes = [inputs[0] if len(inputs) == 1 else inputs, *map(kinds.shown, entries)]
        raise ValueError(f"layers: expected a network of 1 to 2^40 parameters, got {sizes}")
    for number, layer in enumerate(layers, 1):
        if max(layer.n_in, layer.n_out) > 2**40 or layer.work > 2**60:
            raise ValueError(
                f"layers: expected at most 2^40 units and 2^60 multiply-adds in a layer, got layer {number}, which is "
                f"{layer.kind!r}, of {check.shown(layer.n_out)} units"
            )
    return tuple(layers)


def hidden_of(hidden: Any, n_hidden: int) -> tuple[Activation, ...]:
    """The activations of the hidden layers."""
    if isinstance(hidden, str):
        return (_activation(hidden),) * n_hidden
    names = check.sequence(hidden, "hidden", "a name, or one for each hidden layer")
    if len(names) != n_hidden:
        raise ValueError(f"hidden: expected a name, or one for each of the {n_hidden} hidden layers, got {len(names)}")
    return tuple(_activation(name) for name in names)


def _activation(name: Any) -> Activation:
    return Activation._chosen(name, "hidden", HIDDEN)


def number_type_of(dtype: Any) -> np.dtype[Any]:
    """What a user's dtype says, float64 or float32."""
    for number_type in (np.dtype(np.float64), np.dtype(np.float32)):
        if isinstance(dtype, str):
            matches = dtype in (number_type.name, number_type.str, number_type.str[1:])
        else:
            matches = dtype is not None and (dtype == number_type) is True
        if matches:
            return number_type
    hint = _hints.hint(dtype, ("float32", "float64"))
    raise ValueError(f"dtype: expected float32 or float64, got {check.shown(dtype)}{hint}")
