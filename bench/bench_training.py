"""Epochs of Adam over minibatches."""

import numpy as np
import pytest

import baselines


def zeros(arrays):
    return [np.zeros_like(array) for array in arrays]


@pytest.mark.parametrize("batch_size", [32, 128])
def bench_adam_epoch(benchmark, problem, contestant, batch_size):
    net, X, T = problem
    other = net.copy()
    arrays = [array for pair in zip(other.weights, other.biases, strict=True) for array in pair]
    state = {"steps": 0, "m": zeros(arrays), "v": zeros(arrays)}
    order = np.arange(len(X))
    np.random.default_rng(0).shuffle(order)
    by_hand = (other.weights, other.biases, net.hidden, net.output, X, T, order, batch_size, state)

    baselines.adam_epoch(*by_hand)
    net.fit(X, T, "adam", max_iter=1, batch_size=batch_size, rng=0, n_threads=1)
    assert np.abs(net.params - other.params).max() <= (1e-10 if net.dtype == np.float64 else 1e-2)

    if contestant == "numpy":
        benchmark(baselines.adam_epoch, *by_hand)
    else:
        benchmark(net.fit, X, T, "adam", max_iter=1, batch_size=batch_size, rng=0, n_threads=1)
