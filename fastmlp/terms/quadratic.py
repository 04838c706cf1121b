"""A quadratic form around a point: an old posterior as the prior of new data."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmlp import _memory
from fastmlp import _validation as check
from fastmlp._cached import cached_property
from fastmlp._types import Float
from fastmlp.terms.term import Additive

SLACK = 1e-8  # of a matrix's elements from those across the diagonal, as a share of the largest


class Quadratic(Additive):
    """1/2 (w - c)'A (w - c), the negative logarithm of a normal density N(c, A^-1) of the parameters.

    Parameters
    ----------
    center : array-like of shape (P,)
        c, in the order of ``net.params``.
    precision : float, or array-like of shape (P,) or (P, P)
        A: a number times the identity, a diagonal, or a symmetric matrix. Numbers and diagonals are not negative;
        a matrix should be positive semidefinite, or else the objective may have no minimum.

    Raises
    ------
    TypeError, ValueError
        If `center` or `precision` is not finite or has another shape, or the matrix is not symmetric; on use, if the
        network has another number of parameters.

    Notes
    -----
    The scale is that of a sum over samples: with a noise precision beta, A is the prior's precision over beta. So the
    posterior of earlier data is the prior of new ones as ``Quadratic(posterior.params,
    np.linalg.inv(posterior.params_covariance) / posterior.noise_precision)``, found in the units that the new fit is
    in. For a linear network both together give what one fit to all data does. `Laplace` takes it in `penalty` too, as
    the normal prior that it is.

    Cost: P^2 multiplications for each value with a matrix, else P.

    References
    ----------
    Bishop, PRML, 3.3.1: sequential learning.

    Examples
    --------
    >>> import numpy as np, fastmlp
    >>> X = np.linspace(-1, 1, 40)[:, None]
    >>> T = np.sin(3 * X)
    >>> net = fastmlp.Network([1, 4, 1], rng=0)
    >>> old, decay = slice(0, None, 2), fastmlp.WeightDecay(0.01, 0.01)
    >>> result = net.fit(X[old], T[old], penalty=decay)
    >>> posterior = fastmlp.Laplace(net, X[old], T[old], penalty=decay)
    >>> A = np.linalg.inv(posterior.params_covariance) / posterior.noise_precision
    >>> prior = fastmlp.Quadratic(posterior.params, A)
    >>> net.fit(X[1::2], T[1::2], penalty=prior).success
    True
    """

    def __init__(self, center: Any, precision: Any) -> None:
        self.center: Float = check.real_array(center, "center", np.float64).copy()
        if self.center.ndim != 1:
            raise ValueError(f"center: expected shape (n_params,), got {self.center.shape}")
        if check.is_scalar(precision, "precision"):
            self.precision: Any = check.number(precision, "precision", 0.0)
        else:
            self.precision = _checked(check.real_array(precision, "precision", np.float64), self.center.size)

    def __repr__(self) -> str:
        kind = ("one precision", "a diagonal", "a matrix")[np.ndim(self.precision)]
        return f"Quadratic({self.center.size} parameters, {kind})"

    def value(self, params: Float) -> float:
        """The term at params (P,)."""
        return self.value_and_grad(params)[0]

    def value_and_grad(self, params: Float) -> tuple[float, Float]:
        """The term and its gradient A (w - c) at params (P,)."""
        difference = self._difference(params)
        gradient = self.hessp(params, difference)
        return 0.5 * float(difference @ gradient), gradient

    def hess(self, params: Float) -> Float:
        """A (P, P), whatever the parameters."""
        if np.ndim(self.precision) == 2:
            return self.precision.copy()  # type: ignore[no-any-return]
        return np.diag(np.full(self.center.size, self.precision) if np.ndim(self.precision) == 0 else self.precision)

    def hessp(self, params: Float, v: Float) -> Float:
        """A v (P,), whatever the parameters."""
        return np.asarray(self.precision @ v if np.ndim(self.precision) == 2 else self.precision * v)

    def residuals(self, params: Float) -> Float:
        """R (w - c), R'R = A: half the squares add up to the term.

        Raises
        ------
        ValueError
            If A is indefinite.
        """
        return np.asarray(self._root @ self._difference(params))

    def residual_jac(self, params: Float) -> Float:
        """R (P, P), whatever the parameters; as `residuals`."""
        return self._root.copy()

    def _difference(self, params: Float) -> Float:
        if params.shape != self.center.shape:
            raise ValueError(
                f"penalty: expected a network of {self.center.size} parameters, as the center of the Quadratic has, "
                f"got one of {params.size}"
            )
        return params - self.center

    @cached_property
    def _root(self) -> Float:
        if np.ndim(self.precision) < 2:
            return np.sqrt(self.hess(self.center))
        _memory.blas(8 * self.precision.nbytes)
        values, vectors = np.linalg.eigh(self.precision)
        if values[0] < -SLACK * values[-1]:
            raise ValueError(f"precision: expected no negative eigenvalue for residuals, got {values[0]}")
        return np.asarray(np.sqrt(np.maximum(values, 0.0))[:, np.newaxis] * vectors.T)


def _checked(precision: Float, n: int) -> Float:
    if precision.shape not in ((n,), (n, n)):
        raise ValueError(f"precision: expected a number, shape ({n},) or ({n}, {n}), got {precision.shape}")
    if precision.ndim == 1:
        if n and precision.min() < 0:
            raise ValueError(f"precision: expected numbers >= 0, got {precision.min()}")
        return precision.copy()
    asymmetry = float(np.abs(precision - precision.T).max(initial=0.0))
    if asymmetry > SLACK * float(np.abs(precision).max(initial=0.0)):
        raise ValueError(f"precision: expected a symmetric matrix, got one with differences of {asymmetry}")
    return 0.5 * (precision + precision.T)
