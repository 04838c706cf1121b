"""Layers of Keras, one after the other, as a list of layers of ours.

Shapes are Keras' own on the way, channels last; weights become ours as they are read. Normalizations are taken up by
the linear layer before, if nothing stands between, or else by the next one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from fastmlp._types import Array, Float
from fastmlp.bridges.keras.config import Described, precision
from fastmlp.bridges.keras.files import Numbers
from fastmlp.model.activations import HIDDEN, IDENTITY, SOFTMAX
from fastmlp.model.convolution import Conv
from fastmlp.model.layers import Kind, Shape


class Found(NamedTuple):
    """A layer of ours, and from what."""

    source: Described
    kind: Kind | int
    W: Array | None = None
    b: Array | None = None
    activation: str | None = None


class Affine(NamedTuple):
    """A normalization (x - centre) scale + shift, by one number or one for each channel; Flatten makes copies."""

    source: Described
    centre: Float
    scale: Float
    shift: Float
    copies: int = 1

    @property
    def of_zero(self) -> Float:
        """What it makes of 0."""
        return self.shift - self.centre * self.scale

    def spread(self, n: int) -> tuple[Float, Float, Float]:
        """Centre, scale, shift of each of n units; not before there are as many, since a file may claim many."""
        each = n // self.copies
        return tuple([np.tile(np.broadcast_to(x, each), self.copies) for x in self[1:4]])  # type: ignore[return-value]

    def after(self, before: Affine) -> Affine:
        """One for both."""
        n = max(map(np.size, self[1:4]))
        centre, scale, shift = before[1:4] if n == 1 else before.spread(n)
        copies = before.copies if n == 1 else 1
        return Affine(self.source, centre, scale * self.scale, (shift - self.centre) * self.scale + self.shift, copies)


class Chain:
    """Layers on the way through a model: those so far, and what passes from one to the next."""

    def __init__(self, numbers: Numbers) -> None:
        self.numbers = numbers
        self.found: list[Found] = []
        self.shape: tuple[int | None, ...] | None = None  # of a sample, in Keras
        self.inputs: Shape | None = None  # of a sample, here
        self.has_maps = False  # whether samples are maps here
        self.places: Shape | None = None  # the maps, channels first, that Flatten has made units of
        self.pending: Affine | None = None
        self.precision: str | None = None

    def result(self) -> tuple[list[Any], list[Array], list[Array | None], list[str], str | None]:
        """Layers, weights, biases, activations of hidden layers and of the outputs, as `assembled` takes them."""
        if not self.found or self.inputs is None:
            raise ValueError("path: expected a Dense layer at least, got none")
        last = self.found[-1]
        if self.pending is not None:
            self.pending.source.refuse("a linear layer beside it, which takes it up", "an activation or none")
        if self.has_maps or self.places is not None:
            last.source.refuse("a Dense layer behind maps, whose units have an order of their own in Keras", "none")
        hidden = []
        for each in self.found[:-1]:
            if isinstance(each.kind, (int, Conv)):
                name = each.activation or IDENTITY.name
                if name not in HIDDEN:
                    each.source.refuse(f"an activation of {', '.join(HIDDEN)} in a hidden layer", name)
                hidden.append(name)
        layers = [self.inputs if len(self.inputs) > 1 else self.inputs[0], *(each.kind for each in self.found)]
        weighted = [(each.W, each.b) for each in self.found if each.W is not None]
        return layers, [W for W, _ in weighted], [b for _, b in weighted], hidden, last.activation

    def apply(self, layer: Described, name: str) -> None:
        """An activation of ours behind the last layer."""
        if name == IDENTITY.name:
            return
        last = self.found[-1] if self.found else None
        if last is None or last.W is None or last.activation is not None or self.pending is not None:
            layer.refuse("activations right behind Dense or Conv layers, one for each", f"{name} elsewhere")
        if name == SOFTMAX.name and (self.has_maps or self.places is not None):
            layer.refuse("softmax behind a Dense layer", "one of maps")
        self.found[-1] = last._replace(activation=name)

    def scaled(self, affine: Affine) -> None:
        """A normalization: into the linear layer before, or kept for the next one."""
        _, centre, scale, shift, _ = affine
        last = self.found[-1] if self.found else None
        if last is not None and last.W is not None and last.activation is None and self.places is None:
            b = np.zeros(len(last.W)) if last.b is None else last.b.astype(np.float64)
            W = last.W * scale.reshape(-1, *[1] * (last.W.ndim - 1))
            b = (b - centre) * scale + shift
            kind = replace(last.kind, bias="channel") if isinstance(last.kind, Conv) else last.kind
            self.found[-1] = last._replace(kind=kind, W=W.astype(last.W.dtype), b=b.astype(last.W.dtype))
        else:
            self.pending = affine if self.pending is None else affine.after(self.pending)

    def taken_up(self, W: Array, b: Array | None) -> tuple[Array, Array | None]:
        """Weights (n_out, n_in, ...) that do with x what W, b do with (x - centre) scale + shift.

        The bias takes up the centre with the weights as they have been rounded, so that their errors act on x - centre.
        """
        if self.pending is None:
            return W, b
        centre, scale, shift = (each.reshape(-1, *[1] * (W.ndim - 2)) for each in self.pending.spread(W.shape[1]))
        self.pending = None
        scaled = (W * scale).astype(W.dtype)
        moved = (W * shift - scaled * centre).reshape(len(W), -1).sum(axis=1) + (0 if b is None else b)
        return scaled, moved.astype(W.dtype) if b is not None or moved.any() else None

    def channels(self, layer: Described) -> int:
        """How many there are, the last extent of a sample in Keras."""
        if not self.shape or self.shape[-1] is None:
            layer.refuse("a model that knows the shape of its inputs", self.shape)
        return self.shape[-1]

    def begin(self, shape: Shape) -> None:
        """Remember the shape of the first layer's inputs, those of the model."""
        if self.inputs is None:
            self.inputs = shape

    def maps(self, layer: Described, n_axes: int) -> tuple[int, ...]:
        """The extents of maps before a layer, (height, width) or (length,)."""
        shape = self.shape or ()
        if len(shape) != n_axes + 1 or None in shape or (self.found and not self.has_maps):
            layer.refuse(f"maps of {n_axes} axes and channels, of known shape", shape)
        if layer.config.get("data_format", "channels_last") != "channels_last":
            layer.refuse("data_format channels_last", layer.config["data_format"])
        *axes, channels = map(int, shape)  # type: ignore[arg-type]
        self.begin((channels, *axes))
        self.has_maps = True
        return tuple(axes)

    def behind(self, kind: Kind) -> None:
        """Maps behind a layer of ours."""
        *axes, channels = self.shape or ()
        n_channels, *extents = kind.after((channels, *axes), IDENTITY).outputs  # type: ignore[arg-type]
        self.shape = (*extents, n_channels)

    def agree(self, layer: Described) -> None:
        """Refuse a layer of another type than those before; the shape of the inputs, where it tells it."""
        if self.shape is None:
            shape = layer.config.get("batch_shape") or layer.config.get("batch_input_shape")
            if shape is not None:
                self.shape = layer.sizes(shape)[1:]
        wanted = precision(layer)
        if layer.kind != "InputLayer" and wanted is not None:
            if self.precision not in (None, wanted):
                layer.refuse(f"dtype {self.precision} as before", wanted)
            self.precision = wanted
