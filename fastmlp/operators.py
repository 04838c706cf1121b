"""Curvature as a linear operator of SciPy's."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp import _memory, derivatives
from fastmlp._core.batch import Batch

Array = NDArray[Any]


def hessian_operator(batch: Batch, params: Array, kind: str, n_threads: Any = None) -> Any:
    """The exact Hessian or the Gauss-Newton matrix of a batch at `params`."""
    return _operator_class()(batch, params, kind, n_threads)


@cache
def _operator_class() -> type:
    """The class below, made on first use: SciPy's sparse part is not imported with the library."""
    base: Any = _memory.scipy("sparse.linalg").LinearOperator

    class HessianOperator(base):  # type: ignore[misc]
        """Symmetric operator v -> H v of shape (P, P); several vectors share their passes."""

        def __init__(self, batch: Batch, params: Array, kind: str, n_threads: Any) -> None:
            super().__init__(params.dtype, (params.size, params.size))
            self._batch, self._params, self._kind, self._n_threads = batch, params, kind, n_threads

        def _matvec(self, v: Array) -> Array:
            return derivatives.product(self._batch, self._params, v, self._kind, self._n_threads)

        _matmat = _matvec

        def _adjoint(self) -> Any:
            return self

        _transpose = _adjoint

        def diagonal(self) -> Array:
            """The diagonal (P,), without the matrix."""
            return derivatives.hessian_diagonal(self._batch, self._params, self._kind, self._n_threads)

        def trace(self) -> float:
            """Sum of the diagonal."""
            return float(self.diagonal().sum(dtype=np.float64))

    return HessianOperator
