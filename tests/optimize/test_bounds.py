"""Bounds on parameters: L-BFGS-B within them, by groups or one by one, with ties and fixed parameters."""

import numpy as np
import pytest
import scipy.optimize

from cases import data, network
from fastmlp import WeightDecay

NET = network([3, 4, 2])
DECAY = WeightDecay(0.3, biases=0.1)


def test_a_linear_network_within_bounds_is_non_negative_least_squares():
    net = network([6, 1])
    X, T = data(net, 40)
    res = net.fit(X, T, "lbfgs", bounds={"W1": (0, None)}, fixed="b1", tol=1e-10)
    expected = scipy.optimize.nnls(X, T[:, 0] - net.biases[0][0])[0]
    assert res.success
    assert res.grad_norm <= 1e-10
    assert (expected == 0).any()
    assert np.allclose(net.weights[0][0], expected, atol=1e-10)


def test_bounds_by_groups_are_those_by_parameters(dtype):
    X, T = data(NET, 30)
    low = np.full(26, -np.inf)
    low[16:24] = 0.1
    high = np.full(26, np.inf)
    high[:12:3], high[12:16] = 0.3, 0.25
    by_name, by_number = network([3, 4, 2], dtype=dtype), network([3, 4, 2], dtype=dtype)
    named = {"W2": [0.1, np.inf], "W1[:,0]": (-np.inf, 0.3), "b1": (None, 0.25), "W1[0,:]": (None, np.inf)}
    first = by_name.fit(X, T, bounds=named, penalty=DECAY)
    second = by_number.fit(X, T, "L-BFGS-B", bounds=scipy.optimize.Bounds(low, high), penalty=DECAY)
    assert first.success
    assert first.method == second.method == "l-bfgs-b"
    assert by_name == by_number
    assert (by_name.params.astype(float) >= low).all()
    assert (by_name.params.astype(float) <= high).all()
    assert (np.isclose(by_name.params, low) | np.isclose(by_name.params, high)).any()


def test_at_the_minimum_gradients_point_out_of_bounds_or_vanish():
    net = network([3, 4, 2])
    X, T = data(net, 30)
    res = net.fit(X, T, bounds=scipy.optimize.Bounds(-0.2, 0.2), penalty=DECAY, tol=1e-9)
    gradient = net.objective(X, T, penalty=DECAY).grad(net.params)
    low, high = net.params == -0.2, net.params == 0.2
    assert res.success
    assert low.any()
    assert high.any()
    assert (gradient[low] > 0).all()
    assert (gradient[high] < 0).all()
    assert np.abs(gradient[~low & ~high]).max() <= 1e-9
    assert (np.diff(res.history["loss"]) < 1e-13).all()


def test_tied_parameters_keep_to_the_bounds_of_each():
    net = network([3, 4, 2])
    X, T = data(net, 30)
    bounds = {"W2[0,0]": (-1.0, 1.0), "W2[1,3]": (0.1, 0.2)}
    net.fit(X, T, tied=[{"W2[0,0]": 2.0, "W2[1,3]": -0.5}], bounds=bounds, penalty=DECAY)
    a, b = net.weights[1][0, 0], net.weights[1][1, 3]
    assert a == pytest.approx(-4 * b)
    assert 0.1 - 1e-15 <= b <= 0.2 + 1e-15
    with pytest.raises(ValueError, match="some value that all parameters of a tie may have"):
        net.fit(X, T, tied=["W2"], bounds={"W2[0,0]": (1, 2), "W2[0,1]": (3, 4)})


def test_a_network_with_weights_that_are_not_negative_is_monotone():
    x = np.linspace(-3, 3, 40)[:, np.newaxis]
    noisy = np.arctan(2 * x) + 0.4 * np.random.default_rng(0).normal(size=x.shape)
    free, monotone = network([1, 4, 1], seed=3), network([1, 4, 1], seed=3)
    free.fit(x, noisy)
    res = monotone.fit(x, noisy, bounds={"W1": (0, None), "W2": (0, None)}, penalty=WeightDecay(1e-3, 1e-3))
    assert res.success
    grid = np.linspace(-3, 3, 1000)[:, np.newaxis]
    assert (np.diff(monotone(grid)[:, 0]) >= 0).all()
    assert (np.diff(free(grid)[:, 0]) < 0).any()


@pytest.mark.parametrize(
    ("bounds", "error", "message"),
    [
        ([(0, 1)], TypeError, "bounds: expected a dict over groups or a scipy.optimize.Bounds, got list"),
        ({"W9": (0, 1)}, ValueError, "bounds: expected a group among"),
        ({"W1": 0}, ValueError, r"bounds\['W1'\]: expected a pair \(low, high\), got 0"),
        ({"W1": (0, "x")}, ValueError, r"bounds\['W1'\]: expected a pair"),
        ({"W1": (1, 0)}, ValueError, "bounds: expected low <= high"),
        ({"W1": (np.nan, 0)}, ValueError, "bounds: expected low <= high"),
        ({"W1": (0, 1), "W1[:,0]": (2, 3)}, ValueError, "bounds: expected low <= high"),
        (scipy.optimize.Bounds([0, 0], [1, 1]), ValueError, r"bounds: expected one number, or 26, got shape \(2,\)"),
    ],
)
def test_wrong_bounds_are_refused(bounds, error, message):
    net = network([3, 4, 2])
    with pytest.raises(error, match=message):
        net.fit(*data(net, 5), bounds=bounds)


def test_bounds_are_for_lbfgs_and_hold_for_fixed_parameters():
    net = network([3, 4, 2])
    for solver in ("lm", "adam", "bfgs"):
        with pytest.raises(ValueError, match=f"bounds: expected with lbfgs or l-bfgs-b only, got them with {solver}"):
            net.fit(*data(net, 5), solver, bounds={"W1": (0, 1)})
    net.weights[0][0, 0] = -1.0
    with pytest.raises(ValueError, match="bounds: expected fixed parameters within theirs"):
        net.fit(*data(net, 5), bounds={"W1": (0, 1)}, fixed="W1")


def test_no_step_leaves_the_start_moved_within_bounds():
    net = network([3, 4, 2])
    before = net.params
    net.fit(*data(net, 5), bounds=scipy.optimize.Bounds(-0.1, 0.3), max_iter=0)
    assert np.array_equal(net.params, np.clip(before, -0.1, 0.3))
