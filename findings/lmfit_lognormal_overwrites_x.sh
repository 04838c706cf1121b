#!/usr/bin/env bash
# lmfit 1.3.4: evaluating a `LognormalModel` overwrites the values of x that are not positive, in the caller's own array.
#
# The line shape sets them to 1e-15 in place, so that the x of the data is another one after `eval` or `fit`, for all that follows: plots, other
# models, a second fit. The manual has the formula, and no word of this.
# Guessed before the run: x as it was.
# Seen (NumPy 2.4): x = -2, -1, 0, 1, 2 becomes 1e-15, 1e-15, 1e-15, 1, 2; a Gaussian fitted to it afterwards has another centre.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet lmfit==1.3.4 numpy==2.4.6 scipy==1.17.1
cat >program.py <<'PROGRAM'
import numpy as np
from lmfit.models import GaussianModel, LognormalModel

before = np.linspace(-2, 4, 61)
x = before.copy()
y = np.exp(-((x - 0.5) ** 2) / 2)
gaussian = GaussianModel()
first = gaussian.fit(y, x=x, amplitude=2.0, center=1.0, sigma=1.0).params["center"].value
assert (x == before).all()
LognormalModel().eval(amplitude=1.0, center=0.0, sigma=1.0, x=x)
second = gaussian.fit(y, x=x, amplitude=2.0, center=1.0, sigma=1.0).params["center"].value
print(f"x begins {before[:3]}, after the evaluation {x[:3]}; centre of the same Gaussian fit {first:.3f}, then {second:.3f}")
assert (x[before <= 0] == 1e-15).all() and (x[before > 0] == before[before > 0]).all()
assert abs(first - 0.5) < 1e-6 and abs(second - 0.5) > 0.05
PROGRAM
env/bin/python program.py
