from typing import Any

import numpy as np
from numpy.typing import NDArray

def moments(
    array: NDArray[Any], weight: NDArray[Any] | None, roundings: tuple[int, int]
) -> tuple[NDArray[np.float64], float]: ...
def ends(array: NDArray[Any], weight: NDArray[Any] | None) -> tuple[NDArray[np.float64], int, float]: ...
def powers(ends: NDArray[np.float64]) -> NDArray[np.float64]: ...
def sums(
    array: NDArray[Any],
    weight: NDArray[Any] | None,
    p: NDArray[np.float64],
    middle: NDArray[np.float64] | None,
    largest: float,
) -> tuple[NDArray[np.float64], float]: ...
def told(
    ends: NDArray[np.float64],
    p: NDArray[np.float64],
    middle: NDArray[np.float64],
    sums: NDArray[np.float64],
    total: float,
    count: int,
    single: bool,
    roundings: tuple[int, int],
) -> NDArray[np.float64]: ...
def scaled(
    array: NDArray[Any], shift: NDArray[np.float64], scale: NDArray[np.float64], slack: NDArray[np.float64]
) -> NDArray[Any]: ...
def largest(vector: NDArray[Any]) -> float: ...
