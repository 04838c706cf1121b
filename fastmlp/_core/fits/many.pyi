from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp._core.fits.objective import Objective

RECORD: np.dtype[Any]

def train(
    fits: list[tuple[Objective, NDArray[np.float64], float]],
    method: str,
    options: dict[str, Any],
    seconds: float,
    n_threads: int,
    records: NDArray[Any] | None = None,
) -> NDArray[Any]: ...
def unwritten(n_jobs: int) -> NDArray[Any]: ...
