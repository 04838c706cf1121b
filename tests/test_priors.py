"""Functions drawn from the prior: moments known in closed form or by quadrature, and laws of scale."""

import numpy as np
import pytest

import fastmlp
from cases import network

ALPHA = (0.5, 0.25, 2.0, 4.0)  # of W1, b1, W2, b2
NET = fastmlp.Network([1, 12, 1], rng=0)
GRID = np.linspace(-1, 1, 7)[:, np.newaxis]


def covariance_by_quadrature(h, x):
    """1/alpha_b2 + M/alpha_W2 E[h(w x + b) h(w x' + b)]: exact for independent units, after Gauss and Hermite."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    w, b = nodes[:, np.newaxis] / np.sqrt(ALPHA[0]), nodes / np.sqrt(ALPHA[1])
    a = h(w[..., np.newaxis] * x[:, 0] + b[:, np.newaxis])
    p = np.outer(weights, weights) / (2 * np.pi)
    return 1 / ALPHA[3] + 12 / ALPHA[2] * np.einsum("ij,ijn,ijm->nm", p, a, a)


@pytest.mark.parametrize(("hidden", "h"), [("tanh", np.tanh), ("sin", np.sin), ("identity", lambda z: z)])
def test_means_vanish_and_covariances_are_those_of_the_formula(hidden, h):
    f = fastmlp.prior_samples(fastmlp.Network([1, 12, 1], hidden), ALPHA, GRID, 20_000, rng=0)[:, :, 0]
    expected = covariance_by_quadrature(h, GRID)
    deviation = np.sqrt(np.diag(expected))
    assert np.abs(f.mean(axis=0) / deviation).max() < 4.5 / np.sqrt(20_000)
    error = (f.T @ f / 20_000 - expected) / np.outer(deviation, deviation)
    assert np.abs(error).max() < 4.5 * np.sqrt(3 / 20_000)  # Gaussian products have variance 2, these a little more


def draws(*alpha, x=GRID):
    return fastmlp.prior_samples(NET, alpha, x, 50, rng=1)


def test_second_layer_weights_scale_what_is_not_the_output_bias():
    no_bias = 1e40
    assert np.allclose(draws(0.5, 0.25, 8.0, no_bias), draws(0.5, 0.25, 2.0, no_bias) / 2, rtol=1e-12)
    constant = draws(0.5, 0.25, 1e40, 4.0)
    assert np.allclose(constant, constant[:, :1], rtol=1e-12)
    assert np.allclose(draws(0.5, 0.25, 1e40, 16.0), constant / 2, rtol=1e-12)
    assert np.allclose(draws(0.5, 0.25, 2.0, 4.0) - draws(0.5, 0.25, 2.0, no_bias), constant, rtol=1e-9)


def test_a_larger_precision_of_first_layer_weights_stretches_the_input():
    assert np.allclose(draws(4 * 0.5, 0.25, 2.0, 4.0), draws(0.5, 0.25, 2.0, 4.0, x=GRID / 2), rtol=1e-12)


def test_every_way_to_name_the_precisions_draws_the_same():
    net = network([2, 3, 2])
    x = np.random.default_rng(0).normal(size=(5, 2))
    by_order = fastmlp.prior_samples(net, [1.0, 2.0, 3.0, 4.0], x, 4, 7)
    by_name = {"b2": 4.0, "W1[:,0]": 1.0, "W1[:,1]": 1.0, "W2": 2.5, "W2[0,:]": 0.5, "W2[1,:]": 0.5, "b1": 2.0}
    assert np.array_equal(fastmlp.prior_samples(net, by_name, x, 4, 7), by_order)
    assert np.array_equal(
        fastmlp.prior_samples(net, 2.0, x, rng=7), fastmlp.prior_samples(net, (2.0,) * 4, x, 10, rng=7)
    )


def test_the_network_serves_as_the_architecture_only(dtype):
    net = network([2, 3, 2], output="softmax", dtype=dtype)
    before, x = net.params, np.ones((5, 2))
    f = fastmlp.prior_samples(net, 1.0, x, 3, rng=np.random.default_rng(0))
    assert np.array_equal(net.params, before)
    assert f.dtype == dtype
    assert np.allclose(f.sum(axis=2), 1.0, rtol=1e-6)
    net.params = np.random.default_rng(0).standard_normal(net.n_params)
    assert np.array_equal(f[0], net(x))
    assert fastmlp.prior_samples(net, 1.0, x, 0).shape == (0, 5, 2)


@pytest.mark.parametrize(
    ("precisions", "error", "message"),
    [
        ([1.0, 2.0], ValueError, r"one for each of W1, b1, W2, b2, got shape \(2,\)"),
        (0.0, ValueError, r"precisions\['W1'\]: expected a finite number > 0"),
        ([1.0, -1.0, 1.0, 1.0], ValueError, r"precisions\['b1'\]: expected a finite number > 0"),
        ({"W1": 1.0, "W2": 1.0}, ValueError, "precisions: expected one for every parameter, got none in b1, b2"),
        ({"W3": 1.0}, ValueError, "precisions: expected a group among W1"),
        ("1", TypeError, "precisions: expected real numbers"),
        (None, TypeError, "precisions: expected an array of real numbers"),
    ],
)
def test_improper_and_misnamed_priors_are_refused(precisions, error, message):
    with pytest.raises(error, match=message):
        fastmlp.prior_samples(NET, precisions, GRID)


def test_other_arguments_are_checked():
    with pytest.raises(TypeError, match=r"net: expected a fastmlp\.Network"):
        fastmlp.prior_samples([1, 2, 1], 1.0, GRID)
    with pytest.raises(ValueError, match=r"X: expected shape \(n_samples, 1\)"):
        fastmlp.prior_samples(NET, 1.0, np.ones((3, 2)))
    with pytest.raises(ValueError, match="n: expected an integer >= 0"):
        fastmlp.prior_samples(NET, 1.0, GRID, -1)
