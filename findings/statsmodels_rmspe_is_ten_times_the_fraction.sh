#!/usr/bin/env bash
# statsmodels 0.15.0: `rmspe`, the root mean squared percentage error, is ten times the fraction: neither that nor percent.
#
# The factor of 100 for percent is under the root. Errors of 2 % in each value are 0.2. The docstring tells the name and no formula.
# Guessed before the run: percent, 2.
# Seen (NumPy 2.4): 0.2; of errors of 50 %: 5.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet statsmodels==0.15.0 numpy==2.4.6 scipy==1.17.1 pandas==2.3.3
cat >program.py <<'PROGRAM'
import numpy as np
from statsmodels.tools.eval_measures import rmspe

y = np.array([1.0, 20.0, 300.0, 7.0])
for share in (0.02, 0.5):
    predicted = y * (1 + share * np.array([1, -1, 1, -1]))
    fraction = np.sqrt(np.mean(((y - predicted) / y) ** 2))
    found = rmspe(y, predicted)
    print(f"errors of {100 * share:g} %: rmspe {found:.3f}; fraction {fraction:.3f}, percent {100 * fraction:.1f}")
    assert np.isclose(fraction, share) and np.isclose(found, 10 * fraction)
PROGRAM
env/bin/python program.py
