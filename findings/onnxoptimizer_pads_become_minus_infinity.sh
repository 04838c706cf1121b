#!/usr/bin/env bash
# onnxoptimizer 0.4.2: zeros around an image that is pooled by its maximum become minus infinity.
#
# The pass `fuse_pad_into_pool`, one of those that `optimize(model)` runs, makes Pad (zeros) and MaxPool into a MaxPool with `pads`, whose
# padding never is the maximum. Where an edge has negative values only, as before an activation, the result changes, and nothing is
# said. It is right for AveragePool, and for padding with -inf.
# Guessed before the run: optimised graphs compute what the original does.
# Seen (ONNX Runtime 1.32.0): an image of -1 everywhere: maxima at the edge 0 before, -1 after; one of noise differs by up to 3.
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


def pooled(operator, image, passes):
    """By the original graph, and by the optimised one."""
    pad = helper.make_node("Pad", ["X", "around"], ["P"])
    pool = helper.make_node(operator, ["P"], ["Y"], kernel_shape=[2, 2], strides=[2, 2])
    ends = [[helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, n, n])] for name, n in (("X", 4), ("Y", 3))]
    constants = [numpy_helper.from_array(np.array([0, 0, 1, 1, 0, 0, 1, 1]), "around")]
    graph = helper.make_graph([pad, pool], "g", *ends, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    runs = (model, onnxoptimizer.optimize(model, passes))
    return [onnxruntime.InferenceSession(each.SerializeToString(), options).run(None, {"X": image})[0] for each in runs]


ones = -np.ones((1, 1, 4, 4), np.float32)
noise = np.random.default_rng(0).normal(size=(1, 1, 4, 4)).astype(np.float32)
for passes in (["fuse_pad_into_pool"], None):  # None: the default ones
    before, after = pooled("MaxPool", ones, passes)
    print(passes, "largest of -1, padded with 0: before", before[0, 0, 0], "after", after[0, 0, 0])
    assert np.array_equal(before[0, 0], [[0, 0, 0], [0, -1, 0], [0, 0, 0]]) and (after == -1).all()
    before, after = pooled("MaxPool", noise, passes)
    assert abs(before - after).max() > 0.5
    before, after = pooled("AveragePool", noise, passes)
    assert np.allclose(before, after, atol=1e-6)
PROGRAM
env/bin/python program.py
