#!/usr/bin/env bash
# onnxoptimizer 0.4.2: of two Reshapes the first is dropped, also where the second one copies dimensions of its result.
#
# A 0 in a shape means the dimension of the input at that place. The pass `eliminate_consecutive_idempotent_ops`, one of those that
# `optimize(model)` runs, takes Reshape for an operation that makes an earlier one void; with a 0 it is not, and the graph comes out with
# another shape, in silence. A shape without 0 is right.
# Guessed before the run: optimised graphs compute what the original does.
# Seen (ONNX Runtime 1.32.0): (2, 6) as (3, 4), then (0, 2, -1): (3, 2, 2) before, (2, 2, 3) after.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet onnxoptimizer==0.4.2 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cat >program.py <<'PROGRAM'
import numpy as np
import onnxoptimizer
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

X = np.arange(12, dtype=np.float32).reshape(2, 6)


def reshaped(second, passes):
    """By the original graph, and by the optimised one."""
    nodes = [helper.make_node("Reshape", ["X", "first"], ["R"]), helper.make_node("Reshape", ["R", "second"], ["Y"])]
    constants = [numpy_helper.from_array(np.array(shape), name) for name, shape in (("first", [3, 4]), ("second", second))]
    ends = [[helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)] for name, shape in (("X", [2, 6]), ("Y", None))]
    graph = helper.make_graph(nodes, "g", *ends, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    runs = (model, onnxoptimizer.optimize(model, passes))
    return [onnxruntime.InferenceSession(each.SerializeToString(), options).run(None, {"X": X})[0] for each in runs]


for passes in (["eliminate_consecutive_idempotent_ops"], None):  # None: the default ones
    before, after = reshaped([3, 2, 2], passes)
    assert before.shape == after.shape == (3, 2, 2)
    before, after = reshaped([0, 2, -1], passes)
    print(passes, "before", before.shape, "after", after.shape)
    assert before.shape == (3, 2, 2) and after.shape == (2, 2, 3)
PROGRAM
env/bin/python program.py
