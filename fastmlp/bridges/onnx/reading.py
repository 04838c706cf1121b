"""`from_onnx`: what exporters of other libraries write, as networks."""

from __future__ import annotations

import os
from math import prod
from typing import Any

import numpy as np

from fastmlp import _memory, _optional, errors
from fastmlp import _validation as check
from fastmlp.bridges.onnx import files
from fastmlp.bridges.onnx.chain import network_of
from fastmlp.bridges.onnx.curves import Curve, Labels, Place, beginning, listed
from fastmlp.bridges.onnx.functions import MOST_NUMBERS, Node
from fastmlp.bridges.onnx.operators import BEHIND_LABELS, OPERATORS
from fastmlp.bridges.onnx.writing import ARCHITECTURE, n_gathered, to_onnx
from fastmlp.model.architecture import Architecture
from fastmlp.network.network import Network

ATTRIBUTES = {1: "f", 2: "i", 3: "s", 4: "t", 6: "floats", 7: "ints", 8: "strings"}  # AttributeProto's fields
MOST_LETTERS = 200  # of a name in a message
DOMAINS = ("", "ai.onnx", "ai.onnx.ml")


def from_onnx(model: Any, loss: str | None = None) -> Network:
    """The network that an ONNX model computes.

    Parameters
    ----------
    model : str, path-like, or onnx.ModelProto
        As scikit-learn's converter, PyTorch's exporters, Keras, or `to_onnx` write it: layers one behind the other,
        from one input to one output that is numbers.
    loss : str, optional
        As for `Network`; by default the one that belongs to the outputs.

    Returns
    -------
    Network
        In the type of the weights. These are the same to the last bit where no map of inputs or outputs is folded into
        them, as of a StandardScaler or normalisation.

    Warns
    -----
    UserWarning
        Where nodes behind the outputs choose a class, which a network does not do: they are cut off.

    Raises
    ------
    ImportError
        If onnx is not installed.
    OSError
        If the file cannot be read.
    TypeError, ValueError
        If it is no such model. The message names the node, its operator, and what is expected.

    Notes
    -----
    Activations are known by what they are at 653 points, near zero and up to 1e12, to 5e-8 in float64 and 2e-6 in
    float32, not by how they are written; a softplus that is linear beyond 20, as PyTorch's, is softplus. Dense layers,
    convolutions without groups and dilation, pools of windows side by side, and single numbers for each unit between
    them are understood; of several inputs, branches, or loops nothing is.

    Weights beside the file are read from its own folder only. Nothing in a model is executed.

    Examples
    --------
    >>> import fastmlp
    >>> net = fastmlp.Network([4, 5, 3], output="softmax", rng=0)
    >>> fastmlp.from_onnx(fastmlp.to_onnx(net)) == net
    True
    """
    onnx = _optional.load("onnx", "onnx", "fastmlp.from_onnx")
    _optional.load("onnx.numpy_helper", "onnx", "fastmlp.from_onnx")
    if isinstance(model, (str, os.PathLike)):
        proto, folder = files.load(onnx, check.path(model))
    elif isinstance(model, onnx.ModelProto):
        proto, folder = model, None
    else:
        raise TypeError(f"model: expected a path or an onnx.ModelProto, got {check.shown(model)}")
    if loss is None and (own := _own(onnx, proto)) is not None:
        return own
    graph = _Graph(onnx, proto, folder)
    curve = graph.outputs()
    return network_of(curve, graph.dtype(curve), loss)


def _own(onnx: Any, model: Any) -> Network | None:
    """The network that `to_onnx` has written so, to the last bit; None where it has not.

    The metadata tell the architecture. Numbers of the parameters in place of these tell where each of them is in the
    graph, which has to be the one that `to_onnx` makes.
    """
    text = {each.key: each.value for each in model.metadata_props}.get(ARCHITECTURE)
    if text is None:
        return None
    try:
        architecture = Architecture.read(_memory.late("json").loads(text))
        stored = {each.name: files.array(onnx, each, None) for each in model.graph.initializer}
        places = sum(n_gathered(each, architecture.dtype) for each in architecture.layers)
        if max(architecture.n_params, places) > sum(each.size for each in stored.values()):
            return None  # text may claim any size
        params = np.zeros(architecture.n_params, architecture.dtype)
        numbers = np.arange(1, params.size + 1, dtype=architecture.dtype)
        for each in to_onnx(Network._make(architecture, numbers)).graph.initializer:
            if each.name[0] in "Wb":
                where = files.array(onnx, each, None).astype(np.int64)
                params[where[where > 0] - 1] = stored[each.name][where > 0]
        net = Network._make(architecture, params, trained=True)
        is_own = to_onnx(net).graph.SerializeToString() == model.graph.SerializeToString()
    except (IndexError, KeyError, TypeError, ValueError, RecursionError):
        return None
    return net if is_own and np.isfinite(params).all() else None


class _Graph:
    """What each name of a graph stands for."""

    def __init__(self, onnx: Any, model: Any, folder: str | None) -> None:
        self.onnx, self.graph, self.folder = onnx, model.graph, folder
        if len(model.functions):
            raise ValueError(
                "model: expected no functions, got some; onnx.inliner.inline_local_functions writes them out"
            )
        self.opset = max([each.version for each in model.opset_import if each.domain in ("", "ai.onnx")], default=1)
        self.known: dict[str, Any] = {"": None}
        self.room = MOST_NUMBERS
        if sum(map(files.n_bytes_beside, self.graph.initializer)) > files.MOST:  # of one, again and again
            raise ValueError(f"model: expected at most {files.MOST} bytes of numbers in files beside it, got more")
        for each in self.graph.initializer:
            self._define(each.name, files.array(onnx, each, folder), f"initializer {each.name}")
        if len(self.graph.sparse_initializer):
            raise ValueError("model: expected dense initializers, got sparse ones")
        self._define_input()
        for number, each in enumerate(self.graph.node):
            self._run(each, number)

    def _define(self, name: str, value: Any, what: str) -> None:
        if name in self.known:
            raise ValueError(f"model: expected one definition of each name, got {check.shown(name)} again in {what}")
        self.known[name] = value

    def _define_input(self) -> None:
        """The one input that is no initializer."""
        own = [each for each in self.graph.input if each.name not in self.known]
        if len(own) != 1:
            names = ", ".join(check.shown(each.name) for each in own[:8]) or "none"
            raise ValueError(f"model: expected one input, got {names}")
        dims = own[0].type.tensor_type.shape.dim
        shape = [each.dim_value for each in dims[1:]]
        if len(shape) == 1 and shape[0] <= 0:
            shape = [self._n_inputs()]
        if not shape or min(shape) < 1 or len(shape) > 3:
            got = ", ".join(str(each.dim_value or each.dim_param or "?") for each in dims)
            raise ValueError(f"model: expected an input of shape (n, D) or (n, channels, ...), got ({got})")
        if prod(shape) > MOST_NUMBERS // 8:
            raise ValueError(f"model: expected an input of at most {MOST_NUMBERS // 8} numbers, got {tuple(shape)}")
        self.known[own[0].name] = beginning(Place(None, f"input {own[0].name}", tuple(shape)))

    def _n_inputs(self) -> int:
        """Where the input does not tell: the rows of the first matrix."""
        for node in self.graph.node:
            if node.op_type in ("MatMul", "Gemm") and len(node.input) > 1:
                turned = any(each.name == "transB" and each.i for each in node.attribute)
                matrix: Any = self.known.get(node.input[1])
                return int((*np.shape(matrix), 0, 0)[turned])
            if node.op_type == "Scaler":
                return max(len(each.floats) for each in node.attribute)
        return 0

    def _run(self, proto: Any, number: int) -> None:
        """A node."""
        name = proto.name or (proto.output[0] if proto.output else f"number {number}")
        node = Node(f"{name[:MOST_LETTERS]} ({proto.op_type[:MOST_LETTERS]})", proto.op_type, {}, self.opset)
        missing = [each for each in proto.input if each not in self.known]
        if missing:
            raise node.refuse(
                "inputs from nodes before it", f"{check.shown(missing[0])}, which is defined later or nowhere"
            )
        for each in proto.attribute:
            if each.type not in ATTRIBUTES:
                raise node.refuse("numbers or text as attributes", f"{each.name} of another kind")
            value = getattr(each, ATTRIBUTES[each.type])
            node.attributes[each.name] = list(value) if each.type > 5 else value
        value = self._value(node, [self.known[each] for each in proto.input], proto.domain)
        self.room -= _size(value)
        if self.room < 0:
            raise node.refuse(f"at most {MOST_NUMBERS} numbers made by nodes", "more")
        for each, what in zip(proto.output, [value, *[None] * len(proto.output)], strict=False):
            if each:
                self._define(each, what, f"node {node.name}")

    def _value(self, node: Node, operands: list[Any], domain: str) -> Any:
        if node.operator == "Constant":
            return self._constant(node)
        if node.operator not in OPERATORS or domain not in DOMAINS:
            raise ValueError(
                "model: expected dense layers, convolutions, pools and activations, of which networks consist, got "
                f"{f'{domain[:MOST_LETTERS]}.' if domain else ''}{node.operator[:MOST_LETTERS]} in node {node.name}"
            )
        while operands and operands[-1] is None:
            operands.pop()
        if any(isinstance(each, Labels) for each in operands) and node.operator != "ZipMap":
            if node.operator not in BEHIND_LABELS:
                raise node.refuse("nothing that computes with classes", node.operator)
            return OPERATORS["ArgMax"](node, operands)
        try:
            value = OPERATORS[node.operator](node, operands)
            return np.asarray(value) if isinstance(value, np.generic) else value
        except ValueError as error:
            if str(error).startswith("model: "):
                raise
            raise node.refuse("operands that fit", error) from error
        except (AttributeError, IndexError, KeyError, TypeError, OverflowError, MemoryError) as error:
            raise node.refuse("operands that fit", f"{type(error).__name__}: {error}") from error

    def _constant(self, node: Node) -> Any:
        kind, value = next(iter(node.attributes.items()), ("nothing", None))
        if kind == "value":
            return files.array(self.onnx, value, self.folder)
        if kind not in ("value_float", "value_floats", "value_int", "value_ints"):
            raise node.refuse("a constant of numbers", kind)
        return np.asarray(value, np.float32 if "float" in kind else np.int64)

    def outputs(self) -> Curve:
        """The output that is a network; what else there is has to be the class that it chooses."""
        found = {each.name: self.known.get(each.name) for each in self.graph.output}
        curves = [each for each in found.values() if isinstance(each, Curve)]
        labels = [each for each in found.values() if isinstance(each, Labels)]
        if not curves and labels:
            curves = [labels[0].of]
        if len(curves) + len(labels) < max(1, len(found)) or not all(_same(each, curves[0]) for each in curves):
            raise ValueError(
                f"model: expected one output of numbers, got {', '.join(map(check.shown, found)) or 'none'}"
            )
        if labels:
            errors.warn_caller(
                f"model: a network has no labels, what chooses them is cut off ({listed(labels[0].nodes)}); its "
                "outputs are the probabilities of the classes in their order, of two classes that of the second",
                UserWarning,
            )
        return curves[0]

    def dtype(self, curve: Curve) -> np.dtype[Any]:
        """Of the weights."""
        types, places = set(), [curve.place]
        while places[-1].before is not None:
            places.append(places[-1].before.place)
        for place in places:
            types |= {each.dtype for each in (place.W, place.b) if each is not None}
        if not types:
            raise ValueError("model: expected a layer with weights, got none")
        wide = [each for each in types if each in (np.float32, np.float64)]
        if len(wide) != 1 or len(types) != 1:
            raise ValueError(
                f"model: expected weights of one type, float32 or float64, got {', '.join(sorted(map(str, types)))}"
            )
        return wide[0]


def _size(value: Any) -> int:
    """How many numbers a node has made."""
    if isinstance(value, Curve):
        own = sum(each is not None for each in (value.place.scale, value.place.shift, value.order))
        return int(value.values.size) + own * value.size
    return int(np.size(value)) if isinstance(value, np.ndarray) and value.base is None else 0


def _same(one: Curve, other: Curve) -> bool:
    return one.place is other.place and np.array_equal(one.values, other.values, equal_nan=True)
