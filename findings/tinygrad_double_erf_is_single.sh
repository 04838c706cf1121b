#!/usr/bin/env bash
# tinygrad 0.14.0: erf, asin, acos and atan of float64 tensors are right to single precision only; `selu` has constants of six digits.
#
# They are polynomials of fixed degree, whatever the type: double-precision networks with an exact gelu (`approximate="none"`), and
# checks of their derivatives by differences, stop at 1e-7. Exponential, logarithm, tanh, sine and softplus do have double precision.
# Guessed before the run: 1e-15 for all.
# Seen (Python 3.11, NumPy 2.4.6, SciPy 1.17.1, device PYTHON): errors of erf 1.0e-7, its derivative 1.4e-6, asin and atan 2e-8,
# selu 4.8e-6; of tanh 2e-16.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet tinygrad==0.14.0 numpy==2.4.6 scipy==1.17.1
cat >program.py <<'PROGRAM'
import numpy as np
from scipy.special import erf
from tinygrad import Tensor, dtypes

x = np.array([-3.0, -1.2, -0.3, 0.4, 1.0, 2.5])
small = x / 3.1
slope, scale = 1.6732632423543772, 1.0507009873554805


def error(name, exact, points=x):
    result = getattr(Tensor(points, dtype=dtypes.float64), name)().numpy()
    assert result.dtype == np.float64
    return np.abs(result - exact).max()


def gradient(points):
    tensor = Tensor(points, dtype=dtypes.float64)
    tensor.requires_grad = True
    tensor.erf().sum().backward()
    return tensor.grad.numpy()


errors = {
    "tanh": error("tanh", np.tanh(x)), "exp": error("exp", np.exp(x)), "sin": error("sin", np.sin(x)),
    "erf": error("erf", erf(x)), "atan": error("atan", np.arctan(x)), "asin": error("asin", np.arcsin(small), small),
    "selu": error("selu", scale * np.where(x > 0, x, slope * np.expm1(x))),
    "erf's derivative": np.abs(gradient(x) - 2 / np.sqrt(np.pi) * np.exp(-(x**2))).max(),
}
print({name: f"{value:.1e}" for name, value in errors.items()})
assert all(errors[name] < 1e-14 for name in ("tanh", "exp", "sin"))
assert all(1e-9 < errors[name] < 1e-4 for name in errors if name not in ("tanh", "exp", "sin"))
PROGRAM
DEV=PYTHON env/bin/python program.py
