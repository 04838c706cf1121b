#!/usr/bin/env bash
# river 0.26.1: the regression loss EpsilonInsensitiveHinge maps each target y to 2 y - 1, so that a model learns 2 y - 1.
#
# The map is that of labels 0 and 1 to -1 and 1, which the loss of classifiers needs; this one is documented for regression, where it
# doubles every coefficient and shifts the intercept. There is no message: the loss of a right prediction is |y - 1| - eps.
# Guessed before the run: max(|y - t| - eps, 0), so that the line is found as by the absolute error.
# Seen (Python 3.11): y = 10 + 3 a - 2 b without noise, 20,000 steps of SGD: squared and absolute error end at 10, 3, -2;
# EpsilonInsensitiveHinge at 19, 6, -4. Its value for prediction and target 10 is 8.9.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet river==0.26.1 numpy==2.4.6
cat >program.py <<'PROGRAM'
import numpy as np
from river import linear_model, optim


def fitted(loss):
    rng = np.random.default_rng(0)
    model = linear_model.LinearRegression(optimizer=optim.SGD(0.01), intercept_lr=0.01, loss=loss)
    for a, b in rng.normal(size=(20_000, 2)):
        model.learn_one({"a": a, "b": b}, 10 + 3 * a - 2 * b)
    return model.intercept, model.weights["a"], model.weights["b"]


losses = optim.losses
found = {loss: fitted(getattr(losses, loss)()) for loss in ("Squared", "Absolute", "EpsilonInsensitiveHinge")}
for loss, numbers in found.items():
    print(loss, *(f"{number:.3f}" for number in numbers))
value = losses.EpsilonInsensitiveHinge(eps=0.1)(10.0, 10.0)
print("loss of a right prediction of 10:", value)
assert np.allclose(found["Squared"], [10, 3, -2], atol=0.05) and np.allclose(found["Absolute"], [10, 3, -2], atol=0.05)
assert np.allclose(found["EpsilonInsensitiveHinge"], [19, 6, -4], atol=0.05) and np.isclose(value, 8.9)
PROGRAM
env/bin/python program.py
