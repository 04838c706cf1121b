"""Directions of inputs and derivatives of targets, for the tests of `TangentPropagation` and derivative data."""

import numpy as np

from cases import data


def drawn(net, n_samples=20, n_tangents=2, seed=0):
    rng = np.random.default_rng([seed, n_samples])
    X, T = data(net, n_samples)
    tau = rng.normal(size=(n_samples, n_tangents, net.layers[0]))
    return X, T, tau, rng.normal(size=(n_samples, n_tangents, net.layers[-1])), rng.random(n_samples)


def surface(X):
    return np.sin(3 * X[:, 0]) * np.cos(2 * X[:, 1]) + 0.5 * X[:, 0] * X[:, 1]


def slopes(X):
    a, b = 3 * X[:, 0], 2 * X[:, 1]
    return np.stack([3 * np.cos(a) * np.cos(b) + 0.5 * X[:, 1], -2 * np.sin(a) * np.sin(b) + 0.5 * X[:, 0]], axis=1)
