#!/usr/bin/env bash
# neurolab 0.3.5: SciPy's minimizers get the mean squared error of N samples, and N times its gradient.
#
# `train_bfgs`, `train_cg` and `train_ncg` hand `MSE` over whole, but sum its derivatives sample by sample, each divided by
# the number of outputs alone: line searches measure slopes that are N times too steep (`SSE`, the default, agrees).
# Guessed before the run: function and gradient agree, as nobody could train otherwise.
# Seen (NumPy 1.26.4, SciPy 1.13.1): N = 4, 20, 100: gradient over differences is N for MSE, MAE and CEE, 1 for SSE.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet neurolab==0.3.5 numpy==1.26.4 scipy==1.13.1
cat >program.py <<'PROGRAM'
import neurolab
import numpy as np
from neurolab.train.spo import TrainBFGS


def ratio(error, n_samples):
    rng = np.random.default_rng(0)
    X, T = rng.uniform(-1, 1, (n_samples, 2)), rng.uniform(0.2, 0.8, (n_samples, 1))
    layers = [neurolab.trans.TanSig(), neurolab.trans.LogSig()]
    net = neurolab.net.newff([[-1, 1], [-1, 1]], [3, 1], layers)
    net.errorf = error
    training = TrainBFGS(net, X, T)
    training.error = lambda net, X, T: net.errorf(T, net.sim(X))  # as the trainer's own
    start, direction = training.x.copy(), rng.normal(size=training.x.size)
    slope = (training.fcn(start + 1e-6 * direction) - training.fcn(start - 1e-6 * direction)) / 2e-6
    return training.grad(start) @ direction / slope


for error in (neurolab.error.SSE(), neurolab.error.MSE(), neurolab.error.MAE(), neurolab.error.CEE()):
    found = [ratio(error, n) for n in (4, 20, 100)]
    print(type(error).__name__, [f"{value:.3f}" for value in found])
    expected = [1, 1, 1] if isinstance(error, neurolab.error.SSE) else [4, 20, 100]
    assert np.allclose(found, expected, rtol=1e-3)
PROGRAM
env/bin/python program.py
