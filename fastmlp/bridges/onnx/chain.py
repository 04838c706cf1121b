"""Layers one behind the other, into whose weights the linear maps between them are folded."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from fastmlp._types import Array, Float
from fastmlp.bridges.assembly import assembled
from fastmlp.bridges.onnx.curves import Curve, Place, activation_of, listed
from fastmlp.model.activations import HIDDEN, IDENTITY
from fastmlp.model.convolution import Conv
from fastmlp.model.layers import Dense, Kind, Shape
from fastmlp.network.network import Network


def network_of(curve: Curve, dtype: np.dtype[Any], loss: str | None) -> Network:
    """The network whose outputs a curve is.

    Raises
    ------
    ValueError
        If it is none; it names the nodes where it is not.
    """
    curves = [curve]
    while curves[-1].place.before is not None:
        curves.append(curves[-1].place.before)
    curves.reverse()
    first = next((i for i, each in enumerate(curves) if each.place.kind is not None), len(curves))
    chain = _Chain(curves[first - 1].shape, dtype)
    for each in curves:
        chain.take(each.place)
        chain.answer(each)
    return chain.network(loss)


class _Chain:
    """Layers so far, and a map s u + t of the units u behind them that no layer has taken up yet."""

    def __init__(self, inputs: Shape, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype
        self.layers: list[Any] = [inputs if len(inputs) > 1 else inputs[0]]
        self.kinds: list[Kind] = []
        self.shapes: list[Shape] = []  # of what they make
        self.weights: list[Array] = []
        self.biases: list[Array | None] = []
        self.activations: list[str] = []  # of layers that have one
        self._expect(prod(inputs))

    def _expect(self, n: int) -> None:
        """So many units, as they come."""
        self.scale: Float = np.ones(n)
        self.shift: Float = np.zeros(n)
        self.order = np.arange(n)  # which unit comes at each place
        self.answered = not self.kinds  # whether the last layer has its activation; what is behind belongs to the next
        self.nodes: tuple[str, ...] = ()

    @property
    def _has_map(self) -> bool:
        return bool(np.any(self.scale != 1) or np.any(self.shift != 0))

    def take(self, place: Place) -> None:
        """What stands at a place: nothing, numbers for each unit, or a layer."""
        if place.scale is not None:
            self._map(place.scale, place.shift)
            self.nodes = (*self.nodes, place.node)
        if place.kind is None:
            return
        if not self.answered:
            self._answer(IDENTITY.name)
        if self.activations and self.activations[-1] not in HIDDEN:
            raise ValueError(
                f"model: expected hidden layers of one of {', '.join(HIDDEN)}, got {self.activations[-1]} before "
                f"{place.node}"
            )
        if isinstance(place.kind, Dense):
            self._take_dense(place)
        else:
            self._take_maps(place)
        self.kinds.append(place.kind)
        self.shapes.append(place.shape)
        self.layers.append(place.kind.n_units if isinstance(place.kind, Dense) else place.kind)
        self._expect(prod(place.shape))

    def _map(self, scale: Any, shift: Any) -> None:
        """Numbers of the units, in the order in which the layer has them."""
        with np.errstate(over="ignore", invalid="ignore"):  # weights that are not finite are refused in the end
            self.scale, self.shift = self.scale * scale, self.shift * scale + shift

    def _take_dense(self, place: Place) -> None:
        """W (s u + t) + b = (W s) u + (b + W t)."""
        assert place.W is not None
        W = np.empty_like(place.W)
        W[:, self.order] = place.W
        b = place.b
        if np.any(self.shift != 0):
            moved = W.astype(np.float64) @ self.shift
            b = moved if b is None else b + moved
        if np.any(self.scale != 1):
            W = W * self.scale
        self._add(W, b)

    def _take_maps(self, place: Place) -> None:
        """A convolution takes up one map for each channel, a shift without zeros around; a pool none."""
        W, b, kind = place.W, place.b, place.kind
        if W is None:
            if self._has_map:
                raise ValueError(f"model: expected no map before {kind!r}, got {listed(self.nodes)}")
            return
        if self._has_map:
            scale, shift = (each.reshape(W.shape[1], -1) for each in (self.scale, self.shift))
            is_one = all(np.all(each == each[:, :1]) for each in (scale, shift))
            if not (isinstance(kind, Conv) and is_one and (kind.takes_shifts or not self.shift.any())):
                raise ValueError(
                    f"model: expected a layer that can take up the map by {listed(self.nodes)}, got {kind!r}"
                )
            each = (-1, *[1] * (W.ndim - 2))
            if self.shift.any():
                moved = (W * shift[:, 0].reshape(each)).sum(axis=tuple(range(1, W.ndim)))
                b = moved if b is None else b + moved
            W = W * scale[:, 0].reshape(each)
        self._add(W, b)

    def _add(self, W: Array, b: Array | None) -> None:
        self.weights.append(W.astype(self.dtype))
        self.biases.append(None if b is None else b.astype(self.dtype))

    def answer(self, curve: Curve) -> None:
        """What is made of the sums before the next place."""
        if curve.line is not None and curve.line != (1.0, 0.0):
            self._map(*curve.line)
            self.nodes = (*self.nodes, *curve.nodes)
        if curve.order is not None:
            self.order = curve.order
        if curve.line is not None and not curve.whole:
            if curve.values.ndim > 1:
                raise ValueError(f"model: expected units behind {listed(curve.nodes)}, got further axes")
            return
        activation = activation_of(curve, self.dtype)
        if self.answered:
            before = "behind a pool or an activation" if self.kinds else "before the first layer"
            raise ValueError(f"model: expected a layer before each activation, got {listed(curve.nodes)} {before}")
        self._answer(activation.name)

    def _answer(self, name: str) -> None:
        """The last layer is complete: the map behind its sums is its own."""
        last = self.kinds[-1]
        if self._has_map:
            self._fold_behind()
        if last.has_activation:
            self.activations.append(name)
        elif name != IDENTITY.name:
            raise ValueError(
                f"model: expected activations before pools, got {name} behind {last!r}; they may change places"
            )
        self.answered = True

    def _fold_behind(self) -> None:
        """Let the last layer take up the map: s (W a + b) + t."""
        last = self.kinds[-1]
        if not last.has_activation:
            raise ValueError(f"model: expected no map behind {last!r}, got {listed(self.nodes)}")
        n = len(self.weights[-1])
        scale, shift = (each.reshape(n, -1) for each in (self.scale, self.shift))
        if isinstance(last, Conv) and last.bias is None and np.any(shift != shift[:, :1]) and np.all(scale == 1):
            self._bias(replace(last, bias="position"), self.shift.astype(self.dtype))
            return
        if not all(np.all(each == each[:, :1]) for each in (scale, shift)):
            raise ValueError(
                f"model: expected one map for each channel of {last!r}, got others by {listed(self.nodes)}"
            )
        s, t = scale[:, 0], shift[:, 0]
        W, b = self.weights[-1], self.biases[-1]
        if np.any(s != 1):
            W = (W * s.reshape(-1, *[1] * (W.ndim - 1))).astype(self.dtype)
        if b is None:
            b = t.astype(self.dtype)
        elif np.any(s != 1) or np.any(t != 0):
            b = (b.astype(np.float64) * s + t).astype(self.dtype)
        self.weights[-1] = W
        self._bias(replace(last, bias="channel") if isinstance(last, Conv) and last.bias is None else last, b)

    def _bias(self, last: Kind, b: Array) -> None:
        """Of the last layer, whose map that has been."""
        if isinstance(last, Conv):
            self.kinds[-1] = self.layers[-1] = last
            b = b.reshape(-1, *self.shapes[-1][1:]) if last.bias == "position" else b
        self.biases[-1] = b
        self.scale[:], self.shift[:], self.nodes = 1.0, 0.0, ()

    def network(self, loss: str | None) -> Network:
        """All of it."""
        if not self.answered:
            self._answer(IDENTITY.name)
        if self._has_map:
            raise ValueError(f"model: expected no map behind the last activation, got {listed(self.nodes)}")
        if np.any(self.order != np.arange(len(self.order))):
            raise ValueError("model: expected outputs in the order channel, row, column, got transposed ones")
        output = self.activations[-1] if self.kinds[-1].has_activation else IDENTITY.name
        hidden = self.activations[:-1] if self.kinds[-1].has_activation else self.activations
        return assembled(self.layers, self.weights, self.biases, hidden, output, loss, argument="model")
