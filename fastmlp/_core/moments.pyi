from typing import Any

import numpy as np
from numpy.typing import NDArray

def moments(array: NDArray[Any], weight: NDArray[Any] | None, step: int = 1) -> tuple[NDArray[np.float64], float]: ...
def largest(vector: NDArray[Any]) -> float: ...
