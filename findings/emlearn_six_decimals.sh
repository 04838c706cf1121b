#!/usr/bin/env bash
# emlearn 0.23.2 writes the weights of a scikit-learn network into C with six decimals, whatever their size.
#
# A network whose inputs are in large units has small weights in its first layer: all of them become 0.000000f, and the C
# program answers the same for every input. There is no message. Digits would have to be significant ones (%.9g).
# Guessed before the run: nine significant digits, and predictions that agree to 1e-6.
# Seen (Python 3.11, scikit-learn 1.7.2): 24 of 24 weights of the first layer are 0 in C, none in Python; those of the second
# layer keep six decimals.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.3.5 scikit-learn==1.7.2 emlearn==0.23.2
cd "$work"
"$work/venv/bin/python" - <<'PROGRAM'
import re

import emlearn
import numpy as np
from sklearn.neural_network import MLPRegressor

rng = np.random.default_rng(0)
X = rng.normal(size=(300, 3))
net = MLPRegressor(hidden_layer_sizes=(8,), max_iter=2000, random_state=0).fit(X, np.tanh(X).sum(axis=1))
pascals = 1e7 * X  # the same network for inputs in other units
before = net.predict(X)
net.coefs_[0] = net.coefs_[0] / 1e7
assert np.allclose(net.predict(pascals), before, atol=1e-12)

emlearn.convert(net, method="loadable", return_type="regressor").save(file="net.h", name="net")
written = re.search(r"layer_0_weights\[24\] = \{(.*?)\}", open("net.h").read()).group(1)
in_c = np.array([float(number.strip().rstrip("f")) for number in written.split(",")])
print(f"{np.sum(in_c == 0)} of {in_c.size} weights are 0 in C, {np.sum(net.coefs_[0] == 0)} in Python")
raise SystemExit(0 if (in_c == 0).all() and (net.coefs_[0] != 0).all() else "emlearn has changed: see above")
PROGRAM
