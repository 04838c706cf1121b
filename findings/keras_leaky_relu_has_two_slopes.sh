#!/usr/bin/env bash
# Keras 3.15.1: the leaky ReLU of `activation="leaky_relu"` has slope 0.2, that of the layer `LeakyReLU()` 0.3.
#
# Both are documented where they are, and both are called leaky ReLU without a number in most code. A file says `"activation": "leaky_relu"`
# and no slope; a model that is written again with layers for activations, or in PyTorch (0.01), computes something else.
# Guessed before the run: one slope.
# Seen (Python 3.11, JAX backend): f(-1): activation -0.2, layer -0.3.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet keras==3.15.1 jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6
cat >program.py <<'PROGRAM'
import os

os.environ |= {"KERAS_BACKEND": "jax", "KERAS_HOME": os.getcwd()}
import keras  # noqa: E402
import numpy as np  # noqa: E402

x = np.array([[-1.0]], np.float32)
weights = [np.ones((1, 1), np.float32), np.zeros(1, np.float32)]


def answer(*layers):
    model = keras.Sequential([keras.Input((1,)), *layers])
    model.layers[0].set_weights(weights)
    return float(model.predict(x, verbose=0)[0, 0])


named = answer(keras.layers.Dense(1, activation="leaky_relu"))
apart = answer(keras.layers.Dense(1), keras.layers.LeakyReLU())
config = keras.layers.Dense(1, activation="leaky_relu").get_config()
print("by name", named, "by layer", apart, "in a file", config["activation"])
assert np.isclose(named, -0.2) and np.isclose(apart, -0.3) and config["activation"] == "leaky_relu"
assert np.isclose(answer(keras.layers.Dense(1), keras.layers.Activation("leaky_relu")), -0.2)
PROGRAM
env/bin/python program.py
