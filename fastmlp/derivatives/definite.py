"""Symmetric positive definite matrices: Cholesky factors, inverses, and covariances A^-1 held as roots S, S S' = A^-1.

Quadratic forms j' A^-1 j = |S'j|^2 come from the root, so that none is negative by rounding. A is a sum of two, either
of which may be a diagonal, given as the vector (n,).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from fastmlp import _matrices, _memory, _threads
from fastmlp._cached import cached_property
from fastmlp._core.curvature import cholesky
from fastmlp._types import Float
from fastmlp.derivatives.eigenvalues import eigenvalues
from fastmlp.derivatives.gram import Gram
from fastmlp.errors import NotPositiveDefiniteError

EPS = float(np.finfo(np.float64).eps)
HELP = (4.0, 16.0, 64.0, 256.0)  # times n eps A_ii on the diagonal


class Covariance:
    """A^-1 for A = B + C; a diagonal if both are given so.

    Parameters
    ----------
    B, C : ndarray of shape (n, n) or (n,)
    helped : bool, default=False
        Add what rounding may have taken from A, n eps A_ii, where it would be refused.

    Raises
    ------
    NotPositiveDefiniteError
        If A is not positive definite, or not to working precision.
    """

    def __init__(self, B: Float, C: Float, *, helped: bool = False) -> None:
        self.precisions: Float = diagonal(B) + diagonal(C)  # A_ii
        if len(self.precisions) == 0 or B.ndim == C.ndim == 1:
            A = self.precisions
            if A.size and A.min() <= 0:
                raise _error(float(A.min()), float(np.abs(A).max()))
            self.root, self.log_det_precision = 1 / np.sqrt(A), float(np.log(A).sum())
            return
        L = factor(B, C, helped=helped)
        self.log_det_precision = 2 * float(np.log(np.diagonal(L)).sum())
        self.root = cholesky.inverse_root(L)

    @classmethod
    def of_rows(cls, blocks: Iterable[Float], C: Float) -> Covariance:
        """A^-1 for A = sum R' R + C, of blocks of rows R (m, n) and a diagonal C (n,), all positive.

        The Cholesky factor comes from the rows themselves, [R; C^1/2] = Q L', so that rounding errors are those of the
        square root of A's condition number: 1e-10 where A's own are 1e-4. 2 m n^2 multiplications.
        """
        upper = np.empty((0, len(C)))
        for rows in (*blocks, np.diag(np.sqrt(C))):  # the largest first, as Householder's reflections want them
            upper = _triangle(np.vstack([upper, rows]))
        diagonal = np.diagonal(upper)
        covariance = cls.__new__(cls)
        covariance.precisions = (upper**2).sum(axis=0)
        covariance.log_det_precision = 2 * float(np.log(np.abs(diagonal)).sum())
        covariance.root = cholesky.inverse_root(np.ascontiguousarray((np.sign(diagonal)[:, np.newaxis] * upper).T))
        return covariance

    def over(self, factor: float) -> Covariance:
        """That of factor A, which is A^-1 / factor."""
        other = Covariance.__new__(Covariance)
        other.precisions, other.root = factor * self.precisions, self.root / math.sqrt(factor)
        other.log_det_precision = self.log_det_precision + len(self.precisions) * math.log(factor)
        return other

    def __getstate__(self) -> dict[str, Any]:
        return {
            name: value for name, value in self.__dict__.items() if not name.startswith("_packed")
        }  # soon made again

    def times_root(self, J: Float, n_threads: int | None = None) -> Float:
        """J S for rows (..., n): their covariance is the product of the result with its transpose."""
        if self.root.ndim == 1 or J.size <= len(self.root):
            return self._times_few(J, transposed=False)
        return cholesky.products(self._packed, J, False, _threads.resolve(n_threads))

    def from_root(self, Z: Float, n_threads: int | None = None) -> Float:
        """Z S' for rows (..., n): draws with covariance A^-1 from standard normal ones."""
        if self.root.ndim == 1 or Z.size <= len(self.root):
            return self._times_few(Z, transposed=True)
        return cholesky.products(self._packed_transpose, Z, True, _threads.resolve(n_threads))

    def _times_few(self, rows: Float, *, transposed: bool) -> Float:
        """For a diagonal root, or a single row, for which packing does not pay."""
        if self.root.ndim == 1 or rows.size == 0:
            return rows * self.root if self.root.ndim == 1 else rows
        return cholesky.few_products(self.root, rows, transposed)

    def quadratic(self, J: Float, n_threads: int | None = None) -> Float:
        """The form j' A^-1 j for rows (..., n)."""
        if self.root.ndim == 1:
            return np.asarray(((J * self.root) ** 2).sum(axis=-1))
        return cholesky.squares(self._packed, J, _threads.resolve(n_threads))

    def apply(self, v: Float) -> Float:
        """A^-1 v for one v (n,)."""
        return np.asarray(self.root * (self.root * v) if self.root.ndim == 1 else self.root @ (self.root.T @ v))

    @cached_property
    def _packed(self) -> Float:
        return cholesky.packed(self.root)

    @cached_property
    def _packed_transpose(self) -> Float:
        return cholesky.packed(self.root, lower=True)

    @cached_property
    def diagonal(self) -> Float:
        """Variances (n,)."""
        return self.root**2 if self.root.ndim == 1 else cholesky.row_squares(self.root)

    @property
    def matrix(self) -> Float:
        """A^-1 (n, n)."""
        return np.diag(self.root**2) if self.root.ndim == 1 else _memory.product(self.root, self.root.T)


def diagonal(B: Float | Gram) -> Float:
    """That of a matrix, or of what is given as one."""
    if isinstance(B, Gram):
        return B.diagonal
    return B if B.ndim == 1 else np.diagonal(B)


def plus(B: Float | Gram, C: Float) -> Float:
    """B + C, a new array; a diagonal (n,) if both are."""
    if isinstance(B, Gram):
        B = B.matrix
    if B.ndim == C.ndim:
        return np.asarray(B + C)
    matrix, own = (B, C) if B.ndim == 2 else (C, B)
    total = _matrices.copied(matrix)
    total.reshape(-1)[:: len(total) + 1] += own
    return total


def is_finite(B: Float | Gram) -> bool:
    """Whether all numbers are."""
    return B.is_finite if isinstance(B, Gram) else _matrices.is_finite(B)


def times(B: Float | Gram, v: Float) -> Float:
    """B v (n,)."""
    if isinstance(B, Gram):
        return B.times(v)
    return np.asarray(B @ v if B.ndim == 2 else B * v)


def factored(A: Float) -> Float:
    """A (n, n) itself, with L in its lower triangle, L L' = A.

    Raises
    ------
    NotPositiveDefiniteError
        If A is not positive definite; what is left in it has no meaning then.
    """
    failed = cholesky.factor(A)
    if failed:
        raise NotPositiveDefiniteError(f"pivot {failed} is not positive")
    return A


def solve(L: Float, b: Float) -> Float:
    """A^-1 b with A = L L'."""
    return cholesky.solve(L, b)


def inverse(L: Float) -> Float:
    """A^-1 (n, n) with A = L L'."""
    return cholesky.inverse(L)


def inverse_root(L: Float) -> Float:
    """L'^-1 (n, n), upper triangular: its product with its transpose is A^-1."""
    return cholesky.inverse_root(L)


def factor(B: Float, C: Float, *, helped: bool = False) -> Float:
    """L in the lower triangle, with L L' = B + C; if `helped`, plus what rounding hides, where it must be.

    Raises
    ------
    NotPositiveDefiniteError
        If that is not positive definite to working precision; says its smallest and largest eigenvalue.
    """
    rounding = len(B) * EPS * (diagonal(B) + diagonal(C))
    for added in (0.0, *(HELP if helped else ())):
        L = plus(B, plus(C, added * rounding) if added else C)
        if not (cholesky.factor(L) or (np.diagonal(L) ** 2 <= rounding).any()):
            return L
    smallest, largest = extremes(plus(B, C))
    raise _error(smallest, max(largest, -smallest))


def _triangle(rows: Float) -> Float:
    """R of rows = Q R, upper triangular."""
    _memory.blas(2 * rows.nbytes)
    return np.asarray(np.linalg.qr(rows, mode="r"))


def extremes(A: Float) -> tuple[float, float]:
    """The smallest and the largest eigenvalue, for errors: nan where LAPACK does not find them."""
    try:
        found = eigenvalues(A)
    except np.linalg.LinAlgError:
        return np.nan, np.nan
    return float(found[0]), float(found[-1])


def _error(smallest: float, largest: float) -> NotPositiveDefiniteError:
    return NotPositiveDefiniteError(
        f"expected a positive definite matrix of second derivatives, got the smallest eigenvalue {smallest:.3g} "
        f"(largest: {largest:.3g})"
    )
