#!/usr/bin/env bash
# onnx2torch 1.5.15: where all outputs of a graph come from one node, the module gives all that the node makes, in its order.
#
# Which of them the graph has for outputs, and in which order, is not looked at: of a Split into a mean and a deviation, of which the
# graph declares the deviation first, or alone, the module gives the mean first. With one operation behind each part it is right.
# Guessed before the run: the declared outputs in the declared order.
# Seen (torch 2.13.0, ONNX Runtime 1.32.0): declared b, a: a, b; declared b alone: a pair of a and b.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet torch==2.13.0 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
env/bin/pip install --quiet --no-deps onnx2torch==1.5.15 # torchvision, for layers that are not used here, is left out
cat >program.py <<'PROGRAM'
import sys
from unittest.mock import MagicMock

import numpy as np
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

for name in ("torchvision", "torchvision.ops"):
    sys.modules[name] = MagicMock()
from onnx2torch import convert  # noqa: E402

X = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)


def both(outputs, behind=()):
    """What the runtime gives, and what the module gives."""
    nodes = [helper.make_node("Split", ["X", "sizes"], ["a", "b"], axis=1), *behind]
    ends = [[helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names] for names in (["X"], outputs)]
    ends[0][0] = helper.make_tensor_value_info("X", TensorProto.FLOAT, [4, 3])
    graph = helper.make_graph(nodes, "g", *ends, [numpy_helper.from_array(np.array([1, 2]), "sizes")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    found = convert(model)(torch.tensor(X))
    shapes = [tuple(each.shape) for each in (found if isinstance(found, (tuple, list)) else [found])]
    expected = [each.shape for each in onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"X": X})]
    print("declared", outputs, "runtime", expected, "module", shapes)
    return expected, shapes


assert both(["a", "b"]) == ([(4, 1), (4, 2)], [(4, 1), (4, 2)])
assert both(["b", "a"]) == ([(4, 2), (4, 1)], [(4, 1), (4, 2)])
assert both(["b"]) == ([(4, 2)], [(4, 1), (4, 2)])
behind = [helper.make_node("Tanh", [name], [name.upper()]) for name in "ab"]
assert both(["B", "A"], behind) == ([(4, 2), (4, 1)], [(4, 2), (4, 1)])
PROGRAM
env/bin/python program.py
