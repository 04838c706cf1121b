"""Identities of the book that join several parts of the library: exercises 5.1 and 5.25, and duplicated data."""

import numpy as np
import pytest

import fastmlp
from cases import PAIRS, data, network, relative_error

ETA = np.array([10.0, 1.0, 0.1, 0.01])  # eigenvalues of the Hessian
RATE, STEPS = 0.05, 200


def test_logistic_hidden_units_are_tanh_units_with_other_weights():
    """Exercise 5.1: logistic(z) = (1 + tanh(z/2)) / 2."""
    logistic, tanh = network([3, 5, 2], "logistic"), network([3, 5, 2], "tanh")
    (W1, W2), (b1, b2) = logistic.weights, logistic.biases
    tanh.params = np.concatenate([(W1 / 2).ravel(), b1 / 2, (W2 / 2).ravel(), b2 + W2.sum(axis=1) / 2])
    X, _ = data(logistic, 50)
    assert np.allclose(logistic(X), tanh(X), rtol=0, atol=1e-14)
    assert relative_error(logistic.jacobian(X), tanh.jacobian(X)) < 1e-13


@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_duplicated_samples_double_the_loss_its_gradient_and_its_hessian(output, loss):
    net = network([3, 4, 2], output=output, loss=loss)
    X, T = data(net, 40)
    XX, TT = np.concatenate([X, X]), np.concatenate([T, T])
    assert net.loss(XX, TT) == pytest.approx(2 * net.loss(X, T), rel=1e-13)
    assert relative_error(net.loss_and_grad(XX, TT)[1], 2 * net.loss_and_grad(X, T)[1]) < 1e-13
    assert relative_error(net.hessian(XX, TT), 2 * net.hessian(X, T)) < 1e-13
    assert relative_error(net.hessian(X, T, sample_weight=np.full(40, 2.0)), 2 * net.hessian(X, T)) < 1e-13


def quadratic():
    """A linear network without bias, E = 1/2 sum_j eta_j (u_j'(w - w*))^2, with w at 0; the u_j, and w*."""
    rng = np.random.default_rng(0)
    U, w = np.linalg.qr(rng.normal(size=(4, 4)))[0], rng.normal(size=4)
    X = np.sqrt(ETA)[:, np.newaxis] * U.T
    net = fastmlp.Network([4, 1])
    net.params = np.zeros(5)
    return net, X, X @ w, U, w


def test_early_stopping_shrinks_each_component_by_its_curvature():
    """Exercise 5.25: after tau steps of gradient descent w_j = (1 - (1 - rho eta_j)^tau) w*_j."""
    net, X, T, U, w = quadratic()
    net.fit(X, T, "sgd", max_iter=STEPS, batch_size=4, learning_rate=4 * RATE, fixed="b1")  # of the mean over 4
    shrinkage = U.T @ net.weights[0][0] / (U.T @ w)
    assert np.allclose(shrinkage, 1 - (1 - RATE * ETA) ** STEPS, rtol=0, atol=1e-13)
    assert np.allclose(shrinkage, [1.000, 1.000, 0.633, 0.095], atol=5e-4)


def test_weight_decay_does_much_the_same_with_one_over_rate_times_steps():
    net, X, T, U, w = quadratic()
    net.fit(X, T, "lm", penalty=fastmlp.WeightDecay(1 / (RATE * STEPS)), fixed="b1", tol=1e-13)
    shrinkage = U.T @ net.weights[0][0] / (U.T @ w)
    assert np.allclose(shrinkage, ETA / (ETA + 1 / (RATE * STEPS)), rtol=0, atol=1e-11)
    assert np.allclose(shrinkage, [0.990, 0.909, 0.500, 0.091], atol=5e-4)
