"""Tangents of transformations at each sample: of images by Gaussian filters, of anything by central differences."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from fastmlp import _memory
from fastmlp import _validation as check
from fastmlp._types import ArrayLike, Float
from fastmlp.invariance.warping import check_sigma

Transformation = Callable[[Float, float], Any]

BAND = 1 << 17  # pixels between answers to Ctrl-C
STEP = float(np.finfo(np.float64).eps) ** (1 / 3)  # of a central difference whose derivatives are about one


def tangents(
    X: ArrayLike,
    shape: tuple[int, ...] | None = None,
    kinds: Sequence[str | Transformation] = ("shift", "rotation", "scale", "shear", "thickness"),
    *,
    sigma: float = 0.9,
    step: float = STEP,
    normalize: bool = True,
) -> Float:
    """Tangents of transformations at each sample, for `TangentPropagation`: d/dt of a transformed sample at t = 0.

    Parameters
    ----------
    X : array-like of shape (N, D), (N, height, width) or (N, channels, height, width)
        Samples; images as rows are in the order channel, row, column.
    shape : (int, int) or (int, int, int), optional
        Rows and columns of an image, or channels, rows and columns, D in all; needed by transformations of images, if
        X is of rows.
    kinds : sequence of str or callable
        Of images shift (two tangents: along rows, then columns), rotation, scale, shear (two) and thickness, the
        squared gradient. A callable ``transform(X, t)`` gives all samples (N, D) transformed by t, X itself for t = 0.
    sigma : float, default=0.9
        Width in pixels of the Gaussian that images are smoothed by before they are differentiated.
    step : float, default=6.1e-06
        Of the central difference (transform(X, step) - transform(X, -step)) / (2 step) for callables.
    normalize : bool, default=True
        Scale each tangent so that the mean over the samples of |tau|^2 is 1, so that no kind outweighs the others.

    Returns
    -------
    ndarray of shape (N, M, D)
        M tangents, in the order of the kinds.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, a kind has no such name or wants a shape, or a callable does not give an array (N, D).

    Notes
    -----
    With the image I at pixel (r, c), its gradient (I_r, I_c), and y and x counted from the middle,

    =========  ==========================
    shift      -I_r;  -I_c
    rotation   y I_c - x I_r
    scale      -(y I_r + x I_c)
    shear      -x I_r;  -y I_c
    thickness  I_r^2 + I_c^2
    =========  ==========================

    Outside of the image there are zeros. A tangent that is zero at all samples stays zero.

    References
    ----------
    Simard, LeCun, Denker and Victorri (1998), Transformation invariance in pattern recognition.

    Examples
    --------
    >>> import numpy as np, fastmlp
    >>> X = np.array([[1.0, 0.0], [0.0, 2.0]])
    >>> def turned(X, t):
    ...     return X @ [[np.cos(t), np.sin(t)], [-np.sin(t), np.cos(t)]]
    >>> fastmlp.invariance.tangents(X, kinds=[turned], normalize=False).round(8) + 0.0
    array([[[ 0.,  1.]],
    <BLANKLINE>
           [[-2.,  0.]]])
    """
    X = check.real_array(X, "X", np.float64)
    if X.ndim not in (2, 3, 4):
        raise ValueError(f"X: expected shape (n_samples, n_inputs), got {X.shape}")
    shape = X.shape[1:] if X.ndim > 2 and shape is None else shape
    X = X.reshape(len(X), math.prod(X.shape[1:]))
    check.boolean(normalize, "normalize")
    sigma, step = check.number(sigma, "sigma", 0.0, above=True), check.number(step, "step", 0.0, above=True)
    given = check.sequence(kinds, "kinds", "a sequence of names and callables")
    names = [kind if callable(kind) else check.choice(kind, "kinds", tuple(_IMAGES)) for kind in given]
    if not names:
        raise ValueError("kinds: expected at least one, got none")
    check_sigma(sigma)
    moved: dict[int, Any] = {}  # callables and formulas, each by its place
    of_images: dict[int, Any] = {}
    for kind in names:
        for make in (kind,) if callable(kind) else _IMAGES[kind]:
            (moved if callable(kind) else of_images)[len(moved) + len(of_images)] = make
    tau = np.empty((len(X), len(moved) + len(of_images), X.shape[1]))
    for m, transform in moved.items():
        tau[:, m] = (_moved(transform, X, step) - _moved(transform, X, -step)) / (2 * step)
    if of_images:
        sides = _image_shape(shape, X.shape[1])
        for some in _bands(X):
            fields = _Fields(X[some], sides, sigma)
            for m, formula in of_images.items():
                tau[some, m] = formula(fields).reshape(-1, X.shape[1])
    for own in tau.swapaxes(0, 1) if normalize else ():
        square = float(np.einsum("ij,ij->", own, own)) / max(1, len(X))
        for some in _bands(X):
            own[some] /= math.sqrt(square) or 1.0
    return tau


def _bands(X: Float) -> Iterator[slice]:
    """Rows, some at a time: Ctrl-C is answered between them."""
    n = max(1, BAND // max(1, X.shape[1]))
    return (slice(first, first + n) for first in range(0, len(X), n))


class _Fields:
    """Gradients of images (N, channels, H, W), and where their pixels are."""

    def __init__(self, X: Float, shape: tuple[int, int, int], sigma: float) -> None:
        gaussian_filter = _memory.scipy("ndimage").gaussian_filter
        images, (_, h, w) = X.reshape(len(X), *shape), shape
        self.r, self.c = (
            gaussian_filter(images, (0, 0, sigma, sigma), order, mode="constant")
            for order in ((0, 0, 1, 0), (0, 0, 0, 1))
        )
        self.y = (np.arange(h) - (h - 1) / 2)[:, np.newaxis]
        self.x = np.arange(w) - (w - 1) / 2


_IMAGES: dict[str, tuple[Callable[[_Fields], Float], ...]] = {
    "shift": (lambda g: -g.r, lambda g: -g.c),
    "rotation": (lambda g: g.y * g.c - g.x * g.r,),
    "scale": (lambda g: -(g.y * g.r + g.x * g.c),),
    "shear": (lambda g: -g.x * g.r, lambda g: -g.y * g.c),
    "thickness": (lambda g: g.r**2 + g.c**2,),
}


def _image_shape(shape: Any, n_inputs: int) -> tuple[int, int, int]:
    """Channels, rows and columns."""
    if shape is None:
        raise ValueError("shape: expected rows and columns of the images, got None; callables alone need none")
    sides = check.sequence(shape, "shape", "(rows, columns) or (channels, rows, columns)")
    sizes = [check.integer(side, "shape", 1) for side in sides]
    if len(sizes) not in (2, 3) or math.prod(sizes) != n_inputs:
        raise ValueError(f"shape: expected rows and columns of images of {n_inputs} pixels, got {tuple(sizes)}")
    h, w = sizes[-2:]
    return n_inputs // (h * w), h, w


def _moved(transform: Transformation, X: Float, t: float) -> Float:
    moved = check.real_array(transform(X.copy(), t), "kinds: transformed samples", np.float64)
    if moved.shape != X.shape:
        raise ValueError(f"kinds: expected transformed samples of shape {X.shape}, got {moved.shape}")
    return moved
