from typing import Any

from numpy.typing import NDArray

from fastmlp._core.sums.batch import Batch
from fastmlp._core.sums.plan import Plan

_Array = NDArray[Any]

def curvature_products(batch: Batch, params: _Array, V: _Array, exact: bool, n_threads: int) -> _Array: ...
def vjp(batch: Batch, params: _Array, of_logits: bool, n_threads: int) -> _Array: ...
def directed(plan: Plan, params: _Array, X: _Array, V: _Array, of_logits: bool, n_threads: int) -> _Array: ...
