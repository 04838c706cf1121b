"""A positive semi-definite matrix held by its root: B = J'J for rows J (m, n), where m is the smaller number."""

from __future__ import annotations

import numpy as np

from fastmlp import _matrices, _memory
from fastmlp._types import Float


class Gram:
    """J'J.

    Parameters
    ----------
    rows : ndarray of shape (m, n)
        J.
    """

    ndim = 2

    def __init__(self, rows: Float) -> None:
        self.rows = rows

    @property
    def diagonal(self) -> Float:
        """Sums of squares of the columns (n,)."""
        return _matrices.square_sums(self.rows)

    @property
    def is_finite(self) -> bool:
        """Whether all numbers are."""
        return _matrices.is_finite(self.rows)

    @property
    def matrix(self) -> Float:
        """B (n, n)."""
        return _memory.banded(self.rows.T, self.rows)

    def times(self, v: Float) -> Float:
        """B v (n,)."""
        return np.asarray((self.rows @ v) @ self.rows)
