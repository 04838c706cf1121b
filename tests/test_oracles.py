"""Outputs, losses and gradients against two independent oracles: explicit loops in NumPy, and JAX in float64."""

import mpmath
import numpy as np
import pytest

import autodiff
import reference
from cases import DTYPES, HIDDEN, PAIRS, TOLERANCE, data, network, relative_error

ORACLES = ("loops", "autodiff")


def agree(net, X, T, weight=None, oracle="loops", factor=1.0):
    """Check everything a network says of X and T against an oracle."""
    tolerance = factor * TOLERANCE[net.dtype.name]
    X = np.asarray(X, net.dtype)  # the oracle is to see what the network sees
    T = np.asarray(T) if np.asarray(T).dtype.kind == "i" else np.asarray(T, net.dtype)
    weight = None if weight is None else np.asarray(weight, net.dtype)
    if oracle == "loops":
        outputs, losses, _, gradient = reference.evaluate(net, X, T, weight)
    else:
        outputs, losses, gradient = autodiff.evaluate(net, X, T, weight)
    value, got = net.loss_and_grad(X, T, sample_weight=weight)
    assert relative_error(net.predict(X), outputs) <= tolerance
    unweighted = net.sample_losses(X, T, sample_weight=weight)
    assert relative_error(unweighted if weight is None else weight * unweighted, losses) <= tolerance
    assert abs(value - losses.sum()) <= tolerance * np.abs(losses).sum()
    assert net.loss(X, T, sample_weight=weight) == value
    assert relative_error(got, gradient) <= tolerance


@pytest.mark.parametrize("oracle", ORACLES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("output", "loss"), PAIRS)
@pytest.mark.parametrize("hidden", HIDDEN)
def test_every_activation_with_every_loss(hidden, output, loss, dtype, oracle):
    net = network([3, 5, 4, 3], hidden, output, loss, dtype, seed=1)
    X, T = data(net, 7)
    agree(net, X, T, oracle=oracle)


@pytest.mark.parametrize("oracle", ORACLES)
@pytest.mark.parametrize("n_samples", [1, 7, 129])
@pytest.mark.parametrize(("output", "loss"), PAIRS)
@pytest.mark.parametrize("depth", [0, 1, 2, 3, 4])
def test_every_depth_and_number_of_samples_with_weights_and_soft_targets(depth, output, loss, n_samples, oracle):
    hidden = [HIDDEN[(depth + i) % len(HIDDEN)] for i in range(1, depth + 1)]
    net = network([4, *[5, 3, 6, 2][:depth], 3], hidden, output, loss, seed=depth)
    X, T = data(net, n_samples, soft=True)
    weight = np.random.default_rng(depth).exponential(size=n_samples)
    agree(net, X, T, weight, oracle)


@pytest.mark.parametrize("oracle", ORACLES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layers", [[1, 1, 2], [300, 17, 3], [2, 300, 2], [5, 16, 300], [1, 2], [33, 31, 300, 2]])
@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_every_width(layers, output, loss, dtype, oracle):
    net = network(layers, "tanh", output, loss, dtype, seed=2)
    X, T = data(net, 19)
    agree(net, X, T, oracle=oracle)


@pytest.mark.parametrize("oracle", ORACLES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("output", ["logistic", "softmax", "tanh"])
def test_logits_of_a_thousand(output, dtype, oracle):
    net = network([2, 4, 3], "tanh", output, dtype=dtype, seed=3)
    net.weights[-1][...] *= 1000
    net.biases[-1][...] = [1000, -1000, 0]
    X, T = data(net, 33)
    assert np.abs(net.trace(X).z[-1]).max() > 1000
    agree(net, X, T, oracle=oracle)
    assert np.isfinite(net.loss(X, T))


@pytest.mark.parametrize("oracle", ORACLES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("output", ["logistic", "softmax"])
def test_a_large_bias_does_not_round_the_sum_before_it(output, dtype, oracle):
    net = network([20, 300, 4], "logistic", output, dtype=dtype, seed=8)
    net.biases[-1][...] = [1000, 1000, 999, -1000]
    X, T = data(net, 129, soft=True)
    # a float32 of 1000 is known to 3e-5, and so is e to its power
    agree(net, X, T, oracle=oracle, factor=4 if (dtype, output) == ("float32", "softmax") else 1)


@pytest.mark.parametrize("output", ["logistic", "softmax"])
def test_deltas_keep_their_relative_accuracy_when_the_fit_is_almost_perfect(output):
    net = network([1, 2], output=output)
    net.params = [0.0, 0.0, 40.0, 0.0]
    delta = net.trace([[1.0]], [[1.0, 0.0]]).delta[0][0]
    if output == "logistic":
        expected = [-1 / (1 + mpmath.exp(40)), mpmath.mpf("0.5")]
    else:
        expected = [-mpmath.exp(-40) / (1 + mpmath.exp(-40)), mpmath.exp(-40) / (1 + mpmath.exp(-40))]
    assert all(abs(d / float(e) - 1) < 1e-14 for d, e in zip(delta, expected, strict=True))


@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_gradient_equals_central_differences(output, loss):
    net = network([3, 4, 2], "softplus", output, loss, seed=4)
    X, T = data(net, 11)
    objective = net.objective(X, T)
    p, h = objective.x0, 1e-6
    steps = h * np.eye(net.n_params)
    differences = [(objective.value(p + s) - objective.value(p - s)) / (2 * h) for s in steps]
    assert relative_error(objective.grad(p), differences) < 1e-8


def test_softmax_with_two_classes_is_logistic_on_the_difference_of_the_logits():
    two = network([3, 4, 2], output="softmax", seed=5)
    one = network([3, 4, 1], output="logistic")
    one.weights[0][...], one.biases[0][...] = two.weights[0], two.biases[0]
    one.weights[1][...] = two.weights[1][1] - two.weights[1][0]
    one.biases[1][...] = two.biases[1][1] - two.biases[1][0]
    X, labels = data(two, 25)
    assert np.allclose(two(X)[:, 1:], one(X), rtol=1e-14, atol=0)
    assert np.isclose(two.loss(X, labels), one.loss(X, labels.astype(float)), rtol=1e-14)


def test_logistic_units_are_tanh_units_of_half_the_weights():
    """PRML, exercise 5.1: logistic(z) = (1 + tanh(z / 2)) / 2."""
    logistic = network([3, 6, 2], hidden="logistic", seed=5)
    tanh = network([3, 6, 2], hidden="tanh")
    (W1, W2), (b1, b2) = logistic.weights, logistic.biases
    tanh.params = np.concatenate([W1.ravel() / 2, b1 / 2, W2.ravel() / 2, b2 + W2.sum(axis=1) / 2])
    X, _ = data(tanh, 50)
    assert relative_error(tanh(X), logistic(X)) < 1e-14


def test_duplicated_samples_equal_a_weight_of_two():
    net = network([3, 4, 2], seed=6)
    X, T = data(net, 40)
    twice = net.loss_and_grad(np.vstack([X, X]), np.vstack([T, T]))
    weighted = net.loss_and_grad(X, T, sample_weight=np.full(40, 2.0))
    assert np.isclose(twice[0], weighted[0], rtol=1e-13)
    assert relative_error(twice[1], weighted[1]) < 1e-13


def test_an_oracle_notices_a_wrong_gradient():
    net = network([3, 4, 2], seed=7)
    X, T = data(net, 9)
    gradient = net.loss_and_grad(X, T)[1]
    gradient[3] *= 1 + 1e-9
    assert relative_error(gradient, autodiff.evaluate(net, X, T)[2]) > TOLERANCE["float64"]
