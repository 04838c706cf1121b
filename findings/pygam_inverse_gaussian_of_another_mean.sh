#!/usr/bin/env bash
# pygam 0.12.0: the inverse Gaussian log density is that of a mean of mu times scale, and `sample` draws with the inverse of the parameter.
#
# `InvGaussDist.log_pdf` hands mu and the scale to SciPy as they are; SciPy's mean is the product of the two. The value agrees
# with the density of mean mu and variance scale mu^3 for a scale of 1 only, so that log likelihood, AIC and McFadden's R2 are of
# another model. `sample` uses the scale where NumPy's `wald` asks for its inverse. The deviance is right. Not in the reference.
# Guessed before the run: SciPy's density with mean mu and shape 1 / scale, as the deviance is.
# Seen (SciPy 1.15.3): y = 1, mu = 1.5, scale 0.5: -1.29, right -0.68; draws of mean 2 and scale 0.1: variance 80 in place of 0.8.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet pygam==0.12.0 numpy==2.0.1 scipy==1.15.3
cat >program.py <<'PROGRAM'
import numpy as np
from pygam.distributions import InvGaussDist
from scipy.stats import invgauss

y, mu = np.array([1.0, 2.0, 3.5]), np.array([1.5, 1.5, 3.0])
for scale in (1.0, 0.5):
    distribution = InvGaussDist(scale=scale)
    found = distribution.log_pdf(y, mu)
    right = -0.5 * np.log(2 * np.pi * scale * y**3) - (y - mu) ** 2 / (2 * scale * mu**2 * y)
    np.testing.assert_allclose(right, invgauss.logpdf(y, mu * scale, scale=1 / scale))
    np.testing.assert_allclose(found, invgauss.logpdf(y, mu, scale=scale))  # of the mean mu scale
    np.testing.assert_allclose(distribution.deviance(y, mu, scaled=False), (y - mu) ** 2 / (mu**2 * y))
    print(f"scale {scale}: log_pdf {found.round(3)}, right {right.round(3)}")
    assert np.allclose(found, right) == (scale == 1)
np.random.seed(0)
drawn = InvGaussDist(scale=0.1).sample(np.full(200_000, 2.0))
print(f"draws of mean 2, scale 0.1: mean {drawn.mean():.2f}, variance {drawn.var():.1f}, right {0.1 * 2**3:.1f}")
assert abs(drawn.mean() - 2) < 0.2 and drawn.var() > 30
PROGRAM
env/bin/python program.py
