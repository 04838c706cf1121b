"""Levenberg-Marquardt with more inputs than samples, and with more parameters than residuals; limits within a step."""

import time

import numpy as np
import pytest

import fastmlp
from cases import PAIRS, data, network
from fastmlp._core.fits import span
from fastmlp._core.fits.lm import Descent
from fastmlp._core.threads import team
from fastmlp.optimize import dual, lm, subspace
from fastmlp.optimize.dual import Dual
from fastmlp.optimize.loops import compiled, within
from fastmlp.optimize.subspace import Seen, Subspace

N, D = 12, 300
DECAY = fastmlp.WeightDecay(weights=0.1, biases=0.1)


def spectra(n=N, d=D, seed=0):
    """Sums of three peaks, and what they stand for."""
    rng = np.random.default_rng(seed)
    place, shares = np.linspace(0, 1, d), rng.uniform(0, 1, (n, 3))
    peaks = np.array([np.exp(-(((place - where) / 0.1) ** 2)) for where in (0.2, 0.5, 0.8)])
    X = shares @ peaks + 0.01 * rng.normal(size=(n, d))
    return X, np.tanh(2 * shares[:, 0] - shares[:, 1]) + 0.02 * rng.normal(size=n)


X, T = spectra()


def lowest_curvature(objective, params):
    """The smallest eigenvalue of the Hessian, by differences of the gradient."""
    step = 1e-5 * np.eye(params.size)
    H = [(objective.grad(params + e) - objective.grad(params - e)) / 2e-5 for e in step]
    return np.linalg.eigvalsh(0.5 * (np.array(H) + np.array(H).T))[0]


def test_a_basis_is_orthonormal_and_leaves_out_what_others_add_up_to():
    rows = np.random.default_rng(0).normal(size=(9, 50))
    rows[4], rows[7] = 2 * rows[1] - rows[2], 0.0
    Q = span.orthonormal(rows)
    assert Q.shape == (7, 50)
    np.testing.assert_allclose(Q @ Q.T, np.eye(7), rtol=0, atol=1e-14)
    np.testing.assert_allclose(span.combined(span.coordinates(rows, Q), Q), rows, rtol=0, atol=1e-13)
    E = span.orthonormal_each(np.vstack([rows[0], np.ones(50)]), Q)
    assert not E[0].any()
    np.testing.assert_allclose(Q @ E[1], 0, rtol=0, atol=1e-14)
    np.testing.assert_allclose(E[1] @ E[1], 1, rtol=1e-14)


@pytest.mark.parametrize("fixed", [None, ["b1", "W2[0,1]"]])
@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_the_objective_by_coordinates_is_the_same(output, loss, fixed):
    net = network([D, 3, 2], "tanh", output, loss, scale=0.3)
    inputs, targets = data(net, N)
    options = {} if fixed is None else {"fixed": fixed}
    objective = net.objective(inputs, targets, penalty=DECAY, **options)
    seen = Seen.of(objective)
    assert seen is not None
    np.testing.assert_allclose(seen.expand(seen.x0), net.params, rtol=0, atol=1e-14)
    v = seen.x0 + 0.1 * np.random.default_rng(1).normal(size=seen.x0.size)
    there = objective.reduce(seen.expand(v))
    np.testing.assert_allclose(seen.objective.value(v) + 0.0, objective.value(there), rtol=1e-12)
    own, gradient = seen.objective.grad(v), objective.grad(there)
    for i in (0, N, 2 * N + 1, len(v) - 1):  # by the chain rule
        move = objective.reduce(seen.expand(v + np.eye(len(v))[i])) - there
        np.testing.assert_allclose(own[i], gradient @ move, rtol=1e-9, atol=1e-12)
    descent = Descent(compiled(seen.objective, span=seen.span), v, 1e-9, lm.OPTIONS)
    np.testing.assert_allclose(descent.grad_norm, np.abs(gradient).max(), rtol=1e-11)


@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_every_loss_arrives_at_a_minimum(output, loss, dtype):
    net = network([D, 2, 2], "tanh", output, loss, dtype, scale=0.3)
    inputs, targets = data(net, N)
    tol = 1e-8 if dtype == "float64" else 1e-3
    res = net.fit(inputs, targets, "lm", penalty=DECAY, tol=tol)
    assert "span" in res.state
    assert res.success, res
    objective = net.objective(inputs, targets, penalty=DECAY)
    assert np.abs(objective.grad(net.params)).max() <= tol
    np.testing.assert_allclose(objective.value(net.params), res.fun, rtol=1e-12)
    if dtype == "float64":
        assert lowest_curvature(objective, net.params) > -1e-5


@pytest.mark.parametrize("d", [D, 5000])  # which was done without matrices
def test_without_hidden_layer_it_is_ridge_regression(d):
    inputs, targets = spectra(d=d)
    net = fastmlp.Network([d, 1], rng=0)
    assert net.fit(inputs, targets, "lm", penalty=fastmlp.WeightDecay(weights=0.1), tol=1e-10).success
    Z = np.column_stack([inputs, np.ones(N)])
    # by the dual: w = X'u / lambda, sum u = 0, K u + b = t
    K = np.block([[inputs @ inputs.T / 0.1 + np.eye(N), np.ones((N, 1))], [np.ones((1, N)), np.zeros((1, 1))]])
    u = np.linalg.solve(K, np.append(targets, 0.0))
    exact = np.append(inputs.T @ u[:N] / 0.1, u[N])
    np.testing.assert_allclose(Z @ net.params, Z @ exact, rtol=0, atol=1e-9)
    np.testing.assert_allclose(net.params, exact, rtol=0, atol=1e-9)


def test_what_data_say_nothing_of_stays_without_decay():
    net = fastmlp.Network([D, 2, 1], rng=0)
    before = net.weights[0].copy()
    assert net.fit(X, T, "lm", max_iter=20).nit > 0
    Q = np.linalg.qr(X.T)[0]
    beside = before - before @ Q @ Q.T
    np.testing.assert_allclose(net.weights[0] - net.weights[0] @ Q @ Q.T, beside, rtol=0, atol=1e-12)


def test_the_path_is_that_on_all_parameters(monkeypatch):
    paths = []
    for pays in (subspace.pays, lambda *problem: False):
        monkeypatch.setattr(subspace, "pays", pays)
        net = fastmlp.Network([D, 2, 1], rng=0)
        paths.append(net.fit(X, T, "lm", penalty=DECAY, max_iter=8).history | {"params": net.params})
    for name in ("loss", "train_loss", "grad_norm"):
        np.testing.assert_allclose(paths[0][name], paths[1][name], rtol=1e-6)
    np.testing.assert_allclose(paths[0]["params"], paths[1]["params"], rtol=0, atol=1e-8)


def test_two_fits_of_k_equal_one_of_2k_and_threads_do_not_matter(dtype):
    halves, whole, other = (fastmlp.Network([D, 3, 1], rng=0, dtype=dtype) for _ in range(3))
    first = halves.fit(X, T, "lm", penalty=DECAY, max_iter=4, n_threads=1)
    halves.fit(X, T, "lm", penalty=DECAY, max_iter=4, warm_start=first, n_threads=1)
    whole.fit(X, T, "lm", penalty=DECAY, max_iter=8, n_threads=1)
    other.fit(X, T, "lm", penalty=DECAY, max_iter=8, n_threads=2)
    assert halves == whole == other


@pytest.mark.parametrize("damage", [None, (), (np.zeros(3), np.zeros(3)), (np.full((3, D), np.nan), np.zeros(9))])
def test_a_damaged_span_is_refused(damage):
    net = fastmlp.Network([D, 3, 1], rng=0)
    first = net.fit(X, T, "lm", penalty=DECAY, max_iter=3)
    first.state["span"] = damage
    with pytest.raises((TypeError, ValueError), match="warm_start: expected"):
        net.fit(X, T, "lm", penalty=DECAY, max_iter=3, warm_start=first)


@pytest.mark.parametrize("n_hidden", [3, 12])  # with matrices, and without
def test_warm_starts_go_from_one_form_to_another(n_hidden):
    other = DECAY + fastmlp.WeightDecay({"W1[:,3]": 0.1})
    for one, next_one in ((DECAY, other), (other, DECAY)):
        net = fastmlp.Network([D, n_hidden, 1], rng=0)
        first = net.fit(X, T, "lm", penalty=one, max_iter=3)
        before = net.objective(X, T, penalty=next_one).value(net.params)
        assert net.fit(X, T, "lm", penalty=next_one, max_iter=5, warm_start=first).fun < before
    net = fastmlp.Network([D, 3, 1], rng=0)
    first = net.fit(X, T, "lm", penalty=DECAY, max_iter=3)
    net.params = net.params + 0.01  # of the user's
    assert net.fit(X, T, "lm", penalty=DECAY, tol=1e-8, warm_start=first).success


def test_a_callback_sees_the_network_and_its_own_gradient():
    net, seen = fastmlp.Network([D, 3, 1], rng=0), []
    objective = net.objective(X, T, penalty=DECAY)

    def look(state):
        np.testing.assert_allclose(state.grad_norm, np.abs(objective.grad(net.params)).max(), rtol=1e-8)
        np.testing.assert_allclose(state.fun, objective.value(net.params), rtol=1e-12)
        seen.append(state.nit)

    net.fit(X, T, "lm", penalty=DECAY, max_iter=5, callback=look)
    assert seen == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "options",
    [
        {"penalty": DECAY + fastmlp.WeightDecay({"W1[:,3]": 0.1})},
        {"penalty": DECAY, "fixed": ["W1[0,:]"]},
        {"penalty": DECAY + fastmlp.Quadratic(np.zeros(3 * D + 7), 0.1)},
    ],
)
def test_other_objectives_are_left_as_they_are(options):
    net = fastmlp.Network([D, 3, 1], rng=0)
    assert Seen.of(net.objective(X, T, **options)) is None
    res = net.fit(X, T, "lm", max_iter=300, **options)
    assert res.success
    assert "span" not in res.state


def test_it_is_chosen_where_it_halves_the_work():
    wide, square = fastmlp.Network([D, 3, 1]), fastmlp.Network([20, 3, 1])
    assert subspace.pays(wide._architecture, N)
    assert not subspace.pays(wide._architecture, D)
    assert not subspace.pays(square._architecture, 10)  # steps of microseconds
    chosen = [subspace.pays(wide._architecture, n) for n in range(1, 300)]
    assert sorted(chosen, reverse=True) == chosen


def test_inputs_of_nothing():
    net = fastmlp.Network([D, 3, 1], rng=0)
    assert net.fit(np.zeros((N, D)), T, "lm", penalty=DECAY).success
    np.testing.assert_allclose(net.weights[0], 0, rtol=0, atol=1e-6)


def test_many_networks_and_sizes():
    networks = [fastmlp.Network([D, M, 1], rng=M) for M in (1, 2)]
    for net, res in zip(networks, fastmlp.fit_many(networks, X, T, "lm", penalty=DECAY, tol=1e-7), strict=True):
        assert res.success
        assert np.abs(net.objective(X, T, penalty=DECAY).grad(net.params)).max() <= 1e-7
    assert len(fastmlp.sweep(X, T, [1, 2], n_starts=2, validation=0.3, penalties=[DECAY], rng=0).runs) == 4


def test_samples_left_out_are_trained_without_in_the_span_of_the_others():
    net = fastmlp.Network([D, 2, 1], rng=0)
    net.fit(X, T, "lm", penalty=DECAY, tol=1e-9)
    found = fastmlp.Laplace(net, X, T, penalty=DECAY).leave_one_out("all")
    rest = np.arange(N) != 4
    own = net.copy()
    own.fit(X[rest], T[rest], "lm", penalty=DECAY, tol=1e-9)
    np.testing.assert_allclose(found.outputs[4], own(X[4:5])[0], rtol=0, atol=1e-6)


# ---- more parameters than residuals ----


@pytest.mark.parametrize("mu", [1e-6, 1e-2, 10.0])
def test_the_dual_solves_the_equations(mu):
    net = network([3, 60, 2], "tanh", "softmax", "cross_entropy", scale=0.5)
    inputs, targets = data(net, 10)
    objective = net.objective(inputs, targets, penalty=DECAY, fixed=["b1"], noise_precision=1.0)
    own, g = Dual(objective, objective.x0), objective.grad(objective.x0)
    own.factor(mu)
    A = objective.ggn(objective.x0)
    np.testing.assert_allclose(own.product(g), A @ g, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(own.solve(g), np.linalg.solve(A + mu * np.eye(len(g)), g), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_many_parameters_arrive_by_the_dual(output, loss, dtype, monkeypatch):
    monkeypatch.setattr(lm, "MOST_PARAMS", 0)
    net = network([3, 60, 2], "tanh", output, loss, dtype, scale=0.5)
    inputs, targets = data(net, 10)
    objective = net.objective(inputs, targets, penalty=DECAY)
    assert dual.pays(objective)
    tol = 1e-7 if dtype == "float64" else 1e-2
    assert net.fit(inputs, targets, "lm", penalty=DECAY, tol=tol).success
    assert np.abs(objective.grad(net.params)).max() <= tol


def test_masks_ties_and_single_precisions_go_through_the_dual(monkeypatch):
    monkeypatch.setattr(lm, "MOST_PARAMS", 0)
    net = network([40, 20, 1], scale=0.3)
    inputs, targets = data(net, 10)
    penalty = DECAY + fastmlp.WeightDecay({"W1[:,0]": 0.3})
    options = {"fixed": ["W1[3,:]"], "tied": [("W1[0,0]", "W1[1,1]")], "penalty": penalty}
    objective = net.objective(inputs, targets, **options)
    assert dual.pays(objective)
    assert net.fit(inputs, targets, "lm", tol=1e-8, **options).success
    assert np.abs(objective.grad(objective.reduce(net.params))).max() <= 1e-8


# ---- time ----


def test_time_is_asked_within_a_step_which_can_be_made_later():
    net = fastmlp.Network([10, 100, 1], rng=0)
    inputs = np.random.default_rng(0).normal(size=(4000, 10))
    objective = net.objective(inputs, np.sin(inputs[:, 0]), penalty=DECAY, n_threads=1)
    started = time.process_time()
    descent = Descent(compiled(objective), objective.x0, 1e-9, lm.OPTIONS)
    step = time.process_time() - started  # value, gradient and matrix; a step has all three, and factors
    started = time.process_time()
    with pytest.raises(team.TimeOver):
        within(0.0, descent.advance, 3)
    assert time.process_time() - started < 0.5 * step + 0.1
    assert descent.counts[0] == 0
    assert np.array_equal(descent.params, objective.x0)
    other = Descent(compiled(objective), objective.x0, 1e-9, lm.OPTIONS)
    assert [each.advance(1) for each in (descent, other)] == ["running"] * 2
    assert np.array_equal(descent.params, other.params)


def test_the_start_is_left_where_there_is_no_time_for_a_step():
    net = fastmlp.Network([10, 100, 1], rng=0)
    before = net.params.copy()
    inputs = np.random.default_rng(0).normal(size=(4000, 10))
    res = net.fit(inputs, np.sin(inputs[:, 0]), "lm", time_limit=1e-6)
    assert res.message == "stopped at time_limit"
    assert np.array_equal(net.params, before)


def test_subspaces_of_weights_within_the_span():
    weights = np.vstack([X[0] + X[3], np.zeros(D)])
    own = Subspace(fastmlp.Network([D, 2, 1])._architecture, X, weights)
    assert not own.E.any()
    params = np.concatenate([weights.ravel(), np.zeros(5)])
    np.testing.assert_allclose(own.expanded(own.reduced(params)), params, rtol=0, atol=1e-13)
