"""What a sweep over sizes and starts has found."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmlp._types import Axes
from fastmlp.plot._drawing import BLUE, GREY, ORANGE, axes_or_new, hide_spines, rule_behind

LONG = 9  # characters of a size
PENALTIES = (BLUE, "#7a9e3b", "#8c5a9e", "#b08a2e", GREY)


def sweep(result: Any, ax: Axes | None = None) -> Axes:
    """Validation loss of every run against the number of hidden units, as in PRML figure 5.10; the best one is ringed.

    Parameters
    ----------
    result : Sweep
        What `fastmlp.sweep` returned.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; None makes a figure.

    Returns
    -------
    matplotlib.axes.Axes
        A dot for each run, a line through the smallest loss of each size, and one of each kind for each penalty and
        init, side by side. The loss is on a logarithmic scale if it is positive throughout.

    Raises
    ------
    TypeError
        If `result` is something else.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import fastmlp
    >>> from fastmlp import plot
    >>> X = [[0.0], [1.0], [2.0], [3.0]]
    >>> result = fastmlp.sweep(X, [0.0, 1.0, 0.0, 1.0], (1, 2), n_starts=3, validation=(X, [0.0, 1.0, 0.0, 1.0]), rng=0)
    >>> plot.sweep(result).get_xlabel()
    'hidden units'
    """
    if not hasattr(result, "best_run"):
        raise TypeError(f"result: expected what fastmlp.sweep returns, got {type(result).__name__}")
    groups = result.groups()
    sizes = list(dict.fromkeys(group[0].size for group in groups))
    n_kinds = len(groups) // len(sizes)
    several = [name for name in ("penalty", "init") if len({id(getattr(run, name)) for run in result.runs}) > 1]
    ax = axes_or_new(ax)
    for number in range(n_kinds):
        own = groups[number::n_kinds]
        label = ", ".join(getattr(own[0][0], f"{name}_name") for name in several)
        colour = PENALTIES[number % len(PENALTIES)]
        places = np.arange(len(sizes)) + 0.6 * ((number + 0.5) / n_kinds - 0.5)
        losses = [[run.validation_loss for run in group] for group in own]
        ax.plot(places, [np.nanmin(each) for each in losses], color=colour, linewidth=0.8, label=label)
        for place, each in zip(places, losses, strict=True):
            ax.plot([place] * len(each), each, "o", color=colour, markersize=4, alpha=0.5, markeredgewidth=0)
            if result.best_run.validation_loss in each:
                lowest = result.best_run.validation_loss
                ax.plot(place, lowest, "o", color=ORANGE, markersize=10, fillstyle="none", markeredgewidth=1.5)
                ax.annotate(
                    f"{lowest:.3g}", (place, lowest), (0, -16), textcoords="offset points", ha="center", color=ORANGE
                )
    if all(run.validation_loss > 0 for run in result.runs):
        ax.set_yscale("log")
    names = [_size_name(size) for size in sizes]
    ax.set_xticks(range(len(sizes)), names)
    if max(map(len, names)) > LONG:
        ax.tick_params("x", rotation=25)
        for text in ax.get_xticklabels():
            text.set_horizontalalignment("right")
    ax.set(xlabel="hidden units", ylabel="validation loss of a sample")
    if n_kinds > 1:
        ax.legend(frameon=False, title=", ".join(several))
    ax.margins(y=0.12)
    hide_spines(ax, "top", "right")
    rule_behind(ax, "y")
    return ax


def _size_name(size: Any) -> str:
    """Units as 10-5; other layers one above the other, without the shape of a sample."""
    if not isinstance(size, tuple):
        return str(size)
    names = [str(each) for each in size if not isinstance(each, tuple)]
    return ("-" if all(isinstance(each, int) for each in size) else "\n").join(names) or "none"
