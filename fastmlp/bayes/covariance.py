"""The covariance A^-1 of a normal distribution with precision matrix A, held as a root S with S S' = A^-1.

Quadratic forms j' A^-1 j = |S'j|^2 come from the root, so that none is negative by rounding. The precision of
a data term enters as a factor beta, for which a fixed point is found from one factorisation.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp import _memory, _threads
from fastmlp._cached import cached_property
from fastmlp._core.curvature import cholesky
from fastmlp.errors import NotPositiveDefiniteError

Float = NDArray[np.float64]

EPS = float(np.finfo(np.float64).eps)
HELP = (4.0, 16.0, 64.0, 256.0)  # times n eps A_ii on the diagonal
MAX_NEWTON = 200  # steps, of which a handful are the rule


class Covariance:
    """A^-1 for A = B + diag(alpha), or for a diagonal B (n,).

    Parameters
    ----------
    B : ndarray of shape (n, n) or (n,)
    alpha : ndarray of shape (n,)
    helped : bool, default=False
        Add what rounding may have taken from A, n eps A_ii, where it would be refused.

    Raises
    ------
    NotPositiveDefiniteError
        If A is not positive definite, or not to working precision.
    """

    def __init__(self, B: Float, alpha: Float, *, helped: bool = False) -> None:
        self.precisions: Float = (B if B.ndim == 1 else np.diagonal(B)) + alpha  # A_ii
        if B.ndim == 1 or len(alpha) == 0:
            A = B.ravel() + alpha
            if A.size and A.min() <= 0:
                raise _not_positive_definite(float(A.min()), float(np.abs(A).max()))
            self.root, self.log_det_precision = 1 / np.sqrt(A), float(np.log(A).sum())
            return
        L = factor(B, alpha, helped=helped)
        self.log_det_precision = 2 * float(np.log(np.diagonal(L)).sum())
        self.root = cholesky.inverse_root(L)

    def __getstate__(self) -> dict[str, Any]:
        return {
            name: value for name, value in self.__dict__.items() if not name.startswith("_packed")
        }  # soon made again

    def times_root(self, J: Float, n_threads: Any = None) -> Float:
        """J S for rows (..., n): their covariance is the product of the result with its transpose."""
        if self.root.ndim == 1 or J.size <= len(self.root):
            return self._times_few(J, transposed=False)
        return cholesky.products(self._packed, J, False, _threads.resolve(n_threads))

    def from_root(self, Z: Float, n_threads: Any = None) -> Float:
        """Z S' for rows (..., n): draws with covariance A^-1 from standard normal ones."""
        if self.root.ndim == 1 or Z.size <= len(self.root):
            return self._times_few(Z, transposed=True)
        return cholesky.products(self._packed_transpose, Z, True, _threads.resolve(n_threads))

    def _times_few(self, rows: Float, *, transposed: bool) -> Float:
        """For a diagonal root, or a single row, for which packing does not pay."""
        if self.root.ndim == 1 or rows.size == 0:
            return rows * self.root if self.root.ndim == 1 else rows
        return cholesky.few_products(self.root, rows, transposed)

    def quadratic(self, J: Float, n_threads: Any = None) -> Float:
        """The form j' A^-1 j for rows (..., n)."""
        if self.root.ndim == 1:
            return np.asarray(((J * self.root) ** 2).sum(axis=-1))
        return cholesky.squares(self._packed, J, _threads.resolve(n_threads))

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


def factor(B: Float, alpha: Float, *, helped: bool = False) -> Float:
    """L in the lower triangle, with L L' = B + diag(alpha); if `helped`, plus what rounding hides, where it must be."""
    rounding = len(alpha) * EPS * (np.diagonal(B) + alpha)
    for added in (0.0, *(HELP if helped else ())):
        L = np.array(B, order="C")
        L.reshape(-1)[:: len(L) + 1] += alpha + added * rounding
        if not (cholesky.factor(L) or (np.diagonal(L) ** 2 <= rounding).any()):
            return L
    _memory.blas(4 * B.nbytes)
    eigenvalues = np.linalg.eigvalsh(B + np.diag(alpha))
    raise _not_positive_definite(float(eigenvalues[0]), float(np.abs(eigenvalues).max()))


def _not_positive_definite(smallest: float, largest: float) -> NotPositiveDefiniteError:
    return NotPositiveDefiniteError(
        f"expected a positive definite matrix of second derivatives, got the smallest eigenvalue {smallest:.3g} "
        f"(largest: {largest:.3g})"
    )


def noise_precision(B: Float, alpha: Float, n_targets: float, sse: float, *, scaled: bool) -> float:
    """The noise precision beta = (N K - gamma) / SSE, with the gamma that belongs to it (PRML 3.95, 5.180).

    `scaled`: alpha is that of weight decay, in units of beta. Then gamma does not depend on beta.

    Else, with C = B + diag(alpha) / beta_0 = L L' and the eigenvalues nu of L^-1 diag(alpha) L'^-1 / beta_0,

        gamma(beta) = sum beta (1 - nu) / (beta (1 - nu) + beta_0 nu),

    a concave, growing function, so that Newton's iteration for beta SSE + gamma(beta) = N K climbs from the left to the
    only solution. Its first point is where gamma is all it can be.

    Raises
    ------
    NotPositiveDefiniteError
        If C is not positive definite.
    ValueError
        If there is no such beta > 0: a perfect fit, or no more targets than parameters with a flat prior, or, if
        `scaled`, than gamma. Says the numbers.
    """
    n = len(alpha)
    unit = 1.0 if scaled or sse <= 0 else n_targets / sse
    nu = _prior_shares(B, alpha / unit)
    flat, gamma = n - np.count_nonzero(nu), n - float(nu.sum())
    if sse <= 0 or n_targets <= (gamma if scaled else flat):
        determined = f"{gamma:.4g} parameters that they determine, " if scaled else ""
        raise ValueError(
            f"{n_targets:g} targets, {determined}{flat} parameters with a flat prior, sum of squared errors {sse:g}"
        )
    if scaled:
        return (n_targets - n + float(nu.sum())) / sse
    curved, prior = (1 - nu)[nu > 0], unit * nu[nu > 0]
    beta = max(0.0, (n_targets - n) / sse)
    for _ in range(MAX_NEWTON):
        A = beta * curved + prior
        gap = n_targets - flat - beta * sse - beta * float((curved / A).sum())
        step = gap / (sse + float((curved * prior / A**2).sum()))
        beta += step
        if abs(step) <= 4 * EPS * beta:
            break
    return beta


def _prior_shares(B: Float, alpha: Float) -> Float:
    """Eigenvalues of C^-1 diag(alpha) with C = B + diag(alpha): 0 along flat directions, 1 where data say nothing."""
    if B.ndim == 1:
        return alpha * Covariance(B, alpha).diagonal
    weighted = np.sqrt(alpha)[:, np.newaxis] * cholesky.inverse_root(factor(B, alpha))
    _memory.blas(4 * B.nbytes)
    nu = np.linalg.eigvalsh(weighted.T @ weighted)
    nu[nu <= len(nu) * EPS] = 0.0
    return np.asarray(nu)
