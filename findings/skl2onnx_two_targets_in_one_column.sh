#!/usr/bin/env bash
# skl2onnx 1.20.0: an MLPRegressor of two targets becomes a graph that answers N rows with one column of 2 N numbers.
#
# The last node reshapes outputs to (-1, 1), whatever their number; they come target beside target, row after row. Nothing is said, and
# the graph passes the checker. What takes the first N numbers for predictions mixes targets and samples.
# Guessed before the run: (N, 2), as `predict`.
# Seen (scikit-learn 1.8.0, ONNX Runtime 1.32.0): 50 rows: (100, 1) from the graph, (50, 2) from scikit-learn; three targets: (150, 1).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet skl2onnx==1.20.0 onnx==1.23.2 onnxruntime==1.32.0 scikit-learn==1.8.0 numpy==2.4.6
cat >program.py <<'PROGRAM'
import warnings

import numpy as np
import onnx
import onnxruntime
from skl2onnx import to_onnx
from sklearn.neural_network import MLPRegressor

warnings.simplefilter("ignore")  # that training ends at max_iter
X = np.random.default_rng(0).normal(size=(50, 3))
for targets in (1, 2, 3):
    y = np.sin(X[:, :targets]) if targets > 1 else np.sin(X[:, 0])
    model = MLPRegressor(hidden_layer_sizes=(5,), max_iter=100, random_state=0).fit(X, y)
    graph = to_onnx(model, X[:1])
    onnx.checker.check_model(graph, full_check=True)
    (Y,) = onnxruntime.InferenceSession(graph.SerializeToString()).run(None, {"X": X})
    expected = model.predict(X)
    print(f"{targets} targets: scikit-learn {expected.shape}, the graph {Y.shape}")
    assert Y.shape == (50 * targets, 1)
    assert np.allclose(Y.ravel(), expected.ravel(), rtol=1e-12, atol=1e-12)
PROGRAM
env/bin/python program.py
