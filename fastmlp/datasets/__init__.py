"""Two small real data sets that come with the library: digits to classify, and resistances of yachts to regress.

Their sources and licences stand in this folder's README.md. Nothing is read before a function is called.
"""

from __future__ import annotations

from importlib import resources
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp import _memory

__all__ = ["Dataset", "load_digits", "load_yacht"]


class Dataset(NamedTuple):
    """A data set: inputs, targets, what the columns and classes are called, and where it all comes from."""

    X: NDArray[np.float64]
    T: NDArray[Any]
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...]
    description: str


def load_digits() -> Dataset:
    """1,797 handwritten digits of 8 x 8 pixels.

    Returns
    -------
    Dataset
        X (1797, 64): darkness of the pixels, 0 to 16, row by row of the image; T (1797,): the digit, an integer.

    References
    ----------
    Alpaydin & Kaynak 1998, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository,
    doi:10.24432/C50P49, CC BY 4.0; its test part, 13 writers.

    Examples
    --------
    >>> from fastmlp.datasets import load_digits
    >>> digits = load_digits()
    >>> digits.X.shape, digits.T[:5].tolist()
    ((1797, 64), [0, 1, 2, 3, 4])
    """
    X, T = _read("digits.npz")
    return Dataset(
        X.astype(np.float64),
        T.astype(np.intp),
        tuple(f"pixel {row},{column}" for row in range(8) for column in range(8)),
        tuple("0123456789"),
        "Handwritten digits of 13 writers, 8 x 8 pixels: the test part of Alpaydin & Kaynak, Optical Recognition of "
        "Handwritten Digits, UCI Machine Learning Repository 1998, doi:10.24432/C50P49, CC BY 4.0",
    )


def load_yacht() -> Dataset:
    """The residuary resistance of 22 model yachts, each towed at 14 speeds.

    Returns
    -------
    Dataset
        X (308, 6): five numbers that describe the hull, and the Froude number; T (308,): residuary resistance per unit
        weight of displacement. All without dimension.

    References
    ----------
    Gerritsma, Onnink & Versluis 1981, Yacht Hydrodynamics, UCI Machine Learning Repository, doi:10.24432/C5XG7R,
    CC BY 4.0.

    Examples
    --------
    >>> from fastmlp.datasets import load_yacht
    >>> yacht = load_yacht()
    >>> yacht.X.shape, float(yacht.T.max())
    ((308, 6), 62.42)
    """
    X, T = _read("yacht.npz")
    return Dataset(
        X,
        T,
        (
            "longitudinal centre of buoyancy",
            "prismatic coefficient",
            "length-displacement ratio",
            "beam-draught ratio",
            "length-beam ratio",
            "Froude number",
        ),
        ("residuary resistance",),
        "Residuary resistance of 22 model yachts of the Delft series at 14 speeds: Gerritsma, Onnink & Versluis 1981, "
        "Yacht Hydrodynamics, UCI Machine Learning Repository, doi:10.24432/C5XG7R, CC BY 4.0",
    )


def _read(name: str) -> tuple[NDArray[Any], NDArray[Any]]:
    _memory.late("zipfile")  # which NumPy imports
    with resources.files(__name__).joinpath(name).open("rb") as file, np.load(file) as arrays:
        return arrays["X"], arrays["T"]
