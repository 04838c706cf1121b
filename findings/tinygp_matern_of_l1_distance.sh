#!/usr/bin/env bash
# tinygp 0.3.1: Matern and exponential kernels are functions of the sum of |differences|, the squared exponential of the Euclidean distance.
#
# In one dimension there is no difference. In several, `Matern32(scale)` is another model than that of this name in scikit-learn, GPy or
# GPflow: not invariant under rotations of the inputs, with another length scale and log likelihood. `distance=L2Distance()` asks for
# the usual one; the reference of the class tells its default.
# Guessed before the run: functions of the Euclidean distance, as ExpSquared in the same module is.
# Seen (jax 0.10.2): points (3, 4) apart, scale 5: Matern32 0.303, Euclidean 0.483, which is scikit-learn's; ExpSquared 0.607 in both.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet tinygp==0.3.1 jax==0.10.2 jaxlib==0.10.2 scikit-learn==1.8.0 numpy==2.4.6
cat >program.py <<'PROGRAM'
import jax
import jax.numpy as jnp
import numpy as np
from sklearn.gaussian_process.kernels import RBF, Matern
from tinygp import kernels
from tinygp.kernels.distance import L2Distance

jax.config.update("jax_enable_x64", True)
a, b = jnp.zeros(2), jnp.array([3.0, 4.0])
others = {"Exp": Matern(5.0, nu=0.5), "Matern32": Matern(5.0, nu=1.5), "Matern52": Matern(5.0, nu=2.5), "ExpSquared": RBF(5.0)}
for name, other in others.items():
    kernel = getattr(kernels, name)
    found, usual = float(kernel(scale=5.0).evaluate(a, b)), float(other(np.array([a]), np.array([b]))[0, 0])
    euclidean = float(kernel(scale=5.0, distance=L2Distance()).evaluate(a, b))
    line = float(kernel(scale=5.0).evaluate(jnp.zeros(2), jnp.array([7.0, 0.0])))  # as far by the sum, along an axis
    print(f"{name}: {found:.4f}, scikit-learn {usual:.4f}, with L2Distance {euclidean:.4f}, 7 along an axis {line:.4f}")
    assert np.isclose(euclidean, usual)
    assert np.isclose(found, usual) == (name == "ExpSquared")
    assert np.isclose(found, line) == (name != "ExpSquared")
PROGRAM
env/bin/python program.py
