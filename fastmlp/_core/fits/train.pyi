from typing import Any

from numpy.typing import NDArray

from fastmlp._core.fits.ties import Ties
from fastmlp._core.sums.batch import Batch

_Array = NDArray[Any]

class Minibatches:
    n_steps: int
    def __new__(
        cls, batch: Batch, batch_size: int, n_threads: int, n_steps: int = 0, ties: Ties | None = None
    ) -> Minibatches: ...
    def sgd(
        self,
        w: _Array,
        order: _Array,
        decay: _Array | None,
        g: _Array,
        v: _Array,
        first_step: int,
        n_steps: int,
        rate: float,
        momentum: float,
        nesterov: bool,
        of_steps: bool = False,
    ) -> tuple[float, float]: ...
    def adam(
        self,
        w: _Array,
        order: _Array,
        decay: _Array | None,
        g: _Array,
        m: _Array,
        v: _Array,
        first_step: int,
        n_steps: int,
        rate: float,
        b1: float,
        b2: float,
        epsilon: float,
    ) -> tuple[float, float]: ...
