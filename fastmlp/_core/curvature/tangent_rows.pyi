from typing import Any

from numpy.typing import NDArray

from fastmlp._core.sums.tangents import Tangents

_Array = NDArray[Any]

def gauss_newton(tangents: Tangents, params: _Array, n_threads: int) -> _Array: ...
def rows(tangents: Tangents, params: _Array, n_threads: int) -> _Array: ...
