#!/usr/bin/env bash
# mahotas 1.4.19: `interpolate.shift` by nothing moves an image by (-1, -1), and no fraction of a pixel is interpolated.
#
# A shift by s takes each pixel to ceil(s) - 1 along each axis, whatever the order of the spline; `zoom` of a ramp is a staircase
# with a 0 at its end. SciPy's functions, whose arguments and description these have, interpolate. There is no message.
# Guessed before the run: what scipy.ndimage gives; the same image for a shift of 0.
# Seen (Python 3.11, NumPy 2.4.6, SciPy 1.17.1): one bright pixel at (3, 3) of 7 x 7: shift (0, 0) takes it to (2, 2), (1, 0)
# to (3, 2), (0.5, 0) to (3, 2), undivided, for orders 0 to 3; SciPy's (0.5, 0) of order 1 has halves at (3, 3) and (4, 3).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet mahotas==1.4.19 numpy==2.4.6 scipy==1.17.1
cat >program.py <<'PROGRAM'
import numpy as np
from mahotas import interpolate
from scipy import ndimage

image = np.zeros((7, 7))
image[3, 3] = 1
for order in (0, 1, 2, 3):
    for shift, place in {(0, 0): (2, 2), (1, 0): (3, 2), (0, 1): (2, 3), (0.5, 0): (3, 2), (2, 2): (4, 4)}.items():
        moved = interpolate.shift(image, list(shift), order=order)
        expected = np.zeros((7, 7))
        expected[place] = 1
        assert np.allclose(moved, expected, atol=1e-9), (order, shift, moved)
print("shift by nothing: from (3, 3) to", np.argwhere(interpolate.shift(image, [0, 0]) > 0.5)[0])
assert np.array_equal(ndimage.shift(image, [0, 0], order=1), image)
halves = ndimage.shift(image, [0.5, 0], order=1)
assert halves[3, 3] == halves[4, 3] == 0.5

ramp = np.tile(np.arange(6.0), (6, 1))
theirs, right = interpolate.zoom(ramp, 2, order=1)[3], ndimage.zoom(ramp, 2, order=1)[3]
print("zoom of a ramp:", theirs, "SciPy:", right.round(2))
assert np.allclose(np.diff(right), 5 / 11) and np.array_equal(theirs, theirs.round()) and theirs[-1] == 0
PROGRAM
env/bin/python program.py
