"""The data term: the loss over a set of samples as a function of the parameters. Here the scale of the loss is fixed.

It is a sum over samples and outputs, times the noise precision; means appear in reports only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fastmlp import _matrices
from fastmlp import _validation as check
from fastmlp._core.sums.batch import Batch
from fastmlp._tables import how_many
from fastmlp._types import Array, ArrayLike, Float, Index
from fastmlp.derivatives import exact as derivatives
from fastmlp.errors import ModelFormatError
from fastmlp.model import functional
from fastmlp.model.architecture import Architecture
from fastmlp.model.chunked import ChunkedSamples
from fastmlp.model.functional import Samples
from fastmlp.model.sums import summed

_FLOAT64 = np.dtype(np.float64)
PICKLED = {"architecture", "samples", "n_threads", "factor", "scale", "batch"}


class DataTerm:
    """beta sum_n s_n e_n(params), with samples checked once; squared errors are by sigma_nk where targets have one.

    Parameters
    ----------
    architecture : Architecture
    samples : Samples
    noise_precision : float or array-like of shape (K,), default=1.0
        beta; one for each output with squared error: sum_n s_n 1/2 sum_k beta_k (y_nk - t_nk)^2.
    n_threads : int, optional
    batch : Batch, optional
        The samples as they have been bound already, for one beta.
    """

    def __init__(
        self,
        architecture: Architecture,
        samples: Samples,
        noise_precision: ArrayLike | None = 1.0,
        n_threads: int | None = None,
        batch: Batch | None = None,
    ) -> None:
        self.architecture = architecture
        self.samples = samples
        self.n_threads = n_threads
        self.factor, self.scale = _noise_precision(noise_precision, architecture)
        if batch is None or self.scale is not None:
            batch = functional.bind(architecture, samples, self.scale)
        self.batch = batch

    def at(self, noise_precision: ArrayLike | None) -> DataTerm:
        """The same samples at another noise precision."""
        batch = self.batch if self.scale is None else None
        return DataTerm(self.architecture, self.samples, noise_precision, self.n_threads, batch)

    def each(self) -> Iterator[DataTerm]:
        """Those of the samples that are in memory at once, which add up to this one."""
        if not self.in_chunks:
            yield self
            return
        for samples in self.samples.each():
            yield DataTerm(self.architecture, samples, self.noise_precision, self.n_threads)

    def summed(self, function: Callable[[DataTerm], Float]) -> Float:
        """The sum of a function of these terms."""
        return summed(map(function, self.each()))  # type: ignore[no-any-return]

    @property
    def in_chunks(self) -> bool:
        """Whether samples are read chunk by chunk."""
        return isinstance(self.samples, ChunkedSamples)

    @property
    def noise_precision(self) -> Any:
        """The beta of all outputs, or of each (K,)."""
        return self.factor if self.scale is None else self.scale

    def __repr__(self) -> str:
        n_samples = len(self.samples.X)
        return f"DataTerm({self.architecture.phrase()}; {how_many(n_samples, 'sample')})"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "batch": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        if not isinstance(state, dict) or set(state) != PICKLED:
            raise ModelFormatError("state: expected a data term, got something else")
        self.__dict__.update(state)
        self.samples = functional.restored_samples(self.architecture, self.samples)
        shape, dtype = (self.architecture.n_outputs,), self.architecture.dtype
        if self.scale is not None and (self.scale.shape != shape or self.scale.dtype != dtype):
            raise ModelFormatError(f"state: expected precisions of shape {shape} and type {dtype}, got others")
        self.batch = functional.bind(self.architecture, self.samples, self.scale)

    def value(self, params: Array) -> float:
        """The term at parameters of the network's type."""
        return self.factor * functional.loss(self.batch, params, self.n_threads)

    def value_and_grad(self, params: Array) -> tuple[float, Float]:
        """The term and its gradient, in float64."""
        value, gradient = functional.loss_and_grad(self.batch, params, self.n_threads)
        return self.factor * value, self._scaled(gradient)

    def hessian(self, params: Array, kind: str, chosen: Index | None = None) -> Float:
        """The curvature matrix (P, P), one of the kinds of `Network.hessian`, in float64.

        With places of chosen parameters, ascending, their rows and columns alone.
        """
        matrix = derivatives.hessian(self.batch, params, kind, self.n_threads, True, chosen)
        return self._scaled(matrix)

    def hessian_diagonal(self, params: Array, kind: str) -> Float:
        """The diagonal of the same matrix (P,), without forming it."""
        return self._scaled(derivatives.hessian_diagonal(self.batch, params, kind, self.n_threads))

    def normal_equations(
        self, params: Array, chosen: Index | None = None, kind: str = "ggn"
    ) -> tuple[float, Float, Float]:
        """The term, its gradient and its Gauss-Newton matrix as of `hessian`, in one pass; the arrays in float64."""
        value, gradient, matrix = derivatives.normal_equations(self.batch, params, kind, self.n_threads, True, chosen)
        return self.factor * value, self._scaled(gradient), self._scaled(matrix)

    def product(self, params: Array, v: ArrayLike, kind: str) -> Float:
        """The exact Hessian or the Gauss-Newton matrix times v (P,) or (P, m), in float64."""
        return self._scaled(derivatives.product(self.batch, params, v, kind, self.n_threads))

    def residuals(self, params: Array) -> Float:
        """sqrt(s_n beta_k) (y_nk - t_nk) / sigma_nk, sample by sample (N K,): half their squares add up to the term."""
        Y = functional.predict(self.architecture, params, self.samples.X, None, self.n_threads)
        differences = Y.astype(np.float64) - self._targets()
        return np.asarray(np.sqrt(self.precisions) * differences, np.float64).ravel()

    def residual_jac(self, params: Array) -> Float:
        """Derivatives of the residuals by the parameters (N K, P)."""
        self._targets()
        J = derivatives.jacobian(self.architecture, params, self.samples.X, "params", "outputs", self.n_threads)
        return _weighted(J.astype(np.float64, copy=False), np.sqrt(self.precisions))

    def rows(self, params: Array) -> Float:
        """J (N K, P) with J'J the Gauss-Newton matrix, in float64: N K P numbers, at the speed of memory."""
        if self.in_chunks:
            return np.concatenate([term.rows(params) for term in self.each()])
        loss, samples = self.architecture.loss, self.samples
        if loss.has_noise:
            return self.residual_jac(params)
        logits, J = derivatives.linearise(self.architecture, params, samples.X, self.n_threads)
        rows = loss.root_product(logits, np.asarray(J, np.float64))
        each = np.full((len(logits), 1), self.factor)
        if loss.couples_outputs:
            each = each * samples.targets.totals
        if samples.weight is not None:
            each = each * samples.weight[:, np.newaxis]
        return _weighted(rows, np.sqrt(each))

    def _scaled(self, array: Array) -> Float:
        """A new array of the batch's as one of the term's: in float64, in place where it can be, times the factor."""
        result = array if array.dtype is _FLOAT64 else array.astype(np.float64, copy=False)
        if self.factor != 1.0:
            with np.errstate(all="ignore"):
                result *= self.factor
        return result

    def _targets(self) -> Array:
        values = self.samples.targets.values
        if not self.architecture.loss.has_noise or values is None:
            raise ValueError(f"residuals: expected a network with squared_error, got {self.architecture.loss}")
        return values

    @property
    def precisions(self) -> Float:
        """s_n beta_k / sigma_nk^2 (N, K), with squared error: what multiplies half the squared errors."""
        precision = np.full(self.architecture.n_outputs, self.factor) if self.scale is None else self.scale
        weight = np.ones(len(self.samples.X)) if self.samples.weight is None else self.samples.weight
        both, each = np.outer(weight.astype(np.float64), precision.astype(np.float64)), self.samples.targets.factors
        return both if each is None else np.asarray(both * each)

    def mean(self, total: Any) -> Any:
        """Mean loss per sample (by weight) of a sum of losses, or of several sums."""
        size = self.size
        return total / size if size else total * float("nan")

    @property
    def size(self) -> float:
        """What a mean is divided by: the number of samples, by weight, times beta where that is one number."""
        return self.factor * self.samples.total_weight


def _weighted(J: Float, roots: Float) -> Float:
    """Rows (N, K, P), in place times their roots (N, K) or (N, 1), as (N K, P)."""
    rows = J.reshape(-1, J.shape[-1])
    _matrices.scale_rows(rows, np.broadcast_to(roots, J.shape[:2]).ravel())
    return rows


def _noise_precision(value: Any, architecture: Architecture) -> tuple[float, Array | None]:
    if check.is_scalar(value, "noise_precision"):
        return check.number(value, "noise_precision", 0.0, above=True), None
    if not architecture.loss.has_noise:
        raise ValueError(f"noise_precision: expected one number for {architecture.loss}, got an array")
    scale = check.vector(value, "noise_precision", architecture.n_outputs, architecture.dtype)
    if scale.min() <= 0:
        raise ValueError(f"noise_precision: expected numbers > 0, got {scale.min()}")
    return 1.0, scale
