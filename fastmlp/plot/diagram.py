"""The diagram of a network: inputs, units, and the weights between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastmlp import _validation as check
from fastmlp._types import Axes
from fastmlp.model.names import or_numbered
from fastmlp.plot._drawing import BLUE, GREY, ORANGE, axes_or_new

WIDEST = 4.0  # points, of the largest weight
MOST = 60  # units of a layer, beyond which lines could not be told apart


def diagram(net: Any, feature_names: Sequence[str] | None = None, ax: Axes | None = None) -> Axes:
    """Inputs, units and outputs in columns, with a line for each weight that is not 0: blue if positive, else orange.

    Parameters
    ----------
    net : Network
        With dense layers, of at most 60 units each; such as ``fastmlp.prune(...).best``.
    feature_names : sequence of str, optional
        Of the inputs; None: what the network calls them (`Network.input_names`), else x1, x2 and so on.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; None makes a figure.

    Returns
    -------
    matplotlib.axes.Axes
        Widths of lines are in proportion to |w|, in each layer by itself; units and inputs that nothing joins to the
        outputs are left out. A number in a unit is its bias, unless that is 0.

    Raises
    ------
    TypeError, ValueError
        If `net` is no network of dense layers, one is too wide, or there is not a name for each input.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import fastmlp
    >>> net = fastmlp.Network([3, 2, 1], rng=0)
    >>> net.weights[0][:, 1] = 0.0  # does not look at the second input
    >>> len(fastmlp.plot.diagram(net).texts)  # two inputs, three units without a bias
    2
    """
    if not hasattr(net, "_architecture"):
        raise TypeError(f"net: expected a fastmlp.Network, got {type(net).__name__}")
    net._architecture.check_dense("net")
    if max(net.layers) > MOST:
        raise ValueError(f"net: expected layers of at most {MOST} units, got {list(net.layers)}")
    names = or_numbered(net.input_names if feature_names is None else _names(feature_names), net.layers[0])
    if len(names) != net.layers[0]:
        raise ValueError(f"feature_names: expected {net.layers[0]}, got {len(names)}")
    ax = axes_or_new(ax)
    used = _used(net)
    heights = [{unit: _height(place, len(units)) for place, unit in enumerate(units)} for units in used]
    for layer, W in enumerate(net.weights):
        largest = float(np.abs(W).max(initial=0.0)) or 1.0
        for (j, i), w in np.ndenumerate(W):
            if w and i in heights[layer] and j in heights[layer + 1]:
                ax.plot(
                    (layer, layer + 1), (heights[layer][i], heights[layer + 1][j]), color=BLUE if w > 0 else ORANGE,
                    linewidth=max(0.3, WIDEST * abs(w) / largest), solid_capstyle="round", zorder=1,
                )  # fmt: skip
    for layer, places in enumerate(heights):
        ax.plot([layer] * len(places), list(places.values()), "o", color="white", markeredgecolor=GREY, markersize=16)
        for unit, height in places.items():
            bias = net.biases[layer - 1][unit] if layer else 0.0
            if bias:
                ax.text(layer, height, f"{bias:.2g}", ha="center", va="center", fontsize=6, color=GREY, zorder=3)
            if not layer:
                ax.text(-0.12, height, names[unit], ha="right", va="center")
    ax.set_xlim(-0.5, len(net.layers) - 0.7)
    ax.set_axis_off()
    return ax


def _names(feature_names: Any) -> list[str]:
    return [str(name) for name in check.sequence(feature_names, "feature_names", "one for each input")]


def _used(net: Any) -> list[list[int]]:
    """Of inputs and of each layer what is joined to an output; all outputs."""
    used = [list(range(net.layers[-1]))]
    for W in reversed(net.weights):
        used.insert(0, np.flatnonzero(W[used[0]].any(axis=0)).tolist())
    return used


def _height(place: int, n: int) -> float:
    return 0.5 * (n - 1) - place
