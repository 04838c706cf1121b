#!/usr/bin/env bash
# neurolab 0.3.5: with `rr`, SciPy's minimizers get a penalised gradient, and the objective without the penalty.
#
# The penalised value is computed and dropped: line searches compare values of one function with slopes of another.
# Guessed before the run: both with the penalty, so that a stronger one ends at smaller weights.
# Seen (NumPy 1.26.4, SciPy 1.13.1): the value is the same to the bit for rr = 0 and 0.5, the gradient is not.
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

rng = np.random.default_rng(0)
X = rng.uniform(-1, 1, (30, 2))
T = np.sin(2 * X[:, :1]) * X[:, 1:]
net = neurolab.net.newff([[-1, 1], [-1, 1]], [4, 1], [neurolab.trans.TanSig(), neurolab.trans.PureLin()])
free, penalised = (TrainBFGS(net, X, T, rr=rr) for rr in (0.0, 0.5))
for training in (free, penalised):
    training.error = lambda net, X, T: net.errorf(T, net.sim(X))  # as the trainer's own
start = free.x.copy()
values = free.fcn(start), penalised.fcn(start)
gradients = free.grad(start).copy(), penalised.grad(start).copy()
print("values", values, "norms of the gradients", *(np.linalg.norm(g) for g in gradients))
assert values[0] == values[1]
assert np.linalg.norm(gradients[0] - gradients[1]) > 0.01 * np.linalg.norm(gradients[0])
PROGRAM
env/bin/python program.py
