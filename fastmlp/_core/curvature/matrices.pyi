from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp._core.sums.batch import Batch

_Array = NDArray[Any]

KINDS: tuple[str, ...]

def normal_equations(
    batch: Batch,
    params: _Array,
    kind: str | int,
    n_threads: int,
    gradient: bool = True,
    matrix: bool = True,
    wide: bool = False,
    chosen: NDArray[np.intp] | None = None,
) -> tuple[float, _Array | None, _Array | None]: ...
def diagonal(batch: Batch, params: _Array, kind: str | int, n_threads: int) -> _Array: ...
def describe(batch: Batch, kind: str | int, chosen: NDArray[np.intp] | None = None) -> dict[str, int]: ...
