"""The data term: the loss over a set of samples as a function of the parameters. Here the scale of the loss is fixed.

It is a sum over samples and outputs, times the noise precision; means appear in reports only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp import _validation as check
from fastmlp import functional
from fastmlp.architecture import Architecture
from fastmlp.functional import Samples


class DataTerm:
    """beta sum_n s_n e_n(params), with samples checked once.

    Parameters
    ----------
    architecture : Architecture
    samples : Samples
    noise_precision : float or array-like of shape (K,), default=1.0
        beta; one for each output with squared error: sum_n s_n 1/2 sum_k beta_k (y_nk - t_nk)^2.
    n_threads : int, optional
    """

    def __init__(
        self, architecture: Architecture, samples: Samples, noise_precision: Any = 1.0, n_threads: Any = None
    ) -> None:
        self.architecture = architecture
        self.samples = samples
        self.n_threads = n_threads
        self.factor, self.scale = _noise_precision(noise_precision, architecture)
        self.batch = functional.bind(architecture, samples, self.scale)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "batch": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.batch = functional.bind(self.architecture, self.samples, self.scale)

    def value(self, params: NDArray[Any]) -> float:
        """The term at parameters of the network's type."""
        return self.factor * functional.loss(self.batch, params, self.n_threads)

    def value_and_grad(self, params: NDArray[Any]) -> tuple[float, NDArray[np.float64]]:
        """The term and its gradient, in float64."""
        value, gradient = functional.loss_and_grad(self.batch, params, self.n_threads)
        if gradient.dtype != np.float64:
            gradient = gradient.astype(np.float64)
        if self.factor != 1.0:
            gradient *= self.factor
        return self.factor * value, gradient

    def mean(self, total: float) -> float:
        """Mean loss per sample (by weight) of a sum of losses."""
        weight = self.samples.total_weight
        return total / (self.factor * weight) if weight else float("nan")


def _noise_precision(value: Any, architecture: Architecture) -> tuple[float, NDArray[Any] | None]:
    if np.ndim(value) == 0:
        return check.number(value, "noise_precision", 0.0, above=True), None
    if architecture.loss != "squared_error":
        raise ValueError(f"noise_precision: expected one number for {architecture.loss}, got an array")
    scale = check.vector(value, "noise_precision", architecture.n_outputs, architecture.dtype)
    if scale.min() <= 0:
        raise ValueError(f"noise_precision: expected numbers > 0, got {scale.min()}")
    return 1.0, scale
