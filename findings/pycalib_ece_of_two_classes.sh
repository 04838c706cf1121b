#!/usr/bin/env bash
# pycalib 0.1.0.dev6: `metrics.ECE` of two classes pairs the probabilities of one sample with the label of another.
#
# By default all probabilities are put in one list, class beside class, and all labels in another; for two classes the list of labels has
# one entry per sample instead of two, so that from the second sample on the pairs are wrong, and the second half is left out. The value
# is large for perfectly calibrated probabilities, and there is no message. Three classes, and `ece_full=False` or `conf_ECE`, are right.
# Guessed before the run: sum over bins of |share of hits - mean probability| n_b / n over the probabilities of all classes.
# Seen (Python 3.11): calibrated probabilities, 20,000 samples, 10 bins: two classes 0.12, by the formula 0.0075; three: equal.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet pycalib==0.1.0.dev6 numpy==1.26.4 scipy==1.13.1 scikit-learn==1.5.2
cat >program.py <<'PROGRAM'
import numpy as np
from pycalib.metrics import ECE, conf_ECE

rng = np.random.default_rng(0)


def formula(p, hit, bins=10):
    place = np.minimum((p * bins).astype(int), bins - 1)
    return sum(abs(hit[place == k].sum() - p[place == k].sum()) for k in range(bins)) / len(p)


found = {}
for classes in (2, 3):
    P = rng.dirichlet(np.ones(classes), 20_000)
    y = (rng.uniform(size=(len(P), 1)) > P.cumsum(1)).sum(1)  # so that P is right
    hits = np.eye(classes)[y]
    all_classes, wanted = ECE(y, P, bins=10), formula(P.ravel(), hits.ravel())
    top, wanted_top = conf_ECE(hits, P, bins=10), formula(P.max(1), P.argmax(1) == y)
    print(f"{classes} classes: ECE {all_classes:.4f}, formula {wanted:.4f}; conf_ECE {top:.4f}, formula {wanted_top:.4f}")
    assert np.isclose(top, wanted_top) and np.isclose(ECE(y, P, bins=10, ece_full=False), wanted_top)
    found[classes] = all_classes, wanted
assert np.isclose(*found[3])
assert found[2][0] > 0.1 and found[2][1] < 0.01
PROGRAM
env/bin/python program.py
