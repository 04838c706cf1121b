"""Outputs as functions of single inputs: what a network has made of the data, and many such functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastmlp import _optional
from fastmlp import _validation as check
from fastmlp._types import ArrayLike, Axes, Float
from fastmlp.model import names
from fastmlp.plot._drawing import BLUE, ORANGE, PALE, axes_or_new, hide_spines

N_POINTS = 500
MARGIN = 0.05  # of the range of the data, on both sides
PROBABILITY = 0.95  # of a posterior's band


def function(
    f: Callable[[Any], Any],
    X: ArrayLike,
    T: ArrayLike | None = None,
    ax: Any = None,
    *,
    band: Any = None,
    label: str | None = None,
    color: str = BLUE,
) -> Any:
    """A function over the range of the data, with the data and a band; of several inputs a slice through each.

    Parameters
    ----------
    f : Network or callable
        Takes inputs (n, D), gives outputs (n, K) or (n,).
    X : array-like of shape (N, D) or (N,)
        Inputs of the data. A curve goes over the range of an input, and 5 % further on both sides; all other inputs are
        at their medians.
    T : array-like of shape (N, K) or (N,), optional
        Targets of the data, drawn as circles. With several inputs they are moved to where they would be in the slice,
        were f right: f there and t - f(x).
    ax : matplotlib.axes.Axes, or array of them of shape (K, D), optional
        Axes to draw into; None makes a figure.
    band : posterior, float or callable, optional
        Of a posterior, such as `fastmlp.fit_evidence` gives: between which numbers a new target lies with a probability
        of 95 %, or of classes their probability. Else a standard deviation, a number or a function as `f` is: f - 2 sd
        to f + 2 sd.
    label : str, optional
        Name of the curves in a legend.
    color : str, optional
        Colour of the curves.

    Returns
    -------
    matplotlib.axes.Axes, or ndarray of them
        In which further curves may be drawn; with several inputs or outputs an array, as of ``pyplot.subplots``: a
        column for each input, a row for each output.

    Raises
    ------
    TypeError, ValueError
        If shapes do not agree, or a number is not finite.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import fastmlp
    >>> from fastmlp import plot
    >>> ax = plot.function(fastmlp.Network([1, 3, 1], rng=0), [0.0, 1.0, 2.0], [0.0, 1.0, 4.0], band=0.5)
    >>> [round(float(end), 3) for end in ax.get_xlim()]
    [-0.1, 2.1]
    >>> axes = plot.function(fastmlp.Network([2, 3, 1], rng=0), [[0.0, 5.0], [1.0, 6.0], [2.0, 8.0]])
    >>> [each.get_xlabel() for each in axes]
    ['x1', 'x2']
    """
    if not callable(f):
        raise TypeError(f"f: expected a function of X, such as a network, got {check.shown(f)}")
    if not isinstance(label, (str, type(None))):
        raise TypeError(f"label: expected a str, got {check.shown(label)}")
    known = getattr(f, "input_names", None)
    if known is not None:
        names.check_same(known, X)
    samples = _columns(X, "X", None)
    check.at_least_one(samples)
    n_inputs = samples.shape[1]
    inputs = ("x",) if known is None and n_inputs == 1 else names.or_numbered(known, n_inputs)
    slices = [_slice(samples, i, _around(samples[:, i])) for i in range(n_inputs)]
    curves = [_columns(f(each), "f", N_POINTS) for each in slices]
    shape = curves[0].shape[1], n_inputs
    bands = [_band(band, each, curve) for each, curve in zip(slices, curves, strict=True)]
    targets = None if T is None else _columns(T, "T", len(samples), shape[0])
    moved = [] if targets is None else [_moved(f, samples, targets, i) for i in range(n_inputs)]
    axes = _grid(ax, shape)
    for (k, i), each in np.ndenumerate(axes):
        points = slices[i][:, i]
        if band is not None:
            low, high = bands[i]
            each.fill_between(points, low[:, k], high[:, k], color=color, alpha=0.15, linewidth=0)
        each.plot(points, curves[i][:, k], color=color, label=label)
        if targets is not None:
            each.plot(samples[:, i], moved[i][:, k], "o", color=ORANGE, markerfacecolor="none", markersize=5)
        each.set_xlim(points[0], points[-1])
        if k + 1 == shape[0]:
            each.set_xlabel(inputs[i])
        if i == 0:
            each.set_ylabel("y" if shape[0] == 1 else f"y{k + 1}")
        hide_spines(each, "top", "right")
    return axes[0, 0] if axes.size == 1 else axes.squeeze()


def _around(x: Float) -> Float:
    """Points over the range of these numbers, and a little further."""
    margin = MARGIN * float(np.ptp(x)) or 1.0
    return np.linspace(x.min() - margin, x.max() + margin, N_POINTS)


def _slice(samples: Float, i: int, points: Float) -> Float:
    """Inputs (n, D) of which the i-th is these points, and all others are the samples' medians."""
    result = np.tile(np.median(samples, axis=0), (len(points), 1))
    result[:, i] = points
    return result


def _moved(f: Callable[[Any], Any], samples: Float, targets: Float, i: int) -> Float:
    """Targets (N, K) as they would be in the slice through input i."""
    if samples.shape[1] == 1:
        return targets
    n, K = targets.shape
    there = _columns(f(_slice(samples, i, samples[:, i])), "f", n, K)
    return np.asarray(there + (targets - _columns(f(samples), "f", n, K)))


def _band(band: Any, points: Float, curve: Float) -> tuple[Float, Float]:
    """Its two edges (n, K)."""
    n, K = curve.shape
    if hasattr(band, "log_density"):
        low, high = band.predict(points, interval=PROBABILITY)
        return _columns(low, "band", n, K), _columns(high, "band", n, K)
    sd: Any = 0.0
    if band is not None:
        sd = _columns(band(points), "band", n, K) if callable(band) else check.number(band, "band", 0)
    return curve - 2 * sd, curve + 2 * sd


def _grid(ax: Any, shape: tuple[int, int]) -> Any:
    """Axes (K, D): those that were given, or of a new figure."""
    if shape == (1, 1):
        return np.array([[axes_or_new(ax)]])
    if ax is None:
        pyplot = _optional.load("matplotlib.pyplot", "matplotlib", "fastmlp.plot")
        size = 1 + 2.4 * shape[1], 0.6 + 2.4 * shape[0]
        return pyplot.subplots(*shape, figsize=size, sharey="row", squeeze=False, layout="constrained")[1]
    axes = np.asarray(ax, object)
    if axes.size != shape[0] * shape[1]:
        raise ValueError(f"ax: expected axes for each output and input, of shape {shape}, got {axes.size}")
    return np.array([axes_or_new(each) for each in axes.ravel()]).reshape(shape)


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


def _columns(values: Any, name: str, n: int | None, width: int | None = None) -> Float:
    """Numbers of shape (n, width), or (n,) for a width of 1."""
    array = check.real_array(values, name, None)
    table = array[:, np.newaxis] if array.ndim == 1 else array
    if table.ndim != 2 or not table.shape[1] or n not in (None, len(table)) or width not in (None, table.shape[1]):
        height, side = "N" if n is None else n, ("D" if name == "X" else "K") if width is None else width
        plain = f"({height},) or " if width in (None, 1) else ""
        raise ValueError(f"{name}: expected shape {plain}({height}, {side}), got {array.shape}")
    return table.astype(np.float64)


def _column(values: Any, name: str, n: int | None) -> Float:
    """Numbers of shape (n,) or (n, 1) as one dimension."""
    array = check.real_array(values, name, None)
    if array.ndim not in (1, 2) or array.shape[1:] not in ((), (1,)) or n not in (None, len(array)):
        expected = "N" if n is None else n
        raise ValueError(f"{name}: expected shape ({expected},) or ({expected}, 1), got {array.shape}")
    return array.astype(np.float64).reshape(-1)
