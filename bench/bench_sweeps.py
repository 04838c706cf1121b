"""All rows: prediction, and loss with gradient."""

import numpy as np

import baselines


def bench_predict(benchmark, problem, contestant):
    net, X, _ = problem
    expected = baselines.forward(net.weights, net.biases, net.hidden, net.output, X)[-1]
    assert np.allclose(net.predict(X), expected, atol=1e-5)
    if contestant == "numpy":
        benchmark(baselines.forward, net.weights, net.biases, net.hidden, net.output, X)
    else:
        benchmark(net.predict, X, n_threads=1)


def bench_loss_and_grad(benchmark, problem, contestant):
    net, X, T = problem
    loss, gradients = baselines.loss_and_grad(net.weights, net.biases, net.hidden, net.output, X, T)
    expected = np.concatenate([part.ravel() for pair in gradients for part in pair])
    got = net.loss_and_grad(X, T, n_threads=1)
    assert np.isclose(got[0], loss, rtol=1e-5)
    assert np.abs(got[1] - expected).max() <= 1e-4 * np.abs(expected).max()
    if contestant == "numpy":
        benchmark(baselines.loss_and_grad, net.weights, net.biases, net.hidden, net.output, X, T)
    else:
        benchmark(net.loss_and_grad, X, T, n_threads=1)
