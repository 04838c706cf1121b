"""Moments of images and what does not change with their place, size or direction.

With x the column and y the row of a pixel I(x, y), and (x', y') the centre of mass,

    m_pq  = sum x^p y^q I                   x' = m10 / m00,  y' = m01 / m00
    mu_pq = sum (x - x')^p (y - y')^q I     nu_pq = mu_pq / m00^(1 + (p + q) / 2)
    Z_nm  = (n + 1) / pi sum R_nm(r) exp(-i m theta) I / sum I, within a circle around the centre
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import numpy as np

from fastmlp import _memory
from fastmlp._types import Float

HU = 7  # moments


def mass_and_centre(images: Float) -> tuple[Float, Float, Float]:
    """m00, y' and x' of images (N, H, W); the middle where there is no mass."""
    rows, columns = images.sum(axis=2), images.sum(axis=1)
    mass = rows.sum(axis=1)
    if (mass < 0).any() or ((mass == 0) & (images != 0).any(axis=(1, 2))).any():
        raise ValueError(f"X: expected images whose pixels have a positive sum, as raw ones have, got {mass.min():g}")
    centres = []
    for sums in (rows, columns):
        places = np.arange(sums.shape[1], dtype=np.float64)
        whole = np.where(mass > 0, mass, 1.0)
        centres.append(np.where(mass > 0, (sums * places).sum(axis=1) / whole, places.mean()))
    return mass, centres[0], centres[1]


def central(images: Float, order: int) -> tuple[Float, Float]:
    """Central moments (N, order + 1, order + 1), p before q, and m00 (N,), of images (N, H, W)."""
    mass, y, x = mass_and_centre(images)
    in_x, in_y = (_powers(size, centre, order) for size, centre in ((images.shape[2], x), (images.shape[1], y)))
    mu = _memory.product(np.swapaxes(_memory.product(images, in_x), 1, 2), in_y)
    mu[:, 0, 1] = mu[:, 1, 0] = 0.0  # what is left is rounding
    return mu, mass


def _powers(size: int, centre: Float, order: int) -> Float:
    """1, d, d^2, ... of the distances d from each centre (N, size, order + 1)."""
    d = np.arange(size) - centre[:, np.newaxis]
    return np.asarray(d[:, :, np.newaxis] ** np.arange(order + 1), np.float64)


def normalized(mu: Float, mass: Float) -> Float:
    """The same (N, P, P), normalized; 0 where there is no mass."""
    p = np.arange(mu.shape[1])
    whole = np.where(mass > 0, mass, 1.0)[:, np.newaxis, np.newaxis]
    return np.asarray(mu / whole ** (1 + 0.5 * (p[:, np.newaxis] + p)), np.float64)


def hu(nu: Float) -> Float:
    """Hu's seven moments (N, 7): no rotation changes them, a reflection the sign of the last one alone."""
    n20, n11, n02 = nu[:, 2, 0], nu[:, 1, 1], nu[:, 0, 2]
    n30, n21, n12, n03 = nu[:, 3, 0], nu[:, 2, 1], nu[:, 1, 2], nu[:, 0, 3]
    a, b, c, d = n30 - 3 * n12, 3 * n21 - n03, n30 + n12, n21 + n03
    e, f = c * (c**2 - 3 * d**2), d * (3 * c**2 - d**2)
    g = n20 - n02
    return np.stack(
        [
            n20 + n02,
            g**2 + 4 * n11**2,
            a**2 + b**2,
            c**2 + d**2,
            a * e + b * f,
            g * (c**2 - d**2) + 4 * n11 * c * d,
            b * e - a * f,
        ],
        axis=1,
    )


def logarithms(moments: Float) -> Float:
    """sign(h) log10 |h|, and 0 for 0."""
    size = np.abs(moments)
    return np.asarray(np.sign(moments) * np.log10(np.where(size > 0, size, 1.0)), np.float64)


def zernike_degrees(degree: int) -> list[tuple[int, int]]:
    """All (n, m) up to a degree: 0 <= m <= n, n - m even."""
    return [(n, m) for n in range(degree + 1) for m in range(n % 2, n + 1, 2)]


def zernike(images: Float, radius: float, degree: int) -> Float:
    """|Z_nm| for all degrees (N, n_moments), of images (N, H, W); 0 where there is no mass."""
    _, y, x = mass_and_centre(images)
    v = (np.arange(images.shape[1]) - y[:, np.newaxis])[:, :, np.newaxis] / radius
    u = (np.arange(images.shape[2]) - x[:, np.newaxis])[:, np.newaxis, :] / radius
    square = u**2 + v**2
    inside = np.where(np.sqrt(square) <= 1.0, images, 0.0)
    total = inside.sum(axis=(1, 2))
    inside /= np.where(total > 0, total, 1.0)[:, np.newaxis, np.newaxis]
    moments, turned = {}, inside + 0j
    for m in range(degree + 1):
        for n, R in zip(range(m, degree + 1, 2), radial(m, square), strict=False):
            moments[n, m] = (n + 1) / np.pi * np.abs((turned * R).sum(axis=(1, 2)))
        turned = turned * (u + 1j * v)
    return np.stack([moments[each] for each in zernike_degrees(degree)], axis=1)


def radial(m: int, square: Float) -> Iterator[Float]:
    """R_nm / r^m for n = m, m + 2, ... without end, where r^2 is `square`: Jacobi polynomials of 2 r^2 - 1.

    The coefficients of powers of r grow to 1e7 at n = 20, and as many digits are lost between them: in mahotas too.
    """
    t, before = 2.0 * square - 1.0, np.ones_like(square)
    now = 1.0 + 0.5 * (m + 2) * (t - 1.0)
    yield before
    yield now
    for k in count(2):
        n = 2 * k + m
        in_t, constant, last = (n - 1) * n * (n - 2), (n - 1) * m**2, 2 * (k - 1) * (k + m - 1) * n
        before, now = now, ((in_t * t - constant) * now - last * before) / (2 * k * (k + m) * (n - 2))
        yield now
