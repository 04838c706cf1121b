"""Samples, targets of each kind and small estimators, for the tests of `MLPRegressor` and `MLPClassifier`."""

import numpy as np

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 3))
Y = np.c_[np.sin(X[:, 0]) + X[:, 1] ** 2, X @ [1.0, -2.0, 0.5]] + 0.3 * RNG.normal(size=(90, 2))
y = Y[:, 0]
COUNTS = RNG.poisson(np.exp(0.5 * X[:, 0] + 0.3))
BINARY = (y > 0.7).astype(int)
LABELS = np.digitize(y, [0.3, 1.3])
SEVERAL = (Y > [0.7, 0.0]).astype(int)
WEIGHT = RNG.uniform(0.2, 3.0, 90)
SMALL = {"hidden_layer_sizes": (4,), "activation": "tanh", "random_state": 0}


def small(cls, solver="lm", **arguments):
    return cls(**{**SMALL, "solver": solver, **arguments})


def vector(model):
    return np.hstack([array.ravel() for array in (*model.coefs_, *model.intercepts_)])
