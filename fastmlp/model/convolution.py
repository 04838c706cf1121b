"""Layers that look at images or signals through windows: convolutions, whose weights are shared, and pools.

What one sample has before such a layer is of shape (channels, length) or (channels, height, width), and so it is behind
it. A signal is an image of one row to the kernels.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp import _validation as check
from fastmlp._core.sums import windows
from fastmlp.model.activations import Activation
from fastmlp.model.layers import Kind, Layer, Shape

PADDINGS = ("valid", "same")
BIASES = ("channel", "position")

Extent = int | tuple[int, ...]


class Windows(NamedTuple):
    """Those along an axis: how long, how far apart, how many, and zeros around the inputs."""

    size: int
    stride: int
    n: int
    before: int = 0
    after: int = 0


class Windowed(Kind):
    """What looks at its inputs through windows."""

    @abstractmethod
    def windows(self, inputs: Shape) -> list[Windows]:
        """Along each axis of inputs of this shape."""


@dataclass(frozen=True, repr=False)
class Conv(Windowed):
    """A convolutional layer: each of its channels is a map of what one small window of weights finds at each place.

    z[i, y, x] = b[i] + sum over c, p, q of W[i, c, p, q] a[c, y stride + p, x stride + q], a cross-correlation, and
    then the activation. It stands in the list that `Network` takes, behind a shape or another layer of maps.

    Parameters
    ----------
    channels : int
        Maps that it makes.
    size : int or sequence of int
        Extent of the window, in all directions or one for each axis: (rows, columns) of images, (length,) of signals.
    stride : int or sequence of int, default=1
        Steps of the window.
    padding : {"valid", "same"}, default="valid"
        valid: the window stays inside. same: ceil(n / stride) outputs along an axis of n inputs, as if there were zeros
        around these, max((ceil(n / stride) - 1) stride + size - n, 0) in all, the smaller half of them before.
    bias : {"channel", "position"} or None, default="channel"
        One b for each map (channels,), one for each unit (channels, height, width), or none.
    shared : bool, default=True
        Whether one window of weights goes over all places; without, the layer is locally connected: each place has
        weights of its own.
    connections : array-like of bool of shape (channels, input channels), optional
        Which of its channels look at which input channels, as in the networks of 1989; each at one at least. Weights
        of the others are 0 for good: `Network.pruned` has them from the start, and `unprune` does not forget them.

    Notes
    -----
    W is (channels, input channels, rows, columns) of images, (channels, input channels, length) of signals; where it is
    not shared (channels, height, width, input channels, rows, columns) and alike. The fans that starting values are
    drawn by are those of a window: input channels times its size, channels times its size, as far as there are
    connections. Weights that are not there cost what others do, and derivatives by them are as if they were there.

    References
    ----------
    LeCun et al., Neural Computation 1 (1989), 541-551; LeCun et al., Proc. IEEE 86 (1998), 2278-2324; ESL, section
    11.7; PRML, section 5.5.6.

    Examples
    --------
    >>> import fastmlp
    >>> net = fastmlp.Network([(1, 16, 16), fastmlp.Conv(4, 5), fastmlp.AveragePool(2), 10], output="softmax", rng=0)
    >>> net.weights[0].shape, net.weights[1].shape
    ((4, 1, 5, 5), (10, 144))
    >>> pairs = [[True, True, False], [False, True, True]]
    >>> net = fastmlp.Network([(3, 12), fastmlp.Conv(2, 5, connections=pairs), 1], rng=0)
    >>> net.weights[0][0, 2], int(net.pruned.sum())
    (array([0., 0., 0., 0., 0.]), 10)
    """

    name = "conv"
    compiled = windows.CONV
    takes_scales = True

    channels: int
    size: Extent
    stride: Extent = 1
    padding: str = "valid"
    bias: str | None = "channel"
    shared: bool = True
    connections: tuple[tuple[bool, ...], ...] | None = None

    def __post_init__(self) -> None:
        """Fields in plain types, checked as far as they can be without a layer before."""
        _settle(self, channels=check.integer(self.channels, "channels", 1), size=_extent(self.size, "size"))
        _settle(self, stride=_extent(self.stride, "stride"), padding=check.choice(self.padding, "padding", PADDINGS))
        _settle(self, bias=None if self.bias is None else check.choice(self.bias, "bias", BIASES))
        _settle(self, shared=check.boolean(self.shared, "shared"), connections=_connections(self))

    @property
    def takes_shifts(self) -> bool:
        """A shift moves the units of a map alike, if their windows have the same weights and no zeros under them."""
        return self.padding == "valid" and (self.bias == "position" or (self.shared and self.bias == "channel"))

    def windows(self, inputs: Shape) -> list[Windows]:
        """Along each axis of inputs of this shape."""
        axes = _axes(inputs, self)
        if self.connections is not None and len(self.connections[0]) != inputs[0]:
            shape = f"({len(self.connections)}, {len(self.connections[0])})"
            raise ValueError(
                f"layers: expected connections of shape ({self.channels}, {inputs[0]}), one column for each input "
                f"channel, in {self!r}, got {shape}"
            )
        size, stride = _along(self.size, "size", axes, self), _along(self.stride, "stride", axes, self)
        return [_windows(*each, self) for each in zip(axes, size, stride, strict=True)]

    def after(self, inputs: Shape, activation: Activation) -> Layer:
        """Maps behind maps."""
        windows = self.windows(inputs)
        outputs = tuple(each.n for each in windows)
        window = (inputs[0], *(each.size for each in windows))
        fan_in, positions = math.prod(window), math.prod(outputs)
        n_biases = {None: 0, "channel": 1, "position": positions}[self.bias]
        n_units = self.channels * positions
        return Layer(
            self, inputs, (self.channels, *outputs), activation,
            weights=(self.channels, *(() if self.shared else outputs), *window),
            biases={None: (), "channel": (self.channels,), "position": (self.channels, *outputs)}[self.bias],
            fan_in=fan_in, fan_out=self.channels * math.prod(window[1:]), work=n_units * (fan_in + bool(n_biases)),
            geometry=_geometry(inputs, (self.channels, *outputs), windows, n_biases, not self.shared),
        )  # fmt: skip

    def present(self, layer: Layer) -> NDArray[np.bool_] | None:
        """The table, with an axis for each of W."""
        if self.connections is None:
            return None
        n_axes = len(layer.inputs) - 1
        places = (1,) * (0 if self.shared else n_axes)
        return np.array(self.connections).reshape(self.channels, *places, layer.inputs[0], *(1,) * n_axes)


@dataclass(frozen=True, repr=False)
class _Pool(Windowed):
    """One number for each window; windows lie side by side."""

    has_activation = False
    keeps_channels = True

    size: Extent

    def __post_init__(self) -> None:
        """The size in plain types."""
        _settle(self, size=_extent(self.size, "size"))

    def windows(self, inputs: Shape) -> list[Windows]:
        """Along each axis of inputs of this shape as many whole ones as there is room for."""
        axes = _axes(inputs, self)
        size = _along(self.size, "size", axes, self)
        for n, each in zip(axes, size, strict=True):
            _check_fits(each, n, self)
        return [Windows(each, each, n // each) for n, each in zip(axes, size, strict=True)]

    def after(self, inputs: Shape, activation: Activation) -> Layer:
        """As many channels."""
        windows = self.windows(inputs)
        outputs = (inputs[0], *(each.n for each in windows))
        return Layer(
            self, inputs, outputs, activation, work=math.prod(outputs) * math.prod(each.size for each in windows),
            geometry=_geometry(inputs, outputs, windows, 0, False),
        )  # fmt: skip


@dataclass(frozen=True, repr=False)
class AveragePool(_Pool):
    """Means over windows that do not overlap, in each channel; for the list that `Network` takes.

    Parameters
    ----------
    size : int or sequence of int
        Extent of the windows, in all directions or one for each axis. Rows and columns that are left over belong to
        none.

    Notes
    -----
    It has neither parameters nor an activation: that of the layer before stands before the mean.

    Examples
    --------
    >>> import fastmlp
    >>> net = fastmlp.Network([(2, 7), fastmlp.AveragePool(3), 1], rng=0)
    >>> net.layers
    (14, 4, 1)
    """

    name = "average_pool"
    compiled = windows.MEAN


@dataclass(frozen=True, repr=False)
class MaxPool(_Pool):
    """The largest number of each window, in each channel; windows do not overlap. For the list that `Network` takes.

    Parameters
    ----------
    size : int or sequence of int
        Extent of the windows, in all directions or one for each axis. Rows and columns that are left over belong to
        none.

    Notes
    -----
    Of several numbers that are equal the first one counts, row by row: derivatives are its own, and the others' are 0.
    It has neither parameters nor an activation.

    Examples
    --------
    >>> import fastmlp
    >>> net = fastmlp.Network([(1, 4, 4), fastmlp.MaxPool(2), 1], rng=0)
    >>> net.layers
    (16, 4, 1)
    """

    name = "max_pool"
    compiled = windows.LARGEST


def _settle(kind: Kind, **values: Any) -> None:
    """Write fields of a frozen record, as it is made."""
    for name, value in values.items():
        object.__setattr__(kind, name, value)


def _extent(value: Any, name: str) -> Extent:
    """A number, or one for each of one or two axes."""
    if isinstance(value, np.ndarray) and value.ndim == 1:
        value = value.tolist()
    if not isinstance(value, Sequence) or isinstance(value, str):
        return check.integer(value, name, 1)
    expected = "an integer, or one for each axis"
    sizes = check.sequence(value, name, expected)
    if len(sizes) not in (1, 2):
        raise ValueError(f"{name}: expected {expected}, got {check.shown(value)}")
    return tuple([check.integer(size, name, 1) for size in sizes])


def _connections(kind: Conv) -> tuple[tuple[bool, ...], ...] | None:
    """The table, as tuples."""
    if kind.connections is None:
        return None
    table = check.table(kind.connections, "connections", kind.channels)
    alone = [number for number, row in enumerate(table) if not any(row)]
    if alone:
        raise ValueError(
            f"connections: expected one input channel at least for each channel, got none in row {alone[0]}"
        )
    return table


def _axes(inputs: Shape, kind: Kind) -> Shape:
    """Length, or height and width of the inputs."""
    if len(inputs) not in (2, 3):
        raise ValueError(
            "layers: expected a shape (channels, length) or (channels, height, width), or another layer of maps, "
            f"before {kind!r}, got {inputs[0]} units"
        )
    return inputs[1:]


def _along(extent: Extent, name: str, axes: Shape, kind: Kind) -> Shape:
    """An extent, one number for each axis."""
    if isinstance(extent, int):
        return (extent,) * len(axes)
    if len(extent) != len(axes):
        raise ValueError(f"layers: expected {name} of {kind!r} to be an integer, or {len(axes)} of them")
    return extent


def _check_fits(size: int, n: int, kind: Kind) -> None:
    if size > n:
        raise ValueError(f"layers: expected at least {size} inputs along each axis of a window of {kind!r}, got {n}")


def _windows(n: int, size: int, stride: int, kind: Conv) -> Windows:
    """Those of a convolution along an axis of n inputs."""
    if kind.padding == "same":
        n_out = -(-n // stride)
        zeros = max((n_out - 1) * stride + size - n, 0)
        return Windows(size, stride, n_out, zeros // 2, zeros - zeros // 2)
    _check_fits(size, n, kind)
    return Windows(size, stride, (n - size) // stride + 1)


def _geometry(inputs: Shape, outputs: Shape, windows: Sequence[Windows], n_biases: int, local: bool) -> tuple[int, ...]:
    """The `fmlp_window` of the kernels: channels, rows and columns, of which a signal has one row."""
    row = [Windows(1, 1, 1)] * (3 - len(inputs))
    size, stride, _, before, _ = zip(*row, *windows, strict=True)
    image, maps = (shape if len(shape) == 3 else (shape[0], 1, shape[1]) for shape in (inputs, outputs))
    return (*image, *maps, *size, *stride, *before, n_biases, int(local))
