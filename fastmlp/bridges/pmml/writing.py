"""Networks as PMML, the Predictive Model Markup Language."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

from fastmlp import _validation as check
from fastmlp import replacement
from fastmlp._version import __version__
from fastmlp.bridges.assembly import Part, network_of, taken_apart
from fastmlp.bridges.pmml.reading import ACTIVATIONS, SOFTMAXES
from fastmlp.model.activations import SOFTMAX
from fastmlp.model.layers import Dense

ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", '"': "&quot;"})
NAMES = {ours: theirs for theirs, ours in ACTIVATIONS.items()}


def to_pmml(
    net: Any,
    path: str | os.PathLike[str] | None = None,
    *,
    inputs: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
) -> str:
    """The network as PMML 4.4, which engines in Java and for Spark, and data bases, execute.

    Parameters
    ----------
    net : Network, MLPRegressor or MLPClassifier
        Of dense layers, with the activations that PMML has: identity, tanh, logistic, relu, sin, exp, softmax;
        estimators of this library, fitted.
    path : str or path-like, optional
        A file to write it to.
    inputs : sequence of str, optional
        Names of the fields. None: those an estimator has seen in `fit`, or x1, x2, ...
    classes : sequence of str, optional
        Of a classifier's outputs in their order; a single logistic output has two. None: those it knows, or
        0, 1, ...

    Returns
    -------
    str
        A NeuralNetwork of doubles, with all digits of the weights. Of classifiers it gives probabilities, of others the
        fields y1, y2, ..., or y.

    Raises
    ------
    TypeError, ValueError
        If PMML has no counterpart, or if names do not fit.

    Examples
    --------
    >>> import fastmlp
    >>> text = fastmlp.to_pmml(fastmlp.Network([2, 1], rng=0), inputs=["kelvin", "pascal"])
    >>> text.count("<Con "), text.count('"kelvin"')
    (2, 3)
    """
    estimator, net = net, network_of(net)
    inputs = net.input_names if inputs is None and estimator is net else inputs
    classes = net.class_names if classes is None and estimator is net else classes
    inputs, classes = _own_names(estimator, "feature_names_in_", inputs), _own_names(estimator, "classes_", classes)
    parts = list(taken_apart(net, (Dense,)))
    for name in (part.layer.activation.name for part in parts):
        if name not in NAMES and name != SOFTMAX.name:
            raise ValueError(
                f"net: expected activations that PMML has, {', '.join([*NAMES, SOFTMAX.name])}, got {name}"
            )
    loss = net._architecture.loss
    several_labels = net.layers[-1] > 1 and net._architecture.output.is_elementwise
    is_classifier = loss.is_of_classes and not several_labels
    if classes is not None and not is_classifier:
        raise ValueError(f"classes: expected None for {loss}, got {check.shown(classes)}")
    fields, labels = _names(inputs, "inputs", net.layers[0], "x", 1), None
    targets = ["y"] if net.layers[-1] == 1 else [f"y{number}" for number in range(1, net.layers[-1] + 1)]
    if is_classifier:
        targets, labels = ["y"], _names(classes, "classes", max(net.layers[-1], 2), "", 0)
    if set(targets) & set(fields):
        raise ValueError(f"inputs: expected other names than {', '.join(targets[:9])}, got {check.shown(inputs)}")
    lines = [*_dictionary(fields, targets, labels), *_layers(parts, fields), *_outputs(parts, targets, labels)]
    text = "\n".join(lines) + "\n"
    if path is not None:
        replacement.write(check.path(path), text.encode())
    return text


def _own_names(estimator: Any, attribute: str, given: Sequence[str] | None) -> Sequence[str] | None:
    """What is given, or what an estimator has learned names of; several labels a sample are no classes."""
    learned = getattr(estimator, attribute, None)
    several = attribute == "classes_" and getattr(estimator, "_multilabel", False)
    if given is not None or learned is None or several:
        return given
    return [str(each) for each in learned.tolist()]


def _names(given: Any, argument: str, size: int, stem: str, first: int) -> list[str]:
    if given is None:
        return [f"{stem}{number}" for number in range(first, first + size)]
    items = check.sequence(given, argument, "names")
    names = [str.__str__(item) for item in items if isinstance(item, str)]  # plain ones, whatever subclasses make of it
    if not len(names) == len(items) == size or not all(map(str.isprintable, names)):
        raise ValueError(f"{argument}: expected {size} names, got {check.shown(given)}")
    if len(set(names)) < size or "" in names:
        raise ValueError(f"{argument}: expected different names, got {check.shown(given)}")
    return names


def _quoted(name: str) -> str:
    return f'"{name.translate(ESCAPED)}"'


def _dictionary(fields: list[str], targets: list[str], labels: list[str] | None) -> Iterator[str]:
    """All up to the layers: which fields there are."""
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield '<PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4">'
    yield f'  <Header><Application name="fastmlp" version="{__version__}"/></Header>'
    yield "  <DataDictionary>"
    for name in fields if labels else [*fields, *targets]:
        yield f'    <DataField name={_quoted(name)} optype="continuous" dataType="double"/>'
    if labels:
        values = "".join(f"<Value value={_quoted(label)}/>" for label in labels)
        yield f'    <DataField name="y" optype="categorical" dataType="string">{values}</DataField>'
    yield "  </DataDictionary>"
    function = "classification" if labels else "regression"
    yield f'  <NeuralNetwork functionName="{function}" activationFunction="identity">'
    yield "    <MiningSchema>"
    for name in targets:
        yield f'      <MiningField name="{name}" usageType="target"/>'
    for name in fields:
        yield f"      <MiningField name={_quoted(name)}/>"
    yield "    </MiningSchema>"
    continuous = 'optype="continuous" dataType="double"'
    fields_out = [
        f'name={_quoted(f"probability({label})")} {continuous} feature="probability" value={_quoted(label)}'
        for label in labels or ()
    ]
    if len(targets) > 1:  # without, PMML4S gives none
        fields_out = [
            f'name="predicted({name})" {continuous} feature="predictedValue" targetField="{name}"' for name in targets
        ]
    if fields_out:
        yield "    <Output>"
        yield from (f"      <OutputField {attributes}/>" for attributes in fields_out)
        yield "    </Output>"


def _layers(parts: list[Part], fields: list[str]) -> Iterator[str]:
    """Inputs are units 0/1, 0/2, ..., those of layer l are l/1, l/2, ..."""
    yield "    <NeuralInputs>"
    for place, name in enumerate(fields, 1):
        field = f'<DerivedField optype="continuous" dataType="double"><FieldRef field={_quoted(name)}/></DerivedField>'
        yield f'      <NeuralInput id="0/{place}">{field}</NeuralInput>'
    yield "    </NeuralInputs>"
    for number, part in enumerate(parts, 1):
        name = part.layer.activation.name
        activation, normalization = SOFTMAXES[0] if name == SOFTMAX.name else (NAMES[name], "none")
        more = "" if normalization == "none" else f' normalizationMethod="{normalization}"'
        yield f'    <NeuralLayer activationFunction="{activation}"{more}>'
        assert part.W is not None
        assert part.b is not None
        for place, (row, bias) in enumerate(zip(part.W.tolist(), part.b.tolist(), strict=True), 1):
            cons = [f'<Con from="{number - 1}/{source}" weight="{w!r}"/>' for source, w in enumerate(row, 1)]
            yield f'      <Neuron id="{number}/{place}" bias="{bias!r}">{"".join(cons)}</Neuron>'
        yield "    </NeuralLayer>"


def _outputs(parts: list[Part], targets: list[str], labels: list[str] | None) -> Iterator[str]:
    """What the last units are called; of a classifier's one unit two classes, 1 - p and p, are made."""
    last = len(parts)
    if labels and parts[-1].layer.n_out == 1:
        last += 1
        yield "    <NeuralLayer>"
        yield f'      <Neuron id="{last}/1" bias="1.0"><Con from="{last - 1}/1" weight="-1.0"/></Neuron>'
        yield f'      <Neuron id="{last}/2" bias="0.0"><Con from="{last - 1}/1" weight="1.0"/></Neuron>'
        yield "    </NeuralLayer>"
    yield "    <NeuralOutputs>"
    kind = 'optype="categorical" dataType="string"' if labels else 'optype="continuous" dataType="double"'
    for place, name in enumerate(labels or targets, 1):
        field = f'<NormDiscrete field="y" value={_quoted(name)}/>' if labels else f'<FieldRef field="{name}"/>'
        derived = f"<DerivedField {kind}>{field}</DerivedField>"
        yield f'      <NeuralOutput outputNeuron="{last}/{place}">{derived}</NeuralOutput>'
    yield "    </NeuralOutputs>"
    yield "  </NeuralNetwork>"
    yield "</PMML>"
