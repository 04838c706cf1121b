#!/usr/bin/env bash
# onnx 1.23.2: its reference evaluator computes Erf, and so Gelu, of doubles in single precision, and gives doubles.
#
# `onnx.reference.ReferenceEvaluator` is what is left to compare a double gelu with: ONNX Runtime has no kernel for it.
# Guessed before the run: 1e-16, as for Tanh and Sigmoid there.
# Seen (Python 3.11, NumPy 2.4.6, SciPy 1.17.1): Erf off by 3e-8, Gelu by 4e-8, in arrays of type float64; Tanh by nothing.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet onnx==1.23.2 numpy==2.4.6 scipy==1.17.1
cat >program.py <<'PROGRAM'
import numpy as np
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator
from scipy import special

z = np.linspace(-3, 3, 61)


def evaluated(operator):
    ends = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, z.shape) for name in "XY"]
    graph = helper.make_graph([helper.make_node(operator, ["X"], ["Y"])], "g", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    (y,) = ReferenceEvaluator(model).run(None, {"X": z})
    assert y.dtype == np.float64
    return y


for operator, exact in (("Tanh", np.tanh(z)), ("Erf", special.erf(z)), ("Gelu", z * special.ndtr(z))):
    off = np.abs(evaluated(operator) - exact).max()
    print(f"{operator}: off by {off:.1g}")
    assert off < 1e-15 if operator == "Tanh" else 1e-9 < off < 1e-6
PROGRAM
env/bin/python program.py
