#!/usr/bin/env bash
# pygam 0.12.0: the scale that GammaGAM and InvGaussGAM estimate is the square root of the dispersion, and is then used as the dispersion.
#
# The fit reports Pearson's chi-square over the residual degrees of freedom to the power of a half, which is the standard deviation of normal
# responses. The gamma and inverse Gaussian densities take it for phi in var = phi mu^2 or phi mu^3: samples, the log likelihood
# and AIC follow. The predicted mean is right. The reference calls it the scale or standard deviation of the distribution.
# Guessed before the run: the estimate is phi, and samples scatter as the data do.
# Seen (SciPy 1.15.3): gamma data of coefficient of variation 0.5 (phi = 0.25): scale 0.49; samples of the fit scatter by 0.69, the data by 0.48.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet pygam==0.12.0 numpy==2.0.1 scipy==1.15.3
cat >program.py <<'PROGRAM'
import numpy as np
from pygam import GammaGAM, InvGaussGAM, LinearGAM, s

rng = np.random.default_rng(0)
np.random.seed(0)  # samples come from NumPy's global generator
x = rng.uniform(size=(400, 1))
mean = np.exp(np.sin(6 * x[:, 0]))
data = {
    LinearGAM: (mean + 0.3 * rng.normal(size=400), 0.3**2),
    GammaGAM: (rng.gamma(4, mean / 4), 1 / 4),
    InvGaussGAM: (rng.wald(mean, 5), 1 / 5),
}
for model, (y, dispersion) in data.items():
    fit = model(s(0)).fit(x, y)
    scale = fit.distribution.scale
    print(f"{model.__name__}: dispersion of the data {dispersion:.2f}, its root {dispersion**0.5:.2f}, scale {scale:.3f}")
    assert abs(scale / dispersion**0.5 - 1) < 0.12
    if model is GammaGAM:
        fitted = fit.predict(x)
        drawn = np.array([fit.distribution.sample(fitted) for _ in range(50)])
        of_samples, of_data = (drawn / fitted).std(), (y / fitted).std()
        print(f"coefficient of variation: data {of_data:.2f}, samples {of_samples:.2f}, root of the scale {scale**0.5:.2f}")
        assert abs(of_data - 0.5) < 0.06 and abs(of_samples - scale**0.5) < 0.06 and of_samples > 0.64
PROGRAM
env/bin/python program.py
