from typing import Any

from numpy.typing import NDArray

from fastmlp._core.plan import Plan

_Array = NDArray[Any]

def predict(plan: Plan, params: _Array, X: _Array, Y: _Array, n_threads: int) -> None: ...
def predict_exact(plan: Plan, params: _Array, X: Any) -> _Array | None: ...
