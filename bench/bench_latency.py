"""One row from Python, every check made."""

import numpy as np

import baselines


def bench_one_row(benchmark, problem, contestant):
    net, X, _ = problem
    row = X[:1].copy()
    expected = baselines.forward(net.weights, net.biases, net.hidden, net.output, row)[-1]
    assert np.allclose(net.predict(row), expected, atol=1e-5)
    if contestant == "numpy":
        benchmark(baselines.forward, net.weights, net.biases, net.hidden, net.output, row)
    else:
        benchmark(net.predict, row)
