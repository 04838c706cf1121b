from typing import Any

from fastmlp._core.fits.ties import Ties
from fastmlp._core.sums.batch import Batch
from fastmlp._core.sums.tangents import Tangents

class Minibatches:
    n_steps: int
    def __new__(
        cls,
        batch: Batch,
        batch_size: int,
        n_threads: int,
        n_steps: int = 0,
        ties: Ties | None = None,
        tangents: Tangents | None = None,
    ) -> Minibatches: ...
    def run(
        self,
        vectors: tuple[Any, ...],
        first_step: int,
        n_steps: int,
        rate: float,
        settings: tuple[float, float, float],
    ) -> tuple[float, float]: ...
