#!/usr/bin/env bash
# mahotas 1.4.19: `features.zernike_moments` leaves out all pixels that are not positive, and says nothing.
#
# Moments are linear in the image, so that those of image and contrast (image minus its mean, or a standardised image)
# should differ by the moments of a constant alone. Here what is below zero has no weight.
# Guessed before the run: |z_nm| of all pixels within the radius, as the formula says.
# Seen (NumPy 2.4.6): a 9 x 9 image with negative pixels gives what the image with zeros in their places gives, to the bit.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet mahotas==1.4.19 numpy==2.4.6
cat >program.py <<'PROGRAM'
from math import factorial

import mahotas
import numpy as np

image = np.random.default_rng(0).normal(size=(9, 9))
radius, centre, degree = 4.0, (4.0, 4.0), 4


def by_formula(image):
    """|z_nm| in mahotas's scale: pixels of the disc, their sum one."""
    rows, columns = np.mgrid[:9, :9]
    y, x = (rows - centre[0]) / radius, (columns - centre[1]) / radius
    r, angle = np.hypot(x, y), np.arctan2(y, x)
    weights = np.where(r <= 1, image, 0)
    weights = weights / weights.sum()
    moments = []
    for n in range(degree + 1):
        for m in range(n % 2, n + 1, 2):
            radial = sum(
                (-1) ** s * factorial(n - s) / (factorial(s) * factorial((n + m) // 2 - s) * factorial((n - m) // 2 - s))
                * r ** (n - 2 * s)
                for s in range((n - m) // 2 + 1)
            )
            moments.append(abs((n + 1) / np.pi * (weights * radial * np.exp(-1j * m * angle)).sum()))
    return np.array(moments)


def told(image):
    return mahotas.features.zernike_moments(image, radius, degree, cm=centre)


positive = np.abs(image) + 0.1
print("positive image, from the formula by", np.abs(told(positive) - by_formula(positive)).max())
print("with negative pixels", told(image).round(4), "formula", by_formula(image).round(4))
assert np.allclose(told(positive), by_formula(positive))
assert np.array_equal(told(image), told(np.maximum(image, 0)))
assert np.abs(told(image) - by_formula(image)).max() > 0.01
PROGRAM
env/bin/python program.py
