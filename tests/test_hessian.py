"""Curvature on the public face: autodiff, identities between its forms, symmetries of networks, products, operators."""

import itertools

import numpy as np
import pytest
import scipy.sparse.linalg

import autodiff
import fastmlp
from cases import PAIRS, data, network, relative_error
from fastmlp.derivatives import exact as derivatives
from fastmlp.model import functional

KINDS = ("exact", "ggn", "empirical_fisher")


def oracle(net, X, T, kind, weight=None):
    function = {"exact": autodiff.hessian, "ggn": autodiff.gauss_newton, "empirical_fisher": autodiff.empirical_fisher}
    return function[kind](net, X, T, weight)


@pytest.fixture(params=PAIRS, ids=lambda pair: pair[0])
def problem(request):
    """A network of two hidden layers with weighted samples and soft targets."""
    net = network([3, 5, 4, 3], ["tanh", "softplus"], *request.param, seed=1)
    X, T = data(net, 37, soft=True)
    return net, X, T, np.random.default_rng(2).exponential(size=37)


# ---- against autodiff ----


@pytest.mark.parametrize("kind", KINDS)
def test_matrix_diagonal_products_and_operator_agree_with_autodiff(problem, kind):
    net, X, T, weight = problem
    expected = oracle(net, X, T, kind, weight)
    assert relative_error(net.hessian(X, T, kind, sample_weight=weight), expected) < 1e-11
    assert relative_error(net.hessian_diagonal(X, T, kind, sample_weight=weight), np.diag(expected)) < 1e-11
    if kind == "empirical_fisher":
        return
    V = np.random.default_rng(3).normal(size=(net.n_params, 11))
    product = net.hessp if kind == "exact" else net.ggnp
    assert relative_error(product(X, T, V, sample_weight=weight), expected @ V) < 1e-11
    assert relative_error(product(X, T, V[:, 0], sample_weight=weight), expected @ V[:, 0]) < 1e-11
    operator = net.hessian_operator(X, T, kind, sample_weight=weight)
    assert relative_error(operator @ V, expected @ V) < 1e-11
    assert relative_error(operator.T @ V, expected @ V) < 1e-11
    assert relative_error(operator.diagonal(), np.diag(expected)) < 1e-11
    assert np.isclose(operator.trace(), np.trace(expected), rtol=1e-11)


def test_finite_differences_are_a_reference(problem):
    net, X, T, weight = problem
    matrix = net.hessian(X, T, "finite_difference", sample_weight=weight)
    assert np.array_equal(matrix, matrix.T)
    assert relative_error(matrix, net.hessian(X, T, sample_weight=weight)) < 1e-8
    assert relative_error(matrix, net.hessian(X, T, "ggn", sample_weight=weight)) > 1e-5  # it does tell them apart


@pytest.mark.parametrize("method", ["cholesky", "sequential"])
def test_the_inverse_is_one(problem, method):
    net, X, T, weight = problem
    inverse = net.inverse_hessian(X, T, 0.1, method=method, sample_weight=weight)
    matrix = oracle(net, X, T, "ggn", weight) + 0.1 * np.eye(net.n_params)
    assert relative_error(inverse @ matrix, np.eye(net.n_params)) < 1e-10


def test_labels_and_one_hot_targets_have_the_same_curvature():
    net = network([3, 4, 3], output="softmax", seed=4)
    X, labels = data(net, 21)
    for kind in KINDS:
        assert np.array_equal(net.hessian(X, labels, kind), net.hessian(X, np.eye(3)[labels], kind))
    for method in ("cholesky", "sequential"):
        got = net.inverse_hessian(X, labels, 0.3, method=method)
        assert np.allclose(got, net.inverse_hessian(X, np.eye(3)[labels], 0.3, method=method), rtol=1e-13)


def test_float32_networks_have_float32_curvature():
    net, double = (network([3, 6, 2], dtype=dtype, seed=5) for dtype in ("float32", "float64"))
    double.params = net.params
    X, T = data(net, 300)
    X, T = X.astype("float32"), T.astype("float32")
    for kind in (*KINDS, "finite_difference"):
        got = net.hessian(X, T, kind)
        assert got.dtype == np.float32
        assert relative_error(got, double.hessian(X, T, kind)) < (3e-2 if kind == "finite_difference" else 2e-5)


# ---- identities ----


def test_diagonal_by_backpropagation_is_exact_with_one_hidden_layer_but_for_softmax():
    for output, exact in (("identity", True), ("logistic", True), ("softmax", False)):
        net = network([2, 4, 3], "tanh", output, seed=6)
        X, T = data(net, 15, soft=True)
        error = relative_error(net.hessian_diagonal(X, T, "backprop"), net.hessian_diagonal(X, T))
        assert error < 1e-13 if exact else error > 1e-3


def test_the_hessian_is_gauss_newton_plus_residuals_times_second_derivatives():
    net = network([2, 3, 2], seed=7)
    X, T = data(net, 12)
    residuals, step, p = net(X) - T, 1e-5, net.params
    second_term = np.zeros((p.size, p.size))
    for j in range(p.size):
        difference = 0.0
        for sign in (1, -1):
            net.params = p + sign * step * np.eye(p.size)[j]
            difference = difference + sign * net.vjp(X, residuals)
        second_term[j] = difference / (2 * step)
    net.params = p
    assert relative_error(net.hessian(X, T) - net.hessian(X, T, "ggn"), second_term) < 1e-8


def test_gauss_newton_equals_the_hessian_without_hidden_layers(problem):
    net = network([3, 4], output=problem[0].output, loss=problem[0].loss_name, seed=8)
    X, T = data(net, 12, soft=True)
    error = relative_error(net.hessian(X, T, "ggn"), net.hessian(X, T))
    assert error > 1e-3 if net.output == "tanh" else error < 1e-12


@pytest.mark.parametrize("output", ["identity", "tanh"])
@pytest.mark.parametrize("layers", [[3, 7, 2], [4, 6, 5, 3], [2, 5, 4, 3, 1]])
def test_both_agree_to_the_bit_where_the_residuals_vanish(layers, output):
    net = network(layers, "tanh", output, seed=9)
    X = data(net, 201)[0]
    T = net.predict(X)
    assert net.loss(X, T) == 0
    assert np.array_equal(net.hessian(X, T), net.hessian(X, T, "ggn"))
    assert np.array_equal(net.hessian_diagonal(X, T), net.hessian_diagonal(X, T, "ggn"))
    v = np.random.default_rng(10).normal(size=net.n_params)
    assert np.array_equal(net.hessp(X, T, v), net.ggnp(X, T, v))


def test_the_sequential_inverse_equals_that_of_the_sum():
    net = network([2, 1], seed=11)
    X, T = data(net, 50)
    rows = net.jacobian(X, wrt="params")[:, 0]
    expected = np.linalg.inv(1e-3 * np.eye(3) + rows.T @ rows)
    assert relative_error(net.inverse_hessian(X, T, 1e-3, method="sequential"), expected) < 1e-11


@pytest.mark.parametrize("given", ["nothing", "errors", "gaps", "both"])
def test_vectors_of_the_curvature_know_all_that_the_matrix_does(problem, given):
    net, X, T, weight = problem
    some, sigma, missing = T.copy(), None, "raise"
    if net.loss_name == "squared_error":  # others have no errors, and no numbers that may be missing
        missing = "ignore"
        sigma = np.random.default_rng(3).uniform(0.1, 10, T.shape) if given in ("errors", "both") else None
        if given in ("gaps", "both"):
            some[3, 1] = some[5] = np.nan
    architecture = net._architecture
    samples = functional.check_samples(architecture, X, some, weight, sigma, missing)
    rows = derivatives.ggn_vectors(architecture, net.params, samples)
    matrix = derivatives.hessian(functional.bind(architecture, samples), net.params, "ggn")
    assert relative_error(rows.T @ rows, matrix) < 1e-12
    inverse = derivatives.sequential_inverse(architecture, net.params, samples, 1.0)
    assert relative_error(inverse, np.linalg.inv(np.eye(net.n_params) + matrix)) < 1e-9


def test_the_symmetries_of_tanh_leave_outputs_and_spectrum_as_they_are():
    net = network([2, 3, 1], seed=12)
    X, T = data(net, 25)
    outputs, spectrum = net(X), np.linalg.eigvalsh(net.hessian(X, T))
    found = set()
    for order in itertools.permutations(range(3)):
        for signs in itertools.product([1, -1], repeat=3):
            other = net.copy()
            s = np.array(signs)
            other.weights[0][...] = s[:, None] * net.weights[0][list(order)]
            other.biases[0][...] = s * net.biases[0][list(order)]
            other.weights[1][...] = s * net.weights[1][:, list(order)]
            found.add(other.params.tobytes())
            assert relative_error(other(X), outputs) < 1e-14
            assert relative_error(np.linalg.eigvalsh(other.hessian(X, T)), spectrum) < 1e-12
    assert len(found) == 48


def test_softmax_leaves_one_direction_free_for_each_hidden_unit_and_the_bias():
    net = network([2, 3, 3], output="softmax", seed=13)
    X, T = data(net, 40)
    values = np.linalg.eigvalsh(net.hessian(X, T))
    assert np.sum(np.abs(values) < 1e-10) == 4


def test_duplicated_samples_double_the_curvature(problem):
    net, X, T, _ = problem
    for kind in KINDS:
        once, twice = net.hessian(X, T, kind), net.hessian(np.vstack([X, X]), np.vstack([T, T]), kind)
        assert relative_error(twice, 2 * once) < 1e-13
        assert relative_error(net.hessian(X, T, kind, sample_weight=np.full(len(X), 2.0)), 2 * once) < 1e-13


# ---- products ----


def test_any_number_of_threads_gives_the_same_products(n_threads, dtype):
    net = network([5, 30, 20, 4], "tanh", "softmax", dtype=dtype, seed=14)
    X, T = data(net, 1003)
    V = np.random.default_rng(15).normal(size=(net.n_params, 3))
    for call in (net.hessp, net.ggnp):
        got = call(X, T, V, n_threads=n_threads)
        assert np.array_equal(got, call(X, T, V, n_threads=1))
        assert np.array_equal(got[:, 1], call(X, T, V[:, 1]))


def test_scipy_takes_the_operator():
    net = network([3, 6, 2], seed=16)
    X, T = data(net, 50)
    matrix = net.hessian(X, T, "ggn") + 0.1 * np.eye(net.n_params)
    operator = net.hessian_operator(X, T, "ggn")
    damped = operator + 0.1 * scipy.sparse.linalg.aslinearoperator(np.eye(net.n_params))
    b = np.random.default_rng(17).normal(size=net.n_params)
    for solver in (scipy.sparse.linalg.cg, scipy.sparse.linalg.minres):
        x, info = solver(damped, b, rtol=1e-10, maxiter=1000)
        assert info == 0
        assert relative_error(x, np.linalg.solve(matrix, b)) < 1e-6
    values = scipy.sparse.linalg.eigsh(net.hessian_operator(X, T), k=3, which="LA", return_eigenvectors=False)
    assert relative_error(np.sort(values), np.linalg.eigvalsh(net.hessian(X, T))[-3:]) < 1e-9


def test_an_operator_keeps_the_parameters_it_was_made_at():
    net = network([3, 4, 1], seed=18)
    X, T = data(net, 9)
    operator, v = net.hessian_operator(X, T), np.ones(net.n_params)
    before = operator @ v
    net.params = np.zeros(net.n_params)
    assert np.array_equal(operator @ v, before)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda n, X, T: n.hessian(X, T, "fisher"), "kind: expected one of exact, ggn"),
        (lambda n, X, T: n.hessian_diagonal(X, T, "finite_difference"), "kind: expected one of exact, ggn, backprop"),
        (lambda n, X, T: n.hessian_operator(X, T, "backprop"), "kind: expected one of exact, ggn, got 'backprop'"),
        (lambda n, X, T: n.hessp(X, T, [1.0]), r"v: expected shape \(21,\) or \(21, m\), got \(1,\)"),
        (lambda n, X, T: n.ggnp(X, T, np.full(21, np.nan)), "v: expected finite numbers"),
        (lambda n, X, T: n.hessian(X, T[:1]), "T: expected shape"),
        (lambda n, X, T: n.inverse_hessian(X, T, -1.0), "damping: expected a finite number >= 0"),
        (lambda n, X, T: n.inverse_hessian(X, T, 0.0, method="sequential"), "damping: expected a finite number > 0"),
        (lambda n, X, T: n.inverse_hessian(X, T, 1.0, "exact", "sequential"), "method: expected 'cholesky'"),
        (lambda n, X, T: n.inverse_hessian(X, T, 0.0), "damping: expected enough for a positive definite matrix"),
    ],
)
def test_wrong_arguments_are_named(call, message):
    net = network([3, 4, 1], seed=19)
    net.params = np.zeros(net.n_params) + 0.1
    with pytest.raises(ValueError, match=message):
        call(net, *data(net, 5))


def test_a_matrix_without_inverse_is_an_error_of_its_own():
    net = network([3, 4, 1], seed=19)
    with pytest.raises(fastmlp.NotPositiveDefiniteError, match=r"got 1e-05 with a exact matrix .*\(pivot \d+ is not"):
        net.inverse_hessian(*data(net, 30), 1e-5, kind="exact")
