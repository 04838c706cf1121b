#!/usr/bin/env bash
# SciPy 1.17.1: minimize(method="Powell") works in the array that is given as the option `direc`, which is changed afterwards.
#
# The first directions of the next call, if the array is used again, are the last ones of the call before, so that the same
# call twice takes other steps; x0 is copied, as are the starting points of all other methods. The documentation of the
# option says "initial set of direction vectors".
# Guessed before the run: a copy, as of x0.
# Seen (Python 3.11, NumPy 2.3.5): three of three rows of the identity have changed after one run from (-1, 1, 2).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.3.5 scipy==1.17.1
cd "$work"
"$work/venv/bin/python" - <<'PROGRAM'
import numpy as np
from scipy.optimize import minimize, rosen

start, directions = np.array([-1.0, 1.0, 2.0]), np.eye(3)
first, second = (minimize(rosen, start, method="Powell", options={"direc": directions}) for _ in range(2))
kept = np.array_equal(start, [-1.0, 1.0, 2.0])
changed = int(np.sum((directions != np.eye(3)).any(axis=1)))
print(f"x0 kept: {kept}; {changed} of 3 directions changed; evaluations: {first.nfev}, then {second.nfev}")
raise SystemExit(0 if kept and changed and first.nfev != second.nfev else "SciPy has changed: see above")
PROGRAM
