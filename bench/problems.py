"""Named problems, from a handful of parameters up to a wide classifier, with random (never constant) data.

T1 ... L1 are the shapes that goals are set for; odd widths, deep and thin, one output, many outputs keep the library
honest on shapes nobody tuned it for. G1 and what follows it are for curvature, whose cost grows with the square of the
number of parameters: G3 and S3 are G1 and S1 with three outputs, A5 and A20 as large as the diabetes data.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

import fastmlp

SHAPES = {  # layers, hidden, output, samples
    "T1": ([1, 3, 1], "tanh", "identity", 50),
    "T2": ([1, 10, 1], "tanh", "identity", 1000),
    "S1": ([8, 50, 50, 1], "tanh", "identity", 10_000),
    "S2": ([64, 128, 10], "tanh", "softmax", 1797),
    "D1": ([32, 64, 64, 64, 64, 16], "tanh", "identity", 10_000),
    "M1": ([784, 256, 128, 10], "relu", "softmax", 10_000),
    "L1": ([784, 1024, 1024, 10], "relu", "softmax", 10_000),
    "odd": ([13, 37, 29, 3], "tanh", "identity", 5000),
    "thin": ([6, *[10] * 8, 1], "tanh", "identity", 5000),
    "one": ([20, 100, 1], "tanh", "identity", 5000),
    "many": ([50, 100, 300], "tanh", "softmax", 2000),
    "G1": ([8, 20, 1], "tanh", "identity", 10_000),
    "G3": ([8, 20, 3], "tanh", "identity", 10_000),
    "S3": ([8, 50, 50, 3], "tanh", "identity", 10_000),
    "H1": ([4, 30, 3], "tanh", "identity", 1000),
    "D64": ([64, 16, 10], "tanh", "softmax", 1797),
    "A5": ([10, 5, 1], "tanh", "identity", 442),
    "A20": ([10, 20, 1], "tanh", "identity", 442),
}
DTYPES = ("float64", "float32")
DOUBLE_ONLY = ("lm20",)
SWEPT = ("T1", "T2", "S1", "S2", "D1", "M1", "L1", "odd", "thin", "one", "many")
_PRODUCTS = {"S1": 10_000, "D1": 10_000, "M1": 10_000, "D64": 1797}
CURVED = {  # operations on derivatives beyond the gradient: the shapes they take, and how many samples
    "input_jacobian": {"S1": 10_000, "S2": 1797, "D1": 10_000, "S3": 10_000},
    "param_jacobian": {"T2": 1000, "S1": 1000, "S3": 1000, "D64": 200},
    "ggn": {
        "T2": 1000, "G1": 10_000, "G3": 10_000, "S1": 2500, "S3": 2500, "H1": 1000, "D64": 1797, "A5": 442, "A20": 442,
    },
    "hessian": {"T2": 1000, "G1": 1000, "H1": 1000, "D64": 1797, "A20": 442},
    "hessp": _PRODUCTS,
    "ggnp": _PRODUCTS,
    "hessp8": {"S1": 10_000, "D1": 10_000},
    "ggnp8": {"S1": 10_000, "D1": 10_000},
    "lm20": {"A5": 442, "A20": 442},
}  # fmt: skip


class Problem(NamedTuple):
    """A network and data that fit it; shared by all contestants, changed by none."""

    net: fastmlp.Network
    X: np.ndarray
    T: np.ndarray

    @property
    def arrays(self) -> list[np.ndarray]:
        """Copies of the starting values: W1, b1, W2, b2, ..."""
        return [array.copy() for pair in zip(self.net.weights, self.net.biases, strict=True) for array in pair]

    @property
    def one_hot(self) -> np.ndarray:
        """The labels as rows of zeros and a one, in the network's type."""
        return np.eye(self.net.layers[-1], dtype=self.net.dtype)[self.T]

    def directions(self, m: int) -> np.ndarray:
        """Random columns (P, m) for products with curvature."""
        return np.random.default_rng(1).normal(size=(self.net.params.size, m)).astype(self.net.dtype)


def shapes_of(operation: str) -> tuple[str, ...]:
    """The shapes that an operation is measured at."""
    return tuple(CURVED.get(operation, SWEPT))


def dtypes_of(operation: str) -> tuple[str, ...]:
    """The number types that an operation is measured in."""
    return DTYPES[:1] if operation in DOUBLE_ONLY else DTYPES


def samples_of(operation: str, shape: str, most_samples: int | None = None) -> int:
    """How many samples of the shape an operation takes, if there may be `most_samples`."""
    n_samples = CURVED.get(operation, {}).get(shape, SHAPES[shape][3])
    return min(n_samples, most_samples or n_samples)


def make(name: str, dtype: str = "float64", most_samples: int | None = None) -> Problem:
    """The problem of that name in one number type, cut to `most_samples`."""
    layers, hidden, output, n_samples = SHAPES[name]
    n_samples = min(n_samples, most_samples or n_samples)
    rng = np.random.default_rng(0)
    net = fastmlp.Network(layers, hidden, output, dtype=dtype, rng=0)
    X = rng.normal(size=(n_samples, layers[0])).astype(dtype)
    if output == "softmax":
        return Problem(net, X, rng.integers(layers[-1], size=n_samples))
    return Problem(net, X, rng.normal(size=(n_samples, layers[-1])).astype(dtype))


def epoch_orders(n_samples: int, seed: int = 0) -> Iterator[np.ndarray]:
    """Order of the samples in each epoch, as ``fit(rng=seed)`` draws it; drawing it is part of everybody's epoch."""
    rng = np.random.default_rng(seed)
    while True:
        order = np.arange(n_samples)
        rng.shuffle(order)
        yield order
