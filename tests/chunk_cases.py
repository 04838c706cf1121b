"""Samples, whole and cut into chunks, and chunks that fail."""

import numpy as np

import fastmlp

N, ROWS = 700, 128
TANGENTS = fastmlp.TangentPropagation(np.eye(3), 1.0)
DECAY = fastmlp.WeightDecay(0.05, 0.05)


def samples(dtype=np.float64, offset=0.0):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(N, 3))
    T = np.sin(2 * X[:, :1]) + np.tanh(X[:, 1:2] * X[:, 2:]) + 0.1 * rng.normal(size=(N, 1))
    return (X + offset).astype(dtype), (T + offset).astype(dtype)


def network(dtype="float64", **named):
    return fastmlp.Network([3, 4, 1], rng=3, dtype=dtype, **named)


def posterior(chunks):
    net = network()
    net.fit(chunks, method="lm", penalty=DECAY, tol=1e-9)
    return fastmlp.Laplace(net, chunks, penalty=DECAY)


class Failing:
    """A chunk that can be read some times."""

    def __init__(self, parts, times, error):
        self.parts, self.times, self.error = parts, times, error

    def __call__(self):
        self.times -= 1
        if self.times < 0:
            raise self.error
        return self.parts


def cut(X, T, rows=ROWS):
    return [(X[i : i + rows], T[i : i + rows]) for i in range(0, len(X), rows)]


class Stored:
    """An array that lies in a file, as those of zarr and h5py do; notes what is read."""

    def __init__(self, array):
        self._array, self.shape, self.dtype, self.reads = array, array.shape, array.dtype, []

    def __getitem__(self, rows):
        self.reads.append((rows.start, rows.stop))
        return self._array[rows].copy()
