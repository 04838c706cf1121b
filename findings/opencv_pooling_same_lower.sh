#!/usr/bin/env bash
# OpenCV 5.0.0 (dnn): pooling with auto_pad SAME_LOWER pads at the end, as SAME_UPPER does; maps move by one pixel of the input.
#
# Both MaxPool and AveragePool of ONNX models; convolutions are right. Nothing is said. With sides of odd and even lengths (9 x 10)
# SAME_UPPER starts too early along one of them, too. Gelu(approximate="tanh") is computed as the exact gelu.
# Guessed before the run: ONNX Runtime's values.
# Seen (Python 3.11, ONNX Runtime 1.32.0): rows 0 1 2 3 4, windows of 2 with stride 2: SAME_LOWER: largest 0 2 4 by definition and by
# ONNX Runtime, 1 3 4 by OpenCV; means 0, 1.5, 3.5 and 0.5, 2.5, 4. SAME_UPPER: 1 3 4 by both.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet opencv-python-headless==5.0.0.93 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cat >program.py <<'PROGRAM'
import cv2
import numpy as np
import onnxruntime
from onnx import TensorProto, helper


def both(operator, x, shape, **attributes):
    """OpenCV's result, and ONNX Runtime's."""
    x = np.asarray(x, np.float32)
    ends = [[helper.make_tensor_value_info(name, TensorProto.FLOAT, dims)] for name, dims in (("X", x.shape), ("Y", shape))]
    graph = helper.make_graph([helper.make_node(operator, ["X"], ["Y"], **attributes)], "g", *ends)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9).SerializeToString()
    net = cv2.dnn.readNetFromONNX(np.frombuffer(model, np.uint8))
    net.setInput(x)
    return net.forward(), onnxruntime.InferenceSession(model).run(None, {"X": x})[0]


image = np.tile(np.arange(5.0), (1, 1, 5, 1))  # five rows of 0 1 2 3 4
expected = {
    ("MaxPool", "SAME_LOWER"): ([1, 3, 4], [0, 2, 4]), ("MaxPool", "SAME_UPPER"): ([1, 3, 4], [1, 3, 4]),
    ("AveragePool", "SAME_LOWER"): ([0.5, 2.5, 4], [0, 1.5, 3.5]), ("AveragePool", "SAME_UPPER"): ([0.5, 2.5, 4], [0.5, 2.5, 4]),
}
for (operator, padding), rows in expected.items():
    found = both(operator, image, [1, 1, 3, 3], auto_pad=padding, kernel_shape=[2, 2], strides=[2, 2])
    print(operator, padding, "OpenCV", found[0][0, 0, 1], "ONNX Runtime", found[1][0, 0, 1])
    assert all(np.allclose(result[0, 0], np.tile(row, (3, 1))) for result, row in zip(found, rows))

theirs, right = both("Gelu", [[-2.0, 1.0]], [1, 2], approximate="tanh")
print("tanh gelu of -2 and 1:", theirs, "ONNX Runtime:", right)
assert np.allclose(theirs, [[-0.0455003, 0.8413447]], atol=1e-6) and np.allclose(right, [[-0.0454023, 0.8411920]], atol=1e-6)
PROGRAM
env/bin/python program.py
