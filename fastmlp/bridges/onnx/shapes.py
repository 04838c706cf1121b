"""ONNX's operators that change shapes and types: samples keep their units; constants are computed."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from fastmlp.bridges.onnx.curves import Curve, Labels, followed
from fastmlp.bridges.onnx.files import MOST_AXES
from fastmlp.bridges.onnx.functions import Node, check_room
from fastmlp.model.layers import Shape

FLOATS, WHOLE = (1, 11), (6, 7, 9)  # TensorProto.FLOAT, DOUBLE; INT32, INT64, BOOL


def reshaped(node: Node, x: Any, shape: Shape) -> Any:
    """The same units; axes behind them, which only activations have, stay."""
    if not isinstance(x, Curve):
        return x
    if prod(shape) != x.size:
        raise node.refuse(f"a shape of {x.size} units", shape)
    return x._replace(shape=shape)


def reshape(node: Node, operands: list[Any]) -> Any:
    """To a constant shape, whose first entry is the samples."""
    x, shape = operands
    if isinstance(x, np.ndarray):
        return x.reshape(np.asarray(shape))
    if isinstance(x, Labels):
        return x
    if np.size(shape) > MOST_AXES:
        raise node.refuse(f"at most {MOST_AXES} axes", np.size(shape))
    _, *rest = [int(each) for each in np.ravel(shape)] or [0]
    if rest == [1] and x.size > 1:  # of skl2onnx, which has one target in mind: samples keep their units here
        return x
    rest = [x.shape[i] if each == 0 and i < len(x.shape) else each for i, each in enumerate(rest)]
    known = prod(each for each in rest if each >= 0)
    rest = [x.size // max(1, known) if each < 0 else each for each in rest]
    return reshaped(node, x, tuple(rest) or (1,) * (x.size == 1) or (0,))


def flatten(node: Node, operands: list[Any]) -> Any:
    """Samples as rows."""
    (x,) = operands
    node.plain(axis=1)
    return reshaped(node, x, (x.size,)) if isinstance(x, Curve) else np.reshape(x, (len(x), -1))


def transpose(node: Node, operands: list[Any]) -> Any:
    """Of constants, or of the axes of a sample."""
    (x,) = operands
    perm = node.attributes.get("perm")
    if isinstance(x, np.ndarray):
        return x.transpose(perm)
    if perm is None or perm[0] != 0 or len(perm) != len(x.shape) + 1 or x.whole:
        raise node.refuse("samples along the first axis", perm)
    axes = [each - 1 for each in perm[1:]]
    order = np.arange(x.size).reshape(x.shape).transpose(axes)
    before = np.arange(x.size) if x.order is None else x.order
    own = before[order.ravel()]
    return x._replace(shape=order.shape, order=None if np.array_equal(own, np.arange(x.size)) else own)


def squeezed(node: Node, operands: list[Any]) -> Any:
    """Axes of extent 1, added or dropped."""
    x, axes = operands[0], (operands[1] if len(operands) > 1 else node.attributes.get("axes"))
    if isinstance(x, Labels):
        return x
    adding = node.operator == "Unsqueeze"
    if isinstance(x, np.ndarray):
        where = None if axes is None else tuple(int(each) for each in np.ravel(axes))
        return np.expand_dims(x, where) if adding and where is not None else np.squeeze(x, where)
    if axes is None or len(np.ravel(axes)) != 1:
        raise node.refuse("one axis", axes)
    rank, axis = 1 + len(x.shape) + x.values.ndim - 1, int(np.ravel(axes)[0])
    axis = axis + rank + adding if axis < 0 else axis
    if adding and axis == rank:  # as in a sum of waves
        return x.mapped(node.name, lambda values: values[..., np.newaxis])
    if adding and 0 < axis <= len(x.shape):
        return x._replace(shape=(*x.shape[: axis - 1], 1, *x.shape[axis - 1 :]))
    if not adding and 0 < axis <= len(x.shape) and x.shape[axis - 1] == 1:
        rest = (*x.shape[: axis - 1], *x.shape[axis:])
        return x._replace(shape=rest or (1,))
    raise node.refuse("an axis of extent 1 of each sample", axes)


def cast(node: Node, operands: list[Any]) -> Any:
    """Types of numbers are those of the weights; whole numbers are labels."""
    (x,) = operands
    to = node.attributes["to"]
    if isinstance(x, np.ndarray):
        return x.astype({1: np.float32, 11: np.float64, 6: np.int32, 7: np.int64, 9: np.bool_}[to])
    if isinstance(x, Labels) or to in FLOATS or (x.values.dtype == bool and to == 9):
        return x
    if to not in WHOLE:
        raise node.refuse("numbers as float32 or float64", f"another type, {to}")
    return Labels(x, followed(x.nodes, node.name))


def sample_shape(node: Node, operands: list[Any]) -> Any:
    """Of samples, whose number is -1."""
    (x,) = operands
    return np.array([-1, *x.shape] if isinstance(x, Curve) else np.shape(x), np.int64)


def gather(node: Node, operands: list[Any]) -> Any:
    """Of constants; of labels their names."""
    x, where = operands
    if isinstance(where, Labels):
        return where._replace(nodes=followed(where.nodes, node.name))
    if not (isinstance(x, np.ndarray) and isinstance(where, np.ndarray)):
        raise node.refuse("constants", "samples")
    check_room(node, (where.size, x.size))
    return np.take(x, where, node.attributes.get("axis", 0))


def concat(node: Node, operands: list[Any]) -> Any:
    """Constants, or 1 - p beside p."""
    if all(isinstance(each, np.ndarray) for each in operands):
        check_room(node, (sum(each.size for each in operands),))
        return np.concatenate(operands, node.attributes["axis"])
    two = [each for each in operands if isinstance(each, Curve)]
    is_pair = len(two) == len(operands) == 2 and two[0].place is two[1].place and two[0].shape == two[1].shape
    if (
        not is_pair
        or node.attributes["axis"] not in (1, -1)
        or np.max(np.abs(two[0].values + two[1].values - 1)) > 1e-12
    ):
        raise node.refuse("outputs side by side only as 1 - p and p of two classes", "something else")
    return two[1]
