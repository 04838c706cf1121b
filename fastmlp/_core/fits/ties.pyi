import numpy as np
from numpy.typing import NDArray

class Ties:
    def __new__(
        cls, index: NDArray[np.intp], coefficient: NDArray[np.float64], offset: NDArray[np.float64], n: int
    ) -> Ties: ...
