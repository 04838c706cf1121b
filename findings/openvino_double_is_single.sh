#!/usr/bin/env bash
# OpenVINO 2026.4.1 (CPU): ONNX models of float64 are computed in float32, or bfloat16, and answer as float64.
#
# Outputs have the type that the model declares, and seven digits at most; a precision of f64 cannot be asked for. Processors with
# bfloat16 arithmetic take it unless INFERENCE_PRECISION_HINT says f32, for models of float32 too: three digits.
# Guessed before the run: double precision, or a refusal.
# Seen (Python 3.11, ONNX Runtime 1.32.0): 4-20-2, tanh, float64: ONNX Runtime right to 1e-16 of the largest output, OpenVINO
# with f32 6e-8, by default 5e-3, on a processor with bfloat16; both of type float64.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet openvino==2026.4.1 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cat >program.py <<'PROGRAM'
import numpy as np
import onnxruntime
import openvino
from onnx import TensorProto, helper, numpy_helper

rng = np.random.default_rng(0)
X, W1, b1, W2, b2 = (rng.normal(size=shape) for shape in ((6, 4), (20, 4), (20,), (2, 20), (2,)))
exact = np.tanh(X @ W1.T + b1) @ W2.T + b2
nodes = [
    helper.make_node("Gemm", ["X", "W1", "b1"], ["z"], transB=1),
    helper.make_node("Tanh", ["z"], ["a"]),
    helper.make_node("Gemm", ["a", "W2", "b2"], ["Y"], transB=1),
]
ends = [[helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["N", width])] for name, width in (("X", 4), ("Y", 2))]
constants = [numpy_helper.from_array(value, name) for name, value in (("W1", W1), ("b1", b1), ("W2", W2), ("b2", b2))]
graph = helper.make_graph(nodes, "g", *ends, constants)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8).SerializeToString()


def openvino_error(**config):
    compiled = openvino.Core().compile_model(openvino.Core().read_model(model), "CPU", config)
    result = compiled(X)[compiled.output(0)]
    assert result.dtype == np.float64
    return np.abs(result - exact).max() / np.abs(exact).max()


runtime = np.abs(onnxruntime.InferenceSession(model).run(None, {"X": X})[0] - exact).max() / np.abs(exact).max()
default, single = openvino_error(), openvino_error(INFERENCE_PRECISION_HINT="f32")
print(f"relative errors: ONNX Runtime {runtime:.1e}, OpenVINO by default {default:.1e}, with f32 {single:.1e}")
assert runtime < 1e-14 and 1e-9 < single < 1e-5 and default > 1e-9
PROGRAM
env/bin/python program.py
