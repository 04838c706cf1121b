"""Transformers for scikit-learn's pipelines: rows that are images become features that some changes do not touch."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from fastmlp import _images, _memory
from fastmlp import _validation as check
from fastmlp._quiet import quiet
from fastmlp.features import moments

Float = NDArray[np.float64]

MOST_DEGREE = 100  # of Zernike polynomials, of which there are 2,601 then
BLOCK = 1 << 20  # pixels at a time


class ImageFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Features of the images in flat rows; a subclass says of one block of images which, and what they are called."""

    shape: Any

    def fit(self, X: Any, y: Any = None) -> Self:
        """Look at the shape of X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Images as flat rows.
        y : None
            Not used.

        Returns
        -------
        self
        """
        self._check()
        check.refuse_masked_and_lazy(X, "X")
        X = validate_data(self, X, dtype=np.float64)
        self.image_shape_ = _images.shape_of(X, _images.checked_shape(self.shape))
        return self

    @quiet
    def transform(self, X: Any) -> Float:
        """Compute the features.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Images as flat rows.

        Returns
        -------
        ndarray of float64 of shape (n_samples, n_features_out)
        """
        check_is_fitted(self)
        check.refuse_masked_and_lazy(X, "X")
        X = validate_data(self, X, dtype=np.float64, reset=False)
        h, w = self.image_shape_[-2:]
        images = X.reshape(-1, h, w)
        step = max(1, BLOCK // (h * w))
        blocks = [self._features(images[first : first + step]) for first in range(0, len(images), step)]
        return np.concatenate(blocks).reshape(len(X), -1)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Names of the features.

        Parameters
        ----------
        input_features : None or array-like
            Not used.

        Returns
        -------
        ndarray of str
        """
        check_is_fitted(self)
        names = self._names()
        if len(self.image_shape_) == 3:
            names = [f"channel{c}_{name}" for c in range(self.image_shape_[0]) for name in names]
        return np.array(names, dtype=object)

    def _check(self) -> None:
        """TypeError or ValueError where an argument of the constructor is wrong."""

    @abstractmethod
    def _features(self, images: Float) -> Float:
        """Of images (N, H, W), one row each."""

    @abstractmethod
    def _names(self) -> list[str]:
        """Of the columns."""


class CentralMoments(ImageFeatures):
    """Central moments of images, which do not change where an image is moved; normalized ones, nor where it grows.

    Parameters
    ----------
    shape : tuple, optional
        (H, W) or (C, H, W) of the rows; None: a square.
    order : int, default=3
        The largest p + q; at least 2.
    normalized : bool, default=True
        nu_pq, else mu_pq, with mu_00 besides.

    Notes
    -----
    mu_pq = sum (x - x')^p (y - y')^q I(x, y), where x is the column and y the row, as in OpenCV; (x', y') is the centre
    of mass. nu_pq = mu_pq / mu_00^(1 + (p + q) / 2). Those of first order are 0, and nu_00 is 1. scikit-image gives
    both as arrays whose first index is the order in rows. Images without mass have the moments 0.

    Examples
    --------
    >>> import fastmlp
    >>> fastmlp.features.CentralMoments((2, 2)).fit([[1.0, 0.0, 0.0, 1.0]]).get_feature_names_out().tolist()
    ['nu20', 'nu11', 'nu02', 'nu30', 'nu21', 'nu12', 'nu03']
    """

    def __init__(self, shape: Any = None, order: int = 3, normalized: bool = True) -> None:
        self.shape = shape
        self.order = order
        self.normalized = normalized

    def _check(self) -> None:
        check.integer(self.order, "order", 2, 6)
        check.boolean(self.normalized, "normalized")

    def _powers(self) -> list[tuple[int, int]]:
        first = [] if self.normalized else [(0, 0)]
        return first + [(n - q, q) for n in range(2, self.order + 1) for q in range(n + 1)]

    def _features(self, images: Float) -> Float:
        mu, mass = moments.central(images, self.order)
        values = moments.normalized(mu, mass) if self.normalized else mu
        return np.stack([values[:, p, q] for p, q in self._powers()], axis=1)

    def _names(self) -> list[str]:
        return [f"{'nu' if self.normalized else 'mu'}{p}{q}" for p, q in self._powers()]


class HuMoments(ImageFeatures):
    """Hu's seven moments, which do not change where an image is moved, grows or is turned.

    Parameters
    ----------
    shape : tuple, optional
        (H, W) or (C, H, W) of the rows; None: a square.
    log : bool, default=True
        sign(h) log10 |h|, and 0 for 0: the moments differ by many orders of magnitude.

    Notes
    -----
    x is the column, as in OpenCV. A reflection changes the sign of the seventh, and so does scikit-image, where x is
    the row. On a grid of pixels rotations are exact by right angles only.

    References
    ----------
    Hu 1962, Visual pattern recognition by moment invariants.

    Examples
    --------
    >>> import fastmlp
    >>> from fastmlp.datasets import load_digits
    >>> digits = load_digits()
    >>> fastmlp.features.HuMoments().fit_transform(digits.X).shape
    (1797, 7)
    """

    def __init__(self, shape: Any = None, log: bool = True) -> None:
        self.shape = shape
        self.log = log

    def _check(self) -> None:
        check.boolean(self.log, "log")

    def _features(self, images: Float) -> Float:
        values = moments.hu(moments.normalized(*moments.central(images, 3)))
        return moments.logarithms(values) if self.log else values

    def _names(self) -> list[str]:
        return [f"hu{i}" for i in range(1, moments.HU + 1)]


class ZernikeMoments(ImageFeatures):
    """Sizes of Zernike moments, which do not change where an image is moved or turned.

    Parameters
    ----------
    shape : tuple, optional
        (H, W) or (C, H, W) of the rows; None: a square.
    radius : float, optional
        Of the circle around the centre of mass, in pixels; what is outside is left out. None: half of the shorter side.
    degree : int, default=8
        The largest n, up to 100.

    Notes
    -----
    |Z_nm| for n = 0, ..., degree, m = n, n - 2, ... from the smallest on, of pixels over their sum within the circle

        Z_nm = (n + 1) / pi sum R_nm(r) exp(-i m theta) I,

    as in mahotas for images without negative pixels. So Z_00 is 1 / pi, and moments do not change with the brightness
    either. Images without mass have the moments 0.

    References
    ----------
    Teague 1980, Image analysis via the general theory of moments.

    Examples
    --------
    >>> import fastmlp
    >>> from fastmlp.datasets import load_digits
    >>> fastmlp.features.ZernikeMoments(radius=4, degree=4).fit(load_digits().X).get_feature_names_out().tolist()
    ['z00', 'z11', 'z20', 'z22', 'z31', 'z33', 'z40', 'z42', 'z44']
    """

    def __init__(self, shape: Any = None, radius: Any = None, degree: int = 8) -> None:
        self.shape = shape
        self.radius = radius
        self.degree = degree

    def _check(self) -> None:
        if self.radius is not None:
            check.number(self.radius, "radius", 0.0, above=True)
        if check.integer(self.degree, "degree", 0) > MOST_DEGREE:
            raise ValueError(f"degree: expected at most {MOST_DEGREE}, got {self.degree}")

    def _features(self, images: Float) -> Float:
        radius = 0.5 * min(self.image_shape_[-2:]) if self.radius is None else float(self.radius)
        return moments.zernike(images, radius, self.degree)

    def _names(self) -> list[str]:
        separator = "_" if self.degree > 9 else ""
        return [f"z{n}{separator}{m}" for n, m in moments.zernike_degrees(self.degree)]


class PowerSpectrum(ImageFeatures):
    """|F|^2 of the discrete Fourier transform, which does not change where an image is moved around in a circle.

    Parameters
    ----------
    shape : tuple, optional
        (H, W) or (C, H, W) of the rows; None: a square.

    Notes
    -----
    F_uv = sum I exp(-2 pi i (u row / H + v column / W)) for u = 0, ..., H - 1 and v = 0, ..., W // 2: the others are
    the same numbers again. What leaves the image on one side enters it on the other; with a border of zeros as wide as
    the shift that is any shift.

    Examples
    --------
    >>> import fastmlp
    >>> fastmlp.features.PowerSpectrum((1, 4)).fit_transform([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]])
    array([[1., 1., 1.],
           [1., 1., 1.]])
    """

    def __init__(self, shape: Any = None) -> None:
        self.shape = shape

    def _features(self, images: Float) -> Float:
        F = _memory.late("numpy.fft").rfft2(images)
        return np.asarray((F.real**2 + F.imag**2).reshape(len(images), -1), np.float64)

    def _names(self) -> list[str]:
        h, w = self.image_shape_[-2:]
        return [f"power{u}_{v}" for u in range(h) for v in range(w // 2 + 1)]
