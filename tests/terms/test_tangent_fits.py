"""Fits with tangent propagation: by every method, in minibatches, standardised, validated, warm."""

import tracemalloc

import numpy as np
import pytest

import fastmlp
from cases import network, relative_error
from fastmlp import TangentPropagation, WeightDecay
from fastmlp._core.fits.train import Minibatches
from fastmlp._core.sums.batch import Batch
from fastmlp._core.sums.tangents import Tangents
from fastmlp.model.functional import check_samples
from tangent_cases import drawn

FULL_BATCH = ("lm", "lbfgs", "scg", "l-bfgs-b", "newton-cg", "trust-ncg", "trust-exact")


@pytest.mark.parametrize("method", FULL_BATCH)
def test_every_method_finds_the_minimum_of_a_linear_network(method):
    net = fastmlp.Network([3, 2], rng=0)
    X, T, tau, d, s = drawn(net)
    penalty = WeightDecay(0.2) + TangentPropagation(tau, 0.7, targets=d)
    result = net.fit(X, T, method, penalty=penalty, sample_weight=s, tol=1e-9)
    assert result.success
    A = np.column_stack([X, np.ones(20)])
    rows = np.einsum("n,nmi,nmj->ij", s, tau, tau)
    left = (A.T * s) @ A + np.diag([0.2, 0.2, 0.2, 0.0])
    left[:3, :3] += 0.7 * rows
    right = (A.T * s) @ T
    right[:3] += 0.7 * np.einsum("n,nmi,nmk->ik", s, tau, d)
    closed = np.linalg.solve(left, right)
    tolerance = 1e-12 if method in ("lm", "trust-exact") else 1e-8
    assert relative_error(np.vstack([net.weights[0].T, net.biases[0]]), closed) < tolerance
    assert result.fun == pytest.approx(
        net.objective(X, T, penalty=penalty, sample_weight=s).value(net.params), rel=1e-12
    )


def test_histories_tell_the_loss_from_the_term(dtype):
    net = network([3, 4, 2], "tanh", "softmax", dtype=dtype)
    X, T, tau, d, s = drawn(net, 100)
    penalty = TangentPropagation(tau, 0.01, targets=d) + WeightDecay(0.1)
    close = 1e-12 if dtype == "float64" else 1e-4
    for method in ("lm", "lbfgs", "scg", "adam"):
        other = net.copy()
        result = other.fit(X, T, method, penalty=penalty, sample_weight=s, max_iter=3, rng=0)
        start = result.history
        assert start["train_loss"][0] == pytest.approx(net.loss(X, T, sample_weight=s) / s.sum(), rel=close)
        assert start["loss"][0] == pytest.approx(
            net.objective(X, T, penalty=penalty, sample_weight=s).value(net.params), rel=close
        )
        if method != "adam":
            assert start["train_loss"][-1] == pytest.approx(other.loss(X, T, sample_weight=s) / s.sum(), rel=close)


@pytest.mark.parametrize("tied", [None, ["W1[:,0]"]])
def test_a_step_on_a_minibatch_has_the_rows_of_its_samples(tied):
    net = network([3, 4, 2])
    X, T, tau, d, s = drawn(net, 30)
    penalty = WeightDecay(0.4) + TangentPropagation(tau, 0.7, targets=d)
    other = net.copy()
    other.fit(X, T, "sgd", penalty=penalty, sample_weight=s, tied=tied, max_iter=1, batch_size=10, learning_rate=0.01,
              rng=5)  # fmt: skip
    order = np.arange(30)
    np.random.default_rng(5).shuffle(order)
    w = net.objective(X, T, tied=tied).x0
    for batch in np.split(order, 3):
        some = TangentPropagation(tau[batch], 0.7, targets=d[batch])
        one = net.objective(X[batch], T[batch], penalty=some, sample_weight=s[batch], tied=tied).grad(w)
        decay = net.objective(X, T, penalty=WeightDecay(0.4), tied=tied).grad(w) - net.objective(X, T, tied=tied).grad(
            w
        )
        w = w - 0.01 * (one / 10 + decay / 30)
    assert relative_error(other.params, net.objective(X, T, tied=tied).expand(w)) < 1e-13


def test_memory_of_a_minibatch_step_does_not_grow_with_the_samples():
    def peak(n_samples):
        net = network([30, 20, 2])
        X, T, tau, _, _ = drawn(net, n_samples, 3)
        samples = check_samples(net._architecture, X, T)
        batch = Batch(net._architecture.plan, samples.X, *samples.targets[:3], None, None)
        term = Tangents(batch, ((np.ascontiguousarray(tau.swapaxes(0, 1)), None, 0.1, True),))
        vectors = (net.params, np.arange(n_samples), None, np.empty(net.n_params), np.zeros(net.n_params))
        tracemalloc.start()
        loop = Minibatches(batch, 32, 1, 0, None, term)
        loop.run(vectors, 0, 2, 0.01, (0.0, 0.0, 0.0))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(4000) <= peak(100) + 1000


def test_samples_held_back_have_no_say():
    net = network([3, 4, 2])
    X, T, tau, d, _ = drawn(net, 40)
    first, second = net.copy(), net.copy()
    result = first.fit(X, T, "lm", penalty=TangentPropagation(tau, 0.7, targets=d), validation=0.25, max_iter=5, rng=3)
    kept = np.setdiff1d(np.arange(40), result.state["held_back"])
    second.fit(X[kept], T[kept], "lm", penalty=TangentPropagation(tau[kept], 0.7, targets=d[kept]), max_iter=5)
    assert np.array_equal(first.params, second.params)


def test_standardised_units_scale_directions_and_targets():
    net = fastmlp.Network([3, 4, 2], rng=0)
    X, T, tau, d, s = drawn(net, 40)
    X, T = X * [1.0, 10.0, 0.1] + 3, T * [5.0, 0.2] - 1
    first, second = net.copy(), net.copy()
    penalty = TangentPropagation(tau, 0.7, targets=d)
    result = first.fit(X, T, "lm", penalty=penalty, sample_weight=s, standardize=True, max_iter=5)
    a, c = result.units.inputs, result.units.targets
    inside = TangentPropagation(tau / a.scale, 0.7, targets=d / c.scale)
    second.fit((X - a.shift) / a.scale, (T - c.shift) / c.scale, "lm", penalty=inside, sample_weight=s, max_iter=5)
    assert relative_error(result.units.folded(net._architecture, second.params), first.params) < 1e-9


def test_derivatives_by_standardised_inputs_are_in_units_of_each():
    net = fastmlp.Network([3, 4, 1], rng=0)
    X, T, *_ = drawn(net, 40)
    X = X * [1.0, 10.0, 0.1] + 3
    d = np.random.default_rng(2).normal(size=(40, 1, 3))
    first, second = net.copy(), net.copy()
    result = first.fit(X, T, "lm", derivatives=("inputs", d), derivative_weight=0.5, standardize=True, max_iter=5)
    a, c = result.units.inputs, result.units.targets
    inside = TangentPropagation("inputs", 0.5, targets=d * a.scale / c.scale[:, np.newaxis])
    second.fit((X - a.shift) / a.scale, (T - c.shift) / c.scale, "lm", penalty=inside, max_iter=5)
    assert relative_error(result.units.folded(net._architecture, second.params), first.params) < 1e-9


def test_constant_inputs_have_no_directions():
    net = fastmlp.Network([3, 4, 1], rng=0)
    X, T, tau, _, _ = drawn(net, 40)
    X[:, 1] = 7.0
    for way in (tau, "inputs"):
        other = net.copy()
        other.fit(X, T, "lm", penalty=TangentPropagation(way, 0.1), standardize=True, max_iter=50)
        assert not other.weights[0][:, 1].any()


@pytest.mark.filterwarnings("ignore:T. column:fastmlp.ScaleWarning")
@pytest.mark.parametrize("method", ["lm", "lbfgs", "scg", "trust-exact", "adam"])
def test_numbers_that_overflow_end_no_fit_with_an_error(method, dtype):
    net = network([3, 4, 2], "softplus", dtype=dtype)
    X, T, tau, _, _ = drawn(net)
    d = np.full((20, 2, 2), 1e18 if dtype == "float32" else 1e150)
    net.fit(X, T, method, penalty=TangentPropagation(tau, 1.0, targets=d), max_iter=20)
    assert np.isfinite(net.params).all()
    objective = net.objective(X, T, penalty=TangentPropagation(tau, 1.0))
    far = np.full(net.n_params, 1e37 if dtype == "float32" else 1e300)
    assert not np.isfinite(objective.value(far))
    assert not np.isfinite(objective.normal_equations(far)[0])


@pytest.mark.parametrize("method", ["lm", "lbfgs", "scg", "rprop", "adam", "sgd"])
def test_warm_starts_go_on_with_the_term(method):
    net = network([3, 4, 2])
    X, T, tau, d, _ = drawn(net, 40)
    penalty = TangentPropagation(tau, 0.1, targets=d) + WeightDecay(0.01)
    settings = {"penalty": penalty, "validation": 0.25}
    once, twice = net.copy(), net.copy()
    once.fit(X, T, method, max_iter=8, rng=0, **settings)
    first = twice.fit(X, T, method, max_iter=4, rng=0, **settings)
    twice.fit(X, T, method, max_iter=4, warm_start=first, **settings)
    assert np.array_equal(once.params, twice.params)
