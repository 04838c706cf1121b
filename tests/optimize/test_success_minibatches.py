"""Success of minibatches, which a constant measures, and of training that patience ends."""

import numpy as np
import pytest

import fastmlp
from cases import MINIBATCH, WITH_GRADIENT
from scale_cases import caught, explained, nearly_linear

rng = np.random.default_rng(1)
X, Y = nearly_linear(0)


@pytest.mark.parametrize("method", MINIBATCH)
def test_minibatches_succeed_where_they_are_no_worse_than_a_constant(method):
    rate = {"sgd": 0.01, "adam": 0.02}[method]
    for shift in (0.0, 40.0):
        net = fastmlp.Network([3, 4, 1], rng=0)
        res, _ = caught(net, X, Y + shift, method, max_iter=20, learning_rate=rate / (1 + shift), rng=0)
        assert res.success == bool(explained(net, X, Y + shift) >= 0) == (shift == 0)
        assert res.message.startswith("all epochs done")
        assert ("constant" in res.message) != res.success


@pytest.mark.parametrize("output", ["logistic", "softmax", "exp"])
def test_classes_and_counts_have_constants_of_their_own(output):
    T = (X[:, 0] > 0).astype(int) if output != "exp" else rng.poisson(np.exp(0.5 * X[:, 0]))
    layers = [3, 4, 2 if output == "softmax" else 1]
    for start in (0.0, 20.0):
        net = fastmlp.Network(layers, output=output, rng=0)
        net.biases[1][...] = start * np.arange(1, layers[-1] + 1) / 5
        res = net.fit(X, T, "adam", max_iter=10, rng=0)
        constant = fastmlp.Network(layers, output=output, rng=0)
        constant.weights[1][...] = 0.0
        constant.fit(X, T, "lm", fixed=["W1", "b1", "W2"])
        assert res.success == bool(net.loss(X, T) <= constant.loss(X, T))


def test_equal_targets_ask_for_nothing():
    assert fastmlp.Network([3, 4, 1], rng=0).fit(X, np.full(200, 2.0), "adam", rng=0).success


def test_a_penalty_on_the_output_biases_is_allowed_for():
    net = fastmlp.Network([3, 4, 1], rng=0)
    res = net.fit(X, Y, "adam", penalty=fastmlp.WeightDecay(500.0, 500.0), learning_rate=0.01, max_iter=300, rng=0)
    assert explained(net, X, Y) < 0  # as asked
    assert res.success


@pytest.mark.parametrize("method", WITH_GRADIENT)
def test_stopping_by_patience_as_asked_is_success(method):
    net = fastmlp.Network([3, 20, 1], rng=0)
    rate = 0.02 if method == "adam" else None
    res = net.fit(X, Y, method, validation=0.3, patience=5, max_iter=2000, rng=0, learning_rate=rate)
    assert res.message.startswith("stopped by patience")
    assert res.success
