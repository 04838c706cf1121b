"""Networks from and for PyTorch: with the real one where it is installed, else with a stand-in."""

import numpy as np
import pytest

import fastmlp
from cases import HIDDEN, network
from fastmlp.model import activations
from some_torch import computed, nn, torch

pytestmark = pytest.mark.usefixtures("import_torch_finds_it")

X = 3 * np.random.default_rng(0).normal(size=(50, 3))
TOLERANCE = {"float64": 1e-14, "float32": 2e-6}


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
    refused(ValueError, "expected weights of 4 inputs, .* got 5", sequence(nn.ReLU(), nn.Linear(5, 1)))
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
    refused(ValueError, "module: expected weights of one number type", {"weight": W, "bias": b.astype("f4")})
    refused(ValueError, "module: expected a linear layer at least, got none", {})


# ---- the order of a state dict ----


def deep(n_layers, dtype="f4"):
    """A sequence of square layers, which nothing but their order tells apart."""
    rng, modules = np.random.default_rng(1), []
    for _ in range(n_layers):
        linear = nn.Linear(3, 3)
        linear.weight = nn.Parameter(torch.tensor(rng.normal(size=(3, 3)).astype(dtype)))
        linear.bias = nn.Parameter(torch.tensor(rng.normal(size=3).astype(dtype)))
        modules += [linear, nn.Tanh()]
    return nn.Sequential(*modules[:-1])


@pytest.mark.parametrize("order", [sorted, lambda keys: sorted(keys, reverse=True)], ids=["text", "backwards"])
@pytest.mark.parametrize("prefix", ["", "net.", "a.0."])
def test_layers_are_taken_by_their_numbers_in_whatever_order_a_file_has_them(prefix, order):
    module = deep(7)
    state = {prefix + key: value for key, value in module.state_dict().items()}
    net = fastmlp.from_torch({key: state[key] for key in order(state)}, hidden="tanh")
    assert net == fastmlp.from_torch(module)
    x = X.astype("f4")
    assert net(x) == pytest.approx(computed(module, x), abs=1e-5)


def test_nested_numbers_are_taken_in_order_too():
    flat = deep(4).state_dict()
    names = {"0": "0.2", "2": "0.10", "4": "2.0", "6": "10"}
    state = {names[key.split(".")[0]] + "." + key.split(".")[1]: value for key, value in flat.items()}
    assert fastmlp.from_torch({key: state[key] for key in sorted(state)}, "tanh") == fastmlp.from_torch(flat, "tanh")


def test_an_order_that_names_do_not_tell_is_refused():
    W = np.eye(3)

    def state(*names):
        return {f"{name}.weight": W for name in names}

    refused(
        ValueError,
        "module: expected layers in their order, .*: fc1, fc10, fc2; call",
        state("fc1", "fc10", "fc2"),
        "tanh",
    )
    refused(ValueError, "expected layers in their order", state("body.0", "body.10", "body.2", "head"), "tanh")
    refused(ValueError, "expected layers of different numbers, got 1, 01", state("1", "01"), "tanh")
    assert fastmlp.from_torch(state("fc1", "fc2", "fc10", "out"), "tanh").layers == (3,) * 5


# ---- layers that do something else than their class ----


class Doubled(nn.Sequential):
    def forward(self, x):
        return super().forward(super().forward(x))


class Halved(nn.Linear):
    def forward(self, x):
        return super().forward(x)


class Identity(nn.Module):
    """By its name PyTorch's."""

    def forward(self, x):
        return x.exp()


class Parametrization(nn.Module):
    def forward(self, W):
        return W


def test_a_forward_of_its_own_is_refused():
    refused(TypeError, "without a forward of their own, got one in Doubled$", Doubled(nn.Linear(3, 3)))
    refused(TypeError, "got one in Doubled 0$", nn.Sequential(Doubled(nn.Linear(3, 3))))
    refused(TypeError, "got one in Halved 1$", nn.Sequential(nn.Identity(), Halved(3, 3)))
    refused(TypeError, r"expected nn\.Sequential .* got .*\.Identity$", nn.Sequential(nn.Linear(3, 3), Identity()))
    refused(ValueError, "expected Flatten with start_dim 1, got 0", nn.Sequential(nn.Flatten(start_dim=0)))
    linear = nn.Linear(3, 3)
    linear.forward = lambda x: x
    refused(TypeError, "got one in Linear 0$", nn.Sequential(linear))

    class Named(nn.Sequential):
        """Only called something."""

    assert fastmlp.from_torch(Named(nn.Linear(3, 2))).layers == (3, 2)


@pytest.mark.parametrize("register", ["register_forward_hook", "register_forward_pre_hook"])
def test_hooks_are_refused_wherever_they_are(register):
    def double(module, *values):
        return None

    for hooked in range(2):
        module = nn.Sequential(nn.Linear(3, 3), nn.Tanh())
        getattr(list(module)[hooked], register)(double)
        refused(TypeError, f"without hooks, got double in (Linear|Tanh) {hooked};", module)
    module = nn.Sequential(nn.Linear(3, 3))
    getattr(module, register)(double)
    refused(TypeError, "without hooks, got double in Sequential;", module)


def test_parametrizations_are_refused():
    module = nn.Sequential(nn.Linear(3, 3))
    nn.utils.parametrize.register_parametrization(next(iter(module)), "weight", Parametrization())
    refused(TypeError, "expected plain weights, got a parametrization of weight in .*Linear 0; torch.nn.utils", module)
    refused(
        ValueError,
        "expected weights .* got 0.parametrizations.weight.0.weight$",
        {"0.parametrizations.weight.0.weight": np.ones((3, 3))},
    )


def test_bfloat16_is_refused_by_name():
    half = torch.tensor(np.ones((3, 3)), dtype=torch.bfloat16)
    refused(TypeError, r"float32 or float64, got bfloat16 in 4\.weight; \.float\(\)", {"4.weight": half})
    module = nn.Sequential(nn.Linear(3, 3))
    next(iter(module)).weight = nn.Parameter(half)
    refused(TypeError, r"got bfloat16 in 0\.weight", module)
