"""ONNX's operators: layers, what stands before and behind them, and the table of all that are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastmlp import errors
from fastmlp._types import Array
from fastmlp.bridges.assembly import shortest
from fastmlp.bridges.onnx import shapes
from fastmlp.bridges.onnx.curves import Curve, Labels, Place, beginning, followed
from fastmlp.bridges.onnx.functions import NARY, UNARY, Node, fits, negative, of_units, pointwise
from fastmlp.model.convolution import AveragePool, Conv, MaxPool, Windowed
from fastmlp.model.layers import Dense, Shape

FIRST_SOFTMAX_OF_THE_LAST_AXIS = 13  # operator set


def dense(node: Node, x: Curve, W: Any, b: Any = None) -> Curve:
    """W (n_out, n_in)."""
    if x.whole:
        raise node.refuse("no layer behind softmax", "one")
    if len(x.shape) != 1 or W.shape[1] != x.shape[0]:
        raise node.refuse(f"a matrix for samples of shape {x.shape}", f"{W.shape[1]} inputs")
    if b is not None:
        if not fits(b.shape, (len(W),)):
            raise node.refuse(f"biases of {len(W)} units", f"shape {b.shape}")
        b = np.broadcast_to(b, (1, len(W)))[0]
    return beginning(Place(x, node.name, (len(W),), Dense(len(W)), W, b))


def gemm(node: Node, operands: list[Any]) -> Any:
    """Alpha x B + beta C."""
    node.plain(transA=0)
    x, B, C = (*operands, None)[:3]
    alpha, beta = node.attributes.get("alpha", 1.0), node.attributes.get("beta", 1.0)
    B = _matrix(node, x, B)
    W = B if node.attributes.get("transB", 0) else B.T
    C = None if C is None or beta == 0 else np.asarray(C) * np.asarray(beta, C.dtype) if beta != 1 else np.asarray(C)
    return dense(node, x, W if alpha == 1 else W * np.asarray(alpha, W.dtype), C)


def matmul(node: Node, operands: list[Any]) -> Any:
    """X B, or a sum over an axis that nodes have added."""
    x, B = operands
    if isinstance(x, Curve) and x.values.ndim > 1 and not isinstance(B, Curve) and B.shape[0] == x.values.shape[-1]:
        return x.mapped(node.name, lambda values: values @ np.asarray(B, np.float64))
    return dense(node, x, _matrix(node, x, B).T)


def _matrix(node: Node, x: Any, B: Any) -> Array:
    if not isinstance(x, Curve) or isinstance(B, (Curve, Labels)) or np.ndim(B) != 2:
        raise node.refuse("samples times a constant matrix", "something else")
    return np.asarray(B)


def conv(node: Node, operands: list[Any]) -> Curve:
    """With zeros around as ours has them."""
    x, W, b = (*operands, None)[:3]
    if not isinstance(x, Curve) or not isinstance(W, np.ndarray) or np.ndim(W) != len(x.shape) + 1 or x.whole:
        raise node.refuse(f"a constant window for samples of shape {getattr(x, 'shape', '')}", np.shape(W))
    _in_order(node, x)
    n_axes = len(x.shape) - 1
    node.plain(group=1, dilations=1)
    stride = tuple(node.attributes.get("strides", (1,) * n_axes))
    extent, steps = (shortest(each) for each in (W.shape[2:], stride))
    bias = None if b is None else "channel"
    pads = list(node.attributes.get("pads", [0] * 2 * n_axes))
    auto = node.attributes.get("auto_pad", b"NOTSET").decode()
    if auto not in ("NOTSET", "VALID", "SAME_UPPER"):
        raise node.refuse("auto_pad NOTSET, VALID or SAME_UPPER", auto)
    if W.shape[1] != x.shape[0]:
        raise node.refuse(f"a window of {x.shape[0]} channels", W.shape[1])
    padding = "same" if auto == "SAME_UPPER" or (auto == "NOTSET" and any(pads)) else "valid"
    kind = Conv(len(W), extent, steps, padding, bias)
    windows = _windows(node, kind, x.shape)
    if padding == "same" and auto == "NOTSET":
        ends = [(n + p + q - w.size) // w.stride + 1 for n, p, q, w in
                zip(x.shape[1:], pads[:n_axes], pads[n_axes:], windows, strict=True)]  # fmt: skip
        if [w.before for w in windows] != pads[:n_axes] or [w.n for w in windows] != ends:
            wanted = [w.before for w in windows] + [w.after for w in windows]
            raise node.refuse(f"pads {wanted}, those of padding='same'", pads)
    return beginning(Place(x, node.name, (len(W), *(w.n for w in windows)), kind, W, b))


def pool(node: Node, operands: list[Any]) -> Curve:
    """Windows side by side."""
    (x,) = operands
    if not isinstance(x, Curve) or len(x.shape) < 2 or x.whole:
        raise node.refuse("maps", "something else")
    _in_order(node, x)
    n_axes = len(x.shape) - 1
    whole = node.operator.startswith("Global")
    size = x.shape[1:] if whole else tuple(node.attributes["kernel_shape"])
    if not whole:
        node.plain(pads=0, ceil_mode=0, dilations=1, auto_pad="NOTSET", storage_order=0)
        if tuple(node.attributes.get("strides", (1,) * n_axes)) != size:
            raise node.refuse(
                f"windows side by side, strides {list(size)},", node.attributes.get("strides", [1] * n_axes)
            )
    kind = (AveragePool if "Average" in node.operator else MaxPool)(shortest(size))
    return beginning(Place(x, node.name, (x.shape[0], *(w.n for w in _windows(node, kind, x.shape))), kind))


def _windows(node: Node, kind: Windowed, shape: Shape) -> list[Any]:
    try:
        return kind.windows(shape)
    except ValueError as error:
        raise node.refuse(f"a window that fits samples of shape {shape}", error) from error


def _in_order(node: Node, x: Curve) -> None:
    if x.order is not None:
        raise node.refuse(
            "maps in the order channel, row, column, as the inputs of the network have to be",
            "transposed ones; export the model for images whose channels come first",
        )


def softmax(node: Node, operands: list[Any]) -> Curve:
    """Over the units of each sample."""
    (x,) = operands
    default = -1 if node.opset >= FIRST_SOFTMAX_OF_THE_LAST_AXIS else 1
    if not isinstance(x, Curve) or len(x.shape) != 1 or node.attributes.get("axis", default) not in (-1, 1):
        raise node.refuse("softmax over the units of each sample", f"axis {node.attributes.get('axis', default)}")
    if x.line is None or x.whole:
        raise node.refuse("softmax of the sums of a layer", "of an activation")
    if node.operator == "LogSoftmax":
        errors.warn_caller(
            f"model: the logarithm in node {node.name} is left out; outputs are probabilities", UserWarning
        )
    return x._replace(whole="softmax", nodes=followed(x.nodes, node.name))


def label(node: Node, operands: list[Any]) -> Any:
    """What chooses a class."""
    x = next((each for each in operands if isinstance(each, (Curve, Labels))), None)
    if x is None:
        raise node.refuse("outputs of the network", "constants")
    if node.operator == "ArrayFeatureExtractor" and operands[0] is x:
        raise node.refuse("all columns of samples", "some of them")
    nodes = followed(x.nodes, node.name)
    return Labels(x, nodes) if isinstance(x, Curve) else x._replace(nodes=nodes)


def same(node: Node, operands: list[Any]) -> Any:
    """What does nothing to samples that are predicted."""
    return operands[0]


def scaler(node: Node, operands: list[Any]) -> Any:
    """(x - offset) scale, of ai.onnx.ml."""
    (x,) = operands
    numbers = [
        np.asarray(node.attributes.get(name, default), np.float32)
        for name, default in (("offset", [0]), ("scale", [1]))
    ]
    if not isinstance(x, Curve) or not all(fits(each.shape, x.shape) for each in numbers):
        raise node.refuse(f"numbers for samples of shape {getattr(x, 'shape', '')}", [each.shape for each in numbers])
    offset, scale = (np.broadcast_to(each, x.shape).astype(np.float64).ravel() for each in numbers)
    return of_units(node, x, scale, -offset * scale)


def normalization(node: Node, operands: list[Any]) -> Any:
    """Scale (x - mean) / sqrt(variance + epsilon) + bias, of each channel."""
    x, *numbers = operands
    node.plain(training_mode=0)
    if not isinstance(x, Curve) or len(numbers) != 4 or any(np.shape(each) != x.shape[:1] for each in numbers):
        raise node.refuse(f"numbers of {x.shape[0]} channels", [np.shape(each) for each in numbers])
    scale, bias, mean, variance = (np.repeat(np.float64(each), x.size // x.shape[0]) for each in numbers)
    scale = scale / np.sqrt(variance + node.attributes.get("epsilon", 1e-5))
    return of_units(node, x, scale, bias - scale * mean)


def mean(node: Node, operands: list[Any]) -> Any:
    """Over all places of each map."""
    x, axes = operands[0], operands[1] if len(operands) > 1 else node.attributes.get("axes")
    rank = 1 + len(getattr(x, "shape", ()))
    where = sorted(int(each) % rank for each in np.ravel(axes)) if axes is not None else []
    if not isinstance(x, Curve) or where != list(range(2, rank)):
        raise node.refuse("means over all places of each map", f"axes {axes}")
    pooled = pool(node._replace(operator="GlobalAveragePool"), [x])
    return pooled if node.attributes.get("keepdims", 1) else pooled._replace(shape=x.shape[:1])


def dropout(node: Node, operands: list[Any]) -> Any:
    """Which does nothing but in training."""
    if len(operands) > 2 and bool(np.any(operands[2])):
        raise node.refuse("training_mode False", True)
    return operands[0]


#: what may stand behind a class: names in place of numbers, and other shapes and types
BEHIND_LABELS = (
    "ArgMax", "ArrayFeatureExtractor", "Cast", "CastLike", "Gather", "Identity", "LabelEncoder", "Reshape", "Squeeze",
    "Unsqueeze",
)  # fmt: skip
OPERATORS: dict[str, Callable[[Node, list[Any]], Any]] = {
    **dict.fromkeys([*UNARY, *NARY], pointwise), "Neg": negative, "Gemm": gemm, "MatMul": matmul, "Conv": conv,
    **dict.fromkeys(["AveragePool", "MaxPool", "GlobalAveragePool", "GlobalMaxPool"], pool),
    "Reshape": shapes.reshape, "Flatten": shapes.flatten, "Transpose": shapes.transpose, "Squeeze": shapes.squeezed,
    "Unsqueeze": shapes.squeezed, "Concat": shapes.concat, "Shape": shapes.sample_shape, "Gather": shapes.gather,
    "Cast": shapes.cast, "Softmax": softmax, "LogSoftmax": softmax,
    **dict.fromkeys(["ArgMax", "ArrayFeatureExtractor", "Binarizer", "LabelEncoder"], label),
    **dict.fromkeys(["Identity", "ZipMap", "CastLike"], same), "Dropout": dropout, "Scaler": scaler,
    "BatchNormalization": normalization, "ReduceMean": mean,
}  # fmt: skip
