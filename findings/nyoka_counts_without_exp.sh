#!/usr/bin/env bash
# nyoka 5.5.0: PMML of an MLPRegressor(loss="poisson") lacks the exp of its output; predictions of counts are their logarithms.
#
# The last layer is written as identity, whatever `out_activation_` says, and PMML's readers answer with it: numbers of the right look,
# also below zero. Of an MLPClassifier of two labels a sample, one probability and its complement are written, as of two classes.
# Nothing is said of either; squared error, two and three classes are right.
# Guessed before the run: what `predict` and `predict_proba` give, evaluated by the rules of PMML.
# Seen (scikit-learn 1.8.0): 1.75 counts become 0.56; labels of 0.55 and 0.32 become classes of 0.45 and 0.55.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet nyoka==5.5.0 scikit-learn==1.8.0 numpy==2.4.6
cat >program.py <<'PROGRAM'
import warnings
import xml.etree.ElementTree as ElementTree

import numpy as np
from nyoka import skl_to_pmml
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline

warnings.simplefilter("ignore")
X = np.random.default_rng(0).normal(size=(60, 2))
F = {"identity": lambda z: z, "tanh": np.tanh, "logistic": lambda z: 1 / (1 + np.exp(-z))}


def evaluated(kind, y, **arguments):
    """The estimator, and the last layer of its PMML for the first row."""
    model = kind(hidden_layer_sizes=(3,), activation="tanh", random_state=0, max_iter=300, **arguments).fit(X, y)
    skl_to_pmml(Pipeline([("model", model)]), ["a", "b"], "y", "model.pmml")
    network = ElementTree.parse("model.pmml").getroot().find("{*}NeuralNetwork")
    values = dict(zip([each.get("id") for each in network.find("{*}NeuralInputs")], X[0]))
    for layer in network.iterfind("{*}NeuralLayer"):
        f = F[layer.get("activationFunction", network.get("activationFunction"))]
        last = {}
        for neuron in layer:
            z = sum(float(each.get("weight")) * values[each.get("from")] for each in neuron.iterfind("{*}Con"))
            last[neuron.get("id")] = float(f(z + float(neuron.get("bias") or 0)))
        values |= last
    return model, list(last.values())


model, (z,) = evaluated(MLPRegressor, X[:, 0])
assert np.isclose(z, model.predict(X[:1])[0], rtol=1e-12)
model, (z,) = evaluated(MLPRegressor, np.exp(X[:, 0]), loss="poisson")
print("counts:", model.predict(X[:1]), "PMML", z)
assert model.out_activation_ == "exp" and np.isclose(np.exp(z), model.predict(X[:1])[0], rtol=1e-12)

model, P = evaluated(MLPClassifier, (X[:, 0] > 0).astype(int))
assert np.allclose(P, model.predict_proba(X[:1])[0], rtol=1e-12)
model, P = evaluated(MLPClassifier, (X > 0).astype(int))
first, second = model.predict_proba(X[:1])[0]
print("labels:", first, second, "PMML", P)
assert np.allclose(P, [1 - first, first], rtol=1e-12)
PROGRAM
env/bin/python program.py
