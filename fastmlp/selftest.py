"""`python -m fastmlp --selftest`: whether this build computes on this machine what the formulas say.

For each activation and each loss, in both number types, outputs, loss and gradient are compared with a second
implementation: the formulas in NumPy as a textbook has them, differentiated by the complex step,
dE/dw = Im E(w + ih) / h, which knows nothing of back-propagation and is exact to rounding. Needs nothing but the
library itself. This is a program: it prints.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import fastmlp
from fastmlp import _memory
from fastmlp._types import Array
from fastmlp.config import config
from fastmlp.model import activations, losses
from fastmlp.model.activations import Activation

TOLERANCE = {"float64": 1e-12, "float32": 1e-5}
STEP = 1e-30
N_SAMPLES = 9  # one more than the path for single rows takes


def _logistic(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def _gelu(z: Array) -> Array:
    h: Array = z * (1 + _memory.scipy("special").erf(z / np.sqrt(2))) / 2
    return h


#: h(z), for complex z.
ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "identity": lambda z: z,
    "tanh": np.tanh,
    "logistic": _logistic,
    "relu": lambda z: np.where(z.real > 0, z, 0),
    "leaky_relu": lambda z: np.where(z.real > 0, z, 0.01 * z),
    "softplus": lambda z: np.log(1 + np.exp(z)),
    "elu": lambda z: np.where(z.real > 0, z, np.exp(z) - 1),
    "silu": lambda z: z * _logistic(z),
    "gelu": _gelu,
    "sin": np.sin,
    "exp": np.exp,
    "softmax": lambda z: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True),
}
#: E(y, t), a sum over samples and outputs, for complex y.
LOSSES: dict[str, Callable[[Array, Array], Any]] = {
    "squared_error": lambda y, t: ((y - t) ** 2).sum() / 2,
    "binary_cross_entropy": lambda y, t: -(t * np.log(y) + (1 - t) * np.log(1 - y)).sum(),
    "cross_entropy": lambda y, t: -(t * np.log(y)).sum(),
    "poisson": lambda y, t: (y - t * np.log(y)).sum(),
}


def run() -> bool:
    """Run all checks and print a table; whether all passed."""
    build = config()
    print(f"fastmlp {build['fastmlp']}, instruction set {build['instruction set']}, {build['threads']} threads")
    print("Largest relative error of outputs, loss and gradient against formulas in NumPy:")
    print(f"{'':<42}{'float64':<12}float32")
    outcomes: list[bool] = []
    for name, cells in _rows():
        outcomes += [passed for _, passed in cells]
        texts = [text if passed else f"{text} FAILED" for text, passed in cells]
        print(f"{name:<42}{texts[0]:<12}{texts[1]}")
    n_failed = outcomes.count(False)
    if n_failed:
        print(f"{n_failed} of {len(outcomes)} checks FAILED: this build is not to be used")
    else:
        print(f"all {len(outcomes)} checks passed")
    return n_failed == 0


def _rows() -> Iterator[tuple[str, list[tuple[str, bool]]]]:
    """Name of each check, and for float64 and float32 what to show and whether it passed."""
    for hidden in activations.HIDDEN:
        yield f"hidden {hidden}", [_error(hidden, "identity", "squared_error", dtype) for dtype in TOLERANCE]
    for output in activations.OUTPUT:
        for loss in map(str, losses.fitting(Activation(output))):
            yield f"output {output}, {loss}", [_error("tanh", output, loss, dtype) for dtype in TOLERANCE]
    yield "a file gives the network back", [_same(_saved_and_loaded, dtype) for dtype in TOLERANCE]
    yield "1, 2 and 3 threads give the same bits", [_same(_same_bits_on_threads, dtype) for dtype in TOLERANCE]


def _error(hidden: str, output: str, loss: str, dtype: str) -> tuple[str, bool]:
    """Compare a small network with the formulas."""
    rng = np.random.default_rng(0)
    net = fastmlp.Network([3, 5, 4, 2], hidden, output, loss, dtype, rng, init="normal")
    X = rng.normal(size=(N_SAMPLES, 3)).astype(dtype)
    T = rng.random((N_SAMPLES, 2)).astype(dtype)
    if net._architecture.loss.couples_outputs:
        T[:, 1] = 1 - T[:, 0]
    value, gradient = net.loss_and_grad(X, T)
    outputs, expected_value, expected_gradient = _by_formula(net, X.astype(float), T.astype(float))
    row_by_row = np.concatenate([net(x[np.newaxis]) for x in X])
    pairs = ((net(X), outputs), (row_by_row, outputs), (value, expected_value), (gradient, expected_gradient))
    error = float(np.max([_relative(*pair) for pair in pairs]))  # nan if any of them is, which fails
    return f"{error:.0e}", error <= TOLERANCE[dtype]


def _relative(computed: Any, expected: Any) -> float:
    return float(np.max(abs(computed - expected)) / np.max(abs(expected)))


def _by_formula(net: fastmlp.Network, X: Array, T: Array) -> tuple[Array, float, Array]:
    """Outputs, loss and gradient by the formulas and the complex step."""
    names = (*net.hidden, net.output)

    def evaluate(params: Array) -> tuple[Array, Any]:
        parts = [params[part] for part in net.groups.values()]
        a = X
        for W, b, name in zip(parts[::2], parts[1::2], names, strict=True):
            a = ACTIVATIONS[name](a @ W.reshape(len(b), -1).T + b)
        return a, LOSSES[net.loss_name](a, T)

    params = net.params.astype(complex)
    Y, value = evaluate(params)
    slopes = [evaluate(params + 1j * STEP * direction)[1].imag / STEP for direction in np.eye(net.n_params)]
    return Y.real, float(value.real), np.array(slopes)


def _same(check: Callable[[str], bool], dtype: str) -> tuple[str, bool]:
    passed = check(dtype)
    return "yes" if passed else "no", passed


def _saved_and_loaded(dtype: str) -> bool:
    net = fastmlp.Network([4, 5, 3], ["sin"], "softmax", dtype=dtype, rng=0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "network.npz")
        net.save(path)
        return bool(fastmlp.load(path) == net)


def _same_bits_on_threads(dtype: str) -> bool:
    """Prediction, gradient and an epoch of training on enough samples for several threads."""
    rng = np.random.default_rng(0)
    X, T = rng.normal(size=(2000, 20)), rng.normal(size=(2000, 5))
    outcomes = set()
    for n_threads in (1, 2, 3):
        net = fastmlp.Network([20, 30, 5], dtype=dtype, rng=0)
        Y, gradient = net.predict(X, n_threads=n_threads), net.loss_and_grad(X, T, n_threads=n_threads)[1]
        net.fit(X, T, "adam", max_iter=1, batch_size=1000, rng=0, n_threads=n_threads)
        outcomes.add((Y.tobytes(), gradient.tobytes(), net.params.tobytes()))
    return len(outcomes) == 1
