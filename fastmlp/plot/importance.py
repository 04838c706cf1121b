"""What several methods say of each input, and how outputs go along one input."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmlp import _validation as check
from fastmlp._types import Axes
from fastmlp.plot._drawing import BLUE, GREY, ORANGE, PALE, axes_or_new, hide_spines, rule_behind

MARKS = {"saliency": (BLUE, "o"), "sensitivity": (ORANGE, "s"), "olden": (GREY, "^"), "garson": (GREY, "x")}


def importances(result: Any, ax: Axes | None = None, *, n_inputs: int = 20) -> Axes:
    """The shares of the inputs, a mark for each method, the input of the largest saliency at the top.

    Parameters
    ----------
    result : Importances
        What `fastmlp.importances` returned.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; None makes a figure.
    n_inputs : int, default=20
        At most so many inputs are shown, those of the largest saliencies.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        If `result` is something else, or n_inputs < 1.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import numpy as np, fastmlp
    >>> X = np.random.default_rng(0).normal(size=(50, 2))
    >>> net, penalty = fastmlp.Network([2, 1], rng=0), fastmlp.WeightDecay(1.0, 1.0)
    >>> _ = net.fit(X, X[:, 0], penalty=penalty, method="lm")
    >>> fastmlp.plot.importances(fastmlp.importances(net, X, X[:, 0], penalty=penalty)).get_xlabel()
    'share of all inputs'
    """
    if not hasattr(result, "shares"):
        raise TypeError(f"result: expected what fastmlp.importances returns, got {type(result).__name__}")
    order = np.argsort(-result.saliency, kind="stable")[: check.integer(n_inputs, "n_inputs", 1)]
    places = np.arange(len(order))
    ax = axes_or_new(ax)
    for name, shares in result.shares.items():
        color, marker = MARKS[name]
        ax.plot(shares[order], places, marker, color=color, markersize=6, label=name, clip_on=False, linestyle="")
    ax.set_xlim(left=0)
    ax.set_xlabel("share of all inputs")
    ax.set_yticks(places, [result.input_names[i] for i in order])
    ax.invert_yaxis()
    ax.tick_params(axis="y", length=0, pad=8)
    ax.legend(frameon=False, loc="lower right")
    rule_behind(ax, "both")
    hide_spines(ax, "top", "right", "left")
    return ax


def lekprofile(result: Any, input: Any = 0, ax: Axes | None = None, *, output: int = 0) -> Axes:
    """An output along one input, a curve for each group of values at which the others are held.

    Parameters
    ----------
    result : LekProfile
        What `fastmlp.lekprofile` returned.
    input : int or str, default=0
        Which input, counted from 0, or its name.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; None makes a figure.
    output : int, default=0
        Which output, counted from 0.

    Returns
    -------
    matplotlib.axes.Axes
        Curves go from pale to dark, from the first to the last group.

    Raises
    ------
    TypeError, ValueError
        If `result` is something else, or there is no such input or output.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import fastmlp
    >>> profile = fastmlp.lekprofile(fastmlp.Network([2, 3, 1], rng=0), [[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]])
    >>> len(fastmlp.plot.lekprofile(profile, "x2").get_lines())
    6
    """
    if not hasattr(result, "group_names"):
        raise TypeError(f"result: expected what fastmlp.lekprofile returns, got {type(result).__name__}")
    names = result.input_names
    by_name = isinstance(input, str)
    i = names.index(check.choice(input, "input", names)) if by_name else check.index(input, "input", len(names))
    output = check.index(output, "output", result.y.shape[-1])
    ax = axes_or_new(ax)
    from matplotlib.colors import LinearSegmentedColormap

    shades = LinearSegmentedColormap.from_list("blues", [PALE, BLUE, "#0b2c40"])
    for share, name, curve in zip(np.linspace(0.3, 1, len(result.y[i])), result.group_names, result.y[i], strict=True):
        ax.plot(result.x[i], curve[:, output], color=shades(share), linewidth=1.5, label=name)
    ax.set(xlabel=names[i], ylabel=f"y{output + 1}")
    beside: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1, 1)}
    ax.legend(frameon=False, fontsize="small", title="others at", title_fontsize="small", **beside)
    hide_spines(ax, "top", "right")
    return ax
