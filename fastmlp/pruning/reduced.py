"""The objective that is pruned: in the compact network of what is left, so that its cost follows the weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fastmlp import _matrices, _sets, _threads
from fastmlp._cached import cached_property
from fastmlp._core.fits.objective import Objective as Compiled
from fastmlp._core.fits.ties import Ties
from fastmlp.pruning.problem import Problem
from fastmlp.terms import penalties, reparam
from fastmlp.terms.by_chunks import ByChunks

Float = NDArray[np.float64]
Index = NDArray[np.intp]
Mask = NDArray[np.bool_]

SHIFTED = 1e-8  # of the curvature of biases that nothing holds: beyond rounding, and next to nothing


class Reduced:
    """The objective of the parameters v (n,) that are left, all others 0: in the compact network of these.

    The network stays whole where the penalty is more than weight decay, as its terms are functions of all parameters,
    and where layers are not dense.

    Parameters
    ----------
    problem : Problem
    pruned : ndarray of shape (P,)
        What is not left, all that is dead included.
    values : ndarray of shape (P,), optional
        Of what is not left, if not 0.
    """

    def __init__(self, problem: Problem, pruned: Mask, values: Float | None = None) -> None:
        self.problem, self.pruned = problem, pruned
        self._values = np.zeros(len(pruned)) if values is None else np.where(pruned, values, 0.0)
        self.free = (~pruned).nonzero()[0]
        #: of E, from what is not left
        self.constant = 0.0 if values is None else 0.5 * float(problem.decay @ self._values**2)
        self.decay = problem.decay[self.free]  #: lambda (n,)
        self.data, self._where = problem.data, np.arange(len(pruned))
        if not problem.terms and problem.architecture.is_dense:
            empty = pruned if values is None else pruned & (values == 0)
            _, self.data, self._where = problem.compact(empty)
        self._left = (~pruned[self._where]).nonzero()[0]  # where v is in the compact network
        self._whole = len(self._left) == len(self._where)
        self._params = self._values[self._where]
        self._terms = None
        if problem.terms:
            self._terms = penalties.Terms(problem.terms, reparam.holding(self._values, pruned))

    @property
    def compiled(self) -> Compiled:
        """The same for the compiled floor, but for the constant."""
        data, ties = self.data, None
        if data.in_chunks:
            free = reparam.holding(self._params, _but(self._left, len(self._where)))
            chunks = ByChunks(data, free, self._native, len(self._left))
            return Compiled(None, 1.0, self.decay, _threads.resolve(data.n_threads), None, self._terms, chunks=chunks)
        if not self._whole:
            index = self.places[self._where]
            ties = Ties(index, np.ones(len(index)), self._values[self._where], len(self._left))
        n_threads = _threads.resolve(data.n_threads)
        return Compiled(data.batch, data.factor, self.decay, n_threads, ties, self._terms)

    @cached_property
    def places(self) -> Index:
        """Where each parameter (P,) is among those that are left, or -1."""
        places = np.full(len(self.pruned), -1)
        places[self.free] = np.arange(len(self.free))
        return places

    def _native(self, v: Float) -> Float:
        self._params[self._left] = v
        return self._params

    def value_and_grad(self, v: Float) -> tuple[float, Float]:
        """E and its gradient (n,)."""
        value, gradient = self.data.value_and_grad(self._native(v))
        slope = self.decay * v
        gradient = (gradient if self._whole else gradient[self._left]) + slope
        value += 0.5 * float(slope @ v) + self.constant
        if self._terms is not None:
            other, slope = self._terms.value_and_grad(v)
            value, gradient = value + other, gradient + slope
        return value, gradient

    def penalty(self, v: Float) -> float:
        """The part of E that does not depend on the data."""
        decay = 0.5 * float(self.decay @ v**2) + self.constant
        return decay if self._terms is None else decay + self._terms.value(v.copy())

    def matrix(self, v: Float, kind: str) -> Float:
        """Second derivatives of E (n, n), exact or those of Gauss-Newton."""
        A = self._curvature(v, kind)
        A.reshape(-1)[:: len(A) + 1] += self.decay
        return A if self._terms is None else A + self._terms.matrix(v.copy(), kind)

    def settled(self, A: Float) -> Float:
        """A, or with a small precision of the mean of softmax's biases where nothing else holds it.

        All of them may be shifted at no cost: along that direction A is 0 up to rounding, of any sign. With the
        precision the deletion of the first of them costs next to nothing, and takes the direction away.
        """
        biases = self._shiftable
        if not len(biases):
            return A
        A, block = _matrices.copied(A), np.ix_(biases, biases)
        A[block] += SHIFTED * float(A.diagonal()[biases].mean()) / len(biases)
        return A

    def held(self, A: Float) -> Float:
        """A, or with a small precision of all biases without a penalty where everything else has one.

        Data do not tell the biases of units that are straight lines in all samples, as those of relu may be, from those
        of the outputs. With the precision the deletion of one costs next to nothing, and the others make up for it.
        """
        flat = np.flatnonzero(self.decay == 0)
        biases = self.problem.architecture.unravel(np.arange(len(self.pruned))).biases
        if self.problem.terms or not len(flat) or not _sets.among(self.free[flat], np.concatenate(biases)).all():
            return A
        A, curvatures = _matrices.copied(A), A.diagonal()[flat]
        A[flat, flat] += SHIFTED * float(curvatures.mean() or A.diagonal().mean())
        return A

    @cached_property
    def _shiftable(self) -> Index:
        """Where softmax's biases are in v, if all are left and none has a penalty."""
        architecture = self.problem.architecture
        if self.problem.terms or not architecture.loss.couples_outputs or not architecture.layers[-1].is_dense:
            return np.zeros(0, np.intp)
        biases = architecture.unravel(np.arange(architecture.n_params)).biases[-1]
        places = self.places[biases]
        return places if (places >= 0).all() and not self.decay[places].any() else np.zeros(0, np.intp)

    def fisher(self, v: Float) -> Float:
        """The sum of outer products of the samples' gradients (n, n)."""
        return self._curvature(v, "empirical_fisher")

    def _curvature(self, v: Float, kind: str) -> Float:
        return self.data.hessian(self._native(v), kind, None if self._whole else self._left)

    def expand(self, v: Float) -> Float:
        """All parameters (P,)."""
        params = self._values.copy()
        params[self.free] = v
        return params


def _but(places: Index, size: int) -> Mask:
    """All but some of so many."""
    others = np.ones(size, bool)
    others[places] = False
    return others
