#!/usr/bin/env bash
# emlearn 0.23.2 converts a scikit-learn MLPRegressor into a classifier, unless return_type="regressor" is given.
#
# `convert` guesses from the estimator's class for trees, but not for networks: `predict` of a converted MLPRegressor gives
# integers, 1 where the output is above 0.5 and 0 elsewhere, without a message.
# Guessed before the run: the values of the regression, in single precision.
# Seen (Python 3.11, scikit-learn 1.7.2): predictions of scikit-learn from -2.28 to 2.27; of emlearn only 0 and 1, the latter
# exactly where scikit-learn's are above 0.5.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.3.5 scikit-learn==1.7.2 emlearn==0.23.2
cd "$work"
"$work/venv/bin/python" - <<'PROGRAM'
import emlearn
import numpy as np
from sklearn.neural_network import MLPRegressor

rng = np.random.default_rng(0)
X = rng.normal(size=(300, 3))
net = MLPRegressor(hidden_layer_sizes=(8,), max_iter=2000, random_state=0).fit(X, np.tanh(X).sum(axis=1))
own = net.predict(X)
theirs = np.asarray(emlearn.convert(net, method="inline").predict(X))
clear = np.abs(own - 0.5) > 1e-3
same = np.array_equal(theirs[clear], (own > 0.5)[clear])
print(f"scikit-learn: {own.min():.2f} to {own.max():.2f}; emlearn: {sorted(set(theirs.tolist()))}; above 0.5 is 1: {same}")
raise SystemExit(0 if set(theirs.tolist()) == {0, 1} and same else "emlearn has changed: see above")
PROGRAM
