"""Curvature as a linear operator of SciPy's."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from fastmlp import _memory
from fastmlp import _validation as check
from fastmlp._types import Array, ArrayLike, LinearOperator
from fastmlp.derivatives import exact as derivatives
from fastmlp.errors import ModelFormatError
from fastmlp.model import functional
from fastmlp.model.architecture import Architecture
from fastmlp.model.functional import Samples


def hessian_operator(
    architecture: Architecture, samples: Samples, params: Array, kind: str, n_threads: int | None = None
) -> LinearOperator:
    """The exact Hessian or the Gauss-Newton matrix of the loss of the samples at `params`."""
    return _operator_class()(architecture, samples, params, kind, n_threads)


def restored(architecture: Any, samples: Any, params: ArrayLike, kind: Any, n_threads: int | None) -> Any:
    """An operator that has been pickled or copied."""
    samples = functional.restored_samples(architecture, samples)
    try:
        params = check.vector(params, "params", architecture.n_params, architecture.dtype)
        return hessian_operator(
            architecture, samples, params, check.choice(kind, "kind", derivatives.PRODUCT_KINDS), n_threads
        )
    except (TypeError, ValueError) as error:
        raise ModelFormatError(f"state: expected an operator, got another ({error})") from error


@cache
def _operator_class() -> type:
    """The class below, made on first use: SciPy's sparse part is not imported with the library."""
    base: Any = _memory.scipy("sparse.linalg").LinearOperator

    class HessianOperator(base):  # type: ignore[misc]
        """Symmetric operator v -> H v of shape (P, P); several vectors share their passes."""

        def __init__(
            self, architecture: Architecture, samples: Samples, params: Array, kind: str, n_threads: int | None
        ) -> None:
            super().__init__(params.dtype, (params.size, params.size))
            self._made_of = architecture, samples, params, kind, n_threads
            self._batch = functional.bind(architecture, samples)
            self._params, self._kind, self._n_threads = params, kind, n_threads

        def __reduce__(self) -> tuple[Any, ...]:
            return restored, self._made_of

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
