"""Tangent propagation in objectives: against formulas, other ways, and other objects; and what it refuses."""

import pickle

import numpy as np
import pytest

import autodiff
import fastmlp
from cases import network, relative_error
from fastmlp import TangentPropagation, WeightDecay
from specimens import Diagonal
from tangent_cases import drawn


def everything(objective, p, v):
    return [objective.value(p), objective.grad(p), objective.hess(p), objective.ggn(p), objective.hessp(p, v),
            objective.ggnp(p, v), *objective.normal_equations(p)]  # fmt: skip


# ---- objectives ----


@pytest.mark.parametrize("of", ["logits", "outputs"])
def test_objectives_are_loss_penalty_and_term(of):
    net = network([3, 4, 2], "tanh", "softmax")
    X, T, tau, d, s = drawn(net)
    penalty = WeightDecay(0.3) + TangentPropagation(tau, 0.7, of=of, targets=d)
    both = net.objective(X, T, penalty=penalty, noise_precision=2.5, sample_weight=s)
    plain = net.objective(X, T, penalty=WeightDecay(0.3), noise_precision=2.5, sample_weight=s)
    term = autodiff.tangents(net, X, tau.swapaxes(0, 1), d.swapaxes(0, 1), 0.7, s, of_logits=of == "logits")
    p, v = net.params, np.random.default_rng(1).normal(size=net.n_params)
    expected = [term["value"], term["gradient"], term["hessian"], term["ggn"], term["hessian"] @ v, term["ggn"] @ v,
                term["value"], term["gradient"], term["ggn"]]  # fmt: skip
    for got, base, own in zip(everything(both, p, v), everything(plain, p, v), expected, strict=True):
        assert relative_error(got - base, own) < 1e-11
    assert both.penalty_value(p) - plain.penalty_value(p) == pytest.approx(term["value"], rel=1e-12)


def test_residuals_are_those_of_the_loss_and_of_each_direction():
    net = network([3, 4, 2])
    X, T, tau, d, s = drawn(net)
    objective = net.objective(X, T, penalty=TangentPropagation(tau, 0.7, targets=d), sample_weight=s)
    term = autodiff.tangents(net, X, tau.swapaxes(0, 1), d.swapaxes(0, 1), 0.7, s, of_logits=True)
    p, n = net.params, 40
    assert relative_error(objective.residuals(p)[n:], term["rows"]) < 1e-12
    assert relative_error(objective.residual_jac(p)[n:], term["jacobian"]) < 1e-12
    assert 0.5 * np.sum(objective.residuals(p) ** 2) == pytest.approx(objective.value(p), rel=1e-13)


def test_tikhonov_is_tangents_with_the_identity():
    net = network([3, 5, 2], "tanh", "logistic")
    X, T, *_ = drawn(net)
    p, v = net.params, np.ones(net.n_params)
    ways = ("inputs", np.eye(3), np.tile(np.eye(3), (20, 1, 1)))
    found = [everything(net.objective(X, T, penalty=TangentPropagation(way, 0.4)), p, v) for way in ways]
    for one, *others in zip(*found, strict=True):
        assert all(relative_error(other, one) < 1e-12 for other in others)
    J = net.jacobian(X, of="logits")
    alone = net.objective(X, T).value(p)
    assert found[0][0] - alone == pytest.approx(0.2 * np.sum(J**2), rel=1e-12)


def test_fixed_and_tied_parameters_are_a_linear_map():
    net = network([3, 4, 2])
    X, T, tau, d, _ = drawn(net)
    penalty = TangentPropagation(tau, 0.7, targets=d) + WeightDecay(0.1)
    whole = net.objective(X, T, penalty=penalty)
    some = net.objective(X, T, penalty=penalty, fixed="b1", tied=["W1[:,0]"])
    p = some.x0
    J = np.array([some.expand(p + e) - some.expand(p) for e in np.eye(len(p))]).T
    w = some.expand(p)
    assert some.value(p) == pytest.approx(whole.value(w), rel=1e-14)
    assert relative_error(some.grad(p), J.T @ whole.grad(w)) < 1e-12
    assert relative_error(some.hess(p), J.T @ whole.hess(w) @ J) < 1e-12
    assert relative_error(some.ggn(p), J.T @ whole.ggn(w) @ J) < 1e-12


def test_objectives_with_tangents_are_pickled():
    net = network([3, 4, 2], dtype="float32")
    X, T, tau, d, _ = drawn(net)
    objective = net.objective(X, T, penalty=WeightDecay(0.1) + TangentPropagation(tau, 0.7, targets=d))
    again = pickle.loads(pickle.dumps(objective))
    p = objective.x0
    assert again.value(p) == objective.value(p)
    assert np.array_equal(again.hess(p), objective.hess(p))


def test_results_are_the_same_bits_for_any_number_of_threads(dtype, n_threads):
    net = network([20, 30, 5], output="softmax", dtype=dtype)
    X, T, tau, _, s = drawn(net, 700)
    penalty = TangentPropagation(tau, 0.7)
    ends = []
    for n in (1, n_threads):
        other = net.copy()
        other.fit(X, T, "lbfgs", penalty=penalty, sample_weight=s, max_iter=5, n_threads=n)
        other.fit(X, T, "adam", penalty=penalty, sample_weight=s, max_iter=2, batch_size=300, rng=0, n_threads=n)
        ends.append(other.params)
    assert np.array_equal(*ends)


def test_gradients_that_are_summed_with_the_loss_are_those_of_a_term_apart():
    net = network([3, 4, 2], "tanh", "softmax")
    X, T, tau, d, s = drawn(net, 100)
    penalty = TangentPropagation(tau, 0.7, of="outputs", targets=d) + TangentPropagation([[1.0, 0, 0]], 0.2)
    objective = net.objective(X, T, penalty=penalty, sample_weight=s)
    value, gradient = net.loss_and_grad(X, T, sample_weight=s)
    other, slope = objective.terms.value_and_grad(net.params)
    assert objective.value(net.params) == pytest.approx(value + other, rel=1e-14)
    assert relative_error(objective.grad(net.params), gradient + slope) < 1e-14


def test_layers_of_other_kinds_go_by_products():
    net = fastmlp.Network([3, 4, Diagonal(), 2], rng=0)
    X, T, tau, d, s = drawn(net)
    objective = net.objective(X, T, penalty=TangentPropagation(tau, 0.7, targets=d), sample_weight=s)
    J = objective.residual_jac(objective.x0)
    assert relative_error(objective.ggn(objective.x0), J.T @ J) < 1e-12


# ---- misuse ----


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((np.zeros((2, 3)), -1.0), ValueError, "weight: expected a finite number >= 0"),
        ((np.zeros((2, 3)), "a"), TypeError, "weight: expected a real number"),
        ((np.zeros((2, 3)), 1.0, "states"), ValueError, "of: expected one of logits, outputs"),
        (("outputs", 1.0), ValueError, "tau: expected directions .* or 'inputs', got 'outputs'"),
        ((np.zeros(3), 1.0), ValueError, r"tau: expected shape \(N, M, D\) or \(M, D\)"),
        ((np.zeros((0, 3)), 1.0), ValueError, r"tau: expected shape .* with M >= 1"),
        ((np.full((2, 3), np.nan), 1.0), ValueError, "tau: expected finite numbers"),
        (
            (np.zeros((2, 3)), 1.0, "logits", np.zeros(3)),
            ValueError,
            r"targets: expected shape \(N, M, K\), got \(3,\)",
        ),
        (("inputs", 1.0, "logits", np.zeros(3)), ValueError, r"targets: expected shape \(N, K, D\), got \(3,\)"),
    ],
)
def test_arguments_are_checked(arguments, error, message):
    with pytest.raises(error, match=message):
        TangentPropagation(*arguments)


@pytest.mark.parametrize(
    ("term", "message"),
    [
        (TangentPropagation(np.ones((5, 2, 3)), 1.0), "tau: expected a row for each of 20 samples, got 5"),
        (TangentPropagation(np.ones((2, 4)), 1.0), r"tau: expected directions of 3 inputs, .* got \(2, 4\)"),
        (
            TangentPropagation(np.ones((2, 3)), 1.0, targets=np.ones((5, 2, 2))),
            "targets: expected a row for each of 20",
        ),
        (TangentPropagation(np.ones((2, 3)), 1.0, targets=np.ones((20, 2, 1))), r"expected shape \(20, 2, 2\), got"),
        (
            TangentPropagation("inputs", 1.0, targets=np.ones((20, 3, 2))),
            r"expected shape \(20, 2, 3\), got \(20, 3, 2\)",
        ),
    ],
)
def test_networks_and_samples_have_to_fit(term, message):
    net = network([3, 4, 2])
    X, T, *_ = drawn(net)
    with pytest.raises(ValueError, match=message):
        net.objective(X, T, penalty=term)
    for standardize in (False, True):
        with pytest.raises(ValueError, match=message):
            net.fit(X, T, penalty=WeightDecay(0.1) + term, standardize=standardize)


def test_rows_that_are_too_few_are_no_rows_of_a_share_either():
    net = network([3, 4, 2])
    X, T, *_ = drawn(net)
    with pytest.raises(ValueError, match="tau: expected a row for each of 20 samples, got 15"):
        net.fit(X, T, penalty=TangentPropagation(np.ones((15, 1, 3)), 1.0), validation=0.25)
