from typing import Any

from numpy.typing import NDArray

from fastmlp._core.sums.batch import Batch

_Array = NDArray[Any]
_Set = tuple[_Array, _Array | None, float, bool]

class Tangents:
    n_rows: int
    def __new__(cls, batch: Batch, sets: tuple[_Set, ...]) -> Tangents: ...
    def value(self, params: _Array, n_threads: int, with_loss: bool = False) -> tuple[float, float]: ...
    def value_and_grad(
        self, params: _Array, n_threads: int, with_loss: bool = False
    ) -> tuple[float, float, _Array]: ...
