"""Objectives are what SciPy takes: every method of `minimize`, and `least_squares`, as they are."""

import numpy as np
import pytest
import scipy.optimize

import fastmlp
from cases import DTYPES, data, network, relative_error

rng = np.random.default_rng(0)
X = rng.uniform(-2, 2, (50, 2))
T = np.column_stack([np.sin(X[:, 0]) * X[:, 1], X[:, 0] + 0.1 * rng.normal(size=50)])
WEIGHT = rng.integers(0, 4, 50).astype(float)
PENALTY = fastmlp.WeightDecay([0.1, 0.3], biases=0.05)
PARTIAL = fastmlp.WeightDecay({"W1": 0.1, "W2[0,:]": 0.3})
PRECISION = [2.0, 0.5]
#: those that tell minima to seven digits; how they are asked
BY_GRADIENT = {
    "BFGS": {},
    "CG": {},
    "L-BFGS-B": {},
    "TNC": {},
    "SLSQP": {},
    "trust-constr": {},
    "trust-constr hess": {"hess": "hess"},
    "trust-constr hessp": {"hessp": "hessp"},
    "Newton-CG": {"hessp": "hessp"},
    "Newton-CG hess": {"hess": "hess"},
    "trust-ncg": {"hessp": "hessp"},
    "trust-ncg hess": {"hess": "hess"},
    "trust-krylov": {"hessp": "hessp"},
    "trust-krylov hess": {"hess": "hess"},
    "trust-exact": {"hess": "hess"},
    "dogleg": {"hess": "ggn"},  # which asks for a positive definite matrix
}
TIGHT = {  # gradients of about 1e-5, where SciPy's defaults end earlier
    "L-BFGS-B": {"ftol": 0.0, "gtol": 1e-6},
    "TNC": {"ftol": 0.0, "xtol": 0.0, "gtol": 1e-6, "maxfun": 5000},
    "SLSQP": {"ftol": 1e-14, "maxiter": 500},
    "trust-constr": {"gtol": 1e-6, "xtol": 0.0, "maxiter": 1000},
    "trust-ncg": {"gtol": 1e-6},
    "trust-krylov": {"gtol": 1e-6},
    "trust-exact": {"gtol": 1e-6},
    "dogleg": {"gtol": 1e-6},
}


def regression(dtype="float64", **settings):
    """A problem with weights, penalty and a precision for each output, from near one of its minima."""
    net = fastmlp.Network([2, 3, 2], dtype=dtype, rng=1)
    settings = {"sample_weight": WEIGHT, "penalty": PENALTY, "noise_precision": PRECISION, **settings}
    objective = net.objective(X, T, **settings)
    start = fastmlp.Network([2, 3, 2], rng=1)
    minimum = scipy.optimize.minimize(
        start.objective(X, T, **settings).value_and_grad, start.params, jac=True, options={"gtol": 1e-9}
    )
    return objective, minimum, minimum.x + 0.05 * np.random.default_rng(3).normal(size=net.n_params)


def classification():
    net = fastmlp.Network([2, 3, 3], output="softmax", rng=0)
    labels = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
    objective = net.objective(X, labels, sample_weight=WEIGHT + 1, penalty=PENALTY)
    minimum = scipy.optimize.minimize(objective.value_and_grad, objective.x0, jac=True, options={"gtol": 1e-9})
    return objective, minimum, minimum.x + 0.05 * np.random.default_rng(3).normal(size=net.n_params)


@pytest.mark.parametrize("problem", [regression, classification])
@pytest.mark.parametrize("method", BY_GRADIENT)
def test_every_minimizer_with_gradients_finds_the_minimum(method, problem):
    objective, minimum, x0 = problem()
    name = method.split()[0]
    second = {key: getattr(objective, value) for key, value in BY_GRADIENT[method].items()}
    found = scipy.optimize.minimize(
        objective.value_and_grad, x0, jac=True, method=name, options=TIGHT.get(name, {}), **second
    )
    assert found.fun == pytest.approx(minimum.fun, rel=1e-8)
    assert np.abs(objective.grad(found.x)).max() < 1e-3
    apart = scipy.optimize.minimize(
        objective.value, x0, jac=objective.grad, method=name, options=TIGHT.get(name, {}), **second
    )
    assert np.array_equal(apart.x, found.x)


@pytest.mark.parametrize("method", BY_GRADIENT)
def test_float32_networks_too(method):
    objective, minimum, x0 = regression("float32")
    second = {key: getattr(objective, value) for key, value in BY_GRADIENT[method].items()}
    found = scipy.optimize.minimize(
        objective.value_and_grad, x0, jac=True, method=method.split()[0],
        options={"maxfun": 1000} if method == "TNC" else {"maxiter": 200}, **second,
    )  # fmt: skip
    assert found.x.dtype == np.float64
    assert found.fun == pytest.approx(minimum.fun, rel=1e-2)
    assert objective.value(x0) > 1.2 * minimum.fun


@pytest.mark.parametrize("method", ["L-BFGS-B", "TNC", "SLSQP", "trust-constr"])
def test_bounds_hold(method):
    objective, minimum, x0 = regression()
    bounds = scipy.optimize.Bounds(np.full(x0.size, -0.5), np.full(x0.size, 0.5))
    second = {"hess": objective.hess} if method == "trust-constr" else {}
    found = scipy.optimize.minimize(
        objective.value_and_grad, np.clip(x0, -0.4, 0.4), jac=True, method=method, bounds=bounds, **second
    )
    assert np.abs(found.x).max() <= 0.5 + 1e-9
    assert np.abs(found.x).max() > 0.49
    assert minimum.fun < found.fun < objective.value(np.clip(x0, -0.4, 0.4))


@pytest.mark.parametrize("method", ["Nelder-Mead", "Powell", "COBYLA", "COBYQA"])
def test_every_minimizer_without_gradients_fits_a_line(method):
    net = fastmlp.Network([1, 1], rng=0)
    objective = net.objective(X[:, :1], 3 * X[:, 0] + 1)
    found = scipy.optimize.minimize(objective.value, objective.x0, method=method)
    assert np.allclose(found.x, [3, 1], atol=1e-2)


# ---- least squares ----


@pytest.mark.parametrize("method", ["trf", "dogbox", "lm"])
@pytest.mark.parametrize("penalty", [PENALTY, fastmlp.WeightDecay(0.3)])
@pytest.mark.parametrize("precision", [1.0, 3.0, PRECISION])
def test_least_squares_finds_the_minimum(method, penalty, precision):
    objective, minimum, x0 = regression(penalty=penalty, noise_precision=precision)
    found = scipy.optimize.least_squares(
        objective.residuals, x0, objective.residual_jac, method=method, xtol=1e-14, ftol=1e-14, gtol=1e-12
    )
    assert found.success
    assert found.cost <= minimum.fun * (1 + 1e-9)
    assert found.cost == pytest.approx(objective.value(found.x), rel=1e-13)
    assert np.abs(objective.grad(found.x)).max() < 1e-4


@pytest.mark.parametrize("method", ["trf", "dogbox", "lm"])
def test_least_squares_without_penalty_solves_the_normal_equations(method):
    net = fastmlp.Network([2, 2], rng=0)
    objective = net.objective(X, T, sample_weight=WEIGHT)
    found = scipy.optimize.least_squares(objective.residuals, objective.x0, objective.residual_jac, method=method)
    inputs = np.sqrt(WEIGHT)[:, np.newaxis] * np.column_stack([X, np.ones(50)])
    expected = np.linalg.lstsq(inputs, np.sqrt(WEIGHT)[:, np.newaxis] * T)[0]
    net.params = found.x
    assert np.allclose(np.vstack([net.weights[0].T, net.biases[0]]), expected, atol=1e-7)


@pytest.mark.parametrize("method", ["trf", "dogbox", "lm"])
def test_least_squares_of_float32_networks(method):
    objective, minimum, x0 = regression("float32")
    found = scipy.optimize.least_squares(objective.residuals, x0, objective.residual_jac, method=method)
    assert found.cost == pytest.approx(minimum.fun, rel=1e-4)


@pytest.mark.parametrize("output", ["identity", "tanh", "logistic"])
@pytest.mark.parametrize("precision", [1.0, 3.0, PRECISION])
@pytest.mark.parametrize("penalty", [None, PENALTY, PARTIAL])
@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("dtype", DTYPES)
def test_residuals_are_what_is_squared(output, precision, penalty, weight, dtype):
    net = network([2, 4, 2], output=output, loss="squared_error", dtype=dtype)
    objective = net.objective(X, T, sample_weight=weight, penalty=penalty, noise_precision=precision)
    tolerance = 1e-12 if dtype == "float64" else 1e-5
    p = objective.x0
    r, J = objective.residuals(p), objective.residual_jac(p)
    n_penalised = {None: 0, PENALTY: net.n_params, PARTIAL: 8 + 4}[penalty]
    assert r.dtype == J.dtype == np.float64
    assert r.shape == (100 + n_penalised,)
    assert J.shape == (100 + n_penalised, net.n_params)
    assert 0.5 * r @ r == pytest.approx(objective.value(p), rel=tolerance)
    assert relative_error(J.T @ r, objective.grad(p)) < tolerance
    assert relative_error(J.T @ J, objective.ggn(p)) < tolerance
    value, gradient, matrix = objective.normal_equations(p)
    assert value == pytest.approx(objective.value(p), rel=tolerance)
    assert relative_error(gradient, J.T @ r) < tolerance
    assert relative_error(matrix, J.T @ J) < tolerance


@pytest.mark.parametrize("output", ["identity", "tanh"])
def test_the_jacobian_of_the_residuals_agrees_with_differences(output):
    net = network([2, 4, 2], output=output, loss="squared_error")
    objective = net.objective(X, T, sample_weight=WEIGHT, penalty=PARTIAL, noise_precision=PRECISION)
    p, h = objective.x0, 1e-5
    differences = [(objective.residuals(p + h * e) - objective.residuals(p - h * e)) / (2 * h) for e in np.eye(p.size)]
    assert relative_error(objective.residual_jac(p), np.transpose(differences)) < 1e-9


def test_the_order_of_the_residuals_is_the_documented_one():
    net = network([2, 4, 2])
    objective = net.objective(X, T, sample_weight=WEIGHT, penalty=PARTIAL, noise_precision=PRECISION)
    by_samples = np.sqrt(np.outer(WEIGHT, PRECISION)) * (net(X) - T)
    weights = np.concatenate([np.sqrt(0.1) * net.weights[0].ravel(), np.sqrt(0.3) * net.weights[1][0]])
    assert relative_error(objective.residuals(objective.x0), [*by_samples.ravel(), *weights]) < 1e-14


# ---- second derivatives ----


@pytest.mark.parametrize("loss", ["squared_error", "cross_entropy", "binary_cross_entropy", "poisson"])
def test_hess_and_hessp_are_derivatives_of_the_gradient_penalty_included(loss):
    outputs = {"squared_error": "identity", "cross_entropy": "softmax", "binary_cross_entropy": "logistic"}
    net = network([3, 4, 2], output=outputs.get(loss, "exp"))
    inputs, targets = data(net, 30)
    objective = net.objective(inputs, targets, penalty=PARTIAL, noise_precision=2.0)
    p, h = objective.x0, 1e-5
    differences = np.array([(objective.grad(p + h * e) - objective.grad(p - h * e)) / (2 * h) for e in np.eye(p.size)])
    H, V = objective.hess(p), np.random.default_rng(1).normal(size=(p.size, 3))
    assert relative_error(H, differences) < 1e-8
    assert np.array_equal(H, H.T)
    assert relative_error(objective.hessp(p, V), H @ V) < 1e-12
    assert relative_error(objective.hessp(p, V[:, 0]), H @ V[:, 0]) < 1e-12
    assert relative_error(objective.ggnp(p, V), objective.ggn(p) @ V) < 1e-12
    assert relative_error(objective.normal_equations(p)[2], objective.ggn(p)) < 1e-12


# ---- errors ----

OF_P = ("value", "grad", "value_and_grad", "hess", "ggn", "normal_equations", "residuals", "residual_jac")
OF_P_AND_V = ("hessp", "ggnp")
OBJECTIVE = network([3, 4, 2]).objective(*data(network([3, 4, 2]), 5), penalty=fastmlp.WeightDecay(0.1))


@pytest.mark.parametrize("method", [*OF_P, *OF_P_AND_V])
@pytest.mark.parametrize(
    ("p", "error", "came"),
    [
        (np.zeros(3), ValueError, r"shape \(26,\), got \(3,\)"),
        (np.zeros((26, 1)), ValueError, r"shape \(26,\), got \(26, 1\)"),
        (1.0, ValueError, r"shape \(26,\), got \(\)"),
        (np.zeros(26, complex), TypeError, "real numbers, got dtype complex128"),
        (["a"] * 26, TypeError, "real numbers, got dtype <U1"),
    ],
)
def test_wrong_parameters_are_named(method, p, error, came):
    with pytest.raises(error, match=f"^p: expected {came}"):
        getattr(OBJECTIVE, method)(p, *[np.zeros(26)] * (method in OF_P_AND_V))


@pytest.mark.parametrize("method", OF_P_AND_V)
@pytest.mark.parametrize(
    ("v", "error", "came"),
    [
        (np.zeros(3), ValueError, r"shape \(26,\) or \(26, m\), got \(3,\)"),
        (np.zeros((1, 26)), ValueError, r"shape \(26,\) or \(26, m\), got \(1, 26\)"),
        (np.full(26, np.nan), ValueError, "finite numbers"),
        (np.zeros(26, complex), TypeError, "real numbers"),
        (None, TypeError, "real numbers"),
    ],
)
def test_wrong_directions_are_named(method, v, error, came):
    with pytest.raises(error, match=rf"^v: expected .*{came}"):
        getattr(OBJECTIVE, method)(OBJECTIVE.x0, v)


@pytest.mark.parametrize("method", ["residuals", "residual_jac"])
def test_residuals_are_refused_where_nothing_is_squared(method):
    net = network([3, 4, 2], output="softmax")
    objective = net.objective(*data(net, 5))
    with pytest.raises(ValueError, match=r"^residuals: expected a network with squared_error, got cross_entropy"):
        getattr(objective, method)(objective.x0)
