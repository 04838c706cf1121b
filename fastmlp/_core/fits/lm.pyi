from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp._core.fits.journal import Journal
from fastmlp._core.fits.ties import Ties
from fastmlp._core.sums.batch import Batch

STATUS: tuple[str, ...]

class Descent:
    value: float
    penalty: float
    grad_norm: float
    def __new__(
        cls,
        batch: Batch,
        params: NDArray[np.float64],
        factor: float,
        decay: NDArray[np.float64] | None,
        tol: float,
        damping: float,
        n_threads: int,
        state: dict[str, Any] | None = None,
        ties: Ties | None = None,
        terms: Any = None,
    ) -> Descent: ...
    def advance(self, n_steps: int, journal: Journal | None = None) -> str: ...
    @property
    def params(self) -> NDArray[np.float64]: ...
    @property
    def state(self) -> dict[str, Any]: ...
    @property
    def counts(self) -> tuple[int, int, int, int]: ...
