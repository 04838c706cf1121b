#!/usr/bin/env bash
# metrolopy 1.1.1: fits with one uncertainty for all points give the parameters' uncertainties as if it were 1.
#
# `uy` may be a number or an array, and the default is that the uncertainties of the data make those of the fit. Given as an array, they do; as
# a number, the parameters have the same uncertainty for 0.1, 0.01 and 1, and nothing tells. Values given as gummies are right too.
# Guessed before the run: the inverse of X'X times uy squared, for the number as for the array.
# Seen (SciPy 1.17.1): 12 points, uy = 0.01: intercept +- 0.543, from an array of 0.01 +- 0.00543.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet metrolopy==1.1.1 numpy==2.4.6 scipy==1.17.1 matplotlib==3.11.2
cat >program.py <<'PROGRAM'
import numpy as np
from metrolopy import PolyFit, gummy

x = np.linspace(0, 4, 12)
X = np.column_stack([np.ones(12), x])
for uy in (1.0, 0.1, 0.01):
    y = 2 * x + 1 + uy * np.random.default_rng(0).normal(size=12)
    right = uy * np.sqrt(np.linalg.inv(X.T @ X).diagonal())
    number, array, gummies = (
        [float(p.u) for p in fit.p]
        for fit in (
            PolyFit(x, y, uy=uy, deg=1),
            PolyFit(x, y, uy=np.full(12, uy), deg=1),
            PolyFit(x, [gummy(each, uy) for each in y], deg=1),
        )
    )
    print(f"uy = {uy}: intercept +- {number[0]:.5f}, from an array {array[0]:.5f}, by the formula {right[0]:.5f}")
    np.testing.assert_allclose(array, right, rtol=1e-4)
    np.testing.assert_allclose(gummies, right, rtol=1e-4)
    np.testing.assert_allclose(number, right / uy, rtol=1e-4)
PROGRAM
env/bin/python program.py
