"""Several Python threads at once: each gets the bits that it would have got alone."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from cases import data, network

pytestmark = pytest.mark.usefixtures("all_threads_of_blas")

N_THREADS = 8


def together(function):
    """What `function(i)` returns for i = 0 .. 7 in as many Python threads, several times over."""
    with ThreadPoolExecutor(N_THREADS) as pool:
        return [list(pool.map(function, range(N_THREADS))) for _ in range(3)]


@pytest.mark.parametrize("n_threads", [1, 2])
def test_one_network_serves_many_threads(dtype, n_threads):
    net = network([8, 50, 50, 3], output="softmax", dtype=dtype)
    problems = [data(net, 700 + 100 * i, seed=i) for i in range(N_THREADS)]

    def work(i):
        X, T = problems[i]
        loss, gradient = net.loss_and_grad(X, T, n_threads=n_threads)
        few, outputs = net.predict(X[:3]), net.predict(X, n_threads=n_threads)
        curvature = net.hessp(X, T, gradient, n_threads=n_threads), net.hessian_diagonal(X, T, n_threads=n_threads)
        layers = net.jacobian(X, n_threads=n_threads), net.trace(X[:50]).z[1]
        return loss, gradient, outputs, few, net.sample_losses(X, T), *curvature, *layers

    serial = [work(i) for i in range(N_THREADS)]
    for results in together(work):
        for result, expected in zip(results, serial, strict=True):
            assert all(np.array_equal(a, b) for a, b in zip(result, expected, strict=True))


def test_small_networks_have_their_hessians_side_by_side():
    net = network([5, 12, 2])
    problems = [data(net, 400 + 100 * i, seed=i) for i in range(N_THREADS)]
    serial = [net.hessian(X, T) for X, T in problems]
    for results in together(lambda i: net.hessian(*problems[i], n_threads=2)):
        assert all(np.array_equal(result, expected) for result, expected in zip(results, serial, strict=True))


@pytest.mark.parametrize("method", ["adam", "lbfgs"])
def test_networks_are_trained_side_by_side(method):
    def work(i):
        net = network([5, 40, 1], seed=i)
        X, T = data(net, 2_000)
        net.fit(X, T, method, max_iter=5, batch_size=500, rng=i, n_threads=2)
        return net

    serial = [work(i) for i in range(N_THREADS)]
    for results in together(work):
        assert results == serial


def test_copies_of_one_network_are_trained_side_by_side_while_it_predicts():
    net = network([5, 40, 1])
    X, T = data(net, 2_000)
    outputs = net.predict(X)

    def work(i):
        if i % 2:
            return net.predict(X)
        twin = net.copy()
        twin.fit(X, T, "adam", max_iter=5, rng=0)
        return twin.params

    for results in together(work):
        assert all(np.array_equal(result, outputs) for result in results[1::2])
        assert all(np.array_equal(result, results[0]) for result in results[2::2])
