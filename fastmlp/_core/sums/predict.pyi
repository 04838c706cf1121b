from collections.abc import Callable
from typing import Any, TypeVar, final

from numpy.typing import NDArray

from fastmlp._core.sums.plan import Plan

_Array = NDArray[Any]
_Method = TypeVar("_Method", bound=Callable[..., _Array])

def predict(plan: Plan, params: _Array, X: _Array, Y: _Array, n_threads: int) -> None: ...

@final
class Function:
    def __new__(cls, plan: Plan, params: _Array) -> Function: ...
    def plain(self, X: Any, out: Any = None, alone: bool = False) -> _Array | None: ...

def plain_first(careful: _Method) -> _Method: ...
