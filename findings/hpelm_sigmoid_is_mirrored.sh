#!/usr/bin/env bash
# hpelm 1.0.10: "sigm" neurons compute 1 / (1 + exp(w x + b)), the logistic function mirrored, and "rbf_l1" a Gaussian.
#
# An extreme learning machine trains as well with either, but weights that come from another system with `add_neurons(n, "sigm", W, B)`,
# or go to one, have the wrong sign. All radial neurons square their distance and divide by `B`: exp(-|x - w|^2 / b). The documentation
# of `add_neurons` calls `B` a bias, and widths for radial neurons; of "sigm" it says that it is non-linear.
# Guessed before the run: 1 / (1 + exp(-(w x + b))); exp(-b d) with the distance named, squared for L2.
# Seen (Python 3.11, NumPy 1.26.4): `project` agrees with the mirrored formulas to 1e-12; tanh is tanh.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet hpelm==1.0.10 numpy==1.26.4 scipy==1.13.1
cat >program.py <<'PROGRAM'
import numpy as np
from hpelm import ELM

rng = np.random.default_rng(0)
X, W, b = rng.normal(size=(50, 3)), rng.normal(size=(3, 8)), rng.uniform(0.5, 2, 8)
Z, D = X @ W + b, X[:, :, None] - W


def hidden(kind):
    model = ELM(3, 1)
    model.add_neurons(8, kind, W, b)
    model.train(X, X[:, :1])
    return model.project(X)


formulas = {
    "tanh": np.tanh(Z),
    "sigm": 1 / (1 + np.exp(Z)),
    "rbf_l1": np.exp(-(np.abs(D).sum(1) ** 2) / b),
    "rbf_l2": np.exp(-(D**2).sum(1) / b),
    "rbf_linf": np.exp(-(np.abs(D).max(1) ** 2) / b),
}
for kind, formula in formulas.items():
    difference = np.abs(hidden(kind) - formula).max()
    print(kind, "off by", difference)
    assert difference < 1e-12
logistic = 1 / (1 + np.exp(-Z))
print("sigm off the logistic function by", np.abs(hidden("sigm") - logistic).max())
assert np.allclose(hidden("sigm"), 1 - logistic)
PROGRAM
env/bin/python program.py
