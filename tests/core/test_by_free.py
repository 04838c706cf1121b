"""Curvature by the parameters that are free: rows and columns of the whole matrix, and the costs that decide."""

import itertools

import numpy as np
import pytest

from cases import HIDDEN, PAIRS, data, network, plan_of, relative_error
from fastmlp import _core
from fastmlp._core.curvature import matrices
from fastmlp.model import functional

KINDS = ("ggn", "exact", "empirical_fisher")
TOLERANCE = {"float64": 1e-12, "float32": 1e-5}
SHAPES = ([5, 6], [4, 9, 1], [3, 5, 2], [4, 6, 5], [3, 5, 4, 1], [3, 4, 5, 5], [2, 5, 4, 6, 1], [2, 4, 3, 4, 4])
CASES = [
    (layers, pair, HIDDEN[number % len(HIDDEN)])
    for number, (layers, pair) in enumerate(itertools.product(SHAPES, PAIRS))
    if pair[0] != "softmax" or layers[-1] > 1
]
N_SAMPLES = (0, 1, 3, 17, 130, 700)


def bound(net, n_samples, *, weighted=True, isa=None):
    """Samples of a network, with weights, of which one is zero, and precisions of the outputs."""
    X, T = data(net, n_samples)
    weight = scale = None
    if weighted and n_samples:
        weight = np.random.default_rng(n_samples).random(n_samples)
        weight[n_samples // 2] = 0.0
        scale = np.linspace(0.5, 2.0, net.layers[-1]) if net.loss_name == "squared_error" else None
    samples = functional.check_samples(net._architecture, X, T, weight)
    scale = None if scale is None else scale.astype(net.dtype)
    plan = net._architecture.plan if isa is None else plan_of(net, isa)
    return _core.sums.batch.Batch(plan, samples.X, *samples.targets, samples.weight, scale)


def some(net, n, seed=0):
    """Places of n parameters."""
    return np.sort(np.random.default_rng(seed).choice(net.n_params, n, replace=False))


def of(batch, net, kind, chosen=None, n_threads=1):
    return matrices.normal_equations(batch, net.params, kind, n_threads, chosen=chosen)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{case[1][0]}-{case[2]}")
def test_rows_and_columns_of_the_whole_matrix(case, kind, dtype, isa):
    layers, pair, hidden = case
    net = network(layers, hidden, *pair, dtype)
    batch = bound(net, 37, isa=isa)
    value, gradient, whole = of(batch, net, kind)
    formed = set()
    for n in (0, 1, 2, 5, net.n_params // 3, net.n_params // 2, net.n_params):
        chosen = some(net, n)
        own_value, own_gradient, own = of(batch, net, kind, chosen)
        assert own_value == value
        assert relative_error(own_gradient, gradient) <= TOLERANCE[dtype]
        assert np.array_equal(own, own.T)
        assert own.dtype == whole.dtype
        expected = whole[np.ix_(chosen, chosen)]
        assert np.abs(own - expected).max(initial=0.0) <= TOLERANCE[dtype] * np.abs(whole).max()
        formed.add(matrices.describe(batch, kind, chosen)["by_free"])
    assert (True in formed) == (kind != "empirical_fisher")
