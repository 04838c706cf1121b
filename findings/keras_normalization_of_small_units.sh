#!/usr/bin/env bash
# Keras 3.15.1: the layer Normalization does not bring inputs to a deviation of 1 whose own is below 1e-7.
#
# It divides by the larger one of the deviation and 1e-7, and says nothing. Wavelengths in metres, capacities in farads, concentrations in
# mol/l stay as small as they are in these units, and a network sees constants. Offsets, and deviations from 1e-7 on, are right.
# Guessed before the run: deviation 1 in any unit that float32 has, as scikit-learn's StandardScaler.
# Seen (Python 3.11, JAX backend): deviations 1e-6, 1e-8, 1e-9 become 1, 0.1, 0.01; StandardScaler on the same float32: 1, 1, 1.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet keras==3.15.1 jax==0.10.2 jaxlib==0.10.2 scikit-learn==1.8.0 numpy==2.4.6
cat >program.py <<'PROGRAM'
import os

os.environ |= {"KERAS_BACKEND": "jax", "KERAS_HOME": os.getcwd()}
import keras  # noqa: E402
import numpy as np  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

x = np.random.default_rng(0).normal(size=(1000, 1))
x = (x - x.mean()) / x.std()
for deviation, expected in ((1.0, 1.0), (1e-6, 1.0), (1e-8, 0.1), (1e-9, 0.01)):
    inputs = (deviation * x).astype(np.float32)
    layer = keras.layers.Normalization()
    layer.adapt(inputs)
    found = np.asarray(layer(inputs)).std()
    other = StandardScaler().fit_transform(inputs).std()
    print(f"deviation {deviation}: Keras {found:.4f}, scikit-learn {other:.4f}")
    assert np.isclose(found, expected, rtol=1e-3) and np.isclose(other, 1, rtol=1e-3)
PROGRAM
env/bin/python program.py
