"""What annotations call that which users hand in and get back, said once.

`X: ArrayLike` is whatever `_validation.real_array` takes: arrays, frames, nested sequences of real numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

if TYPE_CHECKING:  # need not be installed, or are imported late
    from matplotlib.axes import Axes
    from pandas import DataFrame
    from scipy.sparse.linalg import LinearOperator
else:
    Axes = DataFrame = LinearOperator = Any

__all__ = [
    "Array", "ArrayLike", "Augment", "Axes", "Chosen", "DTypeLike", "DataFrame", "Float", "Index", "LinearOperator",
    "Mask", "Precision", "Seed", "Tied", "Validation",
]  # fmt: skip

# ---- arrays that come out ----

Array: TypeAlias = NDArray[Any]  #: of the network's type, float32 or float64, where nothing else is said
Float: TypeAlias = NDArray[np.float64]
Index: TypeAlias = NDArray[np.intp]
Mask: TypeAlias = NDArray[np.bool_]

# ---- what goes in ----

#: of generators: everything that ``numpy.random.default_rng`` takes
Seed: TypeAlias = (
    "int | Sequence[int] | np.random.SeedSequence | np.random.BitGenerator | np.random.Generator"
    " | np.random.RandomState | None"
)
#: some of the parameters: names such as "W1[:,0]", indices, or a mask
Chosen: TypeAlias = "str | Sequence[str | int] | ArrayLike"
#: sets of parameters that are shared: names and indices, or with a coefficient for each
Tied: TypeAlias = "Sequence[Chosen | Mapping[str | int, float]]"
#: samples that are held back: a fraction, or a pair (X, T)
Validation: TypeAlias = "float | tuple[ArrayLike, ArrayLike]"
#: of parameters: one number, by groups, or for each
Precision: TypeAlias = "float | Mapping[str, float] | ArrayLike"
#: a random change (X, rng) of rows X that leaves their targets as they are
Augment: TypeAlias = Callable[[Array, "np.random.Generator"], Array]
