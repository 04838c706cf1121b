#!/usr/bin/env bash
# pyefd 1.8.0: normalised elliptic Fourier descriptors of a turned copy of a shape may be the negatives of the shape's own.
#
# `normalize=True` is for descriptors that do not depend on rotation, size and starting point. The direction of the first harmonic's
# axis is reduced to half a turn after the phase is taken, so that about half of all rotations, and of all starting points,
# change the sign of all 4 n coefficients (of those of odd harmonics only, for starting points). A classifier sees two shapes.
# Guessed before the run: the same numbers to rounding for all rotations, scales and starting points.
# Seen (Python 3.11, NumPy 2.4.6): scale and shift: equal to 1e-14; turned by 200, 270, 300 degrees: equal; by 30, 90, 179:
# all signs changed; started a third of a turn later: signs of harmonics 1, 3, 5 changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet pyefd==1.8.0 numpy==2.4.6
cat >program.py <<'PROGRAM'
import numpy as np
from pyefd import elliptic_fourier_descriptors

t = np.linspace(0, 2 * np.pi, 361)
radius = 1 + 0.3 * np.cos(2 * t) + 0.2 * np.sin(3 * t) + 0.1 * np.cos(5 * t)
shape = np.column_stack([2 * radius * np.cos(t), radius * np.sin(t)])


def descriptors(contour):
    return elliptic_fourier_descriptors(contour, order=6, normalize=True)


def turned(degrees):
    a = np.deg2rad(degrees)
    return shape @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])


own = descriptors(shape)
assert np.allclose(descriptors(3 * shape + [5, -2]), own, atol=1e-10)
signs = {}
for degrees in (30, 90, 179, 200, 270, 300):
    other = descriptors(turned(degrees))
    signs[degrees] = 1 if np.allclose(other, own, atol=1e-10) else -1 if np.allclose(other, -own, atol=1e-10) else 0
print("turned by: sign", signs)
assert set(signs.values()) == {1, -1}

later = descriptors(np.concatenate([shape[120:-1], shape[:121]]))
odd = np.array([-1, 1, -1, 1, -1, 1])[:, None]
print("started a third of a turn later: odd harmonics changed:", np.allclose(later, odd * own, atol=1e-10))
assert np.allclose(later, odd * own, atol=1e-10)
PROGRAM
env/bin/python program.py
