"""Arguments that change others while they are looked at, and what they are given to."""

import numpy as np
import pytest

import fastmlp

D, K = 4, 2
LAYERS = [D, 3, K]
SIZES = [1, 9, 130]


class Array:
    """An array-like that gives `target` another shape, or other numbers, whenever it is looked at."""

    def __init__(self, array, target, change):
        self.array, self.target, self.change = array, target, change

    def __array__(self, dtype=None, copy=None):
        self.change(self.target)
        return np.array(self.array, dtype)

    def __len__(self):
        self.change(self.target)
        return len(self.array)


class Threads(int):
    """An integer that does the same when it is compared or converted."""

    def __new__(cls, target, change):
        result = super().__new__(cls, 1)
        result.target, result.change = target, change
        return result

    def _hook(self, *_):
        self.change(self.target)
        return NotImplemented

    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = _hook
    __hash__ = int.__hash__

    def __index__(self):
        self.change(self.target)
        return 1

    __int__ = __index__


def taller(X):
    """Twice the rows, half the columns."""
    X.shape = (2 * X.shape[0], X.shape[1] // 2) if X.ndim == 2 and X.shape[1] == D else (-1, D)


def flat(X):
    X.shape = (-1,)


def shorter(X):
    if X.size % (2 * D) == 0:
        X.shape = (X.size // (2 * D), 2 * D)


CHANGES = [taller, flat, shorter]


def values(n, dtype):
    rng = np.random.default_rng(n)
    return {
        "X": rng.normal(size=(n, D)).astype(dtype),
        "T": rng.normal(size=(n, K)).astype(dtype),
        "sample_weight": rng.uniform(0.5, 2.0, n).astype(dtype),
        "v": rng.normal(size=net_of(dtype).n_params).astype(dtype),
        "u": rng.normal(size=net_of(dtype).n_params).astype(dtype),
        "U": rng.normal(size=(n, K)).astype(dtype),
        "sigma": rng.uniform(0.5, 2.0, (n, K)).astype(dtype),
        "tau": rng.normal(size=(n, 2, D)).astype(dtype),
        "slopes": rng.normal(size=(n, 2, K)).astype(dtype),
        "displacement": rng.normal(size=(2, n, D)).astype(dtype),
        "labels": rng.integers(0, K, n),
        "noise": rng.uniform(0.5, 2.0, K),  # precisions, of each output
        "precision": rng.uniform(0.5, 2.0, net_of(dtype).n_params),  # of each parameter
        "cov": np.eye(D) + 0.1,
        "chosen": np.arange(0, net_of(dtype).n_params, 3),  # some parameters
        "held_X": rng.normal(size=(6, D)).astype(dtype),
        "held_labels": np.arange(6) % K,
        "held_T": rng.normal(size=(6, K)).astype(dtype),
        "n_threads": 1,
    }


def net_of(dtype):
    return fastmlp.Network(LAYERS, dtype=dtype, rng=1)


ACCEPTED = pytest.mark.filterwarnings(
    "ignore::fastmlp.ScaleWarning", "ignore::fastmlp.PosteriorWarning", "ignore:Setting the shape:DeprecationWarning"
)
