from typing import Any

from numpy.typing import NDArray

from fastmlp._core.plan import Plan

_Array = NDArray[Any]

class Scratch: ...

def loss_grad(
    plan: Plan,
    params: _Array,
    X: _Array,
    T: _Array | None,
    labels: _Array | None,
    weight: _Array | None,
    scale: _Array | None,
    gradient: _Array | None,
    sample_losses: _Array | None,
    n_threads: int,
) -> float: ...
def predict(plan: Plan, params: _Array, X: _Array, Y: _Array, n_threads: int) -> None: ...
def predict_rows(plan: Plan, params: _Array, X: Any) -> _Array | None: ...
def trace(
    plan: Plan, params: _Array, X: _Array, T: _Array | None, labels: _Array | None, weight: _Array | None
) -> tuple[list[_Array], list[_Array], list[_Array] | None]: ...
