"""Networks of any layers: made, and then consistent with themselves, or refused by name."""

import pickle

import numpy as np
import onnxruntime
from hypothesis import given, settings
from hypothesis import strategies as st

import autodiff
import fastmlp
from cases import relative_error
from fastmlp import AveragePool, Conv, MaxPool

EXAMPLES = settings(max_examples=60, derandomize=True, deadline=None)

SMALL = st.integers(1, 4)
EXTENTS = SMALL | st.tuples(SMALL) | st.tuples(SMALL, SMALL)
PADDINGS, BIASES = st.sampled_from(["valid", "same"]), st.sampled_from(["channel", "position", None])
CONVS = st.builds(Conv, SMALL, EXTENTS, EXTENTS, PADDINGS, BIASES, st.booleans())
ENTRIES = SMALL | CONVS | st.builds(AveragePool, EXTENTS) | st.builds(MaxPool, EXTENTS)
FIRST = SMALL | st.lists(st.integers(1, 7), min_size=2, max_size=3).map(tuple)
LAYERS = st.tuples(FIRST, st.lists(ENTRIES, min_size=1, max_size=4)).map(lambda parts: [parts[0], *parts[1]])

WHOLE = st.integers(-3, 5) | st.integers(2**41, 2**70)  # what lies between may be networks that fill the memory
JUNK = st.recursive(
    st.none() | st.booleans() | WHOLE | st.floats() | st.text(max_size=3) | CONVS,
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner),
    max_leaves=6,
)


@st.composite
def connected(draw):
    """Two layers with tables of connections that fit, and anything else behind them."""
    axes, channels = draw(st.lists(st.integers(3, 6), min_size=1, max_size=2)), [draw(SMALL)]
    layers = [(channels[0], *axes)]
    for _ in range(2):
        channels.append(draw(SMALL))
        row = st.lists(st.booleans(), min_size=channels[-2], max_size=channels[-2]).filter(any)
        table = draw(st.lists(row, min_size=channels[-1], max_size=channels[-1]))
        size, padding, bias = draw(st.integers(1, 2)), draw(PADDINGS), draw(BIASES)
        layers.append(Conv(channels[-1], size, 1, padding, bias, draw(st.booleans()), table))
    return [*layers, *draw(st.lists(ENTRIES, max_size=1)), 2]


def made(layers):
    """A network, or None if the layers cannot stand there and it has been said so."""
    try:
        return fastmlp.Network(layers, "tanh", rng=0, init="normal")
    except (TypeError, ValueError) as error:
        message = str(error)
    assert message.startswith(("layers: ", "hidden: "))
    return None


@EXAMPLES
@given(LAYERS | connected())
def test_networks_of_any_layers_agree_with_automatic_derivatives(layers):
    net = made(layers)
    if net is None or net.n_params > 2000:
        return
    assert not net.params[net.pruned].any()
    rng = np.random.default_rng(0)
    X, T = rng.normal(size=(3, net.layers[0])), rng.normal(size=(3, net.layers[-1]))
    outputs, _, gradient = autodiff.evaluate(net, X, T)
    assert relative_error(net(X), outputs) < 1e-12
    assert relative_error(net.loss_and_grad(X, T)[1], gradient) < 1e-11
    assert pickle.loads(pickle.dumps(net)) == net
    assert net.summary().count("\n") == len(layers) + 1


@settings(EXAMPLES, max_examples=300)
@given(st.lists(JUNK | ENTRIES | FIRST, max_size=4) | JUNK)
def test_whatever_else_is_refused_by_name(layers):
    net = made(layers)
    assert net is None or net.n_params > 0


@settings(EXAMPLES, max_examples=300)
@given(st.sampled_from([Conv, AveragePool, MaxPool]), st.lists(JUNK, max_size=6))
def test_arguments_of_layers_are_refused_by_name(kind, arguments):
    layer, message = None, ""
    try:
        layer = kind(*arguments)
    except (TypeError, ValueError) as error:
        message = str(error)
    if layer is not None:
        assert eval(repr(layer), vars(fastmlp)) == layer
        return
    names = ("channels", "size", "stride", "padding", "bias", "shared", "connections")
    by_python = "required positional argument" in message or "positional arguments but" in message
    assert by_python or message.startswith(tuple(f"{name}: " for name in names))


def test_files_of_layers_that_cannot_be_are_refused(tmp_path):
    net = fastmlp.Network([(1, 4, 4), Conv(2, 3), 1])
    state = net._architecture.__getstate__()
    changes = [{"size": 9}, {"size": []}, {"stride": "a"}, {"channels": 2**62}, {"more": 1}, {"bias": 3}]
    for change in (*changes, {"connections": [[0]]}):
        layers = [state["layers"][0], state["layers"][1] | change, 1]
        try:
            fastmlp.model.architecture.Architecture.restored(state | {"layers": layers})
        except fastmlp.ModelFormatError:
            continue
        raise AssertionError(change)


@EXAMPLES
@given(LAYERS, st.sampled_from(["float32", "float64"]))
def test_onnx_runtime_computes_any_layers(layers, dtype):
    net = made(layers)
    if net is None or net.n_params > 2000:
        return
    net = fastmlp.Network(layers, "tanh", dtype=dtype, rng=0)
    X = np.random.default_rng(0).normal(size=(3, net.layers[0])).astype(dtype)
    session = onnxruntime.InferenceSession(fastmlp.to_onnx(net).SerializeToString())
    assert relative_error(session.run(None, {"X": X})[0], net(X)) < {"float32": 1e-6, "float64": 1e-14}[dtype]
