"""Networks with convolutions and pools in ONNX and PyTorch: the same outputs to rounding, weights to the bit."""

import numpy as np
import onnx
import onnxruntime
import pytest

import fastmlp
from cases import network
from fastmlp import AveragePool, Conv, MaxPool
from some_torch import computed, nn
from specimens import Diagonal

pytestmark = pytest.mark.usefixtures("import_torch_finds_it")

TOLERANCE = {"float64": 1e-14, "float32": 1e-6}
NETWORKS = {  # layers, hidden, output
    "lenet": ([(1, 12, 12), Conv(3, 3), AveragePool(2), Conv(4, 2), AveragePool(2), 3], "tanh", "softmax"),
    "channels": ([(3, 7, 5), Conv(4, 3, 2, "same"), 4, 2], ["silu", "tanh"], "softmax"),
    "strides": ([(2, 7, 9), Conv(3, (3, 2), (2, 3)), 2], "softplus", "identity"),
    "more zeros behind": ([(1, 5, 6), Conv(2, 3, padding="same"), Conv(3, (2, 4), 2, "same"), 1], "tanh", "logistic"),
    "zeros of none": ([(1, 6, 6), Conv(2, 2, 2, "same"), Conv(2, 1, padding="same"), 1], "tanh", "identity"),
    "largest, rest dropped": ([(1, 7, 8), Conv(5, 3, padding="same"), MaxPool((2, 3)), 3], "relu", "softmax"),
    "biases": ([(1, 6, 5), Conv(2, 3, 2, "same", "position"), Conv(2, 2, bias=None), 2], "logistic", "exp"),
    "signals": ([(2, 17), Conv(3, 5, 2, "same"), MaxPool(2), Conv(2, 3, bias="position"), 1], "tanh", "tanh"),
    "local": ([(1, 6, 6), Conv(2, 3, 2, "same", "position", shared=False), 2], "gelu", "softmax"),
    "local, many": ([(2, 5, 4), Conv(3, 2, shared=False), Conv(2, 2, shared=False, bias=None), 1], "sin", "identity"),
    "local signals": ([(2, 9), Conv(3, 4, 2, "same", shared=False), AveragePool(2), 1], "elu", "identity"),
    "pools first": ([(2, 5, 7), AveragePool(2), MaxPool((1, 3)), Conv(3, (2, 1)), 2], "leaky_relu", "identity"),
    "maps at the end": ([(1, 4, 4), Conv(2, 3, padding="same"), Conv(2, 3)], "gelu", "softmax"),
    "images, dense": ([(2, 3, 3), 4, 1], "tanh", "identity"),
    "averages at the end": ([(1, 4, 6), Conv(2, 3, padding="same"), AveragePool(2), 4, 3], "tanh", "logistic"),
}


@pytest.fixture(params=NETWORKS)
def net(request, dtype):
    return network(*NETWORKS[request.param], dtype=dtype)


def samples(net, n):
    return np.random.default_rng(n).normal(size=(n, net.layers[0])).astype(net.dtype)


def agree(Y, net, X):
    expected = net(X)
    assert (Y.shape, Y.dtype) == (expected.shape, net.dtype)
    assert (np.abs(Y - expected) <= TOLERANCE[net.dtype.name] * np.maximum(1, abs(expected))).all()


# ---- ONNX ----


def test_onnx_runtime_computes_what_the_network_does(net):
    model = fastmlp.to_onnx(net)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    for n in (0, 1, 3, 17):
        X = samples(net, n)
        agree(session.run(None, {"X": X})[0], net, X)


def test_graphs_have_the_operators_of_convolutions_where_runtimes_do():
    def operators(name, dtype):
        return [node.op_type for node in fastmlp.to_onnx(network(*NETWORKS[name], dtype=dtype)).graph.node]

    expected = ["Reshape", "Conv", "Tanh", "AveragePool", "Conv", "Tanh", "AveragePool", "Flatten", "Gemm", "Softmax"]
    assert operators("lenet", "float32") == [*expected, "Identity"]
    assert not {"Conv", "AveragePool"} & set(operators("lenet", "float64"))
    assert "Conv" not in operators("local", "float32")


def test_constants_are_named_as_groups():
    net = network(*NETWORKS["biases"], dtype="float32")
    constants = {each.name for each in fastmlp.to_onnx(net).graph.initializer}
    assert set(net.groups) <= constants


# ---- PyTorch ----


def test_torch_computes_what_the_network_does_and_the_network_comes_back(net):
    module = fastmlp.to_torch(net)
    shape = net._architecture.layers[0].inputs
    for n in (1, 3, 17):
        X = samples(net, n)
        for images in (X, X.reshape(n, *shape)):
            agree(computed(module, images), net, X)
    again = fastmlp.from_torch(module)
    assert again == net
    assert np.array_equal(again.params, net.params)


def test_one_extent_for_all_axes_is_written_so():
    net = network([(1, 6, 6), Conv(2, (3, 3), (2, 2)), AveragePool((2, 2)), 1])
    again = fastmlp.from_torch(fastmlp.to_torch(net))
    assert again._architecture.specification == ((1, 6, 6), Conv(2, 3, 2), AveragePool(2), 1)
    assert np.array_equal(again.params, net.params)


LENET5 = ([(1, 28, 28), Conv(6, 5, padding="same"), MaxPool(2), Conv(16, 5), MaxPool(2), 120, 10], "relu", "identity")


def lenet5(*, shape=None):
    """As users of PyTorch write it."""
    body = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)
    )
    end = nn.Sequential(nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Dropout(p=0.5).eval(), nn.Linear(120, 10))
    return nn.Sequential(body, end)


def test_the_smallest_square_that_fits_is_taken():
    module = lenet5()
    net = fastmlp.from_torch(module)
    assert net._architecture.specification == tuple(LENET5[0])
    assert net.dtype == "float32"
    X = np.random.default_rng(0).normal(size=(3, 1, 28, 28)).astype("f4")
    assert net(X) == pytest.approx(computed(module, X), rel=1e-5, abs=1e-5)
    for shape in ((1, 29, 29), [1, 28, 29]):
        assert fastmlp.from_torch(module, shape=shape)._architecture.layers[0].inputs == tuple(shape)
    signals = fastmlp.from_torch(nn.Sequential(nn.Conv1d(2, 3, 4, stride=3), nn.Flatten(), nn.Linear(12, 1)))
    assert signals._architecture.layers[0].inputs == (2, 13)


def test_logits_get_the_output_that_belongs_to_torchs_loss():
    net = fastmlp.from_torch(lenet5(), output="softmax")
    assert net.loss_name == "cross_entropy"
    assert net.weights[0].shape == (6, 1, 5, 5)


@pytest.mark.parametrize(
    ("padding", "stride", "n", "fits"),
    [("same", 1, 6, True), ("valid", 1, 6, True), (1, 1, 6, True), (1, 2, 7, True), (1, 2, 6, False), (2, 1, 6, False)],
)
def test_zeros_are_those_of_same_padding(padding, stride, n, fits):
    conv = nn.Conv2d(1, 2, 3, stride=stride, padding=padding)
    module = nn.Sequential(conv, nn.Flatten())
    if not fits:
        with pytest.raises(ValueError, match=r"^module: expected zeros .* of convolution 0 .* got \(\(\d, \d\), "):
            fastmlp.from_torch(module, shape=(1, n, n))
        return
    net = fastmlp.from_torch(module, shape=(1, n, n))
    X = np.random.default_rng(0).normal(size=(4, 1, n, n)).astype("f4")
    assert net(X) == pytest.approx(computed(module, X), abs=1e-5)


class Own(nn.Conv2d):
    """Of which nobody knows what it does."""


CONV = nn.Conv2d(1, 2, 3)


@pytest.mark.parametrize(
    ("modules", "message"),
    [
        ([nn.Conv2d(2, 2, 3, groups=2)], "module: expected groups 1 in Conv2d 0, got 2"),
        ([nn.Conv2d(1, 2, 3, dilation=2)], r"module: expected dilation 1 in Conv2d 0, got \(2, 2\)"),
        ([nn.Conv2d(1, 2, 3, padding=1, padding_mode="reflect")], "module: expected padding_mode zeros in Conv2d 0"),
        ([CONV, nn.MaxPool2d(2, stride=1)], "module: expected windows side by side, without zeros, in MaxPool2d 1"),
        ([CONV, nn.AvgPool2d(3, padding=1)], "module: expected windows side by side, without zeros, in AvgPool2d 1"),
        ([CONV, nn.AvgPool2d(2, ceil_mode=True)], "module: expected ceil_mode False in AvgPool2d 1, got True"),
        ([CONV, nn.MaxPool2d(2), nn.ReLU()], "module: expected activations before pools, got ReLU 2 behind one"),
        ([CONV, nn.Linear(4, 1)], "module: expected Flatten before Linear 1, got none"),
        ([CONV, nn.Softmax(dim=1)], "module: expected Flatten before Softmax 1, got none"),
        ([nn.Linear(9, 9), CONV], "module: expected Unflatten before Conv2d 1, got none"),
        ([nn.Flatten(), CONV], "module: expected Unflatten before Conv2d 1, got none"),
        ([nn.Linear(9, 9), nn.Unflatten(1, (1, 3, 3)), CONV], "module: expected Unflatten in front only"),
        ([nn.ZeroPad2d(1), nn.ReLU(), CONV], "module: expected a convolution behind zeros, got ReLU 1"),
        ([CONV, nn.ReLU()], r"shape: expected \(channels, height, width\) of the inputs, .* got None"),
        ([nn.MaxPool1d(2), nn.Flatten(), nn.Linear(4, 1)], r"shape: expected \(channels, length\) of the inputs"),
        ([CONV, nn.Flatten(), nn.Linear(12, 1)], "shape: expected that of the inputs, as square images leave no 12"),
        ([Own(1, 2, 3)], "module: expected nn.Sequential of Linear, Conv1d or Conv2d, .* got .*Own"),
        (
            [CONV, nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(8, 1)],
            "module: expected weights of 2 channels, .* before, got 3",
        ),
    ],
)
def test_what_has_no_counterpart_is_refused_by_name(modules, message):
    with pytest.raises((TypeError, ValueError), match=f"^{message}"):
        fastmlp.from_torch(nn.Sequential(*modules))


def test_shapes_that_contradict():
    module = fastmlp.to_torch(network([(1, 4, 4), Conv(2, 3), 1]))
    with pytest.raises(ValueError, match=r"^shape: expected None or \(1, 4, 4\), .* got \(1, 4, 5\)"):
        fastmlp.from_torch(module, shape=(1, 4, 5))
    with pytest.raises(TypeError, match=r"^shape: expected \(channels, height"):
        fastmlp.from_torch(lenet5(), shape=28)


def test_biases_by_position_stand_behind_a_convolution_without_biases():
    module = fastmlp.to_torch(network(*NETWORKS["biases"]))
    bias = next(each for each in module if type(each).__name__ == "PositionBias")
    with pytest.raises(ValueError, match=r"^module: expected a convolution without biases before PositionBias 1$"):
        fastmlp.from_torch(nn.Sequential(CONV, bias))


# ---- other kinds ----


@pytest.mark.parametrize("convert", [fastmlp.to_onnx, fastmlp.to_torch])
def test_kinds_without_a_counterpart_are_refused_by_name(convert):
    net = fastmlp.Network([4, Diagonal(), 1])
    with pytest.raises(ValueError, match=r"^net: expected layers of kinds dense, conv, .* got layer 1, which is Diag"):
        convert(net)
