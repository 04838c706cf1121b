from typing import Any

from numpy.typing import NDArray

from fastmlp._core.sums.tangents import Tangents

_Array = NDArray[Any]

def products(tangents: Tangents, params: _Array, V: _Array, exact: bool, n_threads: int) -> _Array: ...
