#!/usr/bin/env bash
# optax 0.2.8: `second_order.fisher_diag`, the diagonal of the observed Fisher information, is the square of the summed gradient.
#
# The information is the sum over samples of squared gradients (or the curvature); the square of their sum vanishes at the very
# maximum of the likelihood at which it is asked for. The function is deprecated, and ends with 0.2.9.
# Guessed before the run: the sum of the squares of the samples' gradients.
# Seen (Python 3.11, JAX 0.10.2): 200 samples of N(3, 1), mean as the parameter: information 200, sum of squares about 200;
# fisher_diag at the sample mean 0.0, at 2.9 about 400.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet optax==0.2.8 jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6
cat >program.py <<'PROGRAM'
import jax
import jax.numpy as jnp
import numpy as np
from optax.second_order import fisher_diag, hessian_diag

jax.config.update("jax_enable_x64", True)
targets = jnp.array(np.random.default_rng(0).normal(3.0, 1.0, size=200))


def loss(params, inputs, targets):
    """Minus the log-likelihood of a mean, up to a constant."""
    return ((targets - params["mean"]) ** 2).sum() / 2


def values(mean):
    params = {"mean": jnp.array(mean)}
    squares = ((targets - mean) ** 2).sum()  # of the gradients of single samples
    curvature = hessian_diag(loss, params, targets, targets)[0]
    return float(fisher_diag(loss, params, targets, targets)[0]), float(squares), float(curvature)


best = float(targets.mean())
for mean in (best, best - 0.1):
    fisher, squares, curvature = values(mean)
    print(f"mean {mean:.3f}: fisher_diag {fisher:.3g}, sum of squares {squares:.1f}, curvature {curvature:.1f}")
    assert 150 < squares < 250 and np.isclose(curvature, 200)
    assert np.isclose(fisher, (200 * (mean - best)) ** 2, atol=1e-6)
PROGRAM
env/bin/python -W ignore program.py
