"""Networks as PMML: files of sklearn2pmml and nyoka, files of ours that JPMML has evaluated, and what is refused.

tests/data/pmml/README.md has the versions.
"""

import contextlib
import random
import re
from pathlib import Path

import numpy as np
import pytest

import fastmlp
from fastmlp.bridges.pmml import xml
from fastmlp.bridges.pmml.reading import ACTIVATIONS

FOLDER = Path(__file__).parent / "data" / "pmml"
X = np.loadtxt(FOLDER / "X.txt")
THEIRS = {
    "sklearn-classes": ([4, 4, 3, 3], "tanh", "softmax"),
    "sklearn-two": ([4, 3, 1], "logistic", "logistic"),
    "sklearn-regression": ([3, 4, 1], "relu", "identity"),
    "sklearn-targets": ([2, 3, 2], "identity", "identity"),
    "nyoka-classes": ([4, 4, 3, 3], "tanh", "softmax"),
    "nyoka-two": ([4, 3, 1], "logistic", "logistic"),
    "nyoka-regression": ([3, 4, 1], "relu", "identity"),
}
OURS = {
    "tanh-softmax": (
        {"layers": [3, 4, 3], "output": "softmax", "rng": 1},
        {"classes": ["a<b", 'q"', "ü"], "inputs": ["kelvin", "pas & cal", "z"]},
    ),
    "relu-two": (
        {"layers": [2, 3, 2, 1], "hidden": ["relu", "logistic"], "output": "logistic", "rng": 2},
        {"classes": ["no", "yes"]},
    ),
    "sin-targets": ({"layers": [2, 3, 2], "hidden": "sin", "rng": 3}, {}),
    "identity-exp": ({"layers": [2, 3, 1], "hidden": "identity", "output": "exp", "rng": 4}, {}),
    "logistic-labels": ({"layers": [2, 3, 2], "output": "logistic", "rng": 5}, {}),
    "linear": ({"layers": [2, 1], "rng": 6}, {}),
}


def read(folder, text):
    path = folder / "some.pmml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return fastmlp.from_pmml(path)


@pytest.mark.parametrize("name", THEIRS)
def test_a_file_of_another_writer_gives_what_its_estimator_gave(name):
    layers, hidden, output = THEIRS[name]
    net = fastmlp.from_pmml(FOLDER / f"{name}.pmml")
    assert (list(net.layers), set(net.hidden), net.output) == (layers, {hidden}, output)
    there = np.loadtxt(FOLDER / f"{name.replace('nyoka', 'sklearn')}.txt").reshape(len(X), -1)
    here = net(X[:, : layers[0]])
    here = np.hstack([1 - here, here]) if name.endswith("two") else here
    assert here == pytest.approx(there, rel=1e-13, abs=1e-14)


@pytest.mark.parametrize("name", OURS)
def test_a_file_of_ours_gave_the_same_in_jpmml(name):
    made, names = OURS[name]
    layers = made["layers"]
    net = fastmlp.Network(**made)
    path = FOLDER / f"ours-{name}.pmml"
    numbers = r"\"-?\d[^\"]*\"|version=\"[^\"]*\""  # of draws, whose last digit may differ by machine; of ours
    assert re.sub(numbers, "", fastmlp.to_pmml(net, **names)) == re.sub(numbers, "", path.read_text(encoding="utf-8"))
    there = np.loadtxt(FOLDER / f"ours-{name}.txt").reshape(4, -1)
    here = fastmlp.from_pmml(path)(np.random.default_rng(0).normal(size=(4, layers[0])))
    assert here == pytest.approx(there[:, 1:] if name == "relu-two" else there, rel=1e-14, abs=1e-15)


@pytest.mark.parametrize("output", [*ACTIVATIONS.values(), "softmax"])
@pytest.mark.parametrize("hidden", [name for name in ACTIVATIONS.values() if name != "exp"])
def test_what_is_written_is_read_to_the_bit(tmp_path, hidden, output):
    for layers in ([3, 4, 2, 3], [3, 2], [2, 3, 1]):
        if output == "softmax" and layers[-1] == 1:
            continue
        net = fastmlp.Network(layers, hidden, output, rng=0)
        path = tmp_path / "net.pmml"
        text = fastmlp.to_pmml(net, path)
        assert path.read_text(encoding="utf-8") == text
        again = fastmlp.from_pmml(path)
        assert np.array_equal(again.params, net.params)
        several_labels = output == "logistic" and layers[-1] > 1  # a regression there: of probabilities
        assert (again == net) is not several_labels


def test_single_precision_loses_nothing(tmp_path):
    net = fastmlp.Network([2, 3, 1], dtype="float32", rng=0)
    assert np.array_equal(read(tmp_path, fastmlp.to_pmml(net)).params, net.params)


def test_estimators_bring_the_names_that_they_know(tmp_path):
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame(np.random.default_rng(0).normal(size=(40, 2)), columns=["dose", "age & <sex>"])
    y = np.where(X["dose"] > 0, "ill", "as before")
    classifier = fastmlp.MLPClassifier((3,), solver="lbfgs", alpha=0.1, random_state=0).fit(X, y)
    text = fastmlp.to_pmml(classifier)
    assert text == fastmlp.to_pmml(classifier.network_, inputs=list(X), classes=["as before", "ill"])
    assert np.array_equal(read(tmp_path, text)(X)[:, 0], classifier.predict_proba(X)[:, 1])
    assert 'value="well"' in fastmlp.to_pmml(classifier, classes=["well", "ill"])
    labels = np.c_[X["dose"] > 0, X["dose"] < 1].astype(int)
    several = fastmlp.MLPClassifier((3,), solver="lbfgs", alpha=0.1, random_state=0).fit(X, labels)
    assert fastmlp.to_pmml(several) == fastmlp.to_pmml(several.network_, inputs=list(X))


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (3, "net: expected a fastmlp.Network or a fitted estimator, got int"),
        (
            fastmlp.MLPRegressor(),
            "net: expected a fastmlp.Network or a fitted estimator, got MLPRegressor; call its fit",
        ),
    ],
)
def test_what_is_no_network(model, words):
    for write in (fastmlp.to_pmml, fastmlp.to_onnx):
        with pytest.raises(TypeError, match=re.escape(words) + "$"):
            write(model)


def test_a_posterior_is_told_where_its_network_is():
    X = np.linspace(0, 1, 20)[:, None]
    posterior = fastmlp.fit_evidence(fastmlp.Network([1, 1], rng=0), X, X + 0.1 * np.sin(20 * X))
    for write in (fastmlp.to_pmml, fastmlp.to_onnx):
        with pytest.raises(TypeError, match=r"got Evidence; give its \.network$"):
            write(posterior)


def test_networks_that_pmml_has_no_words_for_are_refused():
    for activation in ("leaky_relu", "softplus", "elu", "silu", "gelu"):
        with pytest.raises(ValueError, match=rf"^net: expected activations that PMML has, .* got {activation}"):
            fastmlp.to_pmml(fastmlp.Network([2, 3, 1], activation, rng=0))
    with pytest.raises(ValueError, match=r"^net: expected layers of kinds"):
        fastmlp.to_pmml(fastmlp.Network([(1, 4, 4), fastmlp.Conv(2, 3), 1], rng=0))
    net, classes = fastmlp.Network([2, 1], rng=0), fastmlp.Network([2, 1], output="logistic", rng=0)
    for given, message in [
        ({"inputs": ["a"]}, r"inputs: expected 2 names, got \['a'\]"),
        ({"inputs": ["a", "a"]}, "inputs: expected different names"),
        ({"inputs": ["a", "y"]}, "inputs: expected other names than y"),
        ({"inputs": ["a", "\x00"]}, "inputs: expected 2 names"),
        ({"classes": ["a", "b"]}, "classes: expected None for squared_error"),
    ]:
        with pytest.raises(ValueError, match=f"^{message}"):
            fastmlp.to_pmml(net, **given)
    with pytest.raises(ValueError, match=r"^classes: expected 2 names"):
        fastmlp.to_pmml(classes, classes=["a"])


# ---- what else there may be ----

TARGET = '<FieldRef field="y"/>'
BODY = """<?xml version="1.0"?><PMML xmlns="http://www.dmg.org/PMML-4_2" xmlns:x="http://x.org/PMML" version="4.2">
<DataDictionary/><TransformationDictionary>{derived}</TransformationDictionary>
<NeuralNetwork functionName="{function}" activationFunction="{activation}" {more}>
<MiningSchema><MiningField name="a"/></MiningSchema><x:Neuron id="1"/>{extra}
<NeuralInputs><NeuralInput id="i1"><DerivedField>{first}</DerivedField></NeuralInput>
<NeuralInput id="i2"><DerivedField><Extension name="x"/><FieldRef field="b"/></DerivedField></NeuralInput>
</NeuralInputs>
<NeuralLayer><Neuron id="h1" bias="0.5"><Con from="i1" weight="2"/><Con from="i2" weight="-1"/></Neuron>
<Neuron id="h2"><Con from="{source}" weight="{weight}"/></Neuron></NeuralLayer>
<NeuralLayer activationFunction="identity">
<Neuron id="o1" bias="1"><Con from="h1" weight="3"/><Con from="h2" weight="1"/></Neuron></NeuralLayer>{last}
<NeuralOutputs><NeuralOutput outputNeuron="{output}"><DerivedField>{target}</DerivedField></NeuralOutput>{outputs}
</NeuralOutputs></NeuralNetwork></PMML>"""
USUAL = {"derived": "", "function": "regression", "activation": "tanh", "more": "", "extra": "", "source": "i2",
         "first": '<FieldRef field="a"/>', "weight": "0.25", "last": "", "output": "o1", "target": TARGET,
         "outputs": ""}  # fmt: skip
INPUTS = np.array([[0.3, -0.7], [1.5, 0.2]])


def pmml(**more):
    return BODY.format(**USUAL | more)


def by_hand(a, b):
    return 1 + 3 * np.tanh(0.5 + 2 * a - b) + np.tanh(0.25 * b)


NORM = '<NormContinuous field="{}"><LinearNorm orig="{}" norm="{}"/><LinearNorm orig="{}" norm="{}"/></NormContinuous>'


def constant(value):
    return f"<Constant>{value}</Constant>"


def apply(function, *parts):
    return f'<Apply function="{function}">{"".join(parts)}</Apply>'


FIELD = '<FieldRef field="a"/>'
MAPS = {
    "as it is": (FIELD, lambda a: a),
    "a norm": (NORM.format("a", 10, 0, 30, 1), lambda a: (a - 10) / 20),
    "a scaler": (apply("/", apply("-", FIELD, constant(2)), constant(4)), lambda a: (a - 2) / 4),
    "the other way": (apply("-", constant(3), apply("*", constant(2), FIELD)), lambda a: 3 - 2 * a),
    "a sum": (apply("+", constant(1), apply("+", FIELD, constant(2))), lambda a: a + 3),
}


@pytest.mark.parametrize("name", MAPS)
def test_maps_of_inputs_are_folded(tmp_path, name):
    expression, function = MAPS[name]
    expected = by_hand(function(INPUTS[:, 0]), INPUTS[:, 1])
    assert read(tmp_path, pmml(first=expression))(INPUTS)[:, 0] == pytest.approx(expected, rel=1e-13)
    derived = f'<DerivedField name="d">{expression}</DerivedField>'
    net = read(tmp_path, pmml(first='<FieldRef field="d"/>', derived=derived))
    assert net(INPUTS)[:, 0] == pytest.approx(expected, rel=1e-13)
    twice = read(tmp_path, pmml(first=NORM.format("d", 0, 0, 1, 2), derived=derived))
    expected = by_hand(2 * function(INPUTS[:, 0]), INPUTS[:, 1])
    assert twice(INPUTS)[:, 0] == pytest.approx(expected, rel=1e-13)


def test_maps_of_targets_are_turned_round(tmp_path):
    net = read(tmp_path, pmml(target=NORM.format("y", 100, -1, 300, 1)))
    expected = 200 + 100 * by_hand(*INPUTS.T)
    assert net(INPUTS)[:, 0] == pytest.approx(expected, rel=1e-13)


def test_layers_of_one_weight_are_activations(tmp_path):
    last = (
        '<NeuralLayer activationFunction="logistic"><Neuron id="p"><Con from="o1" weight="1"/></Neuron></NeuralLayer>'
    )
    net = read(tmp_path, pmml(last=last, output="p"))
    assert (list(net.layers), net.output, net.loss_name) == ([2, 2, 1], "logistic", "squared_error")
    assert net(INPUTS)[:, 0] == pytest.approx(1 / (1 + np.exp(-by_hand(*INPUTS.T))), rel=1e-13)


@pytest.mark.parametrize("first", ["0", "1"])
def test_two_classes_are_one_output(tmp_path, first):
    """The probability of the second, whichever neuron it is."""
    weights = {"0": ((-1, 1), (1, 0)), "1": ((1, -1), (0, 1))}[first]
    neurons = [f'<Neuron id="e{k}" bias="{b}"><Con from="p" weight="{w}"/></Neuron>'
               for k, w, b in zip("12", *weights, strict=True)]  # fmt: skip
    last = (
        '<NeuralLayer activationFunction="logistic"><Neuron id="p"><Con from="o1" weight="1"/></Neuron></NeuralLayer>'
        f'<NeuralLayer activationFunction="identity">{"".join(neurons)}</NeuralLayer>'
    )
    classes = ['<NormDiscrete field="y" value="a"/>', '<NormDiscrete field="y" value="b"/>']
    more = f'<NeuralOutput outputNeuron="e2"><DerivedField>{classes[1]}</DerivedField></NeuralOutput>'
    net = read(tmp_path, pmml(function="classification", last=last, output="e1", target=classes[0], outputs=more))
    p = 1 / (1 + np.exp(-by_hand(*INPUTS.T)))
    assert (list(net.layers), net.loss_name) == ([2, 2, 1], "binary_cross_entropy")
    assert net(INPUTS)[:, 0] == pytest.approx(p if first == "0" else 1 - p, rel=1e-13)


def test_softmax_has_two_names(tmp_path):
    for words in ('"identity" normalizationMethod="softmax"', '"exponential" normalizationMethod="simplemax"'):
        text = fastmlp.to_pmml(fastmlp.Network([2, 3, 3], output="softmax", rng=0))
        text = text.replace('"identity" normalizationMethod="softmax"', words)
        assert read(tmp_path, text) == fastmlp.Network([2, 3, 3], output="softmax", rng=0)


def test_outputs_are_in_the_order_of_neural_outputs(tmp_path):
    net = fastmlp.Network([2, 3, 2], rng=0)
    text = fastmlp.to_pmml(net)
    turned = text.replace('outputNeuron="2/1"', 'outputNeuron="other"').replace(
        'outputNeuron="2/2"', 'outputNeuron="2/1"'
    )
    again = read(tmp_path, turned.replace('outputNeuron="other"', 'outputNeuron="2/2"'))
    assert np.array_equal(again(INPUTS), net(INPUTS)[:, ::-1])


CIRCLE = '<DerivedField name="d"><FieldRef field="d"/></DerivedField>'
REFUSED = {
    "Elliott": ({"activation": "Elliott"}, "activationFunction identity, .* got Elliott"),
    "no activation": ({"activation": ""}, "activationFunction"),
    "simplemax": ({"more": 'normalizationMethod="simplemax"'}, "got tanh with simplemax"),
    "Targets": ({"extra": "<Targets/>"}, "got Targets"),
    "past a layer": ({"source": "o1"}, "connections of Neuron h2 from units of the layer before, once each, got 'o1'"),
    "nan": ({"weight": "nan"}, "a finite number as weight of Con, got 'nan'"),
    "infinite": ({"weight": "1e999"}, "a finite number as weight of Con"),
    "no number": ({"weight": "1,5"}, "a finite number as weight of Con, got '1,5'"),
    "another field": ({"first": '<FieldRef field="b"/>'}, "a field of its own for each NeuralInput, got b, b"),
    "a constant": ({"first": constant(1)}, "a field of its own for each NeuralInput, got None, b"),
    "a logarithm": ({"first": apply("ln", FIELD)}, "got Apply of ln of 1"),
    "a product": ({"first": apply("*", FIELD, FIELD)}, "got Apply of * of 2"),
    "a division": ({"first": apply("/", FIELD, constant(0))}, "got Apply of / of 2"),
    "a reciprocal": ({"first": apply("/", constant(1), FIELD)}, "got Apply of / of 2"),
    "bins": ({"first": "<Discretize/>"}, "FieldRef, NormContinuous, NormDiscrete, Apply or Constant, got Discretize"),
    "three points": ({"first": NORM.format("a", 1, 0, 1, 1)}, "two LinearNorm of rising orig"),
    "a circle": ({"first": '<FieldRef field="d"/>', "derived": CIRCLE}, "got more, or a circle"),
    "outputs": ({"output": "h1"}, "a NeuralOutput of each of the 1 last Neurons, got h1"),
    "an expression": ({"target": apply("exp", TARGET)}, "or NormDiscrete in NeuralOutput, got Apply"),
    "a flat norm": ({"target": NORM.format("y", 0, 1, 1, 1)}, "NormContinuous of different norm"),
    "two expressions": ({"first": FIELD * 2}, "one expression in a DerivedField, got 2"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_read_is_refused_by_name(tmp_path, name):
    more, expected = REFUSED[name]
    with pytest.raises(ValueError, match=r"^(path|hidden): .*") as raised:
        read(tmp_path, pmml(**more))
    assert expected in str(raised.value) or re.search(expected, str(raised.value))


BILLION = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><PMML>&b;</PMML>'
FILES = {
    "entities": (BILLION, "XML without a document type"),
    "another file": (
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><PMML>&a;</PMML>',
        "without a document type",
    ),
    "a type alone": ('<!DOCTYPE PMML SYSTEM "pmml.dtd"><PMML/>', "without a document type"),
    "no XML": ("{}", "expected XML, got a file that is none or is broken off"),
    "nothing": ("", "expected XML, got"),
    "broken off": (pmml()[:900], "expected XML, got"),
    "an encoding": ('<?xml version="1.0" encoding="what"?><PMML/>', "expected XML, got"),
    "other XML": ("<html/>", "expected PMML, got XML of html"),
    "another model": ("<PMML><TreeModel/></PMML>", "expected one NeuralNetwork, got TreeModel"),
    "no model": ("<PMML/>", "got no model"),
    "deep": ("<PMML>" + "<a>" * 100, "64 within each other"),
}


@pytest.mark.parametrize("name", FILES)
def test_hostile_files_are_refused(tmp_path, name):
    text, expected = FILES[name]
    with pytest.raises(ValueError, match=rf"^path: .*{expected}"):
        read(tmp_path, text)


def test_sizes_have_an_end(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"^path: expected at most 524288 elements"):
        read(tmp_path, "<PMML>" + "<a/>" * (xml.MOST + 1) + "</PMML>")
    neurons = "".join(f'<Neuron id="{k}"/>' for k in range(5000))
    wide = pmml(last=f"<NeuralLayer>{neurons}</NeuralLayer><NeuralLayer>{neurons}</NeuralLayer>")
    with pytest.raises(
        ValueError, match=r"^path: expected Neurons of different ids in a NeuralLayer, at most 16777216"
    ):
        read(tmp_path, wide)
    monkeypatch.setattr(xml, "LARGEST", 100)
    with pytest.raises(ValueError, match=r"^path: expected a file of at most 100 bytes"):
        read(tmp_path, pmml())


def test_damaged_files_give_value_errors(tmp_path):
    draws = random.Random(0)
    for name in ("sklearn-two", "nyoka-classes", "ours-tanh-softmax"):
        whole = (FOLDER / f"{name}.pmml").read_bytes()
        for _ in range(150):
            place, length = draws.randrange(len(whole)), draws.choice([1, 1, 30, len(whole)])
            other = bytes(draws.choices(b'<>/"=&;- 0129eabNx\0\xff', k=draws.randrange(3)))
            with contextlib.suppress(ValueError):
                read(tmp_path, whole[:place] + other + whole[place + length :])
