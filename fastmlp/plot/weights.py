"""The weights themselves."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmlp import _validation as check
from fastmlp._types import Axes
from fastmlp.plot._drawing import BLUE, GREY, ORANGE, axes_or_new, hide_spines

GAP = 0.5  # between the weights and the biases, in columns


def hinton(net: Any, layer: int = 0, ax: Axes | None = None) -> Axes:
    """Weights of a layer as squares, their area in proportion to |w|: blue where w > 0, orange where w < 0.

    Parameters
    ----------
    net : Network
    layer : int, default=0
        Which layer of weights, counted from 0, as in ``net.weights[layer]``.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; None makes a figure.

    Returns
    -------
    matplotlib.axes.Axes
        A row for each unit, a column for each of its inputs, and apart from them one for the biases.

    Raises
    ------
    TypeError, ValueError
        If `net` has no weights, or no such layer.
    ImportError
        If matplotlib is not installed.

    Notes
    -----
    Hinton, McClelland and Rumelhart, in Parallel Distributed Processing, 1986, chapter 3.

    Examples
    --------
    >>> import fastmlp
    >>> from fastmlp import plot
    >>> plot.hinton(fastmlp.Network([2, 3, 1], rng=0), layer=1).get_xlabel()
    'unit of hidden layer 1'
    """
    if not hasattr(net, "weights"):
        raise TypeError(f"net: expected a fastmlp.Network, got {type(net).__name__}")
    layer = check.index(layer, "layer", len(net.weights))
    if net.weights[layer].ndim != 2:
        raise ValueError(
            f"layer: expected one with a matrix of weights, got shape {net.weights[layer].shape}; filters shows windows"
        )
    ax = axes_or_new(ax)
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    W, b = net.weights[layer], net.biases[layer]
    n_units, n_inputs = W.shape
    values = np.column_stack([W, b]).astype(float)
    columns = np.append(np.arange(n_inputs), n_inputs + GAP)
    largest = float(np.abs(values).max())
    sides = 0.92 * np.sqrt(np.abs(values) / (largest or 1.0))
    squares = [Rectangle((columns[j] - side / 2, i - side / 2), side, side) for (i, j), side in np.ndenumerate(sides)]
    colors = np.where(values.ravel() > 0, BLUE, ORANGE)
    ax.add_collection(PatchCollection(squares, facecolors=colors, edgecolors="none"))
    ax.set_aspect("equal")
    ax.set(xlim=(-0.7, columns[-1] + 0.7), ylim=(n_units - 0.3, -0.7), facecolor="#f3f4f5")
    ax.axvline(n_inputs - 0.5 + GAP / 2, color="white", linewidth=2)
    ax.set_yticks(*_numbered(n_units))
    places, names = _numbered(n_inputs)
    ax.set_xticks([*places, columns[-1]], [*names, "b"])
    below = "input" if layer == 0 else f"unit of hidden layer {layer}"
    above = "output" if layer == len(net.weights) - 1 else f"unit of hidden layer {layer + 1}"
    ax.set(xlabel=below, ylabel=above)
    ax.set_title(f"largest: {largest:.3g}", fontsize="small", color=GREY, loc="right")
    ax.tick_params(length=0)
    hide_spines(ax, *ax.spines)
    return ax


def _numbered(n: int, most: int = 16) -> tuple[list[int], list[str]]:
    """Places and names, counted from 1, of at most so many ticks."""
    places = list(range(0, n, -(-n // most)))
    return places, [str(place + 1) for place in places]
