#!/usr/bin/env bash
# Keras 3.15.1, backends NumPy and PyTorch: layers of dtype "float64" compute their products in float32.
#
# Weights are float64, `compute_dtype` and the dtype of the outputs' symbolic tensors say so, and so does the file. But the rule for the
# type of a result maps float64 to float32 on every backend but TensorFlow: `keras.ops.matmul` of two float64 tensors is float32. On
# PyTorch the bias makes float64 of it again, so that nothing shows but the digits. (On JAX with x64 enabled it is tanh.)
# Expected: double precision, 1e-16, as the policy says.
# Seen (Python 3.11, NumPy 2.4.6): outputs of Dense("float64") off by 2e-7; matmul of float64 gives float32.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q keras==3.15.1 numpy==2.4.6 scipy==1.17.1 jax==0.10.2
cd "$work"
KERAS_HOME="$work" KERAS_BACKEND=numpy "$work/venv/bin/python" - <<'PROGRAM'
import keras
import numpy as np

keras.config.set_dtype_policy("float64")
keras.config.set_floatx("float64")
rng = np.random.default_rng(0)
X, W, b = rng.normal(size=(50, 3)), rng.normal(size=(3, 2)), rng.normal(size=2)
layer = keras.layers.Dense(2)
layer.build((None, 3))
layer.set_weights([W, b])
Y = np.asarray(layer(X))
tensor = keras.ops.convert_to_tensor(X, dtype="float64")
product = keras.ops.matmul(tensor, keras.ops.convert_to_tensor(W, dtype="float64"))
kept = np.array_equal(layer.get_weights()[0], W) and layer.compute_dtype == "float64"
error = abs(Y - (X @ W + b)).max()
print("weights kept, compute_dtype float64:", kept, " outputs off by", error, " float64 times float64:", product.dtype)
raise SystemExit(0 if kept and 1e-9 < error < 1e-6 and str(product.dtype) == "float32" else "Keras has changed: see above")
PROGRAM
