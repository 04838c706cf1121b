#!/usr/bin/env bash
# mahotas 1.4.19: `convolve` is the correlation, so that `gaussian_filter` of orders 1 and 3 has the wrong sign.
#
# The kernel is not reflected, which even kernels hide. The derivatives of a Gaussian, which are said to be convolved with, are odd:
# the filtered slope of a rising ramp is negative. Where one of two axes only is of odd order, tangents (translation, rotation)
# built from it point backwards.
# Guessed before the run: scipy.ndimage's values for `convolve` and for all orders.
# Seen (Python 3.11, NumPy 2.4.6, SciPy 1.17.1): convolve(f, k) is SciPy's correlate(f, k); ramp 0, 1, 2, ...: slope -1.000,
# SciPy's 1.000; orders 1 and 3 are -1 times SciPy's, 0, 2 and (1, 1) agree.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet mahotas==1.4.19 numpy==2.4.6 scipy==1.17.1
cat >program.py <<'PROGRAM'
import mahotas
import numpy as np
from scipy import ndimage

rng = np.random.default_rng(0)
image, kernel = rng.normal(size=(24, 20)), rng.normal(size=(3, 3))
theirs = mahotas.convolve(image, kernel)
assert np.allclose(theirs, ndimage.correlate(image, kernel)) and not np.allclose(theirs, ndimage.convolve(image, kernel))

ramp = np.tile(np.arange(40.0), (40, 1))
slopes = [library.gaussian_filter(ramp, 1.5, [0, 1])[20, 20] for library in (mahotas, ndimage)]
print("slope of a ramp that rises by 1 a pixel: mahotas %.3f, SciPy %.3f" % tuple(slopes))
assert np.allclose(slopes, [-1, 1], atol=1e-3)

for order, sign in (([0, 0], 1), ([0, 1], -1), ([1, 0], -1), ([1, 1], 1), ([0, 2], 1), ([0, 3], -1)):
    ours = ndimage.gaussian_filter(image, 1.5, order)
    assert np.allclose(mahotas.gaussian_filter(image, 1.5, order), sign * ours, atol=1e-9), order
PROGRAM
env/bin/python program.py
