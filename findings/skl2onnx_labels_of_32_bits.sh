#!/usr/bin/env bash
# skl2onnx 1.20.0: labels of an MLPClassifier that need more than 32 bits come back as other numbers.
#
# Classes are stored as int32 and widened to the int64 that the output is declared as: what is lost in between is not told. Identifiers
# (articles, accounts, times in milliseconds) are such labels. LogisticRegression, in the same package, keeps them.
# Guessed before the run: the classes, as the declared int64 holds them.
# Seen (scikit-learn 1.8.0, ONNX Runtime 1.32.0): 1,000,000,000,000 becomes -727,379,968; 2^40 becomes 0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet skl2onnx==1.20.0 onnx==1.23.2 onnxruntime==1.32.0 scikit-learn==1.8.0 numpy==2.4.6
cat >program.py <<'PROGRAM'
import warnings

import numpy as np
import onnxruntime
from skl2onnx import to_onnx
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

warnings.simplefilter("ignore")  # that training ends at max_iter
X = np.random.default_rng(0).normal(size=(90, 3))


def labels(model, classes):
    """What the graph says, and what the estimator says."""
    y = np.array(classes)[np.digitize(X[:, 0], [-0.5, 0.5])]
    model.fit(X, y)
    graph = to_onnx(model, X[:1].astype(np.float32), options={"zipmap": False})
    session = onnxruntime.InferenceSession(graph.SerializeToString())
    found = session.run(["label"], {"X": X.astype(np.float32)})[0]
    assert session.get_outputs()[0].type == "tensor(int64)"
    print(type(model).__name__, "estimator", np.unique(model.predict(X)), "graph", np.unique(found))
    return found, model.predict(X)


network = MLPClassifier(hidden_layer_sizes=(5,), max_iter=300, random_state=0)
found, expected = labels(network, [3, 5, 2**31 - 1])
assert np.array_equal(found, expected)
found, expected = labels(network, [3, 10**12, 2**40])
assert np.array_equal(found, expected.astype(np.int32)) and not np.array_equal(found, expected)
found, expected = labels(LogisticRegression(), [3, 10**12, 2**40])
assert np.array_equal(found, expected)
PROGRAM
env/bin/python program.py
