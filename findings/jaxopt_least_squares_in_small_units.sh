#!/usr/bin/env bash
# jaxopt 0.8.5: LevenbergMarquardt stops where the gradient is below 0.001, in the units of the data, and calls it done.
#
# The default `tol` is no share of anything: residuals of the size 1e-3 (millimetres in metres, milliamperes) have gradients of 1e-6 at
# the start, so that the first step is the last one. Nothing tells that from a minimum but `state.iter_num`. With a `tol` of 1e-9 it
# is right.
# Guessed before the run: the same parameters in all units, as from MINPACK, whose tolerances are relative.
# Seen (jax 0.10.2, double precision): a exp(-b x): b = 0.718 in units of 1, 0.851 after one step in units of 0.001; SciPy 0.718.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet jaxopt==0.8.5 jax==0.10.2 jaxlib==0.10.2 scipy==1.17.1 numpy==2.4.6
cat >program.py <<'PROGRAM'
import jax
import jax.numpy as jnp
import jaxopt
import numpy as np
from scipy.optimize import least_squares

jax.config.update("jax_enable_x64", True)
x = np.linspace(0, 4, 15)
y = 2 * np.exp(-0.7 * x) + 0.05 * np.random.default_rng(0).normal(size=15)


def fitted(unit, **options):
    """b, and the number of iterations; and SciPy's b."""

    def residuals(p, exp=jnp.exp):
        return p[0] * exp(-p[1] * x) - y * unit

    start = np.array([unit, 1.0])
    found = jaxopt.LevenbergMarquardt(residual_fun=residuals, maxiter=100, **options).run(jnp.array(start))
    right = least_squares(lambda p: residuals(p, np.exp), start, method="lm", x_scale=start).x[1]
    b = float(found.params[1])
    print(f"unit {unit}, {options}: b = {b:.4f} after {int(found.state.iter_num)} iterations, SciPy {right:.4f}")
    return b, int(found.state.iter_num), right


b, steps, right = fitted(1.0)
assert abs(b - right) < 1e-3 and steps > 3
b, steps, right = fitted(1e-3)
assert abs(b - right) > 0.1 and steps == 1
b, steps, right = fitted(1e-3, tol=1e-9)
assert abs(b - right) < 1e-2
PROGRAM
env/bin/python program.py
