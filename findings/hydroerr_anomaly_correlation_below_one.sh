#!/usr/bin/env bash
# HydroErr 2.0.0: `acc`, the anomaly correlation coefficient, of a perfect simulation is (n - 1) / n, not 1.
#
# The covariance is divided by n and the standard deviations have n - 1, so that five values which agree to the last digit have 0.8. The manual
# gives the range as -1 to 1, where "1 indicates perfect correlation". `pearson_r` beside it is 1.
# Guessed before the run: Pearson's correlation, in one mean of all times.
# Seen (NumPy 2.4): 5 values against themselves: 0.8; 60 values: 0.9833; shifted and scaled as well.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet hydroerr==2.0.0 numpy==2.4.6 scipy==1.17.1
cat >program.py <<'PROGRAM'
import HydroErr
import numpy as np

rng = np.random.default_rng(0)
for n in (5, 60):
    observed = rng.gamma(3, size=n)
    simulated = observed + 0.3 * rng.normal(size=n)
    found = [HydroErr.acc(each, observed) for each in (observed, 2 * observed + 3, simulated)]
    right = [np.corrcoef(each, observed)[0, 1] for each in (observed, 2 * observed + 3, simulated)]
    print(f"{n} values: itself {found[0]:.4f}, a line of it {found[1]:.4f}, simulated {found[2]:.4f}; Pearson's {np.round(right, 4)}")
    np.testing.assert_allclose(found, np.multiply(right, (n - 1) / n))
    np.testing.assert_allclose(HydroErr.pearson_r(simulated, observed), right[2])
PROGRAM
env/bin/python program.py
