"""Outputs without a second look: a few rows, rows of little work, and what is left to the careful path."""

import numpy as np
import pytest

from cases import data, network


@pytest.mark.parametrize("n_rows", range(1, 9))
@pytest.mark.parametrize("output", ["identity", "softmax", "tanh"])
def test_a_few_rows_agree_with_the_batch_to_rounding(output, n_rows, dtype):
    net = network([5, 7, 6, 3], ["gelu", "sin"], output, dtype=dtype)
    X = data(net, n_rows)[0].astype(dtype)
    rows = net._function.plain(X)
    assert rows.shape == (n_rows, 3)
    many = net.predict(np.concatenate([X] * 9))[:n_rows]
    assert np.allclose(rows, many, rtol=0, atol=20 * np.finfo(dtype).eps)


@pytest.mark.parametrize("n_rows", range(1, 9))
def test_a_few_rows_are_the_same_bits_however_they_come(n_rows, dtype):
    net = network([7, 20, 3], dtype=dtype)
    X = data(net, n_rows)[0].astype(dtype)
    Y = net.predict(X)
    assert np.array_equal(Y, net.predict(X, n_threads=1))
    assert np.array_equal(Y, net.predict(X.tolist()))
    assert np.array_equal(Y, net.predict(np.asfortranarray(X)))
    assert np.array_equal(Y, net.predict(X, out=np.empty_like(Y)))


@pytest.mark.parametrize("width", [5, 9, 17, 21])
def test_an_overflow_in_one_row_is_that_of_the_batch(width, dtype):
    net = network([1, width, 1], "relu", dtype=dtype)
    net.weights[0][...] = 1e30
    net.weights[1][...] = 1.0
    net.biases[1][...] = 0.0
    X = np.full((20, 1), np.finfo(dtype).max / 2, dtype)
    with np.errstate(over="ignore"):
        assert np.array_equal(net.predict(X[:1]), net.predict(X)[:1])
    assert np.isinf(net.predict(X[:1])[0, 0])


def test_rows_of_a_wide_network_need_no_stack(dtype):
    net = network([3, 3000, 2], dtype=dtype)
    X = data(net, 8)[0].astype(dtype)
    rows = net._function.plain(X)
    assert np.allclose(rows, net.predict(np.concatenate([X, X]))[:8], rtol=0, atol=1e3 * np.finfo(dtype).eps)


@pytest.mark.parametrize(
    "rows",
    [
        np.zeros((200_000, 2)),
        np.zeros((1, 3)),
        np.zeros(1),
        np.zeros(3),
        np.zeros(2, "f4"),
        np.zeros(4)[::2],
        np.array([np.nan, 0.0]),
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
def test_whatever_is_not_plain_rows_of_little_work_is_left_to_the_careful_path(rows):
    net = network([2, 3, 1])
    assert net._function.plain(rows) is None


@pytest.mark.parametrize("n_rows", [0, 1, 9, 300])
def test_one_thread_takes_any_plain_rows_at_once(n_rows, dtype):
    net = network([30, 100, 50, 3], dtype=dtype)
    X = data(net, n_rows)[0].astype(dtype)
    rows = net._function.plain(X, None, True)
    assert np.array_equal(rows, net.predict(X, n_threads=1))
    assert np.array_equal(rows, net.predict(X, n_threads=2))
    assert np.array_equal(rows, net.predict(X.tolist() if n_rows else X, n_threads=1))
    X[n_rows // 2 :] = np.inf
    assert n_rows == 0 or net._function.plain(X, None, True) is None


@pytest.mark.parametrize("n_threads", [True, 1.0, "1", 0, -1])
def test_other_numbers_of_threads_are_judged_as_ever(n_threads):
    with pytest.raises((TypeError, ValueError), match=r"^n_threads: expected"):
        network([2, 3, 1]).predict(np.zeros((1, 2)), n_threads=n_threads)


def test_what_calls_read_of_a_network_lies_in_slots():
    """Python 3.11 is slow at attributes of an object whose dictionary was looked at, as that of a network is."""
    assert set(vars(network([2, 3, 1]))) == {"_fitting"}


@pytest.mark.parametrize("n_rows", [0, 9, 130])
def test_more_rows_of_little_work_are_predicted_as_blocks(n_rows, dtype):
    net = network([5, 7, 3], dtype=dtype)
    X = data(net, n_rows)[0].astype(dtype)
    rows = net._function.plain(X)
    assert rows.shape == (n_rows, 3)
    assert np.array_equal(rows, net.predict(X, n_threads=1))


def test_rows_may_be_read_only():
    net = network([2, 3, 1])
    X = np.ones((1, 2))
    X.flags.writeable = False
    assert net._function.plain(X) is not None


@pytest.mark.parametrize("n_rows", [0, 1, 8, 9, 130])
def test_plain_outputs_are_filled_at_once(n_rows, dtype):
    net = network([5, 7, 3], dtype=dtype)
    X = data(net, n_rows)[0].astype(dtype)
    around = np.full((n_rows + 2, 3), 7.0, dtype)
    out = around[1:-1]
    assert net._function.plain(X, out) is out
    assert np.array_equal(out, net.predict(X, n_threads=1))
    assert np.array_equal(around[[0, -1]], np.full((2, 3), 7.0))


def read_only():
    out = np.zeros((2, 3))
    out.flags.writeable = False
    return out


@pytest.mark.parametrize(
    "out",
    [
        np.zeros((3, 3)), np.zeros((2, 4)), np.zeros(6), np.zeros((2, 3), "f4"), np.zeros((2, 3), ">f8"),
        np.zeros((3, 2)).T, np.zeros((2, 6))[:, ::2], np.ma.zeros((2, 3)), read_only(), [[0.0] * 3] * 2, 1.0,
    ],
)  # fmt: skip
def test_outputs_that_are_not_plain_are_left_to_the_careful_path(out):
    net = network([3, 4, 3])
    assert net._function.plain(np.zeros((2, 3)), out) is None


def test_outputs_that_overlap_are_left_to_the_careful_path():
    net = network([3, 4, 3])
    buffer = np.zeros((5, 3))
    for first in range(4):
        met = net._function.plain(buffer[1:3], buffer[first : first + 2])
        assert (met is None) == (first in (0, 1, 2))
    assert net._function.plain(buffer[:4], net.weights[0]) is None
