import numpy as np
from numpy.typing import NDArray

_Float = NDArray[np.float64]

def decomposed(rows: _Float) -> tuple[_Float, _Float, _Float]: ...
