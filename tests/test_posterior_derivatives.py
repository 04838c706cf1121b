"""Derivative data in posteriors: observations beside the values, against formulas of Bayesian lines."""

import pickle

import numpy as np
import pytest
import scipy.stats

import fastmlp
from cases import anywhere, relative_error
from fastmlp import TangentPropagation, WeightDecay

W = 0.6  # noise precision of the derivatives over that of the values


def line(n=12, seed=0):
    """Values and derivatives of y = a x + b with noise, and the design of both, rows by sqrt(w s)."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-2, 2, (n, 1))
    T = 1.5 * X[:, 0] - 0.3 + 0.2 * rng.normal(size=n)
    d = 1.5 + 0.3 * rng.normal(size=n)
    weight = rng.uniform(0.5, 2, n)
    return X, T, d, weight


def penalty(d, decay=0.05):
    return WeightDecay(decay, decay) + TangentPropagation("inputs", W, targets=d[:, np.newaxis])


@anywhere
@pytest.mark.parametrize("hessian", ["ggn", "exact", "diagonal"])
def test_a_line_with_slopes_is_bayesian_regression_on_both(hessian):
    X, T, d, s = line()
    beta, decay = 20.0, 0.05
    net = fastmlp.Network([1, 1], rng=0)
    net.fit(X, T, "lm", penalty=penalty(d), sample_weight=s, tol=1e-10)
    given = {"penalty": penalty(d), "noise_precision": beta, "sample_weight": s}
    posterior = fastmlp.Laplace(net, X, T, hessian=hessian, **given)
    design = np.vstack([np.column_stack([X, np.ones(12)]), np.column_stack([np.ones(12), np.zeros(12)])])
    precisions = beta * np.concatenate([s, W * s])
    A = (design.T * precisions) @ design + beta * decay * np.eye(2)
    if hessian == "diagonal":
        A = np.diag(np.diag(A))
    assert relative_error(posterior.params_covariance, np.linalg.inv(A)) < 1e-12


def test_the_evidence_is_the_density_of_values_and_slopes():
    X, T, d, _ = line()
    beta, decay = 20.0, 0.05
    net = fastmlp.Network([1, 1], rng=0)
    net.fit(X, T, "lm", penalty=penalty(d), tol=1e-10)
    posterior = fastmlp.Laplace(net, X, T, penalty=penalty(d), noise_precision=beta)
    design = np.vstack([np.column_stack([X, np.ones(12)]), np.column_stack([np.ones(12), np.zeros(12)])])
    noise = np.diag(1 / np.repeat([beta, beta * W], 12))
    covariance = noise + design @ design.T / (beta * decay)
    expected = scipy.stats.multivariate_normal(np.zeros(24), covariance).logpdf(np.concatenate([T, d]))
    assert posterior.log_evidence == pytest.approx(expected, rel=1e-10)


def test_a_plane_with_slopes_in_directions_of_each_sample():
    """Two outputs of three inputs, two directions each, weights of samples: regression on values and slopes."""
    rng = np.random.default_rng(2)
    n, beta, decay = 15, 20.0, 0.05
    X, T, tau, d, s = (rng.normal(size=shape) for shape in [(n, 3), (n, 2), (n, 2, 3), (n, 2, 2), n])
    s = np.square(s)
    own = WeightDecay(decay, decay) + TangentPropagation(tau, W, targets=d)
    net = fastmlp.Network([3, 2], rng=0)
    net.fit(X, T, "lm", penalty=own, sample_weight=s, tol=1e-10)
    posterior = fastmlp.Laplace(net, X, T, penalty=own, sample_weight=s, noise_precision=beta)
    values = np.column_stack([X, np.ones(n)])
    slopes = np.column_stack([tau.reshape(-1, 3), np.zeros(2 * n)])
    design, precisions = np.vstack([values, slopes]), beta * np.concatenate([s, W * np.repeat(s, 2)])
    A = (design.T * precisions) @ design + beta * decay * np.eye(4)
    mean = np.linalg.solve(A, (design.T * precisions) @ np.vstack([T, d.reshape(-1, 2)]))
    expected = np.zeros((8, 8))  # weights of the first output, of the second, then both biases
    for k, rows in enumerate(([0, 1, 2, 6], [3, 4, 5, 7])):
        expected[np.ix_(rows, rows)] = np.linalg.inv(A)
        assert relative_error(net.params[rows], mean[:, k]) < 1e-9
    assert relative_error(posterior.params_covariance, expected) < 1e-12


def test_the_noise_is_found_from_values_and_slopes():
    X, T, d, _ = line(200)
    net = fastmlp.Network([1, 1], rng=0)
    net.fit(X, T, "lm", penalty=penalty(d), tol=1e-10)
    posterior = fastmlp.Laplace(net, X, T, penalty=penalty(d))
    y, R = net(X)[:, 0], net.weights[0][0, 0]
    squares = np.sum((y - T) ** 2) + W * np.sum((R - d) ** 2)
    expected = (2 * 200 - posterior.effective_n_params) / squares
    assert posterior.noise_precision == pytest.approx(expected, rel=1e-10)


def test_the_evidence_does_not_depend_on_units():
    X, T, d, _ = line()
    found = []
    for a, c in ((1.0, 1.0), (10.0, 3.0)):
        net = fastmlp.Network([1, 3, 1], rng=0)
        own = penalty(d * c / a)
        net.fit(a * X + 5, c * T - 2, "lm", penalty=own, standardize=True, tol=1e-9)
        posterior = fastmlp.Laplace(net, a * X + 5, c * T - 2, penalty=own, standardize=True)
        found.append(posterior.log_evidence + 12 * np.log(c) + 12 * np.log(c / a))
    assert found[0] == pytest.approx(found[1], rel=1e-6)


def test_slopes_narrow_the_error_bars():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (10, 1))
    T, d = np.sin(3 * X[:, 0]) + 0.05 * rng.normal(size=10), 3 * np.cos(3 * X)
    grid, decay = np.linspace(-1, 1, 50)[:, np.newaxis], WeightDecay(1e-2, 1e-2)
    sd = []
    for own in (decay, decay + TangentPropagation("inputs", 0.1, targets=d)):
        net = fastmlp.Network([1, 5, 1], rng=0)
        net.fit(X, T, "lm", penalty=own, tol=1e-9)
        posterior = fastmlp.Laplace(net, X, T, penalty=own, noise_precision=400.0)
        sd.append(posterior.predict(grid)[1].mean())
    assert sd[1] < sd[0]


def test_such_posteriors_are_pickled_and_refuse_formulas_of_values():
    X, T, d, _ = line()
    net = fastmlp.Network([1, 1], rng=0)
    net.fit(X, T, "lm", penalty=penalty(d), tol=1e-10)
    posterior = fastmlp.Laplace(net, X, T, penalty=penalty(d), noise_precision=20.0)
    again = pickle.loads(pickle.dumps(posterior))
    assert np.array_equal(again.params_covariance, posterior.params_covariance)
    for what in (posterior.leave_one_out, again.influence, lambda: fastmlp.prune(posterior)):
        with pytest.raises(ValueError, match="penalty: expected one without a TangentPropagation"):
            what()
