"""Networks trained again after their data have changed, against SciPy from the same start."""

import numpy as np
import pytest
import scipy.optimize

import fastmlp
from cases import PAIRS, data, network, relative_error
from fastmlp._core.curvature import cholesky
from fastmlp.pruning import refitting

PENALTY = fastmlp.WeightDecay(1.0, 0.5)


def trained(output="identity", loss=None, layers=(4, 5, 2), n_samples=100, **options):
    net = network(list(layers), "tanh", output, loss, scale=0.7)
    X, T = data(net, n_samples)
    net.fit(X, T, "lm", penalty=PENALTY, tol=1e-10, **options)
    return net, X, T


def independent(net, X, T, weight=None):
    objective = net.objective(X, T, penalty=PENALTY, sample_weight=weight)
    result = scipy.optimize.minimize(
        objective.value_and_grad, net.params, jac=True, hess=objective.hess, method="trust-exact",
        options={"gtol": 1e-10},
    )  # fmt: skip
    return result.x, result.fun


CHANGES = {
    "a row less": lambda X, T: (X[1:], T[1:], None),
    "five rows more": lambda X, T: (np.concatenate([X, X[:5] + 0.1]), np.concatenate([T, T[5:10]]), None),
    "labelled anew": lambda X, T: (X, np.concatenate([T[3:6], T[3:]]), None),
    "weighted anew": lambda X, T: (X, T, np.random.default_rng(0).uniform(0.7, 1.3, len(X))),
    "a third less": lambda X, T: (X[33:], T[33:], None),
    "the same": lambda X, T: (X, T, None),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_the_optimum_is_that_of_an_independent_optimizer_from_the_same_start(output, loss, change):
    net, X, T = trained(output, loss)
    X, T, weight = CHANGES[change](X, T)
    x, fun = independent(net, X, T, weight)
    if change == "labelled anew":  # far away there are several optima: the one that Levenberg-Marquardt leads to counts
        other = net.copy().fit(X, T, "lm", penalty=PENALTY, sample_weight=weight, tol=1e-10)
        x, fun = other.x, other.fun
    start, value = net.params, net.objective(X, T, penalty=PENALTY, sample_weight=weight).value(net.params)
    result = fastmlp.refit(net, X, T, penalty=PENALTY, sample_weight=weight, tol=1e-10)
    assert result.success
    assert result.grad_norm <= 1e-10
    assert result.fun <= value
    assert np.isclose(result.fun, fun, rtol=1e-9)
    assert relative_error(result.x, x) < 1e-7
    assert np.array_equal(net.params, result.x)
    if change == "the same":
        assert result.nit == 0
        assert result.moved == 0
        assert np.array_equal(result.x, start)


def test_what_newton_says_of_it():
    net, X, T = trained()
    start, objective = net.params, net.objective(X[1:], T[1:], penalty=PENALTY)
    g, A = objective.grad(start), objective.hess(start)
    result = fastmlp.refit(net, X[1:], T[1:], penalty=PENALTY, tol=1e-10)
    assert relative_error(result.predicted, start - np.linalg.solve(A, g)) < 1e-9
    assert np.isclose(result.predicted_decrease, 0.5 * g @ np.linalg.solve(A, g), rtol=1e-9)
    assert result.newton_used
    assert result.negative_eigenvalues == 0
    gamma = len(start) - PENALTY.diagonal(net._architecture) @ np.diagonal(np.linalg.inv(A))
    residuals = trained()[0](X[1:]) - T[1:]
    beta = (T[1:].size - gamma) / (residuals**2).sum()
    d = result.x - start
    assert np.isclose(result.moved, np.sqrt(beta * d @ A @ d), rtol=1e-9)


def test_where_newton_has_nothing_to_say():
    net, X, T = trained(layers=(4, 8, 1), n_samples=40)
    flipped = -3 * T
    A = net.objective(X, flipped, penalty=PENALTY).hess(net.params)
    n_negative = int((np.linalg.eigvalsh(A) < 0).sum())
    assert n_negative
    result = fastmlp.refit(net, X, flipped, penalty=PENALTY)
    assert result.predicted is None
    assert np.isnan(result.predicted_decrease)
    assert not result.newton_used
    assert result.negative_eigenvalues == n_negative
    assert result.success


def test_fixed_parameters_stay():
    net, X, T = trained()
    start = net.params
    result = fastmlp.refit(net, X[5:], T[5:], penalty=PENALTY, fixed=["W1[:,1]", "b2"])
    held = [1, 5, 9, 13, 17, 35, 36]
    assert np.array_equal(result.x[held], start[held])
    objective = net.objective(X[5:], T[5:], penalty=PENALTY, fixed=held)
    assert np.isclose(result.fun, objective.value(objective.x0), rtol=1e-12)
    assert np.abs(objective.grad(objective.x0)).max() <= result.grad_norm * (1 + 1e-6) + 1e-12
    with pytest.raises(ValueError, match=r"^fixed: expected at least one"):
        fastmlp.refit(net, X, T, fixed=["W1", "b1", "W2", "b2"])


def test_in_the_units_of_the_data():
    _net, X, T = trained()
    raw, targets = 1e5 + 1e3 * X, 1e-4 * T - 8
    own = network([4, 5, 2], seed=2, scale=0.5)
    own.fit(raw, targets, "lm", penalty=PENALTY, standardize=True, tol=1e-10)
    other = own.copy()
    result = fastmlp.refit(own, raw[3:], targets[3:], penalty=PENALTY, standardize=True, tol=1e-10)
    expected = other.fit(raw[3:], targets[3:], "lm", penalty=PENALTY, standardize=True, tol=1e-10)
    assert np.isclose(result.fun, expected.fun, rtol=1e-10)
    assert relative_error(own(raw), other(raw)) < 1e-7
    assert own.units == other.units


def test_who_is_being_fitted_is_not_refitted():
    net, X, T = trained()

    def callback(state):
        with pytest.raises(RuntimeError, match=r"^refit: "):
            fastmlp.refit(net, X, T)
        return True

    net.fit(X[1:], T[1:], "scg", callback=callback)


def test_what_is_wrong_is_named():
    net, X, T = trained()
    with pytest.raises(ValueError, match=r"^X: expected"):
        fastmlp.refit(net, X[:0], T[:0])
    with pytest.raises(ValueError, match=r"^tol: expected"):
        fastmlp.refit(net, X, T, tol=-1.0)
    with pytest.raises(TypeError, match=r"^net: expected"):
        fastmlp.refit("net", X, T)


def test_negative_eigenvalues_are_counted_beyond_rounding():
    rng = np.random.default_rng(0)
    for n in (1, 2, 3, 8, 40, 130):
        Q = np.linalg.qr(rng.normal(size=(n, n)))[0]
        for negative in {0, 1, n // 2, n}:
            values = rng.uniform(0.1, 100.0, n)
            values[:negative] *= -1
            A = Q * values @ Q.T
            assert refitting._negative((A + A.T) / 2) == negative
            if negative < n:
                values[-1] = 0.0
                A = Q * values @ Q.T
                assert refitting._negative((A + A.T) / 2) == negative


@pytest.mark.parametrize("n", [2, 5, 30])
def test_negative_eigenvalues_are_counted_where_pivots_have_to_be_chosen(n):
    """Taken as they come, small pivots let numbers grow: blocks of two rows have one eigenvalue of each sign."""
    rng = np.random.default_rng(n)
    for seed in range(5):
        A = rng.normal(size=(n, n))
        A += A.T
        A[np.diag_indices(n)] = 1e-9 * rng.normal(size=n)
        if seed == 0:
            A = np.kron(np.eye(n), [[0.0, 2.0], [2.0, 0.0]])  # the first pivot is 0
        assert cholesky.negative_pivots(A, 1e-14) is None
        assert refitting._negative(A) == (np.linalg.eigvalsh(A) < 0).sum()


def test_between_saddles_the_minimum_is_that_of_levenberg_marquardt():
    """With five negative eigenvalues quasi-Newton steps end elsewhere, by 0.06 higher."""
    rng = np.random.default_rng(37)
    X = rng.normal(size=(90, 3))
    logits = np.sin(X @ rng.normal(size=(3, 2))) + 0.2 * rng.normal(size=(90, 2))
    T, penalty = np.eye(2)[logits.argmax(axis=1)], fastmlp.WeightDecay(0.5, 0.5)
    net = fastmlp.Network([3, 5, 2], hidden="softplus", output="softmax", rng=37)
    net.fit(X, T, "lm", penalty=penalty, tol=1e-9)
    left = rng.permutation(90)[9:]
    other = net.copy().fit(X[left], T[left], "lm", penalty=penalty, tol=1e-9)
    result = fastmlp.refit(net, X[left], T[left], penalty=penalty, tol=1e-9)
    assert result.negative_eigenvalues > 1
    assert not result.newton_used
    assert result.success
    assert result.fun <= other.fun * (1 + 1e-9)
