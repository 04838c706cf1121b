from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp._core.sums.batch import Batch

ENDINGS: tuple[str, ...]
RECORD: np.dtype[Any]

def train(
    batches: list[Batch],
    params: list[NDArray[np.float64]],
    decays: list[NDArray[np.float64] | None],
    tols: list[float],
    ftol: float,
    max_iter: int,
    method: str,
    options: dict[str, Any],
    seconds: float,
    n_threads: int,
    records: NDArray[Any] | None = None,
) -> NDArray[Any]: ...
def unwritten(n_jobs: int) -> NDArray[Any]: ...
