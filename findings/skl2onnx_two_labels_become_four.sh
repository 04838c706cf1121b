#!/usr/bin/env bash
# skl2onnx 1.20.0: an MLPClassifier of two labels a sample becomes a graph that answers with four probabilities.
#
# Two entries of `classes_` are taken for two classes with one output: 1 - p is put beside p, which has two columns here already. Columns
# 0 and 1 are the probabilities that a label is absent, where those of its presence belong, and the
# converter says nothing. Three labels are right.
# Guessed before the run: (N, 2), as `predict_proba`.
# Seen (scikit-learn 1.8.0, ONNX Runtime 1.32.0): (60, 4), columns 0 and 1 are 1 - p, columns 2 and 3 are p.
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
from sklearn.neural_network import MLPClassifier

warnings.simplefilter("ignore")  # that training ends at max_iter
X = np.random.default_rng(0).normal(size=(60, 3))
inputs = X.astype(np.float32)
for labels in (2, 3):
    model = MLPClassifier(hidden_layer_sizes=(5,), max_iter=200, random_state=0).fit(X, (X[:, :labels] > 0).astype(int))
    graph = to_onnx(model, inputs[:1], options={"zipmap": False})
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # the runtime does remark that declared and inferred shapes differ
    session = onnxruntime.InferenceSession(graph.SerializeToString(), options)
    Y, P = session.run(["label", "probabilities"], {"X": inputs})
    expected = model.predict_proba(X)
    print(f"{labels} labels: scikit-learn {expected.shape}, graph {P.shape}")
    print("    a row:", expected[0].round(3), P[0].round(3))
    assert np.array_equal(Y, model.predict(X))
    if labels == 2:
        assert np.allclose(P, np.hstack([1 - expected, expected]), atol=1e-6)
    else:
        assert np.allclose(P, expected, atol=1e-6)
PROGRAM
env/bin/python program.py
