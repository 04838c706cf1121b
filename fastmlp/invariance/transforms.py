"""Random changes of images and signals that leave their targets as they are: what `augment` draws.

Each is a callable ``t(X, rng)`` that returns a new array like X; ``a + b`` does first a, then b, and any other callable
(X, rng) may be a summand. Lengths are in pixels, rotations in degrees.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np

from fastmlp import _images
from fastmlp import _validation as check
from fastmlp._types import Array, Augment
from fastmlp.invariance.warping import check_sigma, smoothed, warped

Shape = tuple[int, int, int, int]  # of images: rows of an array, channels, h, w

IDENTITY, NO_OFFSET = np.eye(2)[np.newaxis], np.zeros((1, 2))
BLOCK_NUMBERS = 1 << 17  # of random fields at a time, which stay near the core


class Transform(_images.Change):
    """A random change of the rows of X that leaves their targets as they are.

    A subclass is a frozen dataclass of its numbers and of `shape`, and says what happens to images.
    """

    n_axes: ClassVar[int] = 2  #: of an image, or of a signal
    shape: Any

    def _fill(self, X: Array, rng: np.random.Generator, out: Array) -> None:
        shape = _images.shape_of(X, self.shape, self.n_axes)
        if self.n_axes == 1:
            shape = (*shape[:-1], 1, shape[-1])
        channels, h, w = shape if len(shape) == 3 else (1, *shape)
        self._change(X, (len(X), channels, h, w), rng, out)

    @abstractmethod
    def _change(self, X: Array, shape: Shape, rng: np.random.Generator, out: Array) -> None:
        """Fill `out` with the rows of X, images of this shape, each changed."""

    def __add__(self, other: Any) -> Composition:
        return _composed(self, other)

    def __radd__(self, other: Any) -> Any:
        return self if type(other) is int and other == 0 else _composed(other, self)

    def _check(self, *names: str, above: bool = False) -> None:
        """Put in place the shape, and these numbers, which are not negative."""
        object.__setattr__(self, "shape", _images.checked_shape(self.shape, self.n_axes))
        for name in names:
            object.__setattr__(self, name, check.number(getattr(self, name), name, 0.0, above=above))

    def __repr__(self) -> str:
        shown = {each.name: getattr(self, each.name) for each in fields(self)}  # type: ignore[arg-type]
        listed = (f"{name}={value:g}" if name != "shape" else f"{name}={value}" for name, value in shown.items())
        return f"{type(self).__name__}({', '.join(each for each in listed if each != 'shape=None')})"


class Composition(_images.Change):
    """Changes one after the other: what ``+`` makes of several."""

    def __init__(self, *steps: Augment) -> None:
        for step in steps:
            _images.check_augment(step)
        self.steps = steps

    def _fill(self, X: Array, rng: np.random.Generator, out: Array) -> None:
        """Draw each of the changes for each row, one after the other."""
        for step in self.steps[:-1]:
            X = _images.drawn(step, X, rng)
        if self.steps:
            _images.drawn(self.steps[-1], X, rng, out)
        else:
            out[...] = X

    def __add__(self, other: Any) -> Composition:
        return _composed(self, other)

    def __radd__(self, other: Any) -> Any:
        return self if type(other) is int and other == 0 else _composed(other, self)

    def __repr__(self) -> str:
        return " + ".join(map(repr, self.steps))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Composition) and self.steps == other.steps

    def __hash__(self) -> int:
        return hash(self.steps)


def _composed(*summands: Any) -> Composition:
    steps: list[Any] = []
    for each in summands:
        steps += each.steps if isinstance(each, Composition) else [each]
    return Composition(*steps)


@dataclass(frozen=True, repr=False)
class _Shift(Transform):
    """Along all axes, as far as is drawn."""

    shift: float
    shape: Any = None

    def __post_init__(self) -> None:
        self._check("shift")

    def _change(self, X: Array, shape: Shape, rng: np.random.Generator, out: Array) -> None:
        offset = np.zeros((len(X), 2))
        offset[:, -self.n_axes :] = self.shift * rng.uniform(-1.0, 1.0, (len(X), self.n_axes))
        warped(X, shape, IDENTITY, offset, None, None, out)


@dataclass(frozen=True, repr=False)
class _SmoothField(Transform):
    """Each pixel or sample by random numbers, one for each axis, that are smoothed."""

    alpha: float
    sigma: float
    shape: Any = None

    def __post_init__(self) -> None:
        self._check("alpha", "sigma")
        check_sigma(self.sigma)

    def _change(self, X: Array, shape: Shape, rng: np.random.Generator, out: Array) -> None:
        n, _, h, w = shape
        step = max(1, BLOCK_NUMBERS // max(1, self.n_axes * h * w))
        for first in range(0, n, step):  # the numbers are those of all rows at once
            rows = slice(first, min(n, first + step))
            field = rng.random((rows.stop - first, self.n_axes, h, w), X.dtype)
            field -= 0.5
            smoothed(field, self.sigma, 2.0 * self.alpha)
            images = (len(field), *shape[1:])
            warped(X[rows], images, IDENTITY, NO_OFFSET, self._displacement(field), None, out[rows])

    def _displacement(self, field: Array) -> Array:
        """Of rows and columns (n, 2, h, w), from a field (n, n_axes, h, w)."""
        return field


# ---- images ----


class RandomShift(_Shift):
    """Move each image by up to `shift` pixels along rows and columns, uniformly.

    Parameters
    ----------
    shift : float
        Fractions of a pixel are interpolated. What comes in from outside is 0.
    shape : tuple, optional
        (H, W) or (C, H, W) of flat rows; None: the own axes of X, or a square.

    Examples
    --------
    >>> import numpy as np
    >>> from fastmlp.invariance import RandomShift
    >>> RandomShift(2.0)(np.ones((5, 64)), 0).shape
    (5, 64)
    """


@dataclass(frozen=True, repr=False)
class RandomAffine(Transform):
    """Scale, shear and rotate each image about its centre, and move it; each number uniform within its bound.

    Parameters
    ----------
    shift : float, default=0
        Pixels, along rows and along columns.
    rotation : float, default=0
        Degrees, either way.
    scale : float, default=0
        The size becomes 1 - scale to 1 + scale times what it is; below 1.
    shear : float, default=0
        Pixels that a row goes sideways for each row that it is away from the centre: the slant of handwriting.
    shape : tuple, optional
        (H, W) or (C, H, W) of flat rows; None: the own axes of X, or a square.

    Notes
    -----
    With places q relative to the centre, rows first, q becomes R k S q + t, where S = [[1, 0], [s, 1]] shears, k
    scales, R = [[cos, -sin], [sin, cos]] rotates (counterclockwise as it is seen), and t moves. What comes in from
    outside is 0.

    Examples
    --------
    >>> import numpy as np
    >>> from fastmlp.invariance import Elastic, RandomAffine
    >>> RandomAffine(shift=1, rotation=12, scale=0.12, shear=0.2) + Elastic(alpha=34, sigma=4)
    RandomAffine(shift=1, rotation=12, scale=0.12, shear=0.2) + Elastic(alpha=34, sigma=4)
    """

    shift: float = 0.0
    rotation: float = 0.0
    scale: float = 0.0
    shear: float = 0.0
    shape: Any = None

    def __post_init__(self) -> None:
        self._check("shift", "rotation", "scale", "shear")
        check.number(self.scale, "scale", 0.0, high=1.0)

    def _change(self, X: Array, shape: Shape, rng: np.random.Generator, out: Array) -> None:
        row, column, angle, size, slant = np.ascontiguousarray(rng.uniform(-1.0, 1.0, (len(X), 5)).T)
        angle = np.deg2rad(self.rotation) * angle
        size, slant = 1.0 + self.scale * size, self.shear * slant
        matrix = inverse_maps(angle, size, slant)
        center = 0.5 * (np.array(shape[2:]) - 1.0)
        moved = center + self.shift * np.column_stack([row, column])
        offset = center - np.einsum("nij,nj->ni", matrix, moved)
        warped(X, shape, matrix, offset, None, None, out)


def inverse_maps(angle: Array, size: Array, slant: Array) -> Array:
    """(R k S)^-1 = S^-1 R' / k for each angle, size and slant (N, 2, 2)."""
    c, s = np.cos(angle) / size, np.sin(angle) / size
    return np.stack([c, s, -s - slant * c, c - slant * s], axis=1).reshape(-1, 2, 2)


class Elastic(_SmoothField):
    """Move each pixel by a smooth random field.

    Parameters
    ----------
    alpha : float
        The field is alpha times numbers that are uniform in [-1, 1], smoothed.
    sigma : float
        Standard deviation of the Gaussian that smooths them, in pixels; its sum is 1.
    shape : tuple, optional
        (H, W) or (C, H, W) of flat rows; None: the own axes of X, or a square.

    Notes
    -----
    Away from the border a pixel moves by alpha / (sigma sqrt(12 pi)) on the average (root mean square, each axis): 1.4
    for alpha = 34, sigma = 4, which are for digits of 28 x 28 pixels. Others define alpha otherwise: there are factors
    of 50 between libraries.

    References
    ----------
    Simard, Steinkraus & Platt 2003, Best practices for convolutional neural networks applied to visual document
    analysis.

    Examples
    --------
    >>> import numpy as np
    >>> from fastmlp.invariance import Elastic
    >>> X = np.random.default_rng(0).uniform(size=(2, 28, 28))
    >>> bool((Elastic(0, 4)(X, 0) == X).all()), bool((Elastic(34, 4)(X, 0) == X).any())
    (True, False)
    """


# ---- signals ----


class TimeShift(_Shift):
    """Move each signal in time by up to `shift` samples, uniformly.

    Parameters
    ----------
    shift : float
        Fractions of a sample are interpolated. What comes in from outside is 0.
    shape : tuple, optional
        (S,) or (C, S) of flat rows; None: the own axes of X, of which a single one is one channel.

    Examples
    --------
    >>> import numpy as np
    >>> from fastmlp.invariance import TimeShift
    >>> TimeShift(3.0)(np.ones((2, 50)), 0).shape
    (2, 50)
    """

    n_axes: ClassVar[int] = 1


class TimeWarp(_SmoothField):
    """Let the time of each signal run faster and slower, by a smooth random field.

    Parameters
    ----------
    alpha, sigma : float
        As of `Elastic`, in samples. Times beyond an end are that end.
    shape : tuple, optional
        (S,) or (C, S) of flat rows; None: the own axes of X, of which a single one is one channel.

    Notes
    -----
    Away from the ends a time moves by alpha / sqrt(6 sigma sqrt(pi)) on the average (root mean square).

    Examples
    --------
    >>> import numpy as np
    >>> from fastmlp.invariance import TimeWarp
    >>> warped = TimeWarp(alpha=10, sigma=5)(np.linspace(0, 1, 50)[np.newaxis], 0)
    >>> bool(0 <= warped.min() and warped.max() <= 1)
    True
    """

    n_axes: ClassVar[int] = 1

    def _displacement(self, field: Array) -> Array:
        times = np.arange(field.shape[-1], dtype=field.dtype)
        displacement = np.zeros((len(field), 2, 1, len(times)), field.dtype)
        displacement[:, 1] = np.clip(times + field[:, 0], 0, len(times) - 1) - times
        return displacement
