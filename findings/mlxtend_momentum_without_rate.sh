#!/usr/bin/env bash
# mlxtend 0.25.0: momentum of MultiLayerPerceptron adds the last gradient without its learning rate, and `l1` changes no step.
#
# With rate 0.001 and momentum 0.5 the momentum is 500 times the gradient's share of a step. The L1 penalty is part of the cost that
# is reported, and of no gradient. `decrease_const`, said to give eta / (1 + d t), divides again at each epoch: eta / (1 + d)(1 + 2 d)...
# Guessed before the run: step = -eta g - momentum eta g_last; smaller weights under l1; eta / (1 + d t).
# Seen (Python 3.11, NumPy 2.4.6), full batches: the second step is -eta g - momentum g_last to 1e-12; weights with l1 = 0 and 10
# equal to the bit, costs not; the sixth step with d = 1 is 745 times shorter, where 1 + 5 is 6 and 2 x 3 x 4 x 5 x 6 is 720.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet mlxtend==0.25.0 numpy==2.4.6 scipy==1.17.1 scikit-learn==1.8.0
cat >program.py <<'PROGRAM'
import numpy as np
from mlxtend.classifier import MultiLayerPerceptron

rng = np.random.default_rng(0)
X, y = rng.normal(size=(30, 3)), rng.integers(0, 3, 30)
eta = 1e-3


def weights(epochs, eta=eta, **options):
    """Flat weights after full-batch epochs, and the last cost; the start is always the same."""
    model = MultiLayerPerceptron(hidden_layers=[4], epochs=epochs, eta=eta, minibatches=1, random_seed=0, **options)
    model.fit(X, y)
    return np.concatenate([np.ravel(model.w_[name]) for name in ("1", "out")]), model.cost_[-1]


start = weights(1, eta=1e-300)[0]
one, two = weights(1)[0], weights(2)[0]
g_first, g_second = (start - one) / eta, (one - two) / eta  # the first steps of both are the same
step = weights(2, momentum=0.5)[0] - one
print("momentum over rate times gradient:", np.linalg.norm(step + eta * g_second) / np.linalg.norm(0.5 * eta * g_first))
assert np.allclose(step, -eta * g_second - 0.5 * g_first, atol=1e-12)

(plain, cost), (penalised, cost_l1) = weights(5), weights(5, l1=10.0)
print("l1: weights equal:", np.array_equal(plain, penalised), "costs:", cost, cost_l1)
assert np.array_equal(plain, penalised) and cost_l1 > 2 * cost

last = weights(6, decrease_const=1.0)[0] - weights(5, decrease_const=1.0)[0]
full = weights(1)[0] - start  # nearly the same gradient, as all steps are short
ratio = np.linalg.norm(full) / np.linalg.norm(last)
print(f"epoch 5: rate divided by {ratio:.0f}")
assert 600 < ratio < 850
PROGRAM
env/bin/python program.py
