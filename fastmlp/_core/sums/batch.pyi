from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp._core.sums.plan import Plan

_Array = NDArray[Any]

class Batch:
    small: bool
    def __new__(
        cls,
        plan: Plan,
        X: _Array,
        T: _Array | None,
        labels: _Array | None,
        precision: _Array | None,
        weight: _Array | None,
        scale: _Array | None,
        units: NDArray[np.float64] | None = None,
    ) -> Batch: ...
    def loss(self, params: _Array, n_threads: int, sample_losses: _Array | None = None) -> float: ...
    def loss_and_grad(self, params: _Array, n_threads: int) -> tuple[float, _Array]: ...

def bind_plain(plan: Plan, X: Any, T: Any) -> Batch | None: ...
