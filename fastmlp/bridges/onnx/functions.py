"""ONNX's operators that take each number for itself: activations and their parts, and linear maps of single units."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

import numpy as np

from fastmlp import _memory
from fastmlp._types import Array
from fastmlp.bridges.onnx.curves import LISTED, Curve, Place, beginning, followed
from fastmlp.model.layers import Shape

MOST_NUMBERS = 1 << 26  # of all constants that nodes make, and of functions at all points


class Node(NamedTuple):
    """A node: how messages call it, and its attributes, of which `left` are those that nothing has asked for."""

    name: str
    operator: str
    attributes: dict[str, Any]
    opset: int

    def refuse(self, expected: str, got: Any) -> ValueError:
        """The error."""
        return ValueError(f"model: expected {expected} in node {self.name}, got {got}")

    def plain(self, **wanted: Any) -> None:
        """Refuse attributes that are not what they are by default."""
        for name, value in wanted.items():
            own = self.attributes.get(name, value)
            own = own.decode() if isinstance(own, bytes) else own
            if own != value and not (isinstance(own, (list, tuple)) and set(own) <= {value}):
                raise self.refuse(f"{name} {value}", own)


def _softplus(z: Array) -> Array:
    return np.asarray(np.logaddexp(0.0, z))


def _sigmoid(z: Array) -> Array:
    return np.asarray(_memory.scipy("special").expit(z))


def _erf(z: Array) -> Array:
    return np.asarray(_memory.scipy("special").erf(z))


def _gelu(z: Array, approximate: bytes = b"none") -> Array:
    if approximate == b"tanh":
        return np.asarray(z / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))))
    return np.asarray(z * _memory.scipy("special").ndtr(z))


def _elu(z: Array, alpha: float = 1.0) -> Array:
    return np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0)))


def _leaky(z: Array, alpha: float = 0.01) -> Array:
    return np.where(z >= 0, z, alpha * z)


def _clip(z: Array, low: Array | float = -np.inf, high: Array | float = np.inf) -> Array:
    return np.clip(z, low, high)


#: of one operand, with the attributes that have a say
UNARY: dict[str, Callable[..., Array]] = {
    "Tanh": np.tanh, "Sigmoid": _sigmoid, "Relu": lambda z: np.maximum(z, 0), "Exp": np.exp, "Log": np.log,
    "Abs": np.abs, "Sqrt": np.sqrt, "Reciprocal": np.reciprocal, "Sin": np.sin, "Cos": np.cos, "Erf": _erf,
    "Softplus": _softplus, "Elu": _elu, "LeakyRelu": _leaky, "Gelu": _gelu, "Not": np.logical_not,
}  # fmt: skip
#: of two, or three
NARY: dict[str, Callable[..., Array]] = {
    "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide, "Pow": np.power, "Min": np.minimum,
    "Max": np.maximum, "Greater": np.greater, "Less": np.less, "GreaterOrEqual": np.greater_equal,
    "LessOrEqual": np.less_equal, "Where": np.where, "PRelu": lambda z, slope: np.where(z >= 0, z, slope * z),
    "Clip": _clip,
}  # fmt: skip
#: a x + c of two operands, which are lines or numbers; None where it is no line
LINES: dict[str, Callable[[tuple[float, float], tuple[float, float]], tuple[float, float] | None]] = {
    "Add": lambda f, g: (f[0] + g[0], f[1] + g[1]),
    "Sub": lambda f, g: (f[0] - g[0], f[1] - g[1]),
    "Mul": lambda f, g: (f[0] * g[1], f[1] * g[1]) if g[0] == 0 else (g[0] * f[1], g[1] * f[1]) if f[0] == 0 else None,
    "Div": lambda f, g: (f[0] / g[1], f[1] / g[1]) if g[0] == 0 and g[1] != 0 else None,
}


def pointwise(node: Node, operands: list[Any]) -> Any:
    """An operator that takes each number for itself."""
    function = UNARY.get(node.operator) or NARY[node.operator]
    if node.operator in ("Elu", "LeakyRelu", "Gelu"):
        attributes = dict(node.attributes)
        operands, plain = operands, function
        function = lambda z: plain(z, **attributes)  # noqa: E731
    if node.operator == "Clip" and node.attributes:
        operands = [operands[0], node.attributes.get("min", -np.inf), node.attributes.get("max", np.inf)]
    operands = [-np.inf if each is None else each for each in operands]
    curves = [each for each in operands if isinstance(each, Curve)]
    if not curves:
        check_room(node, np.broadcast_shapes(*map(np.shape, operands)))
        with np.errstate(all="ignore"):
            return np.asarray(function(*operands))
    if len(operands) == 2 and len(curves) == 1 and (mapped := _mapped(node, operands)) is not None:
        return mapped
    return _together(node, function, operands, curves)


def _together(node: Node, function: Callable[..., Array], operands: list[Any], curves: list[Curve]) -> Curve:
    """Of curves over the same place, and numbers."""
    first = curves[0]
    for each in curves:
        if (
            each.whole
            or each.place is not first.place
            or each.shape != first.shape
            or not _same(each.order, first.order)
        ):
            raise node.refuse("functions of the sums of one layer", "those of several, or of all units together")
    values, lines = [], []
    for each in operands:
        if isinstance(each, Curve):
            values.append(each.values)
            lines.append(each.line)
            continue
        number = _number(node, each, first)
        values.append(number)
        lines.append((0.0, float(number)) if np.ndim(number) == 0 else None)
    line = None
    if node.operator in LINES and None not in lines:
        line = LINES[node.operator](*filter(None, lines))
    check_room(node, np.broadcast_shapes(*map(np.shape, values)))
    with np.errstate(all="ignore"):
        result = np.asarray(function(*values))
    nodes = tuple(dict.fromkeys(name for each in curves for name in each.nodes))[-LISTED:]
    return first._replace(values=result, line=line, nodes=followed(nodes, node.name))


def check_room(node: Node, shape: tuple[int, ...]) -> None:
    """A few nodes may make any number of numbers of a few."""
    if prod(shape) > MOST_NUMBERS:
        raise node.refuse(f"at most {MOST_NUMBERS} numbers", f"shape {shape}")


def _number(node: Node, constant: Any, curve: Curve) -> Any:
    """A constant that is the same for all units; with further axes behind where the curve has them."""
    constant = np.asarray(constant)
    if curve.values.ndim > 1 and 0 < constant.ndim < curve.values.ndim:
        return constant
    if constant.size == 0 or np.any(constant != constant.flat[0]) or not fits(constant.shape, curve.shape):
        raise node.refuse("one number for all units, as in an activation", f"a constant of shape {constant.shape}")
    return constant.flat[0]


def _mapped(node: Node, operands: list[Any]) -> Curve | None:
    """A map of single numbers, other ones for other units: x - m, s x, and so on; None where it is something else."""
    curve, constant = operands if isinstance(operands[0], Curve) else operands[::-1]
    constant = np.asarray(constant)
    is_bias = node.operator == "Add" and constant.ndim > 0 and curve.line == (1.0, 0.0)  # of one unit, too
    if (
        (constant.size < 2 and not (is_bias and curve.size == 1))
        or curve.whole
        or curve.values.ndim > 1
        or not fits(constant.shape, curve.shape)
    ):
        return None
    numbers = np.broadcast_to(constant, (1, *curve.shape))[0]
    ones, zeros = np.ones_like(numbers), np.zeros_like(numbers)
    before = curve is operands[0]
    ways = {
        "Add": (ones, numbers), "Sub": (ones, -numbers) if before else (-ones, numbers), "Mul": (numbers, zeros),
        "Div": (1 / numbers, zeros) if before and np.all(numbers != 0) else None,
    }  # fmt: skip
    way = ways.get(node.operator)
    if way is None:
        return None
    return of_units(node, curve, way[0].ravel(), way[1].ravel())


def of_units(node: Node, x: Curve, scale: Any, shift: Any) -> Curve:
    """Scale x + shift, a place with the units in the order of the layer before."""
    if x.whole:
        raise node.refuse("nothing behind softmax", "a map")
    own = []
    check_room(node, x.shape)
    for numbers in (scale, shift):
        own.append(np.asarray(numbers, np.float64))
        if x.order is not None:
            own[-1] = np.empty(x.size)
            own[-1][x.order] = numbers
    place = Place(x, node.name, x.place.shape, scale=own[0], shift=own[1])
    return beginning(place)._replace(shape=x.shape, order=x.order)


def fits(shape: tuple[int, ...], units: Shape) -> bool:
    """Whether a constant leaves samples (1, *units) their shape."""
    try:
        return np.broadcast_shapes((1, *units), shape) == (1, *units)
    except ValueError:
        return False


def _same(one: Array | None, other: Array | None) -> bool:
    return one is other or (one is not None and other is not None and np.array_equal(one, other))


def negative(node: Node, operands: list[Any]) -> Any:
    """-x."""
    return pointwise(node._replace(operator="Mul"), [operands[0], np.float64(-1.0)])
