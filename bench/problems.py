"""Named problems: shapes from a handful of parameters up to a wide classifier, with random (never constant) data."""

from typing import NamedTuple

import numpy as np

import fastmlp


class Problem(NamedTuple):
    """A network and data that fit it."""

    net: fastmlp.Network
    X: np.ndarray
    T: np.ndarray


SHAPES = {  # layers, hidden, output, samples
    "T1": ([1, 3, 1], "tanh", "identity", 50),
    "T2": ([1, 10, 1], "tanh", "identity", 1000),
    "S1": ([8, 50, 50, 1], "tanh", "identity", 10_000),
    "S2": ([64, 128, 10], "tanh", "softmax", 1797),
    "D1": ([32, 64, 64, 64, 64, 16], "tanh", "identity", 10_000),
    "M1": ([784, 256, 128, 10], "relu", "softmax", 2000),
}


def make(name, dtype="float64"):
    """The problem of that name in one number type."""
    layers, hidden, output, n_samples = SHAPES[name]
    rng = np.random.default_rng(0)
    net = fastmlp.Network(layers, hidden, output, dtype=dtype, rng=0)
    X = rng.normal(size=(n_samples, layers[0])).astype(dtype)
    if output == "softmax":
        return Problem(net, X, rng.integers(layers[-1], size=n_samples))
    return Problem(net, X, rng.normal(size=(n_samples, layers[-1])).astype(dtype))
