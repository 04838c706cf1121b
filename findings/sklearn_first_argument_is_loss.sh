#!/usr/bin/env bash
# scikit-learn 1.7 put `loss` before `hidden_layer_sizes` among the arguments of MLPRegressor, which may be given by place.
#
# MLPRegressor((10, 10)), right up to 1.6, is an error at `fit` since 1.7 (the loss has to be a str); MLPClassifier((10, 10))
# goes on to work, as it has no loss to choose. Programs that name the argument are safe.
# Guessed before the run: the new argument would be the last one, or by name only.
# Seen (Python 3.11): 1.6.1 fits; 1.7.2 raises InvalidParameterError for 'loss', with the classifier unharmed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for version in 1.6.1 1.7.2; do
  python3 -m venv "$work/$version"
  "$work/$version/bin/pip" install -q numpy==2.2.6 scipy==1.15.3 "scikit-learn==$version"
done
cat >"$work/program.py" <<'PROGRAM'
import sys
import warnings

import numpy as np
import sklearn
from sklearn.neural_network import MLPClassifier, MLPRegressor

warnings.simplefilter("ignore")
X, y = np.eye(6), np.arange(6) % 2
MLPClassifier((10, 10), max_iter=2).fit(X, y)
try:
    MLPRegressor((10, 10), max_iter=2).fit(X, y)
    seen = "fits"
except ValueError as error:
    seen = "loss" if "'loss' parameter of MLPRegressor" in str(error) else str(error)
print(sklearn.__version__, seen)
raise SystemExit(0 if seen == sys.argv[1] else "scikit-learn has changed: see above")
PROGRAM
"$work/1.6.1/bin/python" "$work/program.py" fits
"$work/1.7.2/bin/python" "$work/program.py" loss
