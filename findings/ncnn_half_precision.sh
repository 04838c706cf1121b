#!/usr/bin/env bash
# ncnn 1.0.20261020 (PyPI): networks of float32 weights are computed with half-precision weights, unless an option is set.
#
# `use_fp16_packed` and `use_fp16_storage` are on, also on CPUs that have no half-precision arithmetic; a 3-16-1 tanh network is right to
# three digits. Answers are float32 arrays. Set `net.opt.use_fp16_packed`, `_storage` and `_arithmetic` to False before loading.
# Guessed before the run: float32's rounding, 1e-6, as the file's flag says float32.
# Seen (Python 3.11, x86-64): largest error of outputs of up to 5.6: 3e-3; with the options off 1e-6.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet ncnn==1.0.20261020 numpy==1.26.4
cat >net.param <<'PARAM'
7767517
4 4
Input in 0 1 in 0=3
InnerProduct hidden 1 1 in z 0=16 1=1 2=48
TanH tanh 1 1 z a
InnerProduct output 1 1 a y 0=1 1=1 2=16
PARAM
cat >program.py <<'PROGRAM'
import ncnn
import numpy as np

rng = np.random.default_rng(0)
W, b, V, c = (rng.normal(size=shape).astype("f") for shape in ((16, 3), (16,), (1, 16), (1,)))
X = rng.normal(size=(100, 3)).astype("f")
with open("net.bin", "wb") as file:
    for weights, bias in ((W, b), (V, c)):
        file.write(np.int32(0).tobytes() + weights.tobytes() + bias.tobytes())  # flag 0: float32
want = np.tanh(X.astype(float) @ W.T + b) @ V.T + c


def outputs(**options):
    net = ncnn.Net()
    for name, value in options.items():
        setattr(net.opt, name, value)
    net.load_param("net.param")
    net.load_model("net.bin")
    rows = []
    for x in X:
        extractor = net.create_extractor()
        extractor.input("in", ncnn.Mat(x.copy()))
        rows.append(np.array(extractor.extract("y")[1]))
    return np.array(rows)


default = np.abs(outputs() - want).max()
single = np.abs(outputs(use_fp16_packed=False, use_fp16_storage=False, use_fp16_arithmetic=False) - want).max()
print("largest error", default, "with half precision off", single, "of", np.abs(want).max())
assert default > 2e-4 and single < 1e-5
PROGRAM
env/bin/python program.py
