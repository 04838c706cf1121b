#!/usr/bin/env bash
# onnx 1.23.2: its reference evaluator divides by the signed sum in LpNormalization(p=1), and sums other channels in LRN.
#
# `onnx.reference.ReferenceEvaluator` is what other runtimes are compared with. For p = 1 values of both signs come out too large, with
# changed signs where the sum is negative; p = 2 is right. LRN is right in the first channel only.
# Guessed before the run: x / sum |x|, and ONNX Runtime's values for all.
# Seen (Python 3.11, NumPy 2.4.6, ONNX Runtime 1.32.0): (1, -2, 3): reference (0.5, -1, 1.5), ONNX Runtime (1, -2, 3) / 6; LRN of
# size 3, 5 channels: ONNX Runtime right to 1e-7, the reference off by tenths from the second channel on.
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
from onnx.reference import ReferenceEvaluator


def both(operator, x, **attributes):
    """The reference's result, and ONNX Runtime's."""
    x = np.asarray(x, np.float32)
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, x.shape) for name in "XY"]
    graph = helper.make_graph([helper.make_node(operator, ["X"], ["Y"], **attributes)], "g", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return ReferenceEvaluator(model).run(None, {"X": x})[0], session.run(None, {"X": x})[0]


x = np.array([[1.0, -2.0, 3.0]])
reference, runtime = both("LpNormalization", x, axis=1, p=1)
print("p = 1: reference", reference, "ONNX Runtime", runtime)
assert np.allclose(runtime, x / 6) and np.allclose(reference, x / 2)
assert all(np.allclose(result, x / np.sqrt(14)) for result in both("LpNormalization", x, axis=1, p=2))

maps = np.random.default_rng(0).normal(size=(1, 5, 2, 2))
squares = np.stack([(maps[:, max(0, c - 1) : c + 2] ** 2).sum(axis=1) for c in range(5)], axis=1)
closed = maps / (1 + 0.3 / 3 * squares) ** 0.75
reference, runtime = both("LRN", maps, size=3, alpha=0.3)
print("LRN: ONNX Runtime off by", np.abs(runtime - closed).max(), "reference, by channel:", np.abs(reference - closed).max((0, 2, 3)))
assert np.allclose(runtime, closed, atol=1e-6)
assert np.allclose(reference[:, 0], closed[:, 0], atol=1e-6) and np.abs(reference - closed).max() > 0.05
PROGRAM
env/bin/python program.py
