"""Quadratic forms around a point: priors of linear networks, whose optimum has a formula."""

import numpy as np
import pytest

import fastmlp
from cases import network, relative_error
from fastmlp import Quadratic, WeightDecay


def test_a_ridge_regression_has_a_closed_form():
    net = network([3, 1])
    rng = np.random.default_rng(0)
    X, T = rng.normal(size=(30, 3)), rng.normal(size=30)
    center, A = rng.normal(size=4), np.cov(rng.normal(size=(4, 20)))
    with_one = np.column_stack([X, np.ones(30)])  # W1, then b1
    expected = np.linalg.solve(with_one.T @ with_one + A, with_one.T @ T + A @ center)
    for method in ("lm", "lbfgs", "trust-krylov"):
        net.fit(X, T, method, penalty=Quadratic(center, A), tol=1e-11)
        assert relative_error(net.params, expected) < 1e-11


def test_an_old_posterior_is_the_prior_of_new_samples():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(60, 3))
    T = X @ [1.0, -2.0, 0.5] + 0.3 * rng.normal(size=60)
    decay, at_once, in_parts = WeightDecay(0.5, 0.5), network([3, 1]), network([3, 1])
    at_once.fit(X, T, "lm", penalty=decay, tol=1e-11)
    in_parts.fit(X[:25], T[:25], "lm", penalty=decay, tol=1e-11)
    posterior = fastmlp.Laplace(in_parts, X[:25], T[:25], penalty=decay)
    A = np.linalg.inv(posterior.params_covariance) / posterior.noise_precision
    in_parts.fit(X[25:], T[25:], "lm", penalty=Quadratic(posterior.params, A), tol=1e-11)
    assert relative_error(in_parts.params, at_once.params) < 1e-11


@pytest.mark.parametrize(
    ("center", "precision", "message"),
    [
        ([[1.0]], 1.0, r"center: expected shape \(n_params,\), got \(1, 1\)"),
        ([1.0, np.nan], 1.0, "center: expected finite numbers"),
        ([1.0, 2.0], -1.0, "precision: expected a finite number >= 0"),
        ([1.0, 2.0], [1.0, -1.0], "precision: expected numbers >= 0, got -1.0"),
        ([1.0, 2.0], [1.0, 1.0, 1.0], r"precision: expected a number, shape \(2,\) or \(2, 2\), got \(3,\)"),
        ([1.0, 2.0], [[1.0, 1.0], [0.0, 1.0]], "precision: expected a symmetric matrix, got one with differences of 1"),
    ],
)
def test_quadratic_forms_are_checked(center, precision, message):
    with pytest.raises(ValueError, match=message):
        Quadratic(center, precision)


def test_indefinite_forms_have_no_residuals():
    with pytest.raises(ValueError, match="precision: expected no negative eigenvalue for residuals, got -1"):
        Quadratic([0.0, 0.0], [[1.0, 0.0], [0.0, -1.0]]).residuals(np.zeros(2))
