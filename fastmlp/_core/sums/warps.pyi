from typing import Any

from numpy.typing import NDArray

_Array = NDArray[Any]

def warp(
    array: _Array, matrix: _Array, offset: _Array, displacement: _Array | None, out: _Array, n_threads: int
) -> None: ...
def smooth(fields: _Array, weights: _Array, out: _Array, n_threads: int) -> None: ...
