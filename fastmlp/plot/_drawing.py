"""What all pictures have in common: colours, axes, and little that is not data."""

from __future__ import annotations

from typing import Any

from fastmlp import _optional
from fastmlp._types import Axes

BLUE, ORANGE, GREY = "#2a6f97", "#d1661f", "#5f6b76"
PALE = "#e3eef5"  # of the blue


def axes_or_new(ax: Axes | None) -> Any:
    """The axes that were given, or those of a new figure."""
    if ax is not None:
        if not hasattr(ax, "add_collection"):
            raise TypeError(f"ax: expected axes of matplotlib, got {type(ax).__name__}")
        return ax
    pyplot = _optional.load("matplotlib.pyplot", "matplotlib", "fastmlp.plot")
    return pyplot.subplots(layout="constrained")[1]


def hide_spines(ax: Any, *spines: str) -> None:
    """Leave out these sides of the frame."""
    for spine in spines:
        ax.spines[spine].set_visible(False)


def rule_behind(ax: Any, axis: str) -> None:
    """Faint lines across, behind the data."""
    ax.grid(axis=axis, color=GREY, alpha=0.2, linewidth=0.6)
    ax.set_axisbelow(True)
