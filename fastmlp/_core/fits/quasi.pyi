import numpy as np
from numpy.typing import NDArray

from fastmlp._core.fits import descent
from fastmlp._core.fits.objective import Objective

class Model:
    def __new__(
        cls, matrix: NDArray[np.float64], is_factor: bool, rows: NDArray[np.intp], V: NDArray[np.float64]
    ) -> Model: ...

class Descent(descent.Descent):
    def __new__(
        cls, objective: Objective, params: NDArray[np.float64], tol: float, model: Model, at_end: bool | None
    ) -> Descent: ...
