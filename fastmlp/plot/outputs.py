"""Functions of one input: what a network has made of the data, and many such functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastmlp import _validation as check
from fastmlp._types import ArrayLike, Axes, Float
from fastmlp.plot._drawing import BLUE, ORANGE, PALE, axes_or_new, hide_spines

N_POINTS = 500
MARGIN = 0.05  # of the range of the data, on both sides


def function(
    f: Callable[[Any], Any],
    X: ArrayLike,
    T: ArrayLike | None = None,
    ax: Axes | None = None,
    *,
    band: float | Callable[[Any], Any] | None = None,
    label: str | None = None,
    color: str = BLUE,
) -> Axes:
    """A function of one input over the range of the data, with the data, and a band of two standard deviations.

    Parameters
    ----------
    f : Network or callable
        Takes inputs (n, 1), gives outputs (n, 1) or (n,).
    X : array-like of shape (N, 1) or (N,)
        Inputs of the data. The curve goes over their range, and 5 % further on both sides.
    T : array-like of shape (N, 1) or (N,), optional
        Targets of the data, drawn as circles.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; None makes a figure.
    band : float or callable, optional
        Standard deviation, a number or a function as `f` is; f - 2 sd to f + 2 sd is shaded.
    label : str, optional
        Name of the curve in a legend.
    color : str, optional
        Colour of the curve.

    Returns
    -------
    matplotlib.axes.Axes
        In which further curves may be drawn.

    Raises
    ------
    TypeError, ValueError
        If there is more than one input or output, or a number that is not finite.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import fastmlp
    >>> from fastmlp import plot
    >>> ax = plot.function(fastmlp.Network([1, 3, 1], rng=0), [0.0, 1.0, 2.0], [0.0, 1.0, 4.0], band=0.5)
    >>> [round(float(end), 3) for end in ax.get_xlim()]
    [-0.1, 2.1]
    """
    if not callable(f):
        raise TypeError(f"f: expected a function of X, such as a network, got {check.shown(f)}")
    x = _column(X, "X", None)
    check.at_least_one(x)
    targets = None if T is None else _column(T, "T", len(x))
    margin = MARGIN * float(np.ptp(x)) or 1.0
    points = np.linspace(x.min() - margin, x.max() + margin, N_POINTS)
    y = _column(f(points[:, np.newaxis]), "f", N_POINTS)
    ax = axes_or_new(ax)
    if band is not None:
        sd = _column(band(points[:, np.newaxis]), "band", N_POINTS) if callable(band) else check.number(band, "band", 0)
        ax.fill_between(points, y - 2 * sd, y + 2 * sd, color=color, alpha=0.15, linewidth=0)
    ax.plot(points, y, color=color, label=label)
    if targets is not None:
        ax.plot(x, targets, "o", color=ORANGE, markerfacecolor="none", markersize=5)
    ax.set_xlim(points[0], points[-1])
    ax.set(xlabel="x", ylabel="y")
    hide_spines(ax, "top", "right")
    return ax


def functions(x: Any, Y: Any, ax: Axes | None = None) -> Axes:
    """Many functions of one input, such as draws from a prior.

    Parameters
    ----------
    x : array-like of shape (N,) or (N, 1)
        Inputs in increasing order.
    Y : array-like of shape (n, N) or (n, N, 1)
        A function in each row.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; None makes a figure.

    Returns
    -------
    matplotlib.axes.Axes
        Lines go from pale to dark, from the first to the last function.

    Raises
    ------
    TypeError, ValueError
        If shapes do not agree, or a number is not finite.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from fastmlp import plot
    >>> x = np.linspace(-1, 1, 50)
    >>> len(plot.functions(x, np.cos(np.outer([1, 2, 3], x))).get_lines())
    3
    """
    points = _column(x, "x", None)
    curves = check.real_array(Y, "Y", None)
    shape = curves.shape
    curves = curves[..., 0] if curves.ndim == 3 and shape[2] == 1 else curves
    if curves.ndim != 2 or curves.shape[1] != points.size:
        raise ValueError(f"Y: expected shape (n, {points.size}), a function in each row, got {shape}")
    ax = axes_or_new(ax)
    from matplotlib.colors import LinearSegmentedColormap

    shades = LinearSegmentedColormap.from_list("blues", [PALE, BLUE, "#0b2c40"])
    for share, curve in zip(np.linspace(0.3, 1, len(curves)), curves, strict=True):
        ax.plot(points, curve, color=shades(share), linewidth=1)
    ax.set_xlim(points.min(), points.max())
    ax.set(xlabel="x", ylabel="y")
    hide_spines(ax, "top", "right")
    return ax


def _column(values: Any, name: str, n: int | None) -> Float:
    """Numbers of shape (n,) or (n, 1) as one dimension."""
    array = check.real_array(values, name, None)
    if array.ndim not in (1, 2) or array.shape[1:] not in ((), (1,)) or n not in (None, len(array)):
        expected = "N" if n is None else n
        raise ValueError(f"{name}: expected shape ({expected},) or ({expected}, 1), got {array.shape}")
    return array.astype(np.float64).reshape(-1)
