"""Images seen through maps of their coordinates, and random fields smoothed: checks; the arithmetic is in `_core`."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmlp import _images, _threads
from fastmlp import _validation as check
from fastmlp._core.sums import warps
from fastmlp._types import Array, Float

TRUNCATED = 4.0  # standard deviations after which a Gaussian ends, as in SciPy
WIDEST = 1 << 20  # pixels of its radius
MOST_PIXELS = (1 << 31) - 1  # with a frame around: places are counted in 32 bits


def check_sigma(sigma: float) -> None:
    """ValueError where a smoothing would have no end."""
    if sigma > WIDEST:
        raise ValueError(f"sigma: expected at most {WIDEST} pixels, got {sigma:g}")


def warp(
    images: Any, matrix: Any = None, offset: Any = None, displacement: Any = None, *, n_threads: int | None = None
) -> Array:
    """Look at images through maps of their coordinates: out[p] = image[matrix p + offset + displacement[:, p]].

    Parameters
    ----------
    images : array-like of shape (H, W), (N, H, W) or (N, C, H, W)
        Finite numbers; float32 stays float32, all else is float64.
    matrix : array-like of shape (2, 2) or (N, 2, 2), optional
        Of all images or one for each; None is the identity.
    offset : array-like of shape (2,) or (N, 2), optional
        In pixels; None is 0.
    displacement : array-like of shape (2, H, W) or (N, 2, H, W), optional
        In pixels, rows first; None is 0.
    n_threads : int, optional

    Returns
    -------
    ndarray
        Like `images`.

    Raises
    ------
    TypeError, ValueError
        If a shape does not fit, or a number is not finite.

    Notes
    -----
    p = (row, column). Values between pixels are bilinear; outside the image is as if it went on by zeros, so that the
    result changes steadily with the map. SciPy's ``affine_transform`` and ``map_coordinates`` have this with ``order=1,
    mode="grid-constant"``; their ``mode="constant"`` differs within one pixel outside, where it is 0 at once.

    A map says where each pixel of the result comes from: ``offset=(1, 0)`` moves what is in the image up by one row.

    Examples
    --------
    >>> from fastmlp.invariance import warp
    >>> warp([[1.0, 2.0, 3.0]], offset=(0, 0.5))
    array([[1.5, 2.5, 1.5]])
    """
    array = _images.floats(images, "images")
    if array.ndim not in (2, 3, 4):
        raise ValueError(f"images: expected shape (H, W), (N, H, W) or (N, C, H, W), got {array.shape}")
    h, w = array.shape[-2:]
    if (h + 3) * (w + 3) > MOST_PIXELS:
        raise ValueError(f"images: expected at most {MOST_PIXELS} pixels, got {h} x {w}")
    n = 1 if array.ndim == 2 else len(array)
    M = _of_images(np.eye(2) if matrix is None else matrix, "matrix", (2, 2), n, np.float64)
    o = _of_images(np.zeros(2) if offset is None else offset, "offset", (2,), n, np.float64)
    u = None if displacement is None else _of_images(displacement, "displacement", (2, h, w), n, array.dtype)
    return warped(array, (n, array.size // max(1, n * h * w), h, w), M, o, u, n_threads)


def _of_images(value: Any, name: str, shape: tuple[int, ...], n: int, dtype: Any) -> Array:
    """One for all images, or one for each, with that axis."""
    array = check.real_array(value, name, dtype)
    if array.shape == shape:
        return array[np.newaxis]
    if array.shape != (n, *shape):
        wanted = f"{shape} or {(n, *shape)}"
        raise ValueError(f"{name}: expected shape {wanted}, of all images or one for each, got {array.shape}")
    return array


def warped(
    array: Array,
    shape: tuple[int, ...],
    matrix: Array,
    offset: Array,
    displacement: Array | None,
    n_threads: int | None,
    out: Array | None = None,
) -> Array:
    """An array like this one, new or `out`, whose images have the shape (N, C, H, W); checked arguments."""
    out = np.empty_like(array) if out is None else out
    warps.warp(array.reshape(shape), matrix, offset, displacement, out.reshape(shape), _threads.resolve(n_threads))
    return out


def smoothed(fields: Array, sigma: float, factor: float = 1.0, n_threads: int | None = None) -> None:
    """Smooth fields (..., h, w) in place, by a Gaussian along both axes, with zeros outside; times a factor.

    An axis of one pixel is left alone.
    """
    h, w = fields.shape[-2:]
    if h == 1:
        h, w = w, h
    weights = gaussian(sigma)
    per_pass = factor if w == 1 else np.sqrt(abs(factor))
    if h > 1:
        view = fields.reshape(-1, 1, h, w)
        warps.smooth(view, weights * per_pass, view, _threads.resolve(n_threads))
    else:
        fields *= factor


def gaussian(sigma: float) -> Float:
    """Half of a Gaussian filter whose sum is 1, its middle first; 1 alone for sigma 0."""
    radius = int(TRUNCATED * sigma + 0.5)
    if radius == 0:
        return np.ones(1)
    half = np.exp(-0.5 * (np.arange(radius + 1) / sigma) ** 2)
    return np.asarray(half / (2 * half.sum() - 1), np.float64)
