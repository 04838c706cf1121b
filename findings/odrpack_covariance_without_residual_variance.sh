#!/usr/bin/env bash
# odrpack 0.7.0 (PyPI): `cov_beta` lacks the residual variance that `sd_beta` has; sqrt(diag(cov_beta)) is no standard deviation.
#
# Both are attributes of one result, called covariance matrix and standard deviations of the estimated parameters. Error bars from
# `cov_beta`, of a prediction say, have to be multiplied by sqrt(res_var), those from `sd_beta` already are, also where the
# weights are 1/variance of the data and no scaling is wanted.
# Guessed before the run: sd_beta is the root of the diagonal of cov_beta.
# Seen (Python 3.11, NumPy 2.4.6): a line through 40 points with noise 0.3: closed form 0.0747, 0.0257; sd_beta the same;
# from cov_beta 0.310, 0.107, which are those of noise 1.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet odrpack==0.7.0 numpy==2.4.6
cat >program.py <<'PROGRAM'
import numpy as np
from odrpack import odr_fit

rng = np.random.default_rng(0)
x = np.linspace(0, 5, 40)
y = 1 + 2 * x + 0.3 * rng.normal(size=40)
A = np.column_stack([np.ones(40), x])
coefficients, squares = np.linalg.lstsq(A, y, rcond=None)[:2]
unit = np.linalg.inv(A.T @ A)  # the covariance for noise of variance 1
closed = np.sqrt(np.diag(unit) * squares[0] / 38)

result = odr_fit(lambda x, beta: beta[0] + beta[1] * x, x, y, np.array([1.0, 1.0]), task="OLS")
from_covariance = np.sqrt(np.diag(result.cov_beta))
print("closed form", closed, "sd_beta", result.sd_beta, "from cov_beta", from_covariance)
assert np.allclose(result.beta, coefficients, rtol=1e-5)
assert np.allclose(result.sd_beta, closed, rtol=1e-3)
assert np.allclose(result.cov_beta, unit, rtol=1e-3)
assert np.allclose(from_covariance * np.sqrt(result.res_var), closed, rtol=1e-3) and from_covariance[0] > 4 * closed[0]
PROGRAM
env/bin/python program.py
