"""Networks that look at images: what their windows look for, and what they find."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmlp import _validation as check
from fastmlp._types import Array, Axes
from fastmlp.plot._drawing import BLUE, GREY, ORANGE, axes_or_new, hide_spines

GAP = 0.15  # between pictures, of the side of one


def filters(net: Any, layer: int = 1, ax: Axes | None = None) -> Axes:
    """Windows of weights of a convolution as pictures: blue where w > 0, orange where w < 0.

    Parameters
    ----------
    net : Network
    layer : int, default=1
        Which layer with weights, counted from 1, as in "W1".
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; None makes a figure.

    Returns
    -------
    matplotlib.axes.Axes
        A row for each input channel, a column for each map. All pictures have one scale.

    Raises
    ------
    TypeError, ValueError
        If `net` has no such layer, or this is no convolution with shared weights.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import fastmlp
    >>> from fastmlp import plot
    >>> net = fastmlp.Network([(1, 8, 8), fastmlp.Conv(4, 3), 2], rng=0)
    >>> len(plot.filters(net).images)
    4
    """
    W = _weights(net, layer)
    ax = axes_or_new(ax)
    largest = float(np.abs(W).max()) or 1.0
    for map_number, of_channels in enumerate(W):
        for channel, window in enumerate(of_channels):
            _picture(ax, window, map_number, channel, -largest, largest, (ORANGE, "#ffffff", BLUE))
    _frame(ax, W.shape[0], W.shape[1])
    ax.set(xlabel=f"map of layer {layer}", ylabel="channel")
    ax.set_xticks(*_numbered(W.shape[0]))
    ax.set_yticks(*_numbered(W.shape[1]))
    ax.set_title(f"largest: {np.abs(W).max():.3g}", fontsize="small", color=GREY, loc="right")
    return ax


def feature_maps(net: Any, x: Any, ax: Axes | None = None) -> Axes:
    """What each layer makes of one image: its maps, layer by layer from above.

    Parameters
    ----------
    net : Network
    x : array-like
        One sample: (D,), or in the shape that the network was given for it.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; None makes a figure.

    Returns
    -------
    matplotlib.axes.Axes
        A row for the inputs and for each layer of maps; each row has a scale of its own, dark where numbers are large.

    Raises
    ------
    TypeError, ValueError
        If `net` has no maps, or `x` is not a sample for it.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import numpy as np, fastmlp
    >>> from fastmlp import AveragePool, Conv, plot
    >>> net = fastmlp.Network([(1, 8, 8), Conv(4, 3), AveragePool(2), 2], rng=0)
    >>> len(plot.feature_maps(net, np.eye(8)).images)  # the image, and four maps twice
    9
    """
    architecture = _of_maps(net)
    x = check.real_array(x, "x", net.dtype)
    X = architecture.rows(x[np.newaxis])
    shapes = [architecture.layers[0].inputs, *(layer.outputs for layer in architecture.layers)]
    names = ["inputs", *(layer.kind.name for layer in architecture.layers)]
    rows = [
        (name, a[0].reshape(shape))
        for name, shape, a in zip(names, shapes, (X, *net.trace(X).a), strict=True)
        if len(shape) > 1
    ]
    ax = axes_or_new(ax)
    for row, (_, maps) in enumerate(rows):
        for place, each in enumerate(maps):
            _picture(ax, each, place, row, float(maps.min()), float(maps.max()), ("#ffffff", "#14202b"))
    _frame(ax, max(len(maps) for _, maps in rows), len(rows))
    ax.set_xticks([])
    ax.set_yticks(_numbered(len(rows))[0], [name for name, _ in rows])
    return ax


def _of_maps(net: Any) -> Any:
    """The architecture of a network whose samples have several axes."""
    if not hasattr(net, "trace"):
        raise TypeError(f"net: expected a fastmlp.Network, got {type(net).__name__}")
    if not net._architecture.has_maps:
        raise ValueError(f"net: expected one of images or signals, got {check.shown(net)}")
    return net._architecture


def _weights(net: Any, layer: Any) -> Array:
    """The windows (maps, channels, rows, columns) of a layer."""
    architecture = _of_maps(net)
    n_layers = len(architecture.places)
    if check.integer(layer, "layer", 1) > n_layers:
        raise ValueError(f"layer: expected a number from 1 to {n_layers}, got {layer}")
    W: Array = net.weights[layer - 1]
    if W.ndim != 1 + len(architecture.places[layer - 1].layer.inputs) or W.ndim < 3:
        raise ValueError(f"layer: expected a convolution with shared weights, got one of shape {W.shape}")
    return W[:, :, np.newaxis] if W.ndim == 3 else W


def _picture(ax: Any, values: Array, column: int, row: int, low: float, high: float, colors: tuple[str, ...]) -> None:
    """An image, the longer side of which is 1, around its place; of a signal a stripe."""
    from matplotlib.colors import LinearSegmentedColormap

    values = np.atleast_2d(values)
    high = high if high > low else low + 1.0
    tall, wide = (n / max(values.shape) / 2 for n in values.shape)
    if len(values) == 1:
        tall = 0.5
    box = (1 + GAP) * column - wide, (1 + GAP) * column + wide, (1 + GAP) * row + tall, (1 + GAP) * row - tall
    scale = LinearSegmentedColormap.from_list("", colors)
    ax.imshow(values, extent=box, vmin=low, vmax=high, cmap=scale, interpolation="nearest")


def _frame(ax: Any, n_columns: int, n_rows: int) -> None:
    """Axes around so many pictures."""
    ax.set(xlim=(-0.6, (1 + GAP) * (n_columns - 1) + 0.6), ylim=((1 + GAP) * (n_rows - 1) + 0.6, -0.6))
    ax.set_aspect("equal")
    ax.set_facecolor("#f3f4f5")
    ax.tick_params(length=0)
    hide_spines(ax, *ax.spines)


def _numbered(n: int) -> tuple[list[float], list[str]]:
    """Places and names of pictures, counted from 1."""
    return [(1 + GAP) * i for i in range(n)], [str(i + 1) for i in range(n)]
