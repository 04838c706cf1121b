"""Eigenvalues of symmetric matrices: of large ones in short steps, so that signals are answered in between.

LAPACK answers none until it is done, after seconds for some thousand rows. A Householder reflection H = 1 - v v',
|v|^2 = 2, takes what is two and more below the diagonal out of a column; with p = A v and w = p - (p'v) v / 2,
H A H = A - v w' - w v'. Changes of BLOCK columns are held as V W' + W V', and made at once by a product of matrices
[Dongarra, Sorensen, Hammarling, J. Comput. Appl. Math. 27 (1989) 215]. LAPACK finds the eigenvalues of the tridiagonal
matrix that is left, in time that grows as n^2.
"""

from __future__ import annotations

import math

import numpy as np

from fastmlp import _matrices, _memory
from fastmlp._types import Float

SMALL = 400  # rows, for which LAPACK takes some hundredths of a second
BLOCK = 32


def eigenvalues(A: Float) -> Float:
    """Those of a symmetric matrix (n, n), in ascending order.

    Raises
    ------
    numpy.linalg.LinAlgError
        If they are not found: some numbers are not finite.
    """
    if len(A) <= SMALL:
        _memory.blas(4 * A.nbytes)
        return np.asarray(np.linalg.eigvalsh(A))
    largest = float(np.abs([A.min(), A.max()]).max())
    if not math.isfinite(largest):
        raise np.linalg.LinAlgError("eigenvalues: expected finite numbers in a matrix, got others")
    exponent = math.frexp(largest)[1]
    lapack = _memory.scipy("linalg.lapack")
    _memory.blas(2 * A.nbytes)
    found, failed = lapack.dsterf(*_tridiagonal(_matrices.scaled(A, -exponent)))
    if failed:
        raise np.linalg.LinAlgError(f"eigenvalues: expected all of them from LAPACK, got {failed} fewer")
    return np.asarray(np.ldexp(found, exponent))


def _tridiagonal(A: Float) -> tuple[Float, Float]:
    """The diagonal (n,) and what is beside it (n - 1,) of H A H, tridiagonal. What is in A then has no meaning."""
    n = len(A)
    beside = np.empty(n - 1)
    for start in range(0, n - 1, BLOCK):
        left = A[start:, start:]
        V, W = np.zeros((2, n - start, min(BLOCK, n - 1 - start)))
        for j in range(V.shape[1]):
            _reflected(left, V, W, j, beside[start:])
        below = slice(V.shape[1], None)
        _matrices.add_products(left[below, below], -V[below], W[below])
    return np.diagonal(A).copy(), beside


def _reflected(A: Float, V: Float, W: Float, j: int, beside: Float) -> None:
    """Find columns j of V and W, by the column j of A and the changes that columns before it have made."""
    column = A[j:, j] - V[j:, :j] @ W[j, :j] - W[j:, :j] @ V[j, :j]
    A[j, j], v = column[0], column[1:]
    size = float(np.linalg.norm(v))
    beside[j] = -math.copysign(size, v[0])
    if size == 0:
        return
    v /= size
    v[0] += math.copysign(1.0, v[0])
    v /= math.sqrt(abs(v[0]))
    below = slice(j + 1, None)
    p = A[below, below] @ v - V[below, :j] @ (v @ W[below, :j]) - W[below, :j] @ (v @ V[below, :j])
    V[below, j], W[below, j] = v, p - 0.5 * float(p @ v) * v
