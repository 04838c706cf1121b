#!/usr/bin/env bash
# blitz-bayesian-pytorch 0.2.8: the density of the prior has 1e-6 added, so that far weights feel no prior.
#
# Beyond five deviations the logarithm stays at log(1e-6), and its slope vanishes: with the default deviation of 0.1 weights from 0.6 on
# are free, and the divergence that is reported is too small.
# Guessed before the run: log q - log p has the closed form of two Gaussians as its mean.
# Seen (Python 3.11, PyTorch 2.13.0): one weight, posterior N(mean, 0.1^2), prior N(0, 0.1^2): mean 0.2: 2.03 for 2.00, slope 20.1 for
# 20; mean 1: 14.7 for 50.0, slope 0.00 for 100.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet torch==2.13.0 numpy==2.4.6
env/bin/pip install --quiet --no-deps blitz-bayesian-pytorch==0.2.8
cat >program.py <<'PROGRAM'
import numpy as np
import torch
from blitz.modules import BayesianLinear

torch.manual_seed(0)
deviation = 0.1
layer = BayesianLinear(1, 1, bias=False, prior_sigma_1=deviation, prior_pi=1.0)


def divergence(mean, draws=4000):
    """Mean of log q - log p over draws, and its derivative by the posterior's mean."""
    with torch.no_grad():
        layer.weight_mu.fill_(mean)
        layer.weight_rho.fill_(np.log(np.expm1(deviation)))
    layer.weight_sampler.mu.grad = None
    total = 0.0
    for _ in range(draws):
        layer(torch.ones(1, 1))
        total = total + layer.log_variational_posterior - layer.log_prior
    (total / draws).backward()
    return total.item() / draws, layer.weight_sampler.mu.grad.item()


for mean in (0.2, 1.0):
    closed, slope = mean**2 / (2 * deviation**2), mean / deviation**2
    told, gradient = divergence(mean)
    print(f"mean {mean}: divergence {told:.3f}, closed form {closed:.3f}; slope {gradient:.3f}, closed form {slope:.1f}")
    if mean == 0.2:
        assert abs(told / closed - 1) < 0.1 and abs(gradient / slope - 1) < 0.1
    else:
        assert told < 20 and abs(gradient) < 1
PROGRAM
env/bin/python -W ignore program.py
