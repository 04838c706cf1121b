#!/usr/bin/env bash
# thinc 9.1.1: `get_loss` is the sum of squares of the gradient, which for CategoricalCrossentropy is no cross-entropy.
#
# Its gradient, p - y over the number of samples N, is that of its name. The value is the sum of (p - y)^2 / N^2: it halves when the
# same batch is given twice, and a class that is given the probability 1e-9 costs what one of 1e-3 costs. L2Distance, normalised as by
# default, has the N^2 too: its value and its gradient are of two functions.
# Guessed before the run: values whose derivatives are the gradients.
# Seen (NumPy 2.4.6): both losses of a doubled batch are half; the cross-entropy is 1.85 (formula), `get_loss` gives 0.21.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet thinc==9.1.1 numpy==2.4.6
cat >program.py <<'PROGRAM'
import numpy as np
from thinc.api import CategoricalCrossentropy, L2Distance

rng = np.random.default_rng(0)
logits = rng.normal(size=(5, 3))
P = (np.exp(logits) / np.exp(logits).sum(1, keepdims=True)).astype("f")
labels = np.array([0, 1, 2, 1, 0])
Y = np.eye(3, dtype="f")[labels]
for loss, target, formula in (
    (CategoricalCrossentropy(), labels, -np.log(P[np.arange(5), labels]).mean()),
    (L2Distance(), Y, ((P - Y) ** 2).sum(1).mean()),
):
    value = float(loss.get_loss(P, target))
    twice = float(loss.get_loss(np.concatenate([P, P]), np.concatenate([target, target])))
    gradient = loss.get_grad(P, target)
    print(type(loss).__name__, "formula", formula, "get_loss", value, "of the batch twice", twice)
    assert np.allclose(gradient, (P - Y) / 5, atol=1e-6)
    assert np.isclose(value, (gradient**2).sum(), rtol=1e-5) and np.isclose(twice, value / 2, rtol=1e-5)
bad = [float(CategoricalCrossentropy().get_loss(np.array([[p, 1 - p]], "f"), np.array([0]))) for p in (1e-3, 1e-9)]
print("true class at 1e-3 and 1e-9:", *bad)
assert bad[1] / bad[0] < 1.01
PROGRAM
env/bin/python program.py
