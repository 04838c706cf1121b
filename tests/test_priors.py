"""Functions drawn from the prior: moments known in closed form or by quadrature, and laws of scale."""

import numpy as np
import pytest

import fastmlp
from cases import network, relative_error

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
        ([1.0, 2.0], ValueError, r"one for each of W1, b1, W2, b2, or 37, .*, got shape \(2,\)"),
        (0.0, ValueError, "precisions: expected numbers > 0 for all parameters, got others in W1"),
        ([1.0, -1.0, 1.0, 1.0], ValueError, "precisions: expected a finite number >= 0, got -1"),
        ({"W1": 1.0, "W2": 1.0}, ValueError, "precisions: expected numbers > 0 .*, got others in b1, b2"),
        ({"W3": 1.0}, ValueError, "precisions: expected a group among W1"),
        ("1", TypeError, "precisions: expected real numbers"),
        (None, TypeError, "precisions: expected an array of real numbers"),
    ],
)
def test_improper_and_misnamed_priors_are_refused(precisions, error, message):
    with pytest.raises(error, match=message):
        fastmlp.prior_samples(NET, precisions, GRID)


@pytest.mark.parametrize(("dtype", "offset", "tolerance"), [("float64", 1e6, 1e-9), ("float32", 3.0, 3e-5)])
def test_in_standardised_units_functions_are_those_of_the_standardised_problem_mapped(dtype, offset, tolerance):
    """Drawn by hand: columns scaled by their own moments, outputs by those of the targets."""
    rng = np.random.default_rng(3)
    x, t = rng.normal(size=(40, 2)), rng.normal(size=(40, 2))
    X, T = (x + offset) * [1e-6, 1e5], t * [3e4, 1e-9] + [2.5e5, 0.0]
    net = fastmlp.Network([2, 3, 2], dtype=dtype, rng=0)
    net.fit(X, T, standardize=True, penalty=fastmlp.WeightDecay(1.0, 1.0), max_iter=1)
    drawn = fastmlp.prior_samples(net, [1.0, 2.0, 3.0, np.inf], X, 5, 7, standardize=True)
    by_hand = fastmlp.prior_samples(net, [1.0, 2.0, 3.0, 1e300], (X - X.mean(axis=0)) / X.std(axis=0), 5, 7)
    assert drawn.dtype == dtype
    assert relative_error((drawn - T.mean(axis=0)) / T.std(axis=0), by_hand) < tolerance
    other = fastmlp.Network([2, 3, 2], dtype=dtype)
    assert np.array_equal(fastmlp.prior_samples(other, [1.0, 2.0, 3.0, np.inf], X, 5, 7, standardize=net.units), drawn)


def test_what_the_evidence_has_found_can_be_drawn_from():
    """The variance of a prior function in the units of T: linear, so that it is known in closed form."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 1)) * 1e-3 + 5.0
    T = 1e6 * (X[:, 0] - 5.0) + 100 * rng.normal(size=60) + 2.5e5
    posterior = fastmlp.fit_evidence(fastmlp.Network([1, 1], rng=0), X, T)
    assert posterior.pruned == ("b1",)
    new = np.array([[5.0], [5.002]])
    drawn = fastmlp.prior_samples(posterior.network, posterior.group_precisions, new, 20_000, 1, standardize=True)
    deviation = abs(new[:, 0] - X.mean()) / X.std() * T.std() / np.sqrt(posterior.group_precisions["W1"])
    assert np.allclose((drawn[:, :, 0] - T.mean()).std(axis=0), deviation, rtol=0.02)


def test_a_network_without_units_cannot_be_drawn_in_them():
    with pytest.raises(ValueError, match="standardize: expected a network that knows its units"):
        fastmlp.prior_samples(NET, 1.0, GRID, standardize=True)
    with pytest.raises(TypeError, match="standardize: expected True, False or units such as"):
        fastmlp.prior_samples(NET, 1.0, GRID, standardize=1)


def test_other_arguments_are_checked():
    with pytest.raises(TypeError, match=r"net: expected a fastmlp\.Network"):
        fastmlp.prior_samples([1, 2, 1], 1.0, GRID)
    with pytest.raises(ValueError, match=r"X: expected shape \(n_samples, 1\)"):
        fastmlp.prior_samples(NET, 1.0, np.ones((3, 2)))
    with pytest.raises(ValueError, match="n: expected an integer >= 0"):
        fastmlp.prior_samples(NET, 1.0, GRID, -1)
