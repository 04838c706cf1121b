"""Rows that are images or signals: their shape, and what an augmentation makes of them.

Images are (H, W) or (C, H, W), signals (S,) or (C, S). Rows of an array with these axes have them as they are; flat
rows are told their shape, or an image is a square, a signal one channel.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from fastmlp import _validation as check
from fastmlp._types import Array, ArrayLike, Augment, Seed

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
    own, size = X.shape[1:], math.prod(shape)
    if own == (size,):
        return X
    if X.ndim > 2 and (own == shape or (len(shape) == 3 and (1, *own) == shape)):
        return X.reshape(len(X), size)
    hint = ""
    if X.shape in ((size,), shape, *((shape[1:],) if shape[0] == 1 else ())):
        hint = "; X[np.newaxis] is one sample"
    elif own == (*shape[1:], shape[0]):
        hint = "; channels come first, as in np.moveaxis(X, -1, 1)"
    shapes = f"(n_samples, {size}) or (n_samples, {', '.join(map(str, shape))})"
    raise ValueError(f"X: expected shape {shapes}, got {X.shape}{hint}")


def floats(X: ArrayLike, name: str = "X") -> Array:
    """X as an array of float32, or else float64."""
    single = isinstance(X, np.ndarray) and X.dtype == np.float32
    return check.real_array(X, name, np.float32 if single else np.float64)


class Change(ABC):
    """A random change of the rows of an array, which can write to an array that is given."""

    def __call__(self, X: ArrayLike, rng: Seed = None) -> Array:
        """Draw a change for each row.

        Parameters
        ----------
        X : array-like of shape (N, D), (N, H, W) or (N, C, H, W)
            Images; for changes of signals (N, S) or (N, C, S).
        rng : None, int or numpy.random.Generator

        Returns
        -------
        ndarray
            A new array of the shape of X, float32 where X is, else float64.

        Raises
        ------
        TypeError, ValueError
            If X is not an array of finite numbers, or its rows have another shape.
        """
        array, rng = floats(X), check.generator(rng)
        out = np.empty_like(array)
        self._fill(array, rng, out)
        return out

    @abstractmethod
    def _fill(self, X: Array, rng: np.random.Generator, out: Array) -> None:
        """Fill `out`, an array like X, with the rows of X, each changed, by finite numbers; checked arguments."""


def check_augment(augment: Any) -> None:
    """TypeError where it cannot be called."""
    if not callable(augment):
        raise TypeError(
            f"augment: expected a callable (X, rng) such as those of fastmlp.invariance, got {check.shown(augment)}"
        )


def drawn(augment: Augment, X: Array, rng: np.random.Generator, out: Array | None = None) -> Array:
    """What an augmentation makes of X, which it cannot write to: like X, in its type, in `out` if that is given."""
    locked = X.view()
    locked.flags.writeable = False
    if isinstance(augment, Change) and type(augment).__call__ is Change.__call__:
        own = np.empty_like(X) if out is None else out
        augment._fill(locked, rng, own)
        return own
    result = check.real_array(augment(locked, rng), "augment", X.dtype)
    if result.shape != X.shape:
        raise ValueError(f"augment: expected an array of shape {X.shape}, like X, got {result.shape}")
    if out is not None:
        out[...] = result
    return result
