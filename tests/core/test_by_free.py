"""Curvature by the parameters that are free: rows and columns of the whole matrix, and the costs that decide."""

import itertools

import numpy as np
import pytest

import fastmlp
from cases import HIDDEN, PAIRS, data, network, plan_of, relative_error
from fastmlp import _core
from fastmlp._core.curvature import matrices
from fastmlp._core.fits import lm
from fastmlp.model import functional
from fastmlp.optimize.loops import compiled
from specimens import Averages, Diagonal

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
    return _core.sums.batch.Batch(plan, samples.X, *samples.targets[:3], samples.weight, scale)


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
    assert True in formed


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_samples", N_SAMPLES)
@pytest.mark.parametrize("layers", [[4, 9, 1], [3, 5, 4, 2], [3, 4, 5, 5]], ids=str)
def test_any_number_of_samples_in_blocks_and_slots(layers, n_samples, kind, dtype):
    net = network(layers, dtype=dtype)
    for weighted in (False, True):
        batch = bound(net, n_samples, weighted=weighted)
        whole = of(batch, net, kind)[2]
        for n in (3, net.n_params // 4):
            chosen = some(net, n, seed=1)
            expected = whole[np.ix_(chosen, chosen)]
            got = of(batch, net, kind, chosen)[2]
            assert np.abs(got - expected).max() <= TOLERANCE[dtype] * np.abs(whole).max()


def test_the_same_bits_for_any_number_of_threads():
    net = network([6, 12, 8, 2])
    batch, chosen = bound(net, 5000), some(net, 60)
    assert matrices.describe(batch, "exact", chosen)["n_slots"] > 2
    one = of(batch, net, "exact", chosen)
    for n_threads in (2, 3, 8):
        value, gradient, matrix = of(batch, net, "exact", chosen, n_threads)
        assert value == one[0]
        assert np.array_equal(gradient, one[1])
        assert np.array_equal(matrix, one[2])


@pytest.mark.parametrize("output", ["identity", "softmax"])
def test_without_residuals_the_hessian_is_the_gauss_newton_matrix_to_the_bit(output):
    net = network([3, 5, 4, 3], output=output)
    X = np.random.default_rng(0).normal(size=(60, 3))
    T = net(X)
    if output == "softmax":  # whose deltas would be rounding
        net.params, T = 0 * net.params, np.full((60, 3), 1 / 3)
    batch, chosen = (
        functional.bind(net._architecture, functional.check_samples(net._architecture, X, T, None)),
        some(net, 12),
    )
    assert np.array_equal(of(batch, net, "exact", chosen)[2], of(batch, net, "ggn", chosen)[2])


@pytest.mark.parametrize("layers", [[10, 16, 1], [8, 30, 30, 1], [10, 16, 6]], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_work_follows_the_parameters_up_to_that_of_the_whole_matrix(layers, kind):
    """In one run, without a cliff: by free parameters as long as that takes fewer products."""
    net = network(layers)
    batch, order = bound(net, 442), np.random.default_rng(0).permutation(net.n_params)
    all_of_it = matrices.describe(batch, kind, np.arange(net.n_params))
    assert not all_of_it["by_free"]
    told = [matrices.describe(batch, kind, np.sort(order[:n])) for n in range(1, net.n_params, 7)]
    work = [each["n_products"] for each in told]
    by_free = [each["by_free"] for each in told]
    last = by_free.index(False)
    assert 0.3 * len(told) < last
    assert by_free == [number < last for number in range(len(told))]
    assert all(a <= b for a, b in itertools.pairwise(work[:last]))
    assert work[2] < 0.25 * all_of_it["n_products"]


def test_none_of_two_parameters():
    """Fewer numbers than a unit takes."""
    net = network([1, 1])
    batch = bound(net, 5)
    for kind in KINDS:
        for n in range(3):
            chosen = np.arange(n)
            assert of(batch, net, kind, chosen)[2].shape == (n, n)


def test_large_sets_are_summed_band_by_band():
    net = network([20, 30, 1])
    batch, chosen = bound(net, 300), some(net, 320)
    assert matrices.describe(batch, "exact", chosen)["by_free"]
    whole = of(batch, net, "exact")[2]
    assert relative_error(of(batch, net, "exact", chosen)[2], whole[np.ix_(chosen, chosen)]) < 1e-12


@pytest.mark.parametrize("kind", KINDS)
def test_layers_of_other_kinds_give_the_columns_of_what_is_chosen(kind, dtype):
    net = network([4, Diagonal(), 6, Averages(2), 2], dtype=dtype)
    batch = bound(net, 600)
    whole = of(batch, net, kind)[2]
    for n in (0, 1, 5, net.n_params):
        chosen = some(net, n)
        expected = whole[np.ix_(chosen, chosen)]
        assert relative_error(of(batch, net, kind, chosen)[2], expected) <= TOLERANCE[dtype]


@pytest.mark.parametrize("n_samples", [40, 442, 1500])
@pytest.mark.parametrize("layers", [[4, 9, 1], [3, 5, 4, 2]], ids=str)
@pytest.mark.parametrize(
    "tied", [None, [["W1[0,0]", "W1[1,0]"], {"W1[2,0]": 1.0, "W1[0,1]": -2.0}]], ids=["fixed", "tied"]
)
def test_solvers_have_the_same_matrices(tied, layers, n_samples, dtype):
    """Value, gradient and Hessian where a fit has just arrived, samples held or not."""
    net = network(layers, dtype=dtype)
    X, T = data(net, n_samples)
    held = np.delete(np.arange(net.n_params), [*range(12), *some(net, net.n_params // 4)])
    objective = net.objective(X, T, penalty=fastmlp.WeightDecay(0.3, 0.1), fixed=held, tied=tied)
    run = lm.Descent(compiled(objective, 1), objective.x0, 1e30, {"damping": 1e-3})
    assert run.advance(5) in ("converged", "running")
    value, gradient = objective.value_and_grad(run.params)
    assert run.value + objective.constant == pytest.approx(value, rel=1e-12 if dtype == "float64" else 1e-5)
    assert relative_error(run.gradient, gradient) < TOLERANCE[dtype]
    whole = net.objective(X, T)
    net_hessian = whole.hess(objective.expand(run.params))
    expected = objective.free.project(net_hessian) + np.diag(objective.decay)
    assert relative_error(run.matrix, expected) < 10 * TOLERANCE[dtype]
    assert relative_error(objective.hess(run.params), expected) < 10 * TOLERANCE[dtype]
    ggn = objective.free.project(whole.ggn(objective.expand(run.params))) + np.diag(objective.decay)
    assert relative_error(objective.ggn(run.params), ggn) < 10 * TOLERANCE[dtype]
    assert relative_error(objective.normal_equations(run.params)[2], ggn) < 10 * TOLERANCE[dtype]
