"""Sizes of workspaces that no size_t can hold: MemoryError, whatever they would be cut down to."""

import numpy as np
import pytest

import fastmlp
from cases import plan
from fastmlp._core.curvature import matrices
from fastmlp._core.fits import lbfgs, lm, many
from fastmlp._core.fits.objective import Objective
from fastmlp._core.sums.batch import Batch
from fastmlp.optimize.loops import compiled

X = np.random.default_rng(0).normal(size=(50, 3))
OBJECTIVE = fastmlp.Network([3, 4, 1], rng=0).objective(X, np.sin(X.sum(axis=1)))


def vast(*sizes, itemsize=8):
    """A sample, which nobody reads, for a network whose parameters nobody has."""
    row = np.zeros((1, 1), f"f{itemsize}")
    return Batch(plan(sizes, "tanh", "squared_error", itemsize), row, row, None, None, None, None)


@pytest.mark.parametrize("pairs", [2**56, 2**59 - 1, 2**60 - 1, 2**60, 2**61, 2**63 - 1, 2**64 - 2, 2**64 - 1])
def test_pairs_of_lbfgs(pairs):
    options = {"maxcor": pairs, "maxls": 50, "maxfun": 100, "ftol": 0.0}
    with pytest.raises(MemoryError, match="maxcor: expected fewer"):
        lbfgs.Descent(compiled(OBJECTIVE, 1), OBJECTIVE.x0, 1e-6, options)
    problem = [(compiled(OBJECTIVE, 1), OBJECTIVE.x0, 1e-6)], "lbfgs"
    with pytest.raises(MemoryError, match="a smaller maxcor"):
        many.train(*problem, {**options, "max_iter": pairs}, 1.0, 1)
    many.train(*problem, {**options, "max_iter": 3}, 1.0, 1)  # for three steps


#: P^2, or the products of units or those of activations, are 2^64 or more
SIZES = [(1, 2**30, 1), (1, 2**31, 1), (1, 2**32, 1), (2**32, 1), (1, 2**16, 2**16, 1), (1, 2**20 - 1, 2**19, 2),
         (2, 2**33, 5)]  # fmt: skip


@pytest.mark.parametrize("itemsize", [4, 8])
@pytest.mark.parametrize("sizes", SIZES)
def test_matrices_of_parameters(sizes, itemsize):
    batch = vast(*sizes, itemsize=itemsize)
    params = np.zeros(1, f"f{itemsize}")
    options = {"damping": 1e-3, "ftol": 0.0, "max_iter": 10}
    with pytest.raises(MemoryError):
        lm.Descent(Objective(batch, 1.0, None, 2), np.zeros(1), 1e-6, options)
    with pytest.raises(MemoryError):
        many.train([(Objective(batch, 1.0, None, 1), np.zeros(1), 1e-6)], "lm", options, 1.0, 1)
    for kind in ("ggn", "exact", "empirical_fisher"):
        with pytest.raises(MemoryError):
            matrices.normal_equations(batch, params, kind, 2)
        assert matrices.describe(batch, kind)["bytes"] >= 2**42
