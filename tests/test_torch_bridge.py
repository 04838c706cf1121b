"""Networks from and for PyTorch: with the real one where it is installed, else with a stand-in."""

import sys

import numpy as np
import pytest

import fastmlp
from cases import HIDDEN, network
from fastmlp import activations

try:
    import torch
except ModuleNotFoundError:
    from torch_stand_in import torch
nn = torch.nn

X = 3 * np.random.default_rng(0).normal(size=(50, 3))
TOLERANCE = {"float64": 1e-14, "float32": 2e-6}


@pytest.fixture(autouse=True)
def import_torch_finds_it(monkeypatch):
    for name, module in (("torch", torch), ("torch.nn", nn)):
        monkeypatch.setitem(sys.modules, name, module)


def computed(module, X):
    return module(torch.from_numpy(X)).detach().numpy()


@pytest.mark.parametrize("output", activations.OUTPUT)
@pytest.mark.parametrize("hidden", HIDDEN)
def test_torch_computes_what_the_network_does_and_the_network_comes_back(hidden, output, dtype):
    net = network([3, 6, 5, 4], hidden, output, dtype=dtype)
    module = fastmlp.to_torch(net)
    Y = computed(module, X.astype(dtype))
    assert Y.dtype == dtype
    assert (np.abs(Y - net(X)) <= TOLERANCE[dtype] * np.maximum(1, abs(Y))).all()
    assert fastmlp.from_torch(module) == net
    assert fastmlp.from_torch(module.state_dict(), hidden, output) == net


def test_copies_are_given():
    net = network([3, 4, 1])
    before, module = net.params, fastmlp.to_torch(net)
    net.params = np.zeros(net.n_params)
    assert np.array_equal(fastmlp.from_torch(module).params, before)


def test_what_does_nothing_is_passed_over_and_missing_biases_are_zero():
    inner = nn.Sequential(nn.Linear(4, 2, bias=False), nn.Identity(), nn.Dropout(p=0.1).eval(), nn.Sigmoid())
    module = nn.Sequential(nn.Flatten(), nn.Linear(3, 4), nn.Identity(), nn.ReLU(), inner, nn.Linear(2, 1))
    net = fastmlp.from_torch(module)
    assert (net.layers, net.hidden) == ((3, 4, 2, 1), ("relu", "logistic"))
    assert (net.output, net.dtype) == ("identity", "float32")
    assert not net.biases[1].any()
    x = X.astype(np.float32)
    assert net(x) == pytest.approx(computed(module, x), abs=1e-6)


def test_logits_get_the_output_that_belongs_to_torchs_loss():
    module = nn.Sequential(nn.Linear(3, 4), nn.SiLU(), nn.Linear(4, 2))
    net = fastmlp.from_torch(module, output="softmax")
    assert (net.output, net.loss_name) == ("softmax", "cross_entropy")
    assert net.jacobian(X, of="logits") == pytest.approx(fastmlp.from_torch(module).jacobian(X), abs=1e-6)
    assert fastmlp.from_torch(fastmlp.to_torch(net), output="softmax") == net
    assert fastmlp.from_torch(nn.Linear(3, 1), output="logistic", loss="squared_error").loss_name == "squared_error"


def refused(kind, message, *arguments, **more):
    with pytest.raises(kind, match=message):
        fastmlp.from_torch(*arguments, **more)


def test_layers_without_a_counterpart_are_named():
    def sequence(*modules):
        return nn.Sequential(nn.Linear(3, 4), *modules)

    refused(TypeError, r"module: expected nn\.Sequential .* got .*Hardtanh", sequence(nn.Hardtanh()))
    refused(TypeError, r"module: expected nn\.Sequential .* got builtins\.list", [nn.Linear(3, 4)])
    refused(
        ValueError, "expected LeakyReLU with negative_slope 0.01, got 0.2", sequence(nn.LeakyReLU(negative_slope=0.2))
    )
    refused(ValueError, "expected Softplus with beta 1.0, got 2", sequence(nn.Softplus(beta=2)))
    refused(ValueError, "expected ELU with alpha 1.0, got 2", sequence(nn.ELU(alpha=2.0)))
    refused(ValueError, "expected GELU with approximate none, got tanh", sequence(nn.GELU(approximate="tanh")))
    refused(ValueError, "expected Softmax with dim 1 or -1, got 0", sequence(nn.Softmax(dim=0)))
    refused(ValueError, "expected no dropout, .* got it in training mode", sequence(nn.Dropout(p=0.5)))
    refused(ValueError, "expected a linear layer before Tanh, got none", sequence(nn.ReLU(), nn.Tanh()))
    refused(ValueError, "expected a linear layer before Tanh, got none", nn.Sequential(nn.Tanh(), nn.Linear(3, 4)))
    refused(ValueError, "expected a linear layer at least, got none", nn.Sequential(nn.Identity()))
    refused(ValueError, "expected 4 inputs, .* got 5", sequence(nn.ReLU(), nn.Linear(5, 1)))
    refused(ValueError, "hidden: expected None, .* got 'tanh'", sequence(), hidden="tanh")
    refused(ValueError, "output: expected None or logistic, .* got 'softmax'", sequence(nn.Sigmoid()), output="softmax")
    refused(ValueError, "hidden: expected one of .* got 'softmax'", sequence(nn.Softmax(dim=1), nn.Linear(4, 1)))
    with pytest.raises(TypeError, match=r"^net: expected a fastmlp\.Network, got list"):
        fastmlp.to_torch([])


def test_state_dicts_that_are_not_of_linear_layers_are_refused():
    W, b = np.ones((4, 3)), np.ones(4)
    two = {"a.weight": W, "a.bias": b, "b.weight": W.T}
    refused(ValueError, "hidden: expected the activations of 1 hidden layers, got None", two)
    assert fastmlp.from_torch(two, "tanh").layers == (3, 4, 3)
    refused(ValueError, "module: expected weights .* got 0.running_mean", {"a.weight": W, "0.running_mean": b})
    refused(ValueError, "module: expected weights .* got conv.weight", {"conv.weight": np.ones((2, 1, 3, 3))})
    refused(TypeError, "module: expected weights of type float32 or float64, got float16", {"weight": W.astype("f2")})
    refused(ValueError, "weights: expected one number type", {"weight": W, "bias": b.astype("f4")})
    refused(ValueError, "module: expected a linear layer at least, got none", {})
