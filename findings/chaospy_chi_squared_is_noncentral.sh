#!/usr/bin/env bash
# chaospy 4.3.21: `ChiSquared(df)` is the noncentral distribution, of noncentrality 1: its mean is df + 1.
#
# The second argument, the noncentrality, is 1 unless given; the reference calls the class "(Non-central)" and tells no default. Printed,
# it is `ChiSquared(4)`. `nc=0` is no way out: the density divides by it. `F` beside it is central by default; `Gamma(2, 2)` is the
# distribution that was meant.
# Guessed before the run: the chi-squared distribution of 4 degrees of freedom, of mean 4 and variance 8.
# Seen (NumPy 2.4): mean 5, variance 12; samples and quantiles alike.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet chaospy==4.3.21 numpoly==1.3.9 numpy==2.4.6 scipy==1.17.1
cat >program.py <<'PROGRAM'
import chaospy
import numpy as np
from scipy.stats import chi2, f, ncx2

levels = np.array([0.1, 0.5, 0.9])
found = chaospy.ChiSquared(4)
mean, variance = float(chaospy.E(found)), float(chaospy.Var(found))
print(f"{found}: mean {mean:.3f}, variance {variance:.3f}; median {found.inv(0.5):.3f}, of chi-squared {chi2.median(4):.3f}")
assert np.allclose([mean, variance], [5, 12])
np.testing.assert_allclose(found.inv(levels), ncx2.ppf(levels, 4, 1), rtol=1e-6)
np.testing.assert_allclose(chaospy.F(5, 8).inv(levels), f.ppf(levels, 5, 8), rtol=1e-6)
gamma = chaospy.Gamma(2, 2)
np.testing.assert_allclose(gamma.inv(levels), chi2.ppf(levels, 4), rtol=1e-6)
assert np.isclose(float(chaospy.E(gamma)), 4)
PROGRAM
env/bin/python program.py
