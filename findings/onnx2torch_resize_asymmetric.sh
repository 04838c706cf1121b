#!/usr/bin/env bash
# onnx2torch 1.5.15: Resize with asymmetric coordinates is computed with those of half pixels, for linear and cubic interpolation.
#
# The coordinates of a graph's attribute say where the pixels of the larger image lie in the smaller one. The converter refuses modes that
# it does not have, but takes this one, and asks PyTorch for another: images move by a part of a pixel. Half-pixel and
# corner-aligned coordinates are right. onnx2pytorch 0.6.0 does likewise.
# Guessed before the run: an error, or the runtime's values.
# Seen (torch 2.13.0, ONNX Runtime 1.32.0): 0 1 2 3 doubled: 0 0.5 1 1.5 2 2.5 3 3 by definition, 0 0.25 0.75 1.25 1.75 2.25 2.75 3 by the module.
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

image = np.tile(np.arange(4, dtype=np.float32), (1, 1, 4, 1))
scales = [numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "scales")]
for mode in ("linear", "cubic"):
    for coordinates in ("half_pixel", "align_corners", "asymmetric"):
        attributes = {"mode": mode, "coordinate_transformation_mode": coordinates}
        nodes = [helper.make_node("Resize", ["X", "", "scales"], ["Y"], **attributes)]
        ends = [[helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, n, n])] for name, n in (("X", 4), ("Y", 8))]
        graph = helper.make_graph(nodes, "g", *ends, scales)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        expected = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"X": image})[0][0, 0, 3]
        found = convert(model)(torch.tensor(image)).numpy()[0, 0, 3]
        print(mode, coordinates, "runtime", expected.round(3), "module", found.round(3))
        assert np.allclose(found, expected, atol=1e-5) == (coordinates != "asymmetric")
        if coordinates == "half_pixel":
            half = found
assert np.allclose(found, half)
PROGRAM
env/bin/python program.py
