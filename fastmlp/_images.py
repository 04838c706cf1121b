"""Rows that are images or signals: their shape, and what an augmentation makes of them.

Images are (H, W) or (C, H, W), signals (S,) or (C, S). Rows of an array with these axes have them as they are; flat
rows are told their shape, or an image is a square, a signal one channel.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastmlp import _validation as check
from fastmlp._types import Array, ArrayLike, Augment

Shape = tuple[int, ...]

KINDS = {1: "(S,) or (C, S)", 2: "(H, W) or (C, H, W)"}


def checked_shape(shape: Any, n_axes: int = 2) -> Shape | None:
    """The shape of a row as a tuple: of `n_axes`, and of channels before them; None stays None."""
    if shape is None:
        return None
    sizes = tuple(check.integer(size, "shape", 1, 31) for size in check.sequence(shape, "shape", KINDS[n_axes]))
    if len(sizes) not in (n_axes, n_axes + 1):
        raise ValueError(f"shape: expected {KINDS[n_axes]}, got {sizes}")
    return sizes


def shape_of(X: Array, shape: Shape | None, n_axes: int = 2) -> Shape:
    """The shape of the rows of X: that which is given, X's own axes, a square, or for signals one channel."""
    if X.ndim < 2:
        raise ValueError(f"X: expected rows of shape {KINDS[n_axes]}, or flat ones, got shape {X.shape}")
    own = X.shape[1:]
    if shape is None and (X.ndim > 2 or n_axes == 1):
        if len(own) in (n_axes, n_axes + 1):
            return own
        raise ValueError(f"X: expected rows of shape {KINDS[n_axes]}, or flat ones, got shape {X.shape}")
    if shape is None:
        side = math.isqrt(own[0])
        if side**2 != own[0]:
            raise ValueError(f"shape: expected the shape of images of {own[0]} pixels, which are no square, got None")
        return side, side
    if own not in (shape, (1, *shape), (math.prod(shape),)):
        raise ValueError(f"X: expected rows of shape {shape}, or of {math.prod(shape)} numbers, got shape {X.shape}")
    return shape


def as_rows(X: Array, shape: Shape) -> Array:
    """Samples of this shape, or without the axis of one channel, as rows; rows stay as they are.

    Raises
    ------
    ValueError
        If X has other axes.
    """
    if X.ndim == 2:
        return X
    if X.ndim > 2 and (X.shape[1:] == shape or (len(shape) == 3 and (1, *X.shape[1:]) == shape)):
        return X.reshape(len(X), math.prod(shape))
    shapes = f"(n_samples, {math.prod(shape)}) or (n_samples, {', '.join(map(str, shape))})"
    raise ValueError(f"X: expected shape {shapes}, got {X.shape}")


def floats(X: ArrayLike, name: str = "X") -> Array:
    """X as an array of float32, or else float64."""
    single = isinstance(X, np.ndarray) and X.dtype == np.float32
    return check.real_array(X, name, np.float32 if single else np.float64)


def check_augment(augment: Any) -> None:
    """TypeError where it cannot be called."""
    if not callable(augment):
        raise TypeError(
            f"augment: expected a callable (X, rng) such as those of fastmlp.invariance, got {check.shown(augment)}"
        )


def drawn(augment: Augment, X: Array, rng: np.random.Generator) -> Array:
    """What an augmentation makes of X, which it cannot write to: like X, in its type."""
    locked = X.view()
    locked.flags.writeable = False
    result = check.real_array(augment(locked, rng), "augment", X.dtype)
    if result.shape != X.shape:
        raise ValueError(f"augment: expected an array of shape {X.shape}, like X, got {result.shape}")
    return result
