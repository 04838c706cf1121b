from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

def moments(
    parts: Iterable[tuple[NDArray[Any], NDArray[Any] | None]], m: int, single: bool, roundings: tuple[int, int]
) -> tuple[NDArray[np.float64], float]: ...
def scaled(
    array: NDArray[Any], shift: NDArray[np.float64], scale: NDArray[np.float64], slack: NDArray[np.float64]
) -> NDArray[Any]: ...
def largest(vector: NDArray[Any]) -> float: ...
