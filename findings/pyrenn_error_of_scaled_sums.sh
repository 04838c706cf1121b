#!/usr/bin/env bash
# pyrenn 0.1: the error of `train_LM`, by which `E_stop` ends training, is a sum of squares of targets divided by their largest size.
#
# It grows with the number of samples and has no units: targets 1000 times larger give the same. Documented is a "termination error". The
# history lacks the error of the weights that are returned: its last entry is that of the step before.
# Guessed before the run: the mean squared error, in units of the targets, the last entry that of the network.
# Seen (Python 3.11, NumPy 1.26.4): twice the samples: twice the first entry; targets times 1000: the same; the scaled sum of a
# network is the first entry of the next training, to 1e-9.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet pyrenn==0.1 numpy==1.26.4 pandas==2.2.3
cat >program.py <<'PROGRAM'
import numpy as np
import pyrenn

P = np.random.default_rng(0).normal(size=(2, 50))
T = np.sin(P[:1]) * P[1:]


def errors(P, T):
    """History, and mean and scaled sum of squared errors of the network that comes back."""
    np.random.seed(0)  # for the first weights
    net = pyrenn.train_LM(P, T, pyrenn.CreateNN([2, 4, 1]), verbose=False, k_max=5)
    history, residuals = np.array(net["ErrorHistory"]), pyrenn.NNOut(P, net) - T
    scaled = ((residuals / np.abs(T).max()) ** 2).sum()
    again = pyrenn.train_LM(P, T, net, verbose=False, k_max=1)["ErrorHistory"][0]
    assert np.isclose(again, scaled, rtol=1e-9)
    return history, (residuals**2).mean(), scaled


once = errors(P, T)
twice = errors(np.hstack([P, P]), np.hstack([T, T]))
large = errors(P, 1000 * T)
for name, (history, mean, scaled) in (("once", once), ("twice", twice), ("times 1000", large)):
    print(f"{name}: history {history.round(4)}, network: mean {mean:.4g}, scaled sum {scaled:.4g}")
assert np.isclose(twice[0][0], 2 * once[0][0]) and np.allclose(large[0], once[0], rtol=1e-3)
assert all(scaled < 0.95 * history[-1] for history, _, scaled in (once, twice, large))
PROGRAM
env/bin/python program.py
