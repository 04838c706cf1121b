import numpy as np
from numpy.typing import NDArray

from fastmlp._core.fits import descent
from fastmlp._core.fits.objective import Objective

class Descent(descent.Descent):
    def __new__(
        cls,
        objective: Objective,
        params: NDArray[np.float64],
        tol: float,
        model: NDArray[np.float64],
        at_end: bool | None,
        rows: NDArray[np.intp] | None = None,
        V: NDArray[np.float64] | None = None,
    ) -> Descent: ...
