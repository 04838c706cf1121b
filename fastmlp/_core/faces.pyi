from typing import Any

from numpy.typing import NDArray

_Array = NDArray[Any]

activation_names: tuple[str, ...]
loss_names: tuple[str, ...]

def activation(name: str, z: _Array, order: int = 2, isa: str | None = None) -> tuple[_Array, ...]: ...
def dense_forward(W: _Array, b: _Array, A: _Array, isa: str | None = None) -> _Array: ...
def dense_backward(W: _Array, D: _Array, factor: _Array | None = None, isa: str | None = None) -> _Array: ...
def dense_gradient(D: _Array, A: _Array, gW: _Array, gb: _Array, add: bool = True, isa: str | None = None) -> None: ...
def rows_forward(W: _Array, b: _Array, A: _Array, isa: str | None = None) -> _Array: ...
def softmax(Z: _Array, isa: str | None = None) -> _Array: ...
def softmax_row(z: _Array, isa: str | None = None) -> _Array: ...
def loss_gradient(
    name: str,
    Z: _Array,
    T: _Array,
    Y: _Array | None = None,
    d1: _Array | None = None,
    weight: _Array | None = None,
    scale: _Array | None = None,
    isa: str | None = None,
) -> tuple[_Array, _Array]: ...
def loss_hessp(
    name: str,
    Z: _Array,
    T: _Array,
    RZ: _Array,
    ggn: bool = False,
    Y: _Array | None = None,
    d1: _Array | None = None,
    d2: _Array | None = None,
    weight: _Array | None = None,
    scale: _Array | None = None,
    isa: str | None = None,
) -> _Array: ...
def vector(name: str, x: _Array, y: _Array | None = None, isa: str | None = None) -> _Array: ...
def decay(
    coefficients: _Array, w: _Array, g: _Array, scale: float, factor: float, isa: str | None = None
) -> tuple[float, _Array]: ...
def finite(x: _Array, isa: str | None = None) -> bool: ...
def choices(together: float, alone: float, n_calls: int, later: float = 0.0) -> list[int]: ...
