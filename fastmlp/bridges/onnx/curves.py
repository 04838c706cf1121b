"""What the nodes of an ONNX graph hold, if the graph is a network: constants, and functions of one layer's sums.

Exporters write an activation as one node or as a dozen, each in its own way: silu as z * Sigmoid(z), gelu by Erf, Tanh
or a series. So nodes are not compared with patterns. Each is computed, at `POINTS`, as a function of the sums z of the
layer before it, and what comes out is compared with the activations that there are.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

import numpy as np

from fastmlp._types import Array, Float
from fastmlp.model.activations import OUTPUT, Activation
from fastmlp.model.layers import Kind, Shape

#: where functions are compared: closely up to 12, at distances that no period fits; nearer to zero and farther out, as
#: thresholds lie there
_OTHERS: Float = np.concatenate(
    [np.geomspace(1e-9, 0.3, 40), [15.0, 20.5, 25.0, 41.0, 60.0, 90.0], np.geomspace(133, 1e12, 40)]
)
POINTS: Float = np.concatenate([np.linspace(-12, 12, 481), _OTHERS, -_OTHERS])
FAR = 100.0  # from where on parts of an activation may overflow, and tell nothing
#: of max(1, |h|), at which a function counts as the activation h; attributes such as a slope are float32 in all graphs
CLOSE = {"float32": 2e-6, "float64": 5e-8}
LISTED = 6  # nodes in a message
ROUGH = 1e-2  # the same at which it is named as the nearest


class Place(NamedTuple):
    """Sums z of a layer, or a linear map of single numbers, where the nodes behind begin."""

    before: Curve | None  #: what it takes; None: the inputs of the graph
    node: str
    shape: Shape  #: of a sample
    kind: Kind | None = None  #: of a layer
    W: Array | None = None
    b: Array | None = None
    scale: Array | None = None  #: z = scale x + shift, of a map of single numbers
    shift: Array | None = None


class Curve(NamedTuple):
    """A function of each of the sums z at a place, with the same z for all of them."""

    place: Place
    values: Array  #: at POINTS, with further axes behind where nodes have added some
    line: tuple[float, float] | None  #: (a, c) where it is a z + c
    shape: Shape  #: in which it passes on its units; their order is that of z
    order: Array | None = None  #: where transposed, from where each unit comes
    nodes: tuple[str, ...] = ()
    whole: str = ""  #: "softmax" where units are no functions of their own z alone

    @property
    def size(self) -> int:
        """How many units."""
        return prod(self.shape)

    def mapped(self, node: str, function: Callable[[Array], Any], line: tuple[float, float] | None = None) -> Curve:
        """A function of it."""
        with np.errstate(all="ignore"):
            values = np.asarray(function(self.values))
        return self._replace(values=values, line=line, nodes=followed(self.nodes, node))


class Labels(NamedTuple):
    """The class of each sample, behind the outputs of a network."""

    of: Curve
    nodes: tuple[str, ...]


def followed(nodes: tuple[str, ...], name: str) -> tuple[str, ...]:
    """The nodes that messages name, of any number."""
    return (*nodes, name)[-LISTED:]


def beginning(place: Place) -> Curve:
    """Z itself."""
    return Curve(place, POINTS, (1.0, 0.0), place.shape)


def activation_of(curve: Curve, dtype: np.dtype[Any]) -> Activation:
    """The activation that a curve is.

    Raises
    ------
    ValueError
        If it is none; it names the nodes that have made it.
    """
    if curve.whole:
        return Activation(curve.whole)
    best, name = np.inf, ""
    values = curve.values.astype(np.float64)
    for each in map(Activation, OUTPUT):
        if not each.is_elementwise or values.shape != POINTS.shape:
            continue
        h = each.value(POINTS)
        with np.errstate(all="ignore"):
            off_each = np.abs(values - h) / np.maximum(1.0, np.abs(h))
        overflow = (np.abs(POINTS) > FAR) & ~np.isfinite(values)
        off = float(np.max(off_each[~overflow], initial=0.0))
        if off < best:
            best, name = off, each.name
    if best <= CLOSE[dtype.name]:
        return Activation(name)
    near = f", {name} but for {best:.1g}" if best < ROUGH else ""
    names = ", ".join(OUTPUT)
    raise ValueError(f"model: expected one of {names}, got another function{near}, by {listed(curve.nodes)}")


def listed(nodes: tuple[str, ...]) -> str:
    """For messages."""
    return f"node{'s' * (len(nodes) > 1)} {', '.join(nodes[-LISTED:])}"
