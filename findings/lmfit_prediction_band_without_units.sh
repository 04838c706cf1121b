#!/usr/bin/env bash
# lmfit 1.3.4: `dely_predicted`, the band for new data, adds the reduced chi-square to the variance as if it were that of y.
#
# Of a fit with weights 1 / sigma, the reduced chi-square is about 1 and has no unit; the band is then about t times 1 in whatever unit y has,
# too wide for small errors and too narrow for large ones. Without weights it is right. The manual describes just this sum, as "the
# expected range in the data"; `dely`, the band of the model, is right in both cases.
# Guessed before the run: the variance of the model plus sigma^2 times the reduced chi-square, holding 95 % of new data.
# Seen (NumPy 2.4): errors of 0.01: 100 % of new data inside a band 94 times as wide as it should be; errors of 10: 49 % inside.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet lmfit==1.3.4 numpy==2.4.6 scipy==1.17.1
cat >program.py <<'PROGRAM'
import numpy as np
from lmfit.models import LinearModel
from scipy.stats import t

rng = np.random.default_rng(0)
x, n = np.linspace(0, 10, 30), 30
for sigma in (0.01, 1.0, 10.0):
    truth = 2 * x + 1
    inside = {}
    for weights in (None, np.full(n, 1 / sigma)):
        fit = LinearModel().fit(truth + sigma * rng.normal(size=n), x=x, slope=1.0, intercept=0.0, weights=weights)
        fit.eval_uncertainty(sigma=0.95)
        scatter = sigma if weights is not None else 1.0
        right = np.sqrt(fit.dely**2 + t.ppf(0.975, n - 2) ** 2 * fit.redchi * scatter**2)
        new = truth + sigma * rng.normal(size=(2000, n))
        share = [(abs(new - fit.best_fit) <= band).mean() for band in (fit.dely_predicted, right)]
        inside[weights is None] = share
        print(f"sigma {sigma}, {'no ' if weights is None else ''}weights: band {fit.dely_predicted[0] / right[0]:.3f} of the formula's;", end=" ")
        print(f"inside {share[0]:.3f}, by the formula {share[1]:.3f}")
    assert all(0.88 < share[1] < 0.99 for share in inside.values())
    assert np.isclose(*inside[True])
    if sigma != 1:
        assert inside[False][0] == 1 if sigma < 1 else inside[False][0] < 0.7
PROGRAM
env/bin/python program.py
