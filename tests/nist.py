"""NIST's nonlinear regression (tests/data/nist_strd): data, certified values, models with Jacobians by hand."""

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy import arctan, cos, exp, log, pi, sin

FOLDER = Path(__file__).parent / "data" / "nist_strd"


class Problem(NamedTuple):
    x: np.ndarray
    y: np.ndarray
    starts: np.ndarray  # (2, p)
    certified: np.ndarray
    sum_of_squares: float


def load(name):
    text = (FOLDER / f"{name}.dat").read_text()
    rows = re.findall(r"^ *b\d+ *= *(\S+) +(\S+) +(\S+) +\S+ *$", text, re.M)
    first, second, certified = np.array(rows, dtype=float).T
    ssr = float(re.search(r"Residual Sum of Squares: *(\S+)", text).group(1))
    table = np.array([line.split() for line in text.split("Data:")[-1].splitlines()[1:] if line.strip()], dtype=float)
    y, x = table[:, 0], table[:, 1] if table.shape[1] == 2 else table[:, 1:].T
    return Problem(x, log(y) if name == "Nelson" else y, np.array([first, second]), certified, ssr)


def log_relative_error(x, certified):
    """Correct digits of the worst parameter, from 0 to the 11 that are certified."""
    error = np.max(np.abs(x - certified) / np.abs(certified))
    return float(np.clip(-np.log10(error), 0.0, 11.0)) if error > 0 else 11.0


# Each model takes b and x; it returns the values and the list of their derivatives by b1, b2, ...


def bennett5(b, x):
    s = b[1] + x
    f = b[0] * s ** (-1 / b[2])
    return f, [f / b[0], -f / (b[2] * s), f * log(s) / b[2] ** 2]


def boxbod(b, x):
    e = exp(-b[1] * x)
    return b[0] * (1 - e), [1 - e, b[0] * x * e]


def chwirut(b, x):
    u = b[1] + b[2] * x
    f = exp(-b[0] * x) / u
    return f, [-x * f, -f / u, -x * f / u]


def danwood(b, x):
    p = x ** b[1]
    return b[0] * p, [p, b[0] * p * log(x)]


def enso(b, x):
    w = 2 * pi * x
    f, columns = b[0], [np.ones_like(x)]
    for period, c, s in ((12.0, b[1], b[2]), (b[3], b[4], b[5]), (b[6], b[7], b[8])):
        u = w / period
        f = f + c * cos(u) + s * sin(u)
        columns += [(c * sin(u) - s * cos(u)) * u / period] if period != 12.0 else []
        columns += [cos(u), sin(u)]
    return f, columns


def eckerle4(b, x):
    u = (x - b[2]) / b[1]
    f = b[0] / b[1] * exp(-(u**2) / 2)
    return f, [f / b[0], f * (u**2 - 1) / b[1], f * u / b[1]]


def gauss(b, x):
    f = b[0] * exp(-b[1] * x)
    columns = [f / b[0], -x * f]
    for height, centre, width in (b[2:5], b[5:8]):
        u = (x - centre) / width
        e = exp(-(u**2))
        f = f + height * e
        columns += [e, 2 * height * e * u / width, 2 * height * e * u**2 / width]
    return f, columns


def rational(degree, b, x):
    """Numerator of the given degree over a denominator of the same, which begins with 1."""
    powers = [x**k for k in range(degree + 1)]
    below = 1 + sum(c * p for c, p in zip(b[degree + 1 :], powers[1:], strict=True))
    f = sum(c * p for c, p in zip(b, powers, strict=False)) / below
    return f, [p / below for p in powers] + [-f * p / below for p in powers[1:]]


def hahn1(b, x):
    return rational(3, b, x)


def kirby2(b, x):
    return rational(2, b, x)


def lanczos(b, x):
    f, columns = 0, []
    for amplitude, rate in (b[0:2], b[2:4], b[4:6]):
        e = exp(-rate * x)
        f = f + amplitude * e
        columns += [e, -amplitude * x * e]
    return f, columns


def mgh09(b, x):
    below = x**2 + x * b[2] + b[3]
    f = b[0] * (x**2 + x * b[1]) / below
    return f, [(x**2 + x * b[1]) / below, b[0] * x / below, -f * x / below, -f / below]


def mgh10(b, x):
    u = 1 / (x + b[2])
    e = exp(b[1] * u)
    return b[0] * e, [e, b[0] * e * u, -b[0] * e * b[1] * u**2]


def mgh17(b, x):
    first, second = exp(-x * b[3]), exp(-x * b[4])
    columns = [np.ones_like(x), first, second, -b[1] * x * first, -b[2] * x * second]
    return b[0] + b[1] * first + b[2] * second, columns


def misra1b(b, x):
    u = 1 + b[1] * x / 2
    return b[0] * (1 - u**-2.0), [1 - u**-2.0, b[0] * x * u**-3.0]


def misra1c(b, x):
    u = 1 + 2 * b[1] * x
    return b[0] * (1 - u**-0.5), [1 - u**-0.5, b[0] * x * u**-1.5]


def misra1d(b, x):
    u = 1 + b[1] * x
    return b[0] * b[1] * x / u, [b[1] * x / u, b[0] * x / u**2]


def nelson(b, x):
    e = exp(-b[2] * x[1])
    return b[0] - b[1] * x[0] * e, [np.ones_like(e), -x[0] * e, b[1] * x[0] * x[1] * e]


def rat42(b, x):
    e = exp(b[1] - b[2] * x)
    f = b[0] / (1 + e)
    return f, [f / b[0], -f * e / (1 + e), x * f * e / (1 + e)]


def rat43(b, x):
    e = exp(b[1] - b[2] * x)
    f = b[0] * (1 + e) ** (-1 / b[3])
    slope = -f * e / (1 + e) / b[3]
    return f, [f / b[0], slope, -x * slope, f * log(1 + e) / b[3] ** 2]


def roszman1(b, x):
    d = x - b[3]
    below = (d**2 + b[2] ** 2) * pi
    return b[0] - b[1] * x - arctan(b[2] / d) / pi, [np.ones_like(x), -x, -d / below, -b[2] / below]


MODELS = {
    "Bennett5": bennett5, "BoxBOD": boxbod, "Chwirut1": chwirut, "Chwirut2": chwirut, "DanWood": danwood,
    "ENSO": enso, "Eckerle4": eckerle4, "Gauss1": gauss, "Gauss2": gauss, "Gauss3": gauss, "Hahn1": hahn1,
    "Kirby2": kirby2, "Lanczos1": lanczos, "Lanczos2": lanczos, "Lanczos3": lanczos, "MGH09": mgh09, "MGH10": mgh10,
    "MGH17": mgh17, "Misra1a": boxbod, "Misra1b": misra1b, "Misra1c": misra1c, "Misra1d": misra1d, "Nelson": nelson,
    "Rat42": rat42, "Rat43": rat43, "Roszman1": roszman1, "Thurber": hahn1,
}  # fmt: skip


def functions(name):
    """Residuals and their Jacobian, for any routine that takes such."""
    model, problem = MODELS[name], load(name)

    def residuals(b):
        return model(b, problem.x)[0] - problem.y

    def jacobian(b):
        return np.column_stack(model(b, problem.x)[1])

    return residuals, jacobian
