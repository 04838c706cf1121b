from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp._core.fits import descent
from fastmlp._core.fits.objective import Objective

class Descent(descent.Descent):
    def __new__(
        cls,
        objective: Objective | None,
        params: NDArray[np.float64],
        tol: float,
        options: dict[str, Any],
        state: dict[str, Any] | None = None,
    ) -> Descent: ...
    @property
    def state(self) -> dict[str, Any]: ...
