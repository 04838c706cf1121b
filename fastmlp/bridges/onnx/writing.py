"""`to_onnx`: networks as ONNX graphs, of operators that runtimes have in both number types.

ONNX Runtime has no Erf, Elu, LeakyRelu, Softplus, Gelu, Conv or AveragePool for double; these are put together of what
it has. Locally connected layers no runtime has.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from fastmlp import _memory, _optional
from fastmlp import _validation as check
from fastmlp._version import __version__
from fastmlp.bridges.assembly import Part, network_of, taken_apart
from fastmlp.model.convolution import AveragePool, Conv, MaxPool, Windowed, Windows
from fastmlp.model.layers import Dense, Kind, Layer, Shape

OPSET, IR_VERSION = 18, 9  # old enough for the runtimes of the last years
ARCHITECTURE = "fastmlp"  # under which name the metadata have it
FAR, TERMS = 8.5, 24  # of the series below: Phi(-8.5) = 1e-17


def to_onnx(net: Any, path: str | os.PathLike[str] | None = None) -> Any:
    """The network as an ONNX model, which runtimes for many languages and devices execute.

    Parameters
    ----------
    net : Network, MLPRegressor or MLPClassifier
        Estimators of this library, fitted.
    path : str or path-like, optional
        A file to write it to.

    Returns
    -------
    onnx.ModelProto
        From "X" (n_samples, D) to "Y" (n_samples, K), both of the network's type. Rows of images are in the order
        channel, row, column. Outputs of estimators are called as skl2onnx calls them: "variable" (n_samples, K), or
        "label" (n_samples,), whole numbers or text, and "probabilities" (n_samples, n_classes); of several labels a
        sample both are (n_samples, K). The network's layers and loss, the names of the features and of the classes are
        in the metadata.

    Raises
    ------
    ImportError
        If onnx is not installed.
    TypeError
        If `net` is neither a network nor a fitted estimator.
    ValueError
        If it has layers of other kinds than this library's own, or a classifier knows one class only.

    Notes
    -----
    With ONNX Runtime outputs agree to rounding, 1e-6 in float32, 1e-14 in float64. It has no error function for double:
    there gelu is a sine series of 24 terms, whose intermediate result takes 24 times the memory of the layer. Nor has
    it convolutions for double: there, and where weights are not shared, windows are gathered, which takes for each
    position the memory of a window.

    Examples
    --------
    >>> import numpy as np, fastmlp, onnxruntime
    >>> net = fastmlp.Network([4, 5, 3], output="softmax", rng=0)
    >>> session = onnxruntime.InferenceSession(fastmlp.to_onnx(net).SerializeToString())
    >>> X = np.ones((1, 4))
    >>> np.allclose(session.run(None, {"X": X})[0], net(X), rtol=1e-14)
    True
    """
    estimator, net = net, network_of(net)
    parts = list(taken_apart(net, LAYERS))
    onnx = _optional.load("onnx", "onnx", "fastmlp.to_onnx")
    _optional.load("onnx.helper", "onnx", "fastmlp.to_onnx")
    graph = _Graph(onnx, net.dtype)
    at, shape = "X", net.layers[:1]
    for part in parts:
        layer = part.layer
        at = graph.reshaped(at, shape, (layer.n_in,) if layer.is_dense else layer.inputs)
        at, shape = LAYERS[type(layer.kind)](graph, at, part), layer.outputs
        if part is parts[-1]:
            at = graph.reshaped(at, shape, net.layers[-1:])
        at = FORMS[layer.activation.name](graph, at)
    if hasattr(estimator, "classes_"):
        _classes(graph, at, estimator)
    else:
        graph.output("Y" if estimator is net else "variable", at, net.layers[-1:])
    model = graph.model(net.layers[0], {ARCHITECTURE: net._architecture.__getstate__()} | _names(estimator))
    if path is not None:
        onnx.save(model, check.path(path))
    return model


def _names(estimator: Any) -> dict[str, list[Any]]:
    """Of features and classes, where there are some."""
    names = {
        "feature_names": getattr(estimator, "feature_names_in_", None),
        "classes": getattr(estimator, "classes_", None),
    }
    return {name: np.asarray(value).tolist() for name, value in names.items() if value is not None}


def _classes(g: _Graph, y: str, estimator: Any) -> None:
    """Labels, and the probabilities of all classes."""
    classes, n_outputs = estimator.classes_, estimator.network_.layers[-1]
    if len(classes) < 2:
        raise ValueError(f"net: expected at least two classes, got {check.shown(classes)}")
    if estimator._multilabel:
        one = g.node("Cast", g.node("Greater", y, 0.5), to=g.onnx.TensorProto.INT64)
        g.output("label", one, (n_outputs,), np.int64)
    else:
        y = g.node("Concat", g.node("Sub", 1.0, y), y, axis=1) if n_outputs == 1 else y
        best = g.node("ArgMax", y, axis=1, keepdims=0)
        text = classes.dtype.kind not in "iub"
        names = classes.astype(str).astype(object) if text else classes.astype(np.int64)
        g.output("label", g.node("Gather", g.constant(names, "classes", names.dtype), best, axis=0), (), names.dtype)
    g.output("probabilities", y, (max(n_outputs, 2) if not estimator._multilabel else n_outputs,))


class _Graph:
    """Nodes and constants of a graph in the making."""

    def __init__(self, onnx: Any, dtype: np.dtype[Any]) -> None:
        self.onnx, self.dtype = onnx, dtype
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}
        self.outputs: list[Any] = []

    def node(self, operator: str, *inputs: str | float, name: str | None = None, **attributes: Any) -> str:
        """Add an operation on named values and numbers; gives the name of its result."""
        names = [each if isinstance(each, str) else self.constant(each, f"{each:g}") for each in inputs]
        result = name or f"{operator}_{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(operator, names, [result], **attributes))
        return result

    def constant(self, value: Any, name: str, dtype: Any = None) -> str:
        """Add a constant, once; gives its name."""
        if name not in self.constants:
            array = np.array(value, dtype or self.dtype)
            self.constants[name] = self.onnx.numpy_helper.from_array(array, name)
        return name

    def reshaped(self, x: str, shape: Shape, wanted: Shape) -> str:
        """Samples of one shape in another."""
        if wanted == shape:
            return x
        if len(wanted) == 1:
            return self.node("Flatten", x)
        return self.node("Reshape", x, self.constant([0, *wanted], f"shape {wanted}", np.int64))

    def output(self, name: str, value: str, shape: Shape, dtype: Any = None) -> None:
        """What a value is called outside."""
        self.node("Identity", value, name=name)
        self.outputs.append(self._described(name, shape, self.dtype if dtype is None else np.dtype(dtype)))

    def _described(self, name: str, shape: Shape, dtype: np.dtype[Any]) -> Any:
        helper = self.onnx.helper
        return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(dtype), ["n_samples", *shape])

    def model(self, n_inputs: int, metadata: dict[str, Any]) -> Any:
        """The whole, from "X" to its outputs."""
        helper, json = self.onnx.helper, _memory.late("json")
        X = self._described("X", (n_inputs,), self.dtype)
        graph = helper.make_graph(self.nodes, "fastmlp", [X], self.outputs, list(self.constants.values()))
        opset = helper.make_opsetid("", OPSET)
        model = helper.make_model(
            graph, opset_imports=[opset], ir_version=IR_VERSION, producer_name="fastmlp", producer_version=__version__
        )
        helper.set_model_props(model, {name: json.dumps(value) for name, value in metadata.items()})
        return model


def _dense(g: _Graph, x: str, part: Part) -> str:
    return g.node("Gemm", x, g.constant(part.W, f"W{part.number}"), g.constant(part.b, f"b{part.number}"), transB=1)


def _conv(g: _Graph, x: str, part: Part) -> str:
    """By the operator where there is one; it knows biases of channels only."""
    layer, kind, b = part.layer, part.layer.kind, part.b
    assert isinstance(kind, Conv)
    if g.dtype != np.float32 or not kind.shared:
        return _gathered(g, x, part)
    windows = _windows(layer)
    pads = [each.before for each in windows] + [each.after for each in windows]
    names = [g.constant(part.W, f"W{part.number}")]
    if kind.bias == "channel":
        names.append(g.constant(b, f"b{part.number}"))
    z = g.node("Conv", x, *names, strides=[each.stride for each in windows], pads=pads)
    return g.node("Add", z, g.constant(b, f"b{part.number}")) if kind.bias == "position" else z


def _gathered(g: _Graph, x: str, part: Part) -> str:
    """A product for each position: (P, N, window) times (P or 1, window, maps), then (N, maps, P)."""
    (maps, *positions), kind, b = part.layer.outputs, part.layer.kind, part.b
    assert isinstance(kind, Conv)
    assert part.W is not None
    places = np.moveaxis(_places(part.layer), 0, len(positions)).reshape(math.prod(positions), -1)
    at = g.node("Transpose", _taken(g, x, part.layer, places), perm=[1, 0, 2])
    W = part.W.reshape(maps, -1, places.shape[1]).transpose(1, 2, 0)
    z = g.node("MatMul", at, g.constant(W, f"W{part.number}"))
    if b is not None:
        z = g.node("Add", z, g.constant(b.reshape(maps, -1).T[:, np.newaxis], f"b{part.number}"))
    return g.reshaped(g.node("Transpose", z, perm=[1, 2, 0]), (maps, len(places)), part.layer.outputs)


def _average(g: _Graph, x: str, part: Part) -> str:
    if g.dtype == np.float32:
        return _pool("AveragePool", g, x, part)
    places = _places(part.layer).reshape(part.layer.n_out, -1)
    last = g.constant([2], "axis of windows", np.int64)
    means = g.node("ReduceMean", _taken(g, x, part.layer, places), last, keepdims=0)
    return g.reshaped(means, (part.layer.n_out,), part.layer.outputs)


def _largest(g: _Graph, x: str, part: Part) -> str:
    return _pool("MaxPool", g, x, part)


def _pool(operator: str, g: _Graph, x: str, part: Part) -> str:
    size = [each.size for each in _windows(part.layer)]
    return g.node(operator, x, kernel_shape=size, strides=size)


def _windows(layer: Layer) -> list[Windows]:
    assert isinstance(layer.kind, Windowed)
    return layer.kind.windows(layer.inputs)


def _places(layer: Layer) -> NDArray[np.int64]:
    """(channels, positions, window): which of the inputs windows see, D where they see zeros around."""
    windows = _windows(layer)
    axes = tuple(range(1, 1 + len(windows)))
    around = [(0, 0), *((each.before, each.after) for each in windows)]
    image = np.pad(np.arange(layer.n_in).reshape(layer.inputs), around, constant_values=layer.n_in)
    places = sliding_window_view(image, [each.size for each in windows], axes)
    return places[(slice(None), *(slice(0, each.stride * each.n, each.stride) for each in windows))]


def n_gathered(layer: Layer, dtype: np.dtype[Any]) -> int:
    """How many numbers the graph has of where the windows of a layer are."""
    kind = layer.kind
    if not isinstance(kind, (Conv, AveragePool)) or (dtype == np.float32 and getattr(kind, "shared", True)):
        return 0
    return layer.inputs[0] * math.prod(each.n * each.size for each in _windows(layer))


def _taken(g: _Graph, x: str, layer: Layer, places: NDArray[np.int64]) -> str:
    """Inputs at these places, (N, *places.shape)."""
    rows = g.reshaped(x, layer.inputs, (layer.n_in,))
    if (places == layer.n_in).any():
        rows = g.node("Pad", rows, g.constant([0, 0, 0, 1], "one zero behind", np.int64))
    return g.node("Gather", rows, g.constant(places, f"places {len(g.nodes)}", np.int64), axis=1)


LAYERS: dict[type[Kind], Callable[[_Graph, str, Part], str]] = {
    Dense: _dense,
    Conv: _conv,
    AveragePool: _average,
    MaxPool: _largest,
}

Form = Callable[[_Graph, str], str]


def _operator(name: str, **attributes: Any) -> Form:
    return lambda g, z: g.node(name, z, **attributes)


def _softplus(g: _Graph, z: str) -> str:
    """max(z, 0) + ln(1 + exp(-|z|))."""
    e = g.node("Exp", g.node("Neg", g.node("Abs", z)))
    return g.node("Add", g.node("Relu", z), g.node("Log", g.node("Add", e, 1.0)))


def _silu(g: _Graph, z: str) -> str:
    """For double as z / (1 + exp(-z)): runtimes that make one operator of z * Sigmoid(z) may have none for it."""
    if g.dtype == np.float32:
        return g.node("Mul", z, g.node("Sigmoid", z))
    return g.node("Div", z, g.node("Add", g.node("Exp", g.node("Neg", z)), 1.0))


def _elu(g: _Graph, z: str) -> str:
    """max(z, 0) + (exp(min(z, 0)) - 1)."""
    below = g.node("Sub", g.node("Exp", g.node("Min", z, 0.0)), 1.0)
    return g.node("Add", g.node("Relu", z), below)


def _gelu(g: _Graph, z: str) -> str:
    """Gelu, z Phi(z), by the error function; for double as max(z, 0) - c Phi(-c) with c = min(|z|, 8.5).

    Phi(-c) = 1/2 - 2/pi sum over odd n of exp(-(n w)^2 / 2) sin(n w c) / n,  w = pi / 17,  is the Fourier series of a
    function of period 34, whose next images are 17 and more standard deviations away.
    """
    if g.dtype == np.float32:
        twice = g.node("Add", g.node("Erf", g.node("Mul", z, math.sqrt(0.5))), 1.0)
        return g.node("Mul", g.node("Mul", z, 0.5), twice)
    n = np.arange(1, 2 * TERMS, 2)
    frequencies = n * math.pi / (2 * FAR)
    amplitudes = 2 / math.pi * np.exp(-(frequencies**2) / 2) / n
    c = g.node("Min", g.node("Abs", z), FAR)
    apart = g.node("Unsqueeze", c, g.constant([-1], "last axis", np.int64))
    waves = g.node("Sin", g.node("Mul", apart, g.constant(frequencies, "frequencies")))
    tail = g.node("Sub", 0.5, g.node("MatMul", waves, g.constant(amplitudes, "amplitudes")))
    return g.node("Sub", g.node("Relu", z), g.node("Mul", c, tail))


FORMS: dict[str, Form] = {
    "identity": lambda _, z: z,
    "tanh": _operator("Tanh"),
    "logistic": _operator("Sigmoid"),
    "relu": _operator("Relu"),
    "leaky_relu": lambda g, z: g.node("Max", z, g.node("Mul", z, 0.01)),
    "softplus": _softplus,
    "elu": _elu,
    "silu": _silu,
    "gelu": _gelu,
    "sin": _operator("Sin"),
    "exp": _operator("Exp"),
    "softmax": _operator("Softmax", axis=1),
}
