from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp._core.fits.ties import Ties
from fastmlp._core.sums.batch import Batch

class Objective:
    def __new__(
        cls,
        batch: Batch,
        factor: float,
        decay: NDArray[np.float64] | None,
        n_threads: int,
        ties: Ties | None = None,
        terms: Any = None,
    ) -> Objective: ...
