#!/usr/bin/env bash
# george 0.4.4: polynomial, linear and constant kernels of several inputs are sums over the inputs, not functions of the scalar product.
#
# The reference has (x . x' + sigma^2)^P; what is computed is the sum of (x_k x'_k + sigma^2)^P, which has no products of different inputs, so that
# no interaction can be fitted. `ConstantKernel` of d inputs is d times its constant. In one dimension all three are as described;
# `2.0 * kernel` divides by d before, and is right.
# Guessed before the run: the formulas of the reference.
# Seen (NumPy 2.4): x = (1, 2), order 2, sigma^2 = 1: k(x, x) = 29, by the formula 36; constant 1 of 3 inputs: 3.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet george==0.4.4 numpy==2.4.6 scipy==1.17.1
cat >program.py <<'PROGRAM'
import numpy as np
from george import kernels

rng = np.random.default_rng(0)
for ndim in (1, 2, 3):
    x = rng.normal(size=(4, ndim)) + 1
    product, sums = x @ x.T, x[:, None] * x
    cases = {
        "polynomial": (kernels.PolynomialKernel(order=2, log_sigma2=0.0, ndim=ndim), (product + 1) ** 2, ((sums + 1) ** 2).sum(2)),
        "linear": (kernels.LinearKernel(order=2, log_gamma2=0.0, ndim=ndim), product**2, (sums**2).sum(2)),
        "constant": (kernels.ConstantKernel(log_constant=0.0, ndim=ndim), np.ones((4, 4)), np.full((4, 4), ndim)),
    }
    for name, (kernel, documented, found) in cases.items():
        value = kernel.get_value(x)
        print(f"{ndim} inputs, {name}: {value[0, 0]:.3f}, by the reference {documented[0, 0]:.3f}")
        np.testing.assert_allclose(value, found)
        assert np.allclose(value, documented) == (ndim == 1)
    squared = 2.0 * kernels.ExpSquaredKernel(1.0, ndim=ndim)
    np.testing.assert_allclose(squared.get_value(x), 2 * np.exp(-((x[:, None] - x) ** 2).sum(2) / 2))
assert kernels.PolynomialKernel(order=2, log_sigma2=0.0, ndim=2).get_value(np.array([[1.0, 2.0]])) == 29
PROGRAM
env/bin/python program.py
