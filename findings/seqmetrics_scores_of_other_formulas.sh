#!/usr/bin/env bash
# SeqMetrics 2.0.0: four scores are not the formulas of their docstrings; Legates' efficiency mixes squares and absolute values.
#
# `legates_coeff_eff` divides squared errors by absolute differences, so that it depends on the unit: of the same data in metres and millimetres it
# is 0.9998 or -247. `mre` leaves out the absolute value, `kl_divergence` changes the two distributions over, and `mda` compares the step
# of the truth with prediction less truth.
# Guessed before the run: the formulas of the docstrings.
# Seen (NumPy 2.0): Legates' 0.75 (0.60 by the formula, and by `lm_index`), mre -0.057 (0.143), mda 0.949 (0.966), divergence 0.00764 (0.00791).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet SeqMetrics==2.0.0 numpy==2.0.1 scipy==1.15.3
cat >program.py <<'PROGRAM'
import numpy as np
import SeqMetrics as sm

rng = np.random.default_rng(0)
t = rng.gamma(3, size=60) + 1
p = 1.1 * t + 0.5 * rng.normal(size=60)
legates = 1 - abs(t - p).sum() / abs(t - t.mean()).sum()
for unit in (1e-3, 1, 1e3):
    found = sm.legates_coeff_eff(unit * t, unit * p)
    print(f"legates_coeff_eff in units of {unit:g}: {found:.4g}, by the docstring {legates:.4f}, lm_index {sm.lm_index(unit * t, unit * p):.4f}")
    assert np.isclose(sm.lm_index(unit * t, unit * p), legates)
    assert np.isclose(found, 1 - unit * ((t - p) ** 2).sum() / abs(p - t.mean()).sum())
q, r = t / t.sum(), p / p.sum()
others = {
    "mre": (sm.mre(t, p), abs((t - p) / t).mean()),
    "kl_divergence": (sm.kl_divergence(t, p), (q * np.log(q / r)).sum()),
    "mda": (sm.mda(t, p), (np.sign(np.diff(t)) == np.sign(np.diff(p))).mean()),
}
for name, (found, documented) in others.items():
    print(f"{name}: {found:.6f}, by the docstring {documented:.6f}")
    assert not np.isclose(found, documented, rtol=1e-4)
assert np.isclose(others["kl_divergence"][0], (r * np.log(r / q)).sum())
assert np.isclose(others["mda"][0], (np.sign(np.diff(t)) == np.sign(p[1:] - t[:-1])).mean())
PROGRAM
env/bin/python program.py
