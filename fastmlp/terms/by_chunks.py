"""The data term of samples that come in chunks, as compiled loops ask for it: by the free parameters."""

from __future__ import annotations

from typing import Any

from fastmlp._types import Float
from fastmlp.terms.data import DataTerm
from fastmlp.terms.reparam import FreeParameters


class ByChunks:
    """Value, gradient and matrix of a data term at free parameters p (n,), which may be kept.

    Parameters
    ----------
    data : DataTerm
    free : FreeParameters or None
    native : callable
        Gives all parameters of the network, in its type.
    n : int
    """

    def __init__(self, data: DataTerm, free: FreeParameters | None, native: Any, n: int) -> None:
        self.data, self.free, self.native, self.n = data, free, native, n
        self.plan = data.architecture.plan

    def value(self, p: Float) -> float:
        """The term."""
        return self.data.value(self.native(p))

    def value_and_grad(self, p: Float) -> tuple[float, Float]:
        """And its gradient (n,)."""
        value, gradient = self.data.value_and_grad(self.native(p))
        return value, gradient if self.free is None else self.free.pull(gradient)

    def with_matrix(self, p: Float, kind: str) -> tuple[float, Float, Float]:
        """And a matrix (n, n), "exact" or "ggn"; in one pass over the samples."""
        free = self.free
        value, gradient, matrix = self.data.normal_equations(self.native(p), None if free is None else free.used, kind)
        return (value, gradient, matrix) if free is None else (value, free.pull(gradient), free.project_used(matrix))
