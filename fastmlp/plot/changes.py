"""What an augmentation makes of images and signals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastmlp import _images
from fastmlp import _validation as check
from fastmlp._types import Array, ArrayLike, Augment, Axes, Seed
from fastmlp.plot._drawing import BLUE, GREY, axes_or_new, hide_spines

GAP = 1  # pixels between images


def transformed(
    X: ArrayLike,
    augment: Augment,
    rng: Seed = None,
    *,
    n_draws: int = 7,
    shape: Any = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw samples as they are, in the first column, and as `augment` changes them: a look before a long training.

    Parameters
    ----------
    X : array-like of shape (N, D), (N, H, W) or (N, C, H, W)
        Images, a row of the picture each; for changes of signals (N, S) or (N, C, S). Of channels the mean is drawn.
    augment : callable
        Such as `fastmlp.invariance.RandomAffine`, or one's own ``augment(X, rng)``.
    rng : None, int or numpy.random.Generator
    n_draws : int, default=7
    shape : tuple, optional
        (H, W) or (C, H, W) of flat rows; None: that of `augment`, the own axes of X, or a square.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; None makes a figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, or there are no samples.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> from fastmlp import plot
    >>> from fastmlp.datasets import load_digits
    >>> from fastmlp.invariance import RandomAffine
    >>> plot.transformed(load_digits().X[:5], RandomAffine(rotation=15, shear=0.2), rng=0).get_xlabel()
    'as it is, and 7 draws'
    """
    _images.check_augment(augment)
    array, rng = _images.floats(X), check.generator(rng)
    n_draws = check.integer(n_draws, "n_draws", 1, check.START_BITS)
    if array.ndim < 2 or not array.size:
        raise ValueError(f"X: expected at least one sample, got shape {array.shape}")
    steps: tuple[Any, ...] = getattr(augment, "steps", (augment,))
    n_axes = next((step.n_axes for step in steps if hasattr(step, "n_axes")), 2)
    told = next((step.shape for step in steps if getattr(step, "shape", None) is not None), None)
    shape = _images.shape_of(array, told if shape is None else _images.checked_shape(shape, n_axes), n_axes)
    draws = np.stack([array, *(_images.drawn(augment, array, rng) for _ in range(n_draws))], axis=1)
    pictures = draws.reshape(len(array), n_draws + 1, -1, *shape[-n_axes:]).mean(axis=2)
    ax = axes_or_new(ax)
    (_mosaic if n_axes == 2 else _curves)(ax, pictures)
    ax.set(xticks=[], yticks=[], xlabel=f"as it is, and {n_draws} draw{'s' if n_draws > 1 else ''}")
    hide_spines(ax, *ax.spines)
    return ax


def _mosaic(ax: Any, pictures: Array) -> None:
    """Images (rows, columns, H, W) side by side, the first column apart."""
    n, m, h, w = pictures.shape
    sheet = np.full((n, h + GAP, m, w + GAP), np.nan)
    sheet[:, :h, :, :w] = pictures.transpose(0, 2, 1, 3)
    ax.imshow(sheet.reshape(n * (h + GAP), m * (w + GAP))[:-GAP, :-GAP], cmap="Greys", interpolation="nearest")
    ax.axvline(w + 0.5 * GAP - 0.5, color=BLUE, linewidth=1)


def _curves(ax: Any, pictures: Array) -> None:
    """Signals (rows, columns, S), the draws of a row over the signal as it is."""
    step = float(np.ptp(pictures)) or 1.0
    for row, signals in enumerate(pictures):
        for signal in signals[1:]:
            ax.plot(signal - row * step, color=GREY, alpha=max(0.1, 1 / math.sqrt(len(signals))), linewidth=0.8)
        ax.plot(signals[0] - row * step, color=BLUE, linewidth=1.2)
