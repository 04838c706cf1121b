#!/usr/bin/env bash
# sklearn2pmml 0.133.1: PMML of an MLPRegressor(loss="poisson") lacks the exp of its output; predictions of counts are their logarithms.
#
# The conversion succeeds and says nothing. The output neuron is identity, and no element behind it takes an exponential, which PMML has
# as an activation function. Squared error is right. Needs Java.
# Guessed before the run: what `predict` gives, evaluated by the rules of PMML.
# Seen (scikit-learn 1.8.0, OpenJDK 17): 1.75 counts become 0.56.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
if ! command -v java >/dev/null; then
    apt-get download -qq openjdk-17-jre-headless 2>/dev/null
    dpkg -x openjdk*.deb java
    PATH=$(dirname "$(find "$work/java" -name java -type f -path '*/bin/*')"):$PATH
fi
python3 -m venv env
env/bin/pip install --quiet sklearn2pmml==0.133.1 scikit-learn==1.8.0 numpy==2.4.6
cat >program.py <<'PROGRAM'
import warnings
import xml.etree.ElementTree as ElementTree

import numpy as np
from sklearn2pmml import sklearn2pmml
from sklearn2pmml.pipeline import PMMLPipeline
from sklearn.neural_network import MLPRegressor

warnings.simplefilter("ignore")
X = np.random.default_rng(0).normal(size=(60, 2))
F = {"identity": lambda z: z, "tanh": np.tanh}


def evaluated(y, **arguments):
    """The estimator's answer for the first row, and the PMML's; and the names of the elements of the model."""
    model = MLPRegressor(hidden_layer_sizes=(3,), activation="tanh", random_state=0, max_iter=300, **arguments)
    sklearn2pmml(PMMLPipeline([("model", model)]).fit(X, y), "model.pmml")
    network = ElementTree.parse("model.pmml").getroot().find("{*}NeuralNetwork")
    values = dict(zip([each.get("id") for each in network.find("{*}NeuralInputs")], X[0]))
    for layer in network.iterfind("{*}NeuralLayer"):
        f = F[layer.get("activationFunction", network.get("activationFunction"))]
        last = {}
        for neuron in layer:
            z = sum(float(each.get("weight")) * values[each.get("from")] for each in neuron.iterfind("{*}Con"))
            last[neuron.get("id")] = float(f(z + float(neuron.get("bias") or 0)))
        values |= last
    names = {each.tag.split("}")[1] for each in network.iter()}
    return model.predict(X[:1])[0], *last.values(), names


expected, found, _ = evaluated(X[:, 0])
assert np.isclose(found, expected, rtol=1e-6)
expected, found, names = evaluated(np.exp(X[:, 0]), loss="poisson")
print("counts:", expected, "PMML:", found)
assert np.isclose(np.exp(found), expected, rtol=1e-6) and not names & {"Targets", "Apply", "Output"}
PROGRAM
env/bin/python program.py
