#!/usr/bin/env bash
# ONNX Runtime 1.32.0 (CPU): the logistic function is right to rounding of 1, not of itself: 0 from z = -18 on, in double from -37.
#
# Small probabilities have lost their digits before. Those of rare classes come out as 0, and their logarithms as -inf, where float32 goes
# down to 1e-38 and double to 1e-308; Exp is right in both types.
# Guessed before the run: relative errors of 1e-6 and 1e-15 down to z = -80.
# Seen (x86-64): relative errors in float32 2e-4 at z = -10, 0.17 at -15, 1 from -18 on; in double 1e-12, 2e-10, and 1 at -40.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cat >program.py <<'PROGRAM'
import numpy as np
import onnxruntime
from onnx import TensorProto, helper

z = np.array([-5, -10, -15, -18.5, -20, -40, -80.0])
right = np.exp(z) / (1 + np.exp(z))


def error(operator, dtype):
    """Relative errors of an operator on z; those of Exp are from exp(z)."""
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    ends = [[helper.make_tensor_value_info(name, kind, [None])] for name in "XY"]
    graph = helper.make_graph([helper.make_node(operator, ["X"], ["Y"])], "g", *ends)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found = session.run(None, {"X": z.astype(dtype)})[0]
    errors = abs(found.astype(float) / (right if operator == "Sigmoid" else np.exp(z)) - 1)
    print(operator, np.dtype(dtype), *(f"{each:.1e}" for each in errors))
    return errors


single = error("Sigmoid", np.float32)
assert single[0] < 1e-4 and single[1] < 1e-2 and single[2] > 0.01 and (single[3:] == 1).all()
double = error("Sigmoid", np.float64)
assert double[0] < 1e-12 and double[2] > 1e-12 and double[4] > 1e-9 and (double[5:] == 1).all()
assert error("Exp", np.float64).max() < 1e-14
assert error("Exp", np.float32).max() < 1e-5
PROGRAM
env/bin/python program.py
