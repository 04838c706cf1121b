"""The objective: data term plus penalty, as a function of the parameter vector only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp import _threads
from fastmlp import _validation as check
from fastmlp._core import arrays
from fastmlp.terms import DataTerm, WeightDecay

_FLOAT64 = np.dtype(np.float64)


class Objective:
    """beta sum_n s_n e_n(params) + sum_g lambda_g/2 |w_g|^2, with X and T checked once.

    Made by `Network.objective`. Takes and returns float64, also for float32 networks; losses accumulate in float64.
    Calls with the same parameters give the same bits, for any number of threads.

    Parameters
    ----------
    data : DataTerm
    penalty : WeightDecay or None
    x0 : ndarray of shape (P,)
        The network's parameters when the objective was made.

    Examples
    --------
    >>> import numpy as np, scipy.optimize, fastmlp
    >>> X = np.linspace(-1, 1, 20)[:, None]
    >>> net = fastmlp.Network([1, 3, 1], rng=0)
    >>> obj = net.objective(X, np.sin(3 * X))
    >>> res = scipy.optimize.minimize(obj.value_and_grad, obj.x0, jac=True, method="L-BFGS-B")
    >>> bool(res.fun < 1e-2)
    True
    """

    def __init__(self, data: DataTerm, penalty: WeightDecay | None, x0: NDArray[np.float64]) -> None:
        self.data = data
        self.architecture = data.architecture
        self.decay = None if penalty is None else _diagonal(penalty, data)
        self._dtype, self._shape = self.architecture.dtype, x0.shape
        self._x0 = x0

    @property
    def x0(self) -> NDArray[np.float64]:
        """A copy of the parameters the network had when the objective was made."""
        return self._x0.copy()

    def native(self, p: Any) -> NDArray[Any]:
        """Parameters in the network's type, contiguous; their shape is checked, not whether they are finite."""
        if arrays.is_native(p, _FLOAT64) and p.shape == self._shape:
            if self._dtype == _FLOAT64:
                return p  # type: ignore[no-any-return]
            with np.errstate(over="ignore"):
                return p.astype(self._dtype)  # type: ignore[no-any-return]
        array = np.asarray(p)
        if array.dtype.kind not in check.REAL_KINDS:
            raise TypeError(f"p: expected real numbers, got dtype {array.dtype}")
        with np.errstate(all="ignore"):  # a line search may ask far outside what float32 holds: the value is inf there
            params = np.require(array, self.architecture.dtype, ["C", "A"])
        if params.shape != (self.architecture.n_params,):
            raise ValueError(f"p: expected shape ({self.architecture.n_params},), got {params.shape}")
        return params

    def value(self, p: Any) -> float:
        """The objective at p (P,): one forward pass.

        Raises
        ------
        ValueError
            If p has not the shape (P,).
        """
        return self.data.value(self.native(p)) + self.penalty_value(p)

    def grad(self, p: Any) -> NDArray[np.float64]:
        """The gradient (P,) at p: one pass forward, one backward.

        Raises
        ------
        ValueError
            If p has not the shape (P,).
        """
        return self.value_and_grad(p)[1]

    def value_and_grad(self, p: Any) -> tuple[float, NDArray[np.float64]]:
        """Value and gradient at p (P,): one pass forward, one backward; for SciPy's ``jac=True``.

        Raises
        ------
        ValueError
            If p has not the shape (P,).
        """
        value, gradient = self.data.value_and_grad(self.native(p))
        if self.decay is not None:
            value += self.penalty_value(p)
            with np.errstate(all="ignore"):
                gradient += self.decay * np.asarray(p, np.float64)
        return value, gradient

    def penalty_value(self, p: Any) -> float:
        """The penalty's part of the value."""
        if self.decay is None:
            return 0.0
        params = np.asarray(p, np.float64)
        with np.errstate(all="ignore"):
            return 0.5 * float(np.dot(self.decay * params, params))


def _diagonal(penalty: Any, data: DataTerm) -> NDArray[np.float64]:
    if not isinstance(penalty, WeightDecay):
        raise TypeError(f"penalty: expected a fastmlp.WeightDecay or None, got {penalty!r}")
    return penalty.diagonal(data.architecture)


def make(architecture: Any, params: NDArray[Any], samples: Any, penalty: Any, noise_precision: Any, n_threads: Any,
         name: str = "X") -> Objective:  # fmt: skip
    """An objective on checked samples, of which there must be at least one."""
    if len(samples.X) == 0:
        raise ValueError(f"{name}: expected at least one sample, got none")
    if samples.weight is not None and not samples.weight.any():
        raise ValueError("sample_weight: expected at least one positive number, got zeros only")
    _threads.resolve(n_threads)
    data = DataTerm(architecture, samples, noise_precision, n_threads)
    return Objective(data, penalty, params.astype(np.float64))
