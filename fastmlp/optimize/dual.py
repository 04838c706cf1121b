"""Damped Gauss-Newton equations of fewer residuals than parameters, solved by a matrix of as many rows as residuals.

For J (m, n), a diagonal D > 0 and the kernel K = I + J D^-1 J' (Woodbury),

    (J'J + D)^-1 = D^-1 - D^-1 J' K^-1 J D^-1.

Where D is small beside J'J digits are lost in the difference: it is what conjugate gradients are preconditioned by,
whose products are with J'J + D, or with the Hessian in place of J'J.
"""

from __future__ import annotations

import numpy as np

from fastmlp import _memory
from fastmlp._types import Float
from fastmlp.derivatives import definite
from fastmlp.errors import NotPositiveDefiniteError
from fastmlp.terms.objective import Objective

MOST_PRODUCTS = 250  # in a step without the kernel
MOST_NUMBERS = 3000**2  # of J: as many as the largest matrix that `lm` factors
LEAST = 1e-11  # of D, in units of the largest diagonal element, so that K has a factor


def pays(objective: Objective) -> bool:
    """Whether the kernel, m^2 n multiplications, is a quarter of what products without it may come to."""
    N, K, n = len(objective.data.samples.X), objective.architecture.n_outputs, objective.x0.size
    few = (N * K) ** 2 * n <= MOST_PRODUCTS * 6 * N * n / 4
    return objective.terms is None and few and n > N * K and N * K * n <= MOST_NUMBERS


class Dual:
    """The equations at a point.

    Parameters
    ----------
    objective : Objective
        Without terms but weight decay.
    x : ndarray of shape (n,)
    """

    def __init__(self, objective: Objective, x: Float) -> None:
        rows = objective.data.rows(objective.native(x))
        self.rows = rows if objective.free is None else objective.free.restrict(rows)
        self.decay = np.zeros(len(x)) if objective.decay is None else objective.decay
        diagonal = np.einsum("mn,mn->n", self.rows, self.rows) + self.decay
        self.scale = float(diagonal.max(initial=0.0)) or 1.0

    def factor(self, mu: float) -> None:
        """Have `solve` mean D = decay + mu."""
        self._divisor = np.maximum(self.decay + mu, LEAST * self.scale)
        K = _memory.banded(self.rows / self._divisor, self.rows.T)
        try:
            self._L = definite.factor(K, np.ones(len(K)), helped=True)
        except NotPositiveDefiniteError:  # not finite, or beyond all help
            self._L = np.diag(np.sqrt(1 + np.abs(np.diagonal(K))))

    def solve(self, v: Float) -> Float:
        """(J'J + D)^-1 v."""
        t = v / self._divisor
        return np.asarray(t - (definite.solve(self._L, self.rows @ t) @ self.rows) / self._divisor)

    def product(self, v: Float) -> Float:
        """(J'J + decay) v."""
        return np.asarray((self.rows @ v) @ self.rows + self.decay * v)
