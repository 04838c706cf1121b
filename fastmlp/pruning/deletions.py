"""Deletions from one quadratic model of an objective around its optimum: Optimal Brain Surgeon, maintained.

With A the second derivatives at w and C = A^-1, parameters S become 0 at the least rise of d' A d / 2 by

    d = -C_.S (C_SS)^-1 w_S,        L_S = w_S' (C_SS)^-1 w_S / 2,        C becomes C - C_.S (C_SS)^-1 C_S. ,

which is the inverse of A without the rows and columns S, and 0 there (Hassibi and Stork 1993). The changes of C are
rows of V, C = C_0 - V'V, put in many at a time, as products of matrices are fast: a chain of n deletions takes
n^3 / 3 multiplications. For a few of them C_0 itself is not formed: the factor of A gives its rows.
"""

from __future__ import annotations

import numpy as np

from fastmlp import _matrices, _memory
from fastmlp._core.curvature import cholesky
from fastmlp._types import Float, Index
from fastmlp.errors import NotPositiveDefiniteError
from fastmlp.pruning.candidates import Sets

FEW = 4  # rows of V that cost less than to put them in
ROWS = 64  # of V: for P = 1,000 24, 64 and 96 take 0.08, 0.06 and 0.06 s


def singles(sets: Sets) -> Index | None:
    """The parameters, if all sets have one."""
    if isinstance(sets, np.ndarray):
        return sets[:, 0]
    return np.array([S[0] for S in sets], np.intp) if all(len(S) == 1 for S in sets) else None


class Deletions:
    """A chain of deletions.

    Parameters
    ----------
    L : ndarray of shape (n, n)
        In the lower triangle, with L L' = A; is kept, and not changed.
    variances : ndarray of shape (n,)
        The diagonal of C.
    w : ndarray of shape (n,)
        The optimum; a copy is taken.
    """

    def __init__(self, L: Float, variances: Float, w: Float) -> None:
        self.w = w.copy()  #: the parameters, 0 where they are deleted
        self.alive = np.ones(len(w), bool)
        self.variances = variances.copy()  #: C_ii, nan where they are deleted
        self.log_det = 0.0  #: by how much ln|A| has grown: ln|C_SS| with each deletion
        self._rows = np.arange(len(w))  # which parameters the rows of C_0 are: all that were alive when it was formed
        self._place = np.arange(len(w))  # and back
        self._L = L
        self._formed: Float | None = None  # C_0, once it is asked for
        self._V, self._n_rows = np.empty((ROWS, len(w))), 0

    @property
    def _C(self) -> Float:
        if self._formed is None:
            self._formed = cholesky.inverse(self._L)
        return self._formed

    @property
    def inverse(self) -> Float:
        """C of the parameters that are left, in their order; not to be changed."""
        self._put_in(0)
        return self._C

    @property
    def parts(self) -> tuple[Float, bool, Index, Float]:
        """The same as C_0[left, left] - V'V: L, True or C_0, False; left; V with few rows."""
        if self._n_rows > FEW:
            self._put_in(0)
        left = self.alive[self._rows].nonzero()[0]
        is_factor = self._formed is None
        return self._L if is_factor else self._C, is_factor, left, self._V[: self._n_rows].take(left, axis=1)

    def block(self, S: Index) -> Float:
        """C_SS."""
        at = self._place[S]
        V = self._V[: self._n_rows, at]
        return np.asarray(self._C[np.ix_(at, at)] - _memory.product(V.T, V))

    def delete(self, S: Index) -> float:
        """Delete parameters that are left; the rise L_S."""
        if self._n_rows + len(S) > len(self._V):
            self._put_in(len(S))
        at, few = self._place[S], self._n_rows + len(S) <= FEW
        rows = self._rows_of(at, solved=few and self._formed is None)
        root = _root(rows[:, at])
        U = self._V[self._n_rows : self._n_rows + len(S)]
        if len(S) == 1:  # as below, without LAPACK
            np.divide(rows, root, out=U)
            half = self.w[S] / root[0]
            self._follow(half[0] * U[0], U[0] ** 2)
        else:
            _memory.blas(4 * rows.nbytes)
            U[:], half = np.linalg.solve(root, rows), np.linalg.solve(root, self.w[S])
            self._follow(half @ U, (U**2).sum(axis=0))
        self._n_rows += len(S)
        self.log_det += 2 * float(np.log(root.diagonal()).sum())
        self.alive[S], self.w[S], self.variances[S] = False, 0.0, np.nan
        return 0.5 * float(half @ half)

    def _rows_of(self, at: Index, *, solved: bool = False) -> Float:
        """Some rows of C; those of C_0 by the factor, or from all of it."""
        rows, V = self._solved(at) if solved else self._C[at], self._V[: self._n_rows]
        return np.asarray(rows - _memory.product(V[:, at].T, V) if self._n_rows else rows)

    def _solved(self, at: Index) -> Float:
        units = np.zeros((len(at), len(self._L)))
        units[np.arange(len(at)), at] = 1.0
        return cholesky.solve(self._L, units)

    def _follow(self, steps: Float, variances: Float) -> None:
        """What is left goes back by these steps; its variances shrink by so much."""
        self.w[self._rows] -= steps
        self.variances[self._rows] -= variances

    def _put_in(self, room: int) -> None:
        """C without what is deleted, and with V'V taken off; room for so many rows and more."""
        kept = np.flatnonzero(self.alive[self._rows])
        V = self._V[: self._n_rows, kept]
        self._formed = _matrices.chosen(self._C, kept)
        self._formed -= _memory.product(V.T, V)
        self._rows = self._rows[kept]
        self._place[self._rows] = np.arange(len(self._rows))
        self._V, self._n_rows = np.empty((max(ROWS, room), len(self._rows))), 0

    def rises(self, sets: Sets) -> Float:
        """L_S of each of some sets."""
        where = singles(sets)
        if where is not None:
            return np.asarray(self.w[where] ** 2 / (2 * self.variances[where]))
        return np.array([self._rise(S) for S in sets])

    def _rise(self, S: Index) -> float:
        half = np.linalg.solve(_root(self.block(S)), self.w[S])
        return 0.5 * float(half @ half)

    def moved(self, S: Index) -> Float:
        """The parameters after a deletion that is not made."""
        at = self._place[S]
        rows = self._rows_of(at)
        _memory.blas(4 * rows.nbytes)
        w = self.w.copy()
        root = _root(rows[:, at])
        w[self._rows] -= np.linalg.solve(root.T, np.linalg.solve(root, self.w[S])) @ rows
        w[S] = 0.0
        return w


def _root(block: Float) -> Float:
    """L with L L' = C_SS."""
    if len(block) == 1 and block[0, 0] > 0:
        return np.sqrt(block)
    _memory.blas(4 * block.nbytes)
    try:
        return np.asarray(np.linalg.cholesky(block), np.float64)
    except np.linalg.LinAlgError as error:
        raise NotPositiveDefiniteError(
            "penalty: expected one with which second derivatives are positive definite beyond rounding, got some of "
            "which deletions have no inverse; take a larger penalty"
        ) from error


class Removals:
    """A chain of deletions that leaves all other parameters where they are: Optimal Brain Damage, or by magnitude.

    Parameters
    ----------
    A : ndarray of shape (n, n)
        Second derivatives, or their diagonal (n,), as if the others were 0.
    w : ndarray of shape (n,)
        The optimum; a copy is taken.
    """

    def __init__(self, A: Float, w: Float) -> None:
        self.w, self.alive, self._A = w.copy(), np.ones(len(w), bool), A

    def delete(self, S: Index) -> float:
        """Delete parameters; the rise w_S' A_SS w_S / 2."""
        rise = self._rise(S)
        self.alive[S], self.w[S] = False, 0.0
        return rise

    def rises(self, sets: Sets) -> Float:
        """That of each of some sets."""
        where = singles(sets)
        if where is not None:
            curvature = self._A[where] if self._A.ndim == 1 else self._A[where, where]
            return np.asarray(0.5 * curvature * self.w[where] ** 2)
        return np.array([self._rise(S) for S in sets])

    def _rise(self, S: Index) -> float:
        w = self.w[S]
        return 0.5 * float(self._A[S] @ w**2 if self._A.ndim == 1 else w @ self._A[np.ix_(S, S)] @ w)

    def moved(self, S: Index) -> Float:
        """The parameters after a deletion that is not made."""
        w = self.w.copy()
        w[S] = 0.0
        return w
