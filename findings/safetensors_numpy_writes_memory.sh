#!/usr/bin/env bash
# safetensors 0.8.0: `safetensors.numpy.save_file` writes an array's memory, not its values: W.T comes back scrambled.
#
# A transposed array has the shape (3, 2) and the memory of (2, 3), and both are written: the file is valid, and holds other
# numbers in the same shape. Weights that go from systems with y = W x to those with y = x W are transposed. A slice with
# steps is scrambled likewise. Its PyTorch module refuses such tensors; here there is no message.
# Guessed before the run: the values, as np.save writes them, or the refusal that tensors meet.
# Seen (Python 3.11, NumPy 2.3.5): W.T of [[0, 1, 2], [3, 4, 5]] comes back as [[0, 1], [2, 3], [4, 5]].
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.3.5 safetensors==0.8.0
cd "$work"
"$work/venv/bin/python" - <<'PROGRAM'
import numpy as np
from safetensors.numpy import load_file, save_file

W = np.arange(6.0).reshape(2, 3)
save_file({"W": W, "transposed": W.T, "steps": W[:, ::2], "copy": W.T.copy()}, "net.safetensors")
read = load_file("net.safetensors")
print("W.T:", W.T.tolist(), "read:", read["transposed"].tolist(), "every other column:", read["steps"].tolist())
right = np.array_equal(read["W"], W) and np.array_equal(read["copy"], W.T)
memory = np.array_equal(read["transposed"], W.reshape(3, 2)) and not np.array_equal(read["steps"], W[:, ::2])
raise SystemExit(0 if right and memory else "safetensors has changed: see above")
PROGRAM
