"""Networks out of PMML, the Predictive Model Markup Language."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from fastmlp import _validation as check
from fastmlp._quiet import quiet
from fastmlp._types import Array, Float
from fastmlp.bridges.assembly import assembled, sizes
from fastmlp.bridges.pmml import xml
from fastmlp.bridges.pmml.xml import Node
from fastmlp.model.activations import IDENTITY, SOFTMAX
from fastmlp.network.network import Network

#: what PMML calls them
ACTIVATIONS = {"identity": "identity", "tanh": "tanh", "logistic": "logistic", "rectifier": "relu", "sine": "sin",
               "exponential": "exp"}  # fmt: skip
#: activation and normalization, whose product is softmax
SOFTMAXES = (("identity", "softmax"), ("exponential", "simplemax"))
LINEAR, SIGMOIDS = ("identity", "none"), ("logistic", "none")
SIGMOID = ACTIVATIONS[SIGMOIDS[0]]
MOST_WEIGHTS = 1 << 24  #: of a layer, those counted that have no element
DEEPEST = 16  #: fields that are derived from each other
PLAIN = ("FieldRef", "NormContinuous")  #: how targets are mapped


class Affine(NamedTuple):
    """scale * field + shift; a constant where there is no field."""

    field: str | None
    scale: float
    shift: float


class Dense(NamedTuple):
    """A layer, and what PMML calls its activation and normalization."""

    W: Float
    b: Float
    activation: str
    normalization: str


@quiet
def from_pmml(path: str | os.PathLike[str]) -> Network:
    """The network in a file of PMML, as sklearn2pmml, nyoka and others write it.

    Parameters
    ----------
    path : str or path-like
        With one NeuralNetwork.

    Returns
    -------
    Network
        In float64. Inputs are in the order of NeuralInputs, each in the units of its field: NormContinuous and
        arithmetic with constants are folded into the weights. Classes are numbered in the order of NeuralOutputs; where
        two of them are p and 1 - p of one logistic unit, that is the output.

    Raises
    ------
    TypeError, ValueError
        If an element or an activation has no counterpart, which is named; if ids or numbers do not fit; of XML that is
        damaged, too large, or has a document type.
    OSError
        If the file cannot be read.

    Notes
    -----
    What a field is for missing values and outliers is left out, unless it changes others.

    Examples
    --------
    >>> import fastmlp, pathlib, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path, net = pathlib.Path(folder.name, "net.pmml"), fastmlp.Network([2, 3, 1], rng=0)
    >>> _ = fastmlp.to_pmml(net, path)
    >>> fastmlp.from_pmml(path) == net
    True
    >>> folder.cleanup()
    """
    root = xml.read(check.path(path))
    if root.tag != "PMML":
        raise ValueError(f"path: expected PMML, got XML of {root.tag}")
    models = [child.tag for child in root.children if child.tag.endswith(("Network", "Model", "SupportVectorMachine"))]
    if models != ["NeuralNetwork"]:
        raise ValueError(f"path: expected one NeuralNetwork, got {', '.join(models[:5]) or 'no model'}")
    model = root.only("NeuralNetwork")
    _check_fields(model)
    derived = {
        field.value("name"): field
        for place in (*root.each("TransformationDictionary"), *model.each("LocalTransformations"))
        for field in place.each("DerivedField")
    }
    inputs = {each.value("id"): _affine(_expression(each.only("DerivedField")), derived, 0)
              for each in model.only("NeuralInputs").each("NeuralInput")}  # fmt: skip
    fields = [each.field for each in inputs.values()]
    if not inputs or None in fields or len(set(fields)) < len(fields):
        raise ValueError(
            f"path: expected a field of its own for each NeuralInput, got {', '.join(map(str, fields[:9]))}"
        )
    layers, ids = [], list(inputs)
    for node in model.each("NeuralLayer"):
        layer, ids = _layer(model, node, ids)
        layers.append(layer)
    if not layers:
        raise ValueError("path: expected a NeuralLayer at least, got none")
    layers[-1], scale, shift = _ordered(model, layers[-1], ids)
    first = layers[0]
    a, b = (np.array([each[place] for each in inputs.values()]) for place in (1, 2))
    layers[0] = first._replace(W=first.W * a, b=first.b + first.W @ b)
    return _network(model, layers, scale, shift)


def _network(model: Node, layers: list[Dense], scale: Float, shift: Float) -> Network:
    """What layers and maps of the outputs make together."""
    is_classifier = model.value("functionName") == "classification"
    layers = _merged(layers)
    if is_classifier:
        layers = _of_one_unit(layers)
    names = [SOFTMAX.name if each[2:] in SOFTMAXES else ACTIVATIONS.get(each.activation) for each in layers]
    for each, name in zip(layers, names, strict=True):
        if name is None or (name != SOFTMAX.name and each.normalization != "none"):
            words = each.activation if each.normalization == "none" else f"{each.activation} with {each.normalization}"
            raise ValueError(f"path: expected activationFunction {', '.join(ACTIVATIONS)}, or softmax, got {words}")
    *hidden, output = [name for name in names if name is not None]
    loss = "squared_error" if not is_classifier and output == SIGMOID else None
    weights = [each.W for each in layers]
    net = assembled(sizes(weights), weights, [each.b for each in layers], hidden, output, loss, argument="path")
    if (scale == 1).all() and not shift.any():
        return net
    if output != IDENTITY.name:
        raise ValueError(f"path: expected NeuralOutputs as they are behind {output}, got NormContinuous")
    return net.rescale_outputs(1 / scale, -shift / scale)


def _check_fields(model: Node) -> None:
    """ValueError where something else than the network changes what comes in or goes out."""
    if any(True for _ in model.each("Targets")):
        raise ValueError("path: expected outputs as the network gives them, got Targets")
    for field in model.only("MiningSchema").each("MiningField"):
        if field.attributes.get("outliers", "asIs") != "asIs":
            raise ValueError(f"path: expected outliers asIs of MiningField {field.value('name')}, got others")


def _expression(field: Node) -> Node:
    """What a DerivedField is made of."""
    parts = [child for child in field.children if child.tag not in ("Extension", "Value", "Interval")]
    if len(parts) != 1:
        raise ValueError(f"path: expected one expression in a DerivedField, got {len(parts)}")
    return parts[0]


def _affine(node: Node, derived: Mapping[str, Node], depth: int) -> Affine:
    """An expression as scale * field + shift."""
    if depth > DEEPEST:
        raise ValueError(f"path: expected at most {DEEPEST} DerivedFields of each other, got more, or a circle")
    if node.tag == "FieldRef":
        name = node.value("field")
        return _affine(_expression(derived[name]), derived, depth + 1) if name in derived else Affine(name, 1.0, 0.0)
    if node.tag == "Constant":
        return Affine(None, 0.0, xml.number(node.text, "Constant"))
    if node.tag == "NormDiscrete":
        return Affine(f"{node.value('field')} = {node.value('value')}", 1.0, 0.0)
    if node.tag == "NormContinuous":
        scale, shift = _norm(node)
        field = _affine(_reference(node), derived, depth + 1)
        return Affine(field.field, scale * field.scale, scale * field.shift + shift)
    if node.tag != "Apply":
        raise ValueError(f"path: expected FieldRef, NormContinuous, NormDiscrete, Apply or Constant, got {node.tag}")
    parts = [child for child in node.children if child.tag != "Extension"]
    result = None
    if len(parts) == 2:
        result = _applied(node.value("function"), *(_affine(part, derived, depth + 1) for part in parts))
    if result is None:
        words = f"{node.value('function')} of {len(parts)}"
        raise ValueError(f"path: expected sums and products of a field with constants, got Apply of {words}")
    return result


def _reference(node: Node) -> Node:
    return Node("FieldRef", {"field": node.value("field")})


def _norm(node: Node) -> tuple[float, float]:
    """Scale and shift of a NormContinuous."""
    if node.attributes.get("outliers", "asIs") != "asIs":
        raise ValueError("path: expected outliers asIs of NormContinuous, got others")
    points = [(each.number("orig"), each.number("norm")) for each in node.each("LinearNorm")]
    if len(points) != 2 or points[0][0] >= points[1][0]:
        raise ValueError(f"path: expected two LinearNorm of rising orig in NormContinuous, got {len(points)}")
    (x, y), (x2, y2) = points
    scale = (y2 - y) / (x2 - x)
    return scale, y - scale * x


def _applied(function: str, left: Affine, right: Affine) -> Affine | None:
    """Of arithmetic; None where it is no map of one field."""
    if function in ("+", "-") and None in (left.field, right.field):
        sign = 1.0 if function == "+" else -1.0
        return Affine(left.field or right.field, left.scale + sign * right.scale, left.shift + sign * right.shift)
    if function == "/" and right.field is None and right.shift:
        return Affine(left.field, left.scale / right.shift, left.shift / right.shift)
    if function == "*" and None in (left.field, right.field):
        field, factor = (left, right.shift) if right.field is None else (right, left.shift)
        return Affine(field.field, field.scale * factor, field.shift * factor)
    return None


def _layer(model: Node, node: Node, before: list[str]) -> tuple[Dense, list[str]]:
    """A layer behind units of these ids, and its own ids."""
    places = {name: place for place, name in enumerate(before)}
    neurons = list(node.each("Neuron"))
    ids = [neuron.value("id") for neuron in neurons]
    if not neurons or len(neurons) * len(before) > MOST_WEIGHTS or len(set(ids)) < len(ids):
        raise ValueError(
            f"path: expected Neurons of different ids in a NeuralLayer, at most {MOST_WEIGHTS} weights, got "
            f"{len(neurons)} Neurons behind {len(before)}"
        )
    W, b = np.zeros((len(neurons), len(before))), np.array([each.number("bias", 0.0) for each in neurons])
    for row, neuron in zip(W, neurons, strict=True):
        seen = set()
        for con in neuron.each("Con"):
            source = con.value("from")
            if source not in places or source in seen:
                raise ValueError(
                    f"path: expected connections of Neuron {neuron.value('id')} from units of the layer before, once "
                    f"each, got {source!r}"
                )
            seen.add(source)
            row[places[source]] = con.number("weight")
    activation, normalization = (
        node.attributes.get(name) or model.attributes.get(name) or "none"
        for name in ("activationFunction", "normalizationMethod")
    )
    return Dense(W, b, activation, normalization), ids


def _ordered(model: Node, last: Dense, ids: list[str]) -> tuple[Dense, Float, Float]:
    """The last layer in the order of NeuralOutputs, and the maps of targets, whose inverses follow."""
    outputs = list(model.only("NeuralOutputs").each("NeuralOutput"))
    named = [each.value("outputNeuron") for each in outputs]
    if sorted(named) != sorted(ids):
        raise ValueError(
            f"path: expected a NeuralOutput of each of the {len(ids)} last Neurons, got {', '.join(named[:9])}"
        )
    maps = []
    for each in outputs:
        expression = _expression(each.only("DerivedField"))
        if expression.tag not in ("NormDiscrete", *PLAIN):
            raise ValueError(
                f"path: expected FieldRef, NormContinuous or NormDiscrete in NeuralOutput, got {expression.tag}"
            )
        maps.append(_norm(expression) if expression.tag == PLAIN[1] else (1.0, 0.0))
    scale, shift = np.array(maps).T
    if not scale.all():
        raise ValueError("path: expected NormContinuous of different norm in NeuralOutput, got equal ones")
    places = {name: place for place, name in enumerate(ids)}
    order = [places[name] for name in named]
    return last._replace(W=last.W[order], b=last.b[order]), scale, shift


def _merged(layers: list[Dense]) -> list[Dense]:
    """Without layers that only apply an activation to linear units before them, one to one."""
    result: list[Dense] = []
    for each in layers:
        before = result[-1] if result else None
        linear = before is not None and before[2:] == LINEAR
        if linear and each.W.shape[0] == each.W.shape[1] and not each.b.any() and _is_eye(each.W):
            result[-1] = result[-1]._replace(activation=each.activation, normalization=each.normalization)
        else:
            result.append(each)
    return result


def _is_eye(W: Array) -> bool:
    return bool((np.eye(len(W)) == W).all())


def _of_one_unit(layers: list[Dense]) -> list[Dense]:
    """Where two classes are 1 - p and p of a logistic unit: up to that, or its negative if they are p and 1 - p."""
    *others, last = layers
    if not others or others[-1][2:] != SIGMOIDS or last[2:] != LINEAR or last.W.shape != (2, 1):
        return layers
    numbers = (last.W.ravel().tolist(), last.b.tolist())
    unit = others[-1]
    if numbers == ([-1, 1], [1, 0]):
        return others
    if numbers == ([1, -1], [0, 1]):
        return [*others[:-1], unit._replace(W=-unit.W, b=-unit.b)]
    return layers
