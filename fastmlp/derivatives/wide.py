"""Curvature of few residuals and many parameters, B = J'J for J (m, n), m < n: inverses by m x m matrices.

With a diagonal D > 0, H = J D^-1/2 and the kernel K = I + H H' = L L',

    A = J'J + D,    ln|A| = ln|D| + ln|K|,    A^-1 = S S',    S = D^-1/2 (I - H' X H),    X = L'^-1 (L + I)^-1

(Andrews 1968), so that quadratic forms are sums of squares here too. Some parameters may be flat, without D. With their
columns J_f of J they have the precision F'F, F = L^-1 J_f, and the others follow them with G = D^-1/2 H' K^-1 J_f:

    A^-1 = S S' + (-G, I)' (F'F)^-1 (-G, I).
"""

from __future__ import annotations

import copy
import math
from typing import Self

import numpy as np

from fastmlp import _matrices, _memory
from fastmlp._core.curvature import cholesky
from fastmlp._types import Float, Index
from fastmlp.derivatives import definite
from fastmlp.derivatives.definite import EPS, Covariance
from fastmlp.derivatives.eigenvalues import eigenvalues
from fastmlp.derivatives.gram import Gram
from fastmlp.errors import NotPositiveDefiniteError

MATRICES = ("H", "of_flat", "flat_root", "X", "G", "_inverse")
SURE = 0.5  # share of a prior variance that data take away, from which on what is left is summed from its root
MANY = 200  # parameters, below which a step of Python's takes longer than products with their matrix
FEWER = 4  # parameters for each residual, from which on 2 m n multiplications for a prediction are less than n^2 / 2;
LARGE = 3000  # parameters from which on what counts is that a matrix (n, n) takes more memory


def pays(m: int, n: int) -> bool:
    """Whether m rows are less work than a matrix (n, n)."""
    return n >= MANY and (FEWER * m <= n or (n > LARGE and m < n))


def pays_for_eigenvalues(m: int, n: int) -> bool:
    """The same for `prior_shares`, beside the matrix: those of a kernel (m, m) take less."""
    return n >= MANY and m < n


def covariance(B: Float | Gram, C: Float, *, helped: bool = False) -> Covariance | WideCovariance:
    """A^-1 for A = B + C, in the form that B has; C is a diagonal (n,) beside rows."""
    return WideCovariance(B, C, helped=helped) if isinstance(B, Gram) else Covariance(B, C, helped=helped)


class WideCovariance:
    """A^-1 for A = J'J + diag(D): a `definite.Covariance` whose root is not formed.

    Parameters
    ----------
    B : Gram
        Of the rows J (m, n).
    D : ndarray of shape (n,)
        Not negative.
    helped : bool, default=False
        Add what rounding may have taken from K, m eps K_ii, where it would be refused.

    Raises
    ------
    NotPositiveDefiniteError
        If A is not positive definite, or not to working precision.
    """

    def __init__(self, B: Gram, D: Float, *, helped: bool = False) -> None:
        self.precisions: Float = B.diagonal + D  # A_ii
        self.curved: Index = np.flatnonzero(D > 0)
        self.flat: Index = np.flatnonzero(D <= 0)
        self.scale: Float = 1 / np.sqrt(D[self.curved])
        self.H: Float = _matrices.columns(B.rows, self.curved, self.scale)
        self.of_flat: Float = _matrices.columns(B.rows, self.flat)  # J_f
        L, inverse = _kernel(self.H, helped=helped)
        F = _memory.banded(inverse, self.of_flat)
        T, self.flat_root = _factor_of_flat(F)
        self.X: Float = _memory.banded(inverse.T, cholesky.inverse_root(L + np.eye(len(L))).T)
        self.G: Float = self.scale[:, np.newaxis] * _memory.banded(self.H.T, _memory.banded(inverse.T, F))
        self.log_det_precision = -2 * float(np.log(self.scale).sum())
        self.log_det_precision += 2 * float(np.log(np.diagonal(L)).sum() + np.log(np.diagonal(T)).sum())
        self._inverse = inverse
        # BLAS gives other last digits of other layouts, and files have one
        for name in MATRICES:
            setattr(self, name, np.ascontiguousarray(getattr(self, name)))

    def over(self, factor: float) -> Self:
        """That of factor A, which is A^-1 / factor."""
        other, root = copy.copy(self), math.sqrt(factor)
        other.precisions, other.of_flat = factor * self.precisions, root * self.of_flat
        other.scale, other.flat_root = self.scale / root, self.flat_root / root
        other.log_det_precision = self.log_det_precision + len(self.precisions) * math.log(factor)
        return other

    def times_root(self, J: Float, n_threads: int | None = None) -> Float:
        """J S for rows (..., n): their covariance is the product of the result with its transpose."""
        rows = J.reshape(-1, J.shape[-1])
        curved, result = _matrices.columns(rows, self.curved), np.empty(rows.shape)
        result[:, self.curved] = self._without(curved * self.scale, self.X)
        if len(self.flat):
            result[:, self.flat] = (rows[:, self.flat] - _memory.banded(curved, self.G)) @ self.flat_root
        return result.reshape(J.shape)

    def from_root(self, Z: Float, n_threads: int | None = None) -> Float:
        """Z S' for rows (..., n): draws with covariance A^-1 from standard normal ones."""
        rows = Z.reshape(-1, Z.shape[-1])
        result = np.empty(rows.shape)
        result[:, self.curved] = self._without(_matrices.columns(rows, self.curved), self.X.T) * self.scale
        if len(self.flat):
            result[:, self.flat] = rows[:, self.flat] @ self.flat_root.T
            result[:, self.curved] -= _memory.banded(result[:, self.flat], self.G.T)
        return result.reshape(Z.shape)

    def apply(self, v: Float) -> Float:
        """A^-1 v for one v (n,)."""
        return self.from_root(self.times_root(v))

    def _without(self, rows: Float, X: Float) -> Float:
        """Rows (k, n) times I - H' X H."""
        through = _memory.banded(_memory.banded(rows, self.H.T), X)
        return np.asarray(rows - _memory.banded(through, self.H))

    def quadratic(self, J: Float, n_threads: int | None = None) -> Float:
        """The form j' A^-1 j for rows (..., n)."""
        return np.asarray((self.times_root(J) ** 2).sum(axis=-1))

    @property
    def diagonal(self) -> Float:
        """Variances (n,)."""
        taken = _matrices.square_sums(_memory.banded(self._inverse, self.H))
        following = (_memory.banded(self.G, self.flat_root) ** 2).sum(axis=1)
        variances = np.empty(len(self.precisions))
        variances[self.curved] = (1 - taken) * self.scale**2 + following
        sure = np.concatenate([self.curved[taken > SURE], self.flat])
        units = np.zeros((len(sure), len(variances)))
        units[np.arange(len(sure)), sure] = 1.0
        variances[sure] = self.quadratic(units)
        return variances

    @property
    def root(self) -> Float:
        """S (n, n)."""
        return self.times_root(np.eye(len(self.precisions)))

    @property
    def matrix(self) -> Float:
        """A^-1 (n, n)."""
        return self.from_root(self.root)

    def marginal(self, where: Index, v: Float) -> float:
        """The form v' C^-1 v for the covariance C of some parameters, whose values are v.

        C^-1 is D and J' K_o^-1 J, by the rows of these and the kernel K_o of the others; what flat ones of these can
        make up for is left out.
        """
        these, change = np.zeros(len(self.precisions), bool), np.zeros(len(self.precisions))
        these[where], change[where] = True, v
        curved = change[self.curved] / self.scale
        _, inverse = _kernel(_matrices.columns(self.H, np.flatnonzero(~these[self.curved])), helped=True)
        u = inverse @ (self.H @ curved + self.of_flat @ change[self.flat])
        others = inverse @ self.of_flat[:, ~these[self.flat]]
        if others.size:
            _memory.blas(8 * others.nbytes)
            u = u - others @ np.linalg.lstsq(others, u, rcond=None)[0]
        return float(curved @ curved + u @ u)


def _kernel(H: Float, *, helped: bool) -> tuple[Float, Float]:
    """L (m, m), with L L' = I + H H', and its inverse."""
    L = np.tril(definite.factor(_memory.banded(H, H.T), np.ones(len(H)), helped=helped))
    return L, np.ascontiguousarray(cholesky.inverse_root(L).T)


def _factor_of_flat(F: Float) -> tuple[Float, Float]:
    """T (z, z), with T T' = F'F, and T'^-1."""
    if not F.shape[1]:
        return np.empty((0, 0)), np.empty((0, 0))
    T = definite.factor(_memory.banded(F.T, F), np.zeros(F.shape[1]))
    return T, cholesky.inverse_root(T)


def precision_of_flat(B: Gram, D: Float) -> tuple[Index, Float]:
    """Parameters without D, and their precision (z, z), that of the data which the others leave."""
    curved, flat = np.flatnonzero(D > 0), np.flatnonzero(D <= 0)
    _, inverse = _kernel(_matrices.columns(B.rows, curved, 1 / np.sqrt(D[curved])), helped=True)
    F = _memory.banded(inverse, _matrices.columns(B.rows, flat))
    return flat, _memory.banded(F.T, F)


def prior_shares(B: Gram, D: Float) -> Float:
    """Eigenvalues of (B + D)^-1 D: 0 along flat directions, 1 where data say nothing; NotPositiveDefiniteError."""
    n, flat = len(D), D <= 0
    H = B.rows[:, ~flat] / np.sqrt(D[~flat])
    if flat.any():  # what data say beside what flat parameters explain
        _memory.blas(16 * B.rows.nbytes)
        Q, triangle = np.linalg.qr(B.rows[:, flat])
        if np.abs(np.diagonal(triangle)).min() <= n * EPS * np.abs(triangle).max() or flat.sum() > len(B.rows):
            raise NotPositiveDefiniteError("expected flat parameters that data determine, got others")
        H = H - Q @ (Q.T @ H)
    squares = np.maximum(eigenvalues(_memory.banded(H, H.T)), 0.0)
    informed = np.sort(squares)[::-1][: len(H) - np.count_nonzero(flat)] if flat.any() else squares
    return np.concatenate(
        [np.zeros(np.count_nonzero(flat)), 1 / (1 + informed), np.ones(n - np.count_nonzero(flat) - len(informed))]
    )
