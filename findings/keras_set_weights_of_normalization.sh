#!/usr/bin/env bash
# Keras 3.15.1: `set_weights` of a Normalization layer changes its weights, not its outputs, until the model is saved and loaded.
#
# `adapt` keeps mean and variance twice: as weights, and as the tensors that `call` reads. `set_weights` writes the weights
# alone, so `get_weights` gives the new ones, outputs are those of the old ones, and the same model out of a file gives others.
# Expected: the outputs of the weights that it says it has.
# Seen (Python 3.11, NumPy 2.4.6, backend NumPy): 0 for an input of 5 before and after the weights were set to mean 1, variance 4; 2 once loaded.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q keras==3.15.1 numpy==2.4.6 scipy==1.17.1 jax==0.10.2
cd "$work"
KERAS_HOME="$work" KERAS_BACKEND=numpy "$work/venv/bin/python" - <<'PROGRAM'
import keras
import numpy as np

layer = keras.layers.Normalization()
model = keras.Sequential([keras.layers.Input((1,)), layer])
layer.adapt(np.array([[4.0], [6.0]]))  # mean 5, variance 1
x = np.array([[5.0]])
before = float(np.asarray(model(x))[0, 0])
layer.set_weights([np.array([1.0]), np.array([4.0]), np.array(2)])
says = [float(each.ravel()[0]) for each in layer.get_weights()[:2]]
after = float(np.asarray(model(x))[0, 0])
model.save("model.keras")
loaded = float(np.asarray(keras.models.load_model("model.keras")(x))[0, 0])
print("before:", before, " weights now:", says, " after:", after, " saved and loaded:", loaded)
raise SystemExit(0 if (before, says, after, loaded) == (0.0, [1.0, 4.0], 0.0, 2.0) else "Keras has changed: see above")
PROGRAM
