"""Compacted networks: the same outputs, by fewer units and inputs."""

import sys

import numpy as np
import onnxruntime
import pytest

import fastmlp
from cases import DTYPES, HIDDEN, data, network, relative_error

try:
    import torch
except ModuleNotFoundError:
    from torch_stand_in import torch


def with_zeros(layers, activation="tanh", dtype="float64", share=0.6, seed=0):
    """A network many of whose weights are 0, biases too."""
    net = network(list(layers), activation, dtype=dtype, seed=seed)
    rng = np.random.default_rng([seed, net.n_params])
    net.params = np.where(rng.random(net.n_params) < share, 0.0, net.params)
    return net


@pytest.mark.parametrize("activation", HIDDEN)
@pytest.mark.parametrize("layers", [(5, 6, 2), (4, 5, 4, 3), (3, 2), (6, 3, 3, 3, 1)])
@pytest.mark.parametrize("share", [0.5, 0.8, 0.95])
def test_outputs_are_the_same(layers, activation, share):
    for seed in range(5):
        net = with_zeros(layers, activation, share=share, seed=seed)
        small, inputs = fastmlp.compact(net)
        X, _ = data(net, 17)
        assert relative_error(small(X[:, inputs]), net(X)) < 1e-14
        assert small.n_params <= net.n_params
        again, every = fastmlp.compact(small)
        assert again.layers == small.layers
        assert len(every) == len(inputs)


@pytest.mark.parametrize("dtype", DTYPES)
def test_units_that_do_nothing_go_and_constants_go_into_biases(dtype):
    net = network([4, 5, 2], dtype=dtype)
    net.weights[0][:, 2] = 0.0
    net.weights[0][3] = 0.0  # the constant tanh(b)
    net.weights[1][:, 1] = 0.0
    small, inputs = fastmlp.compact(net)
    assert small.layers == (3, 3, 2)
    assert small.dtype == net.dtype
    assert inputs.tolist() == [0, 1, 3]
    expected = net.biases[1] + net.weights[1][:, 3] * np.tanh(net.biases[0][3])
    assert np.allclose(small.biases[1], expected, rtol=1e-6)
    assert np.array_equal(small.weights[0], net.weights[0][np.ix_([0, 2, 4], [0, 1, 3])])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("output", ["identity", "softmax", "logistic"])
def test_a_network_that_is_a_constant_keeps_one_input(dtype, output):
    net = network([3, 4, 4, 2], output=output, dtype=dtype)
    net.weights[1][...] = 0.0
    small, inputs = fastmlp.compact(net)
    assert small.layers == (1, 2)
    assert small.params.dtype == net.dtype
    X, _ = data(net, 5)
    assert relative_error(small(X[:, inputs]), net(X)) < (1e-14 if dtype == "float64" else 1e-6)
    assert not small.weights[0].any()


def test_units_of_the_data_go_along():
    X, T = data(network([4, 5, 2]), 60)
    T = np.tanh(X[:, :2]) @ [[1.0, 2.0], [-1.0, 0.5]] + 0.1 * T
    X, T = 1e4 + 50 * X, 3 - 0.01 * T
    net, penalty = network([4, 5, 2]), fastmlp.WeightDecay(0.1, 0.1)
    net.fit(X, T, "lm", penalty=penalty, standardize=True)
    path = fastmlp.prune(net, X, T, penalty=penalty, standardize=True, what="inputs", n_params=30)
    assert path.best.units == net.units
    small, inputs = fastmlp.compact(path.best)
    assert inputs.tolist() == [0, 1]
    assert relative_error(small(X[:, inputs]), path.best(X)) < 1e-12
    assert np.array_equal(small.units.inputs.scale, net.units.inputs.scale[inputs])
    result = small.fit(X[:, inputs], T, "lm", penalty=penalty, standardize=True)
    assert result.nit <= 3
    assert np.isclose(result.fun, path.steps[path.best_step].objective, rtol=1e-6)


def test_other_libraries_take_compacted_networks(monkeypatch):
    for seed in range(3):
        net = with_zeros((5, 6, 2), seed=seed)
        small, inputs = fastmlp.compact(net)
        seen = np.ascontiguousarray(data(net, 9)[0][:, inputs])
        session = onnxruntime.InferenceSession(fastmlp.to_onnx(small).SerializeToString())
        outputs = {
            "scikit-learn": fastmlp.to_sklearn(small).predict(seen),
            "onnx": session.run(None, {"X": seen})[0],
            "an estimator": fastmlp.MLPRegressor.from_network(small).predict(seen),
        }
        with monkeypatch.context() as patch:
            for name, module in (("torch", torch), ("torch.nn", torch.nn)):
                patch.setitem(sys.modules, name, module)
            module = fastmlp.to_torch(small)
            outputs["torch"] = module(torch.from_numpy(seen)).detach().numpy()
            assert fastmlp.from_torch(module) == small.copy().unprune()
        for name, Y in outputs.items():
            assert relative_error(Y, net(data(net, 9)[0])) < 1e-13, name


def test_only_networks_are_compacted():
    with pytest.raises(TypeError, match=r"^net: expected a fastmlp\.Network, got int"):
        fastmlp.compact(3)
