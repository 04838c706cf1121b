"""Sums over a batch: the same bits for any number of threads, and rows of every kind of path."""

import numpy as np
import pytest

from cases import SHAPES, data, network
from fastmlp._core import batch


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


@pytest.mark.parametrize("n_rows", range(1, 9))
@pytest.mark.parametrize("output", ["identity", "softmax", "tanh"])
def test_a_few_rows_agree_with_the_batch_to_rounding(output, n_rows, dtype):
    net = network([5, 7, 6, 3], ["gelu", "sin"], output, dtype=dtype)
    X = data(net, n_rows)[0].astype(dtype)
    rows = batch.predict_rows(net._plan, net._params, X)
    assert rows.shape == (n_rows, 3)
    assert np.allclose(rows, net.predict(X, n_threads=1), rtol=0, atol=20 * np.finfo(dtype).eps)


def test_rows_of_a_wide_network_need_no_stack(dtype):
    net = network([3, 3000, 2], dtype=dtype)
    X = data(net, 8)[0].astype(dtype)
    rows = batch.predict_rows(net._plan, net._params, X)
    assert np.allclose(rows, net.predict(X, n_threads=1), rtol=0, atol=1e3 * np.finfo(dtype).eps)


@pytest.mark.parametrize(
    "rows",
    [
        np.zeros((9, 2)),
        np.zeros((0, 2)),
        np.zeros((1, 3)),
        np.zeros(2),
        np.zeros((1, 2), "f4"),
        np.zeros((1, 2), ">f8"),
        np.asfortranarray(np.zeros((2, 2))),
        np.zeros((1, 4))[:, ::2],
        np.full((1, 2), np.nan),
        np.array([[0.0, -np.inf]]),
        np.ma.zeros((1, 2)),
        [[0.0, 0.0]],
        None,
    ],
)
def test_whatever_is_not_a_few_plain_rows_is_left_to_the_careful_path(rows):
    net = network([2, 3, 1])
    assert batch.predict_rows(net._plan, net._params, rows) is None


def test_rows_may_be_read_only():
    net = network([2, 3, 1])
    X = np.ones((1, 2))
    X.flags.writeable = False
    assert batch.predict_rows(net._plan, net._params, X) is not None
