from typing import Any

from numpy.typing import NDArray

from fastmlp._core.sums.batch import Batch

_Array = NDArray[Any]

def trace(batch: Batch, params: _Array, n_threads: int) -> tuple[list[_Array], list[_Array], list[_Array] | None]: ...
def activation(kind: int, order: int, z: _Array) -> _Array: ...
def softmax(z: _Array) -> _Array: ...
