#!/usr/bin/env bash
# hummingbird-ml 0.4.12: a scikit-learn MLPClassifier of several labels is converted with a softmax over the labels, and one answer.
#
# Where each label has a logistic output of its own, the converted network shares 1 among them, and `predict` names the largest one. There
# is no message; the list of supported operators names MLPClassifier without conditions. One label per sample is right. Doubles come back
# as float32, with its rounding.
# Guessed before the run: probabilities and labels of the estimator, in double precision.
# Seen (scikit-learn 1.8.0, torch 2.13.0): 0.55, 0.21, 0.96 becomes 0.05, 0.01, 0.94; labels [1, 0, 1] become [2], of shape (n,) where
# the estimator has (n, 3).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet torch==2.13.0 hummingbird-ml==0.4.12 scikit-learn==1.8.0 numpy==2.4.6
cat >program.py <<'PROGRAM'
import warnings

import numpy as np
from hummingbird.ml import convert
from sklearn.neural_network import MLPClassifier

warnings.simplefilter("ignore")  # that training ends at max_iter
X = np.random.default_rng(0).normal(size=(200, 3))


def compared(y):
    model = MLPClassifier(hidden_layer_sizes=(8,), max_iter=1000, random_state=0).fit(X, y)
    converted = convert(model, "torch", X)
    P, Q = model.predict_proba(X), converted.predict_proba(X)
    print("row of the estimator", P[0], "of the converted one", Q[0], Q.dtype, "labels", model.predict(X[:1]), converted.predict(X[:1]))
    return P, Q, converted.predict(X)


P, Q, labels = compared(np.digitize(X[:, 0], [-0.5, 0.5]))
assert np.allclose(P, Q, atol=1e-6) and Q.dtype == np.float32

P, Q, labels = compared((X > 0).astype(int))
logits = np.log(P / (1 - P))
softmax = np.exp(logits - logits.max(1, keepdims=True))
softmax /= softmax.sum(1, keepdims=True)
assert np.allclose(Q, softmax, atol=1e-4) and np.abs(P - Q).max() > 0.5
assert labels.shape == (200,) and (labels == P.argmax(1)).all()
PROGRAM
env/bin/python program.py
