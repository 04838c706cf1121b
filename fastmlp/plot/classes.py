"""Which classes were taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastmlp import _validation as check
from fastmlp._types import Axes, Index
from fastmlp.plot._drawing import BLUE, ORANGE, PALE, axes_or_new, hide_spines


def confusion_matrix(
    labels: Any, predicted: Any, ax: Axes | None = None, *, names: Sequence[str] | None = None
) -> Axes:
    """How many samples of each class were taken for which: one row a class, one column a prediction.

    Parameters
    ----------
    labels, predicted : array-like of int, shape (N,)
        True and predicted classes, counted from 0.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; None makes a figure.
    names : sequence of str, optional
        What the classes are called; their numbers by default.

    Returns
    -------
    matplotlib.axes.Axes
        Right answers are blue, the darker the larger their share of the class, which stands at the right of the row.
        Mistakes are orange, the darker the more frequent.

    Raises
    ------
    TypeError, ValueError
        If labels are not integers >= 0 of one length, or there are fewer names than classes.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> from fastmlp import plot
    >>> ax = plot.confusion_matrix([0, 1, 1], [0, 1, 0], names=["cat", "dog"])
    >>> [text.get_text() for text in ax.texts]
    ['1', '1', '1']
    """
    truth, guess = _classes(labels, "labels"), _classes(predicted, "predicted")
    if len(truth) != len(guess):
        raise ValueError(f"predicted: expected {len(truth)} classes, as many as labels, got {len(guess)}")
    n_classes = int(max(truth.max(), guess.max())) + 1
    if names is None:
        names = [str(label) for label in range(n_classes)]
    if len(names) < n_classes:
        raise ValueError(f"names: expected a name for each of {n_classes} classes, got {len(names)}")
    n_classes = len(names)
    counts = np.bincount(truth * n_classes + guess, minlength=n_classes**2).reshape(n_classes, n_classes)
    ax = axes_or_new(ax)
    _draw_counts(ax, counts, names)
    return ax


def _draw_counts(ax: Any, counts: Index, names: Sequence[str]) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    n_classes, diagonal, sizes = len(counts), np.diag(counts), counts.sum(axis=1)
    share = diagonal / np.maximum(sizes, 1)
    mistakes = counts - np.diag(diagonal)
    blues = LinearSegmentedColormap.from_list("right", [PALE, BLUE])
    oranges = LinearSegmentedColormap.from_list("wrong", ["#fbe3d0", ORANGE])
    colours = oranges(mistakes / max(1, mistakes.max()))
    colours[mistakes == 0] = (0.975, 0.975, 0.975, 1.0)
    colours[np.diag_indices(n_classes)] = blues(share)
    ax.imshow(colours, aspect="equal")
    for row, column in np.argwhere(counts):
        dark = share[row] > 0.5 if row == column else mistakes[row, column] > 0.7 * mistakes.max()
        ink = "white" if dark else "black"
        ax.text(column, row, str(counts[row, column]), ha="center", va="center_baseline", color=ink)
    ticks = np.arange(n_classes)
    ax.set_xticks(ticks, names)
    ax.set_yticks(ticks, names)
    ax.set(xlabel="predicted", ylabel="true")
    right = ax.secondary_yaxis("right")
    right.set_yticks(ticks, [f"{100 * part:.0f} %" if size else "" for part, size in zip(share, sizes, strict=True)])
    right.set_ylabel("share recognised")
    for axis in (ax, right):  # white lines between the cells, and nothing around them
        axis.tick_params(length=0)
        hide_spines(axis, *axis.spines)
    ax.set_xticks(ticks[1:] - 0.5, minor=True)
    ax.set_yticks(ticks[1:] - 0.5, minor=True)
    ax.grid(which="minor", color="white", linewidth=1.5)
    ax.tick_params(which="minor", length=0)


def _classes(values: Any, name: str) -> Index:
    array = check.real_array(values, name, None)
    if array.dtype.kind not in "iu" or array.ndim != 1 or array.size == 0:
        raise ValueError(f"{name}: expected integers in one dimension, got {array.dtype} of shape {array.shape}")
    if array.min() < 0:
        raise ValueError(f"{name}: expected classes >= 0, got {array.min()}")
    return array.astype(np.intp)
