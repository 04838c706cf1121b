"""Networks as ONNX graphs, of operators that runtimes have in both number types.

ONNX Runtime has no Erf, Elu, LeakyRelu, Softplus or Gelu for double; these are put together of what it has.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from fastmlp import _optional
from fastmlp import _validation as check
from fastmlp._version import __version__
from fastmlp.network.network import Network, check_network

OPSET, IR_VERSION = 18, 9  # old enough for the runtimes of the last years
FAR, TERMS = 8.5, 24  # of the series below: Phi(-8.5) = 1e-17


def to_onnx(net: Network, path: str | os.PathLike[str] | None = None) -> Any:
    """The network as an ONNX model, which runtimes for many languages and devices execute.

    Parameters
    ----------
    net : Network
    path : str or path-like, optional
        A file to write it to.

    Returns
    -------
    onnx.ModelProto
        From "X" (n_samples, D) to "Y" (n_samples, K), both of the network's type.

    Raises
    ------
    ImportError
        If onnx is not installed.
    TypeError
        If `net` is not a network.
    ValueError
        If it has layers that are not dense.

    Notes
    -----
    With ONNX Runtime outputs agree to rounding, 1e-6 in float32, 1e-14 in float64. It has no error function for double:
    there gelu is a sine series of 24 terms, whose intermediate result takes 24 times the memory of the layer.

    Examples
    --------
    >>> import numpy as np, fastmlp, onnxruntime
    >>> net = fastmlp.Network([4, 5, 3], output="softmax", rng=0)
    >>> session = onnxruntime.InferenceSession(fastmlp.to_onnx(net).SerializeToString())
    >>> X = np.ones((1, 4))
    >>> np.allclose(session.run(None, {"X": X})[0], net(X), rtol=1e-14)
    True
    """
    names = (*check_network(net).hidden, net.output)
    net._architecture.check_dense("net")
    onnx = _optional.load("onnx", "onnx", "fastmlp.to_onnx")
    _optional.load("onnx.helper", "onnx", "fastmlp.to_onnx")
    graph = _Graph(onnx, net.dtype)
    at = "X"
    for number, (W, b, name) in enumerate(zip(net.weights, net.biases, names, strict=True), 1):
        z = graph.node("Gemm", at, graph.constant(W, f"W{number}"), graph.constant(b, f"b{number}"), transB=1)
        at = FORMS[name](graph, z)
    graph.node("Identity", at, name="Y")
    model = graph.model(net.layers[0], net.layers[-1])
    if path is not None:
        onnx.save(model, check.path(path))
    return model


class _Graph:
    """Nodes and constants of a graph in the making."""

    def __init__(self, onnx: Any, dtype: np.dtype[Any]) -> None:
        self.onnx, self.dtype = onnx, dtype
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}

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

    def model(self, n_inputs: int, n_outputs: int) -> Any:
        """The whole, from "X" to "Y"."""
        helper, number = self.onnx.helper, self.onnx.helper.np_dtype_to_tensor_dtype(self.dtype)
        X = helper.make_tensor_value_info("X", number, ["n_samples", n_inputs])
        Y = helper.make_tensor_value_info("Y", number, ["n_samples", n_outputs])
        graph = helper.make_graph(self.nodes, "fastmlp", [X], [Y], list(self.constants.values()))
        opset = helper.make_opsetid("", OPSET)
        return helper.make_model(
            graph, opset_imports=[opset], ir_version=IR_VERSION, producer_name="fastmlp", producer_version=__version__
        )


Form = Callable[[_Graph, str], str]


def _operator(name: str, **attributes: Any) -> Form:
    return lambda g, z: g.node(name, z, **attributes)


def _softplus(g: _Graph, z: str) -> str:
    """max(z, 0) + ln(1 + exp(-|z|))."""
    e = g.node("Exp", g.node("Neg", g.node("Abs", z)))
    return g.node("Add", g.node("Relu", z), g.node("Log", g.node("Add", e, 1.0)))


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
    "silu": lambda g, z: g.node("Mul", z, g.node("Sigmoid", z)),
    "gelu": _gelu,
    "sin": _operator("Sin"),
    "exp": _operator("Exp"),
    "softmax": _operator("Softmax", axis=1),
}
