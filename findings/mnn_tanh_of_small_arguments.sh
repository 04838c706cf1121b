#!/usr/bin/env bash
# MNN 3.6.1 (PyPI): tanh and expm1 of small arguments have errors of some per cent; they are made of differences of exponentials.
#
# Near 0 both are their argument; here they are whole multiples of float32's rounding of 1. Pre-activations far below 1, as of
# inputs in small units or of linear regimes, come out in steps, and expm1, which is there to avoid that, is exp(x) - 1.
# Guessed before the run: single precision, relative errors of 1e-7, as of sine and softsign.
# Seen (Python 3.11, NumPy 2.4.6): at x = 1e-6 relative errors of 4.6 % for tanh and expm1, at 3e-7 of 19 % and 59 %; 9e-8 for softsign;
# at 0.4 all are right to 1e-6.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet MNN==3.6.1 numpy==2.4.6
cat >program.py <<'PROGRAM'
import MNN.expr as expr
import numpy as np

exact = {"tanh": np.tanh, "expm1": np.expm1, "sin": np.sin, "softsign": lambda x: x / (1 + np.abs(x))}


def errors(name, points):
    """Relative errors against double precision at the same float32 arguments."""
    x = np.array(points, np.float32)
    y = np.array(getattr(expr, name)(expr.const(x.tolist(), [len(points)], expr.NCHW, expr.float)).read())
    return np.abs(y / exact[name](x.astype(float)) - 1)


small, middling = [1e-6, -1e-6, 3e-7, 2.3e-6], [0.4, -0.4, 1.0, 2.0]
for name in exact:
    worst, usual = errors(name, small).max(), errors(name, middling).max()
    print(f"{name}: relative error {worst:.1e} for small arguments, {usual:.1e} for middling ones")
    assert usual < 1e-5
    assert worst > 0.01 if name in ("tanh", "expm1") else worst < 1e-6
PROGRAM
env/bin/python program.py
