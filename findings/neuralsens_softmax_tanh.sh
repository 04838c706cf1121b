#!/usr/bin/env bash
# NeuralSens for Python 0.0.26 (PyPI: neuralsens) names softmax and tanh among its activations, but has no first derivatives of
# the one and, without PyTorch, no second derivatives of the other.
#
# First derivatives of a softmax end in a shape error (a vector is multiplied as if it was a column), so that classifiers have
# none; second derivatives of tanh, scikit-learn's usual choice for smooth networks, call a `tanh` that only PyTorch's import
# defines. Logistic, relu and identity agree with difference quotients, as do first derivatives of tanh. Seaborn is imported,
# yet not installed along.
# Guessed before the run: all of them agree with difference quotients.
# Seen (Python 3.11, NumPy 2.3.5): ValueError from matmul; NameError: name 'tanh' is not defined.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.3.5 neuralsens==0.0.26 seaborn==0.13.2
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PROGRAM'
import numpy as np
import pandas as pd
from neuralsens.partial_derivatives import hessian_mlp, jacobian_mlp

rng = np.random.default_rng(0)
X = pd.DataFrame(rng.normal(size=(20, 3)), columns=[*"abc"])
targets = {1: pd.DataFrame(rng.normal(size=(20, 1)), columns=["y"]), 2: pd.Series(["no", "yes"] * 10, name="y")}


def tried(function, hidden, output, n_outputs):
    W, b = [rng.normal(size=(3, 5)), rng.normal(size=(5, n_outputs))], [rng.normal(size=5), rng.normal(size=n_outputs)]
    try:
        function(W, b, ["identity", hidden, output], X, targets[n_outputs])
    except Exception as error:
        return type(error).__name__
    return "done"


seen = {(function.__name__, *how): tried(function, *how) for function, *how in (
    (jacobian_mlp, "tanh", "identity", 1), (jacobian_mlp, "tanh", "softmax", 2),
    (hessian_mlp, "logistic", "identity", 1), (hessian_mlp, "tanh", "identity", 1))}
print(*seen.items(), sep="\n")
expected = ["done", "ValueError", "done", "NameError"]
raise SystemExit(0 if list(seen.values()) == expected else "NeuralSens has changed: see above")
PROGRAM
