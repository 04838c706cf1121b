"""What each input does to the outputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmlp import _validation as check
from fastmlp._types import Axes
from fastmlp.plot._drawing import BLUE, GREY, ORANGE, axes_or_new, hide_spines, rule_behind


def sensitivity(result: Any, ax: Axes | None = None, *, output: int | None = None, n_inputs: int = 20) -> Axes:
    """Standardised root-mean-square derivatives of the outputs by each input as bars, the largest at the top.

    Parameters
    ----------
    result : Sensitivity
        What `fastmlp.sensitivity` returned.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; None makes a figure.
    output : int, optional
        Which output, counted from 0. None: the root mean square over all outputs too.
    n_inputs : int, default=20
        At most so many inputs are shown, those with the longest bars.

    Returns
    -------
    matplotlib.axes.Axes
        For a single output a dot marks the mean with its sign: at the end of the bar, or opposite to it, where the
        input always acts in one direction; near zero where it acts in both.

    Raises
    ------
    TypeError, ValueError
        If `result` is something else, there is no such output, or n_inputs < 1.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import fastmlp
    >>> from fastmlp import plot
    >>> result = fastmlp.sensitivity(fastmlp.Network([2, 3, 1], rng=0), [[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]])
    >>> plot.sensitivity(result).get_xlabel()
    'dy1/dx · sd(x) / sd(y1)'
    """
    if not hasattr(result, "standardized"):
        raise TypeError(f"result: expected what fastmlp.sensitivity returns, got {type(result).__name__}")
    names = result.output_names
    n_inputs = check.integer(n_inputs, "n_inputs", 1)
    if output is not None:
        output = check.index(output, "output", len(names))
    elif len(names) == 1:
        output = 0
    mean, _, spread = result.standardized
    length = np.sqrt((spread**2).mean(axis=0)) if output is None else spread[output]
    order = np.argsort(-np.nan_to_num(length), kind="stable")[:n_inputs]
    places = np.arange(len(order))
    ax = axes_or_new(ax)
    ax.barh(places, length[order], color=BLUE, height=0.7, label="root mean square")
    if output is not None:
        ax.plot(mean[output, order], places, "o", color=ORANGE, markersize=5, label="mean", clip_on=False)
        ax.axvline(0, color=GREY, linewidth=0.8)
        ax.legend(frameon=False, loc="lower right")
    y = "y" if output is None else names[output]
    ax.set_xlabel(f"d{y}/dx · sd(x) / sd({y})" + (", root mean square over the outputs" if output is None else ""))
    ax.set_yticks(places, [result.input_names[i] for i in order])
    ax.invert_yaxis()
    ax.tick_params(axis="y", length=0)
    rule_behind(ax, "x")
    hide_spines(ax, "top", "right", "left")
    return ax
