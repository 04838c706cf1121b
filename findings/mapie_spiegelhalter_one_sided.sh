#!/usr/bin/env bash
# mapie 1.6.0: `spiegelhalter_p_value` looks to one side; probabilities that are too timid pass the test of calibration with p = 1.
#
# The statistic is standard normal under calibration, and departs below zero where probabilities are too near to a half. The p-value is
# that of values above alone, so that such a model looks better calibrated than a calibrated one; too bold ones are found. The
# Kolmogorov-Smirnov and Kuiper tests beside it reject both.
# Guessed before the run: 2 (1 - Phi(|z|)), small for either.
# Seen (Python 3.11): 5,000 samples, logits halved: z = -18.7, p = 1; doubled: z = 30.1, p = 0, and -2e-11 by Kolmogorov-Smirnov.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet mapie==1.6.0 scikit-learn==1.8.0 numpy==2.4.6 scipy==1.17.1
cat >program.py <<'PROGRAM'
import numpy as np
from mapie.metrics.calibration import kolmogorov_smirnov_p_value, spiegelhalter_p_value, spiegelhalter_statistic
from scipy.stats import norm

rng = np.random.default_rng(0)
logits = 2 * rng.normal(size=5000)
y = (rng.uniform(size=5000) < 1 / (1 + np.exp(-logits))).astype(int)
found = {}
for name, factor in (("timid", 0.5), ("right", 1.0), ("bold", 2.0)):
    p = 1 / (1 + np.exp(-factor * logits))
    z = ((y - p) * (1 - 2 * p)).sum() / np.sqrt(((1 - 2 * p) ** 2 * p * (1 - p)).sum())
    assert np.isclose(spiegelhalter_statistic(y, p), z)
    found[name] = spiegelhalter_p_value(y, p), 2 * norm.sf(abs(z)), kolmogorov_smirnov_p_value(y, p)
    print(name, f"z = {z:.2f}; p-values: mapie {found[name][0]:.2g}, two-sided {found[name][1]:.2g}, KS {found[name][2]:.2g}")
assert found["timid"][0] > 0.999 and found["timid"][1] < 1e-6
assert found["bold"][0] < 1e-6 and found["right"][1] > 0.01
PROGRAM
env/bin/python program.py
