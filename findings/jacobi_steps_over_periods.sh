#!/usr/bin/env bash
# jacobi 0.9.2: steps are a share of |x|, and no check of the error estimate sees it where the function varies faster.
#
# The first step is a quarter of x. At a time of 100 the sine has been through several periods within it; the extrapolation settles on the slope
# between far points, near zero, and says that it is exact to 0.001. `propagate` gives the error of the result from it. The reference
# explains only the factor by which steps shrink; moving the origin is the way out.
# Guessed before the run: the derivative to 1e-9, or an error estimate that covers what is wrong.
# Seen (NumPy 2.4): sine at 100: -0.006 +- 0.001, right 0.862; a logistic of width 2 at 301: 0.025 +- 0.004, right 0.118.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet jacobi==0.9.2 numpy==2.4.6
cat >program.py <<'PROGRAM'
import numpy as np
from jacobi import jacobi, propagate


def logistic(t):
    return 1 / (1 + np.exp(-(t - 300) / 2))


cases = {
    "sine at 1": (np.sin, 1.0, np.cos(1)),
    "sine at 100": (np.sin, 100.0, np.cos(100)),
    "logistic at 301": (logistic, 301.0, logistic(301) * (1 - logistic(301)) / 2),
}
for name, (function, x, right) in cases.items():
    found, error = jacobi(function, x)
    moved, _ = jacobi(lambda d: function(x + d), 0.0)
    print(f"{name}: {found:.6f} +- {error:.1g}, right {right:.6f}, from an origin at x {moved:.6f}")
    assert abs(moved - right) < 1e-9
    if x == 1:
        assert abs(found - right) < 1e-9
    else:
        assert abs(found - right) > 0.05 and abs(found - right) > 10 * error
_, variance = propagate(np.sin, 100.0, 0.01**2)
print(f"0.01 propagated: {variance**0.5:.5f}, right {0.01 * abs(np.cos(100)):.5f}")
assert variance**0.5 < 0.001
PROGRAM
env/bin/python program.py
