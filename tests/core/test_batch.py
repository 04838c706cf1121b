"""Sums over a batch: the same bits for any number of threads, and what is bound without a second look."""

import numpy as np
import pytest

from cases import SHAPES, data, network
from fastmlp._core.sums.batch import bind_plain


@pytest.mark.parametrize("n_samples", [1, 33, 1000])
@pytest.mark.parametrize("layers", SHAPES)
def test_results_are_the_same_bits_for_any_number_of_threads(layers, n_samples, dtype, n_threads):
    net = network(layers, dtype=dtype, output="softmax" if layers[-1] > 1 else "logistic")
    X, T = data(net, n_samples)
    weight = np.random.default_rng(0).random(n_samples)
    one = [*net.loss_and_grad(X, T, sample_weight=weight, n_threads=1), net.predict(X, n_threads=1)]
    for _ in range(3):
        many = [*net.loss_and_grad(X, T, sample_weight=weight, n_threads=n_threads)]
        many.append(net.predict(X, n_threads=n_threads))
        assert all(np.array_equal(a, b) for a, b in zip(one, many, strict=True))


def test_exact_samples_are_bound_as_they_are(dtype):
    net = network([2, 3, 1], dtype=dtype)
    X, T = data(net, 20)
    X, T = X.astype(dtype), T.astype(dtype)
    loss, gradient = bind_plain(net._architecture.plan, X, T).loss_and_grad(net._params, 1)
    expected = net.loss_and_grad(X.tolist(), T.tolist())
    assert loss == expected[0]
    assert np.array_equal(gradient, expected[1])
    assert bind_plain(net._architecture.plan, X, T[:, 0].copy()).loss(net._params, 1) == loss


@pytest.mark.parametrize(
    ("X", "T"),
    [
        (np.zeros((4, 3)), np.zeros((4, 1))),
        (np.zeros(4), np.zeros(4)),
        (np.zeros((4, 2)), np.zeros((4, 2))),
        (np.zeros((4, 2)), np.zeros((4, 1, 1))),
        (np.zeros((4, 2)), np.zeros(3)),
        (np.zeros((4, 2)), np.zeros(4, int)),
        (np.zeros((4, 2), "f4"), np.zeros(4, "f4")),
        (np.zeros((8, 2))[::2], np.zeros(4)),
        (np.full((4, 2), np.inf), np.zeros(4)),
        (np.zeros((4, 2)), np.full(4, np.nan)),
        (None, None),
    ],
)
def test_samples_that_need_a_second_look_are_not_bound(X, T):
    assert bind_plain(network([2, 3, 1])._architecture.plan, X, T) is None


def test_other_losses_look_at_their_targets():
    net = network([2, 3, 1], output="logistic")
    assert bind_plain(net._architecture.plan, np.zeros((4, 2)), np.zeros((4, 1))) is None
