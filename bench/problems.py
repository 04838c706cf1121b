"""Named problems, from a handful of parameters up to a wide classifier, with random (never constant) data.

T1 ... L1 are the shapes that goals are set for; the others (odd widths, deep and thin, one output, many outputs) keep
the library honest on shapes nobody tuned it for.
"""

from collections.abc import Iterator
from itertools import pairwise
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
}
DTYPES = ("float64", "float32")


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


def flops(layers: tuple[int, ...], n_samples: int, backward: bool) -> int:
    """Floating-point operations of the matrix products: two for each multiply-add; activations do not count.

    Forward: one multiply-add for each weight and sample. Backward: as many again for the weights' gradient, and for the
    deltas of all layers but the first, whose inputs need none.
    """
    weights = [n_in * n_out for n_in, n_out in pairwise(layers)]
    return 2 * n_samples * (sum(weights) + backward * (sum(weights) + sum(weights[1:])))
