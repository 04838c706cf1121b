from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp._core.fits.span import Span
from fastmlp._core.fits.ties import Ties
from fastmlp._core.sums.batch import Batch
from fastmlp._core.sums.tangents import Tangents

class Objective:
    def __new__(
        cls,
        batch: Batch | None,
        factor: float,
        decay: NDArray[np.float64] | None,
        n_threads: int,
        ties: Ties | None = None,
        terms: Any = None,
        tangents: Tangents | None = None,
        span: Span | None = None,
        chunks: Any = None,
    ) -> Objective: ...
