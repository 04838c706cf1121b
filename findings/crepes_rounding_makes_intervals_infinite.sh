#!/usr/bin/env bash
# crepes 0.9.1: 9 calibration residuals and a confidence of 0.9 give an infinite interval; the largest residual would do.
#
# The rank (n + 1)(1 - confidence) is taken down to a whole number, and 1 - 0.9 is a little less than 0.1: where the rank is whole, the
# interval goes to the next larger residual, for 19 and 39 samples as for 99. Of round numbers of samples, as papers have them, many
# are touched. The coverage is still at least what was asked for.
# Guessed before the run: the residual of rank ceil((n + 1) confidence), in exact arithmetic.
# Seen (Python 3.11, NumPy 2.4.6), residuals 1 .. n: n = 9, 0.9: infinite for 9; n = 19, 0.8: 17 for 16; n = 39, 0.9: 37 for 36;
# n = 99, 0.9: 91 for 90; right for n = 20 and 100.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet crepes==0.9.1 numpy==2.4.6 scikit-learn==1.9.1
cat >program.py <<'PROGRAM'
import math
from fractions import Fraction

import numpy as np
from crepes import ConformalRegressor

found = {}
for n, confidence in ((9, "0.9"), (19, "0.8"), (20, "0.8"), (39, "0.9"), (99, "0.9"), (100, "0.9")):
    residuals = np.arange(1.0, n + 1)  # so that the half-width is the rank
    regressor = ConformalRegressor().fit(residuals)
    width = regressor.predict_int(np.zeros(1), confidence=float(confidence))[0, 1]
    rank = math.ceil((n + 1) * Fraction(confidence))
    found[n] = float(width), rank
    print(f"{n} residuals, confidence {confidence}: rank {rank}, half-width {width}")
assert found[9] == (math.inf, 9)
assert all(width == rank + 1 for width, rank in (found[19], found[39], found[99]))
assert all(width == rank for width, rank in (found[20], found[100]))
PROGRAM
env/bin/python -W ignore program.py
