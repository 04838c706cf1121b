#!/usr/bin/env bash
# bayesian-torch 0.5.0: the KL divergence of a layer is a mean over its weights, and `prior_variance` is a standard deviation.
#
# The evidence bound needs the sum: here a layer of a million weights has as much to say as one of ten, and dividing by the number of
# samples, as the examples do, weighs the prior down by the number of weights besides. Weights and biases are averaged apart and added.
# Guessed before the run: the sum over all weights, for a prior of the variance that is given.
# Seen (Python 3.11, PyTorch 2.13.0): 3 inputs, 2 outputs, prior_variance 0.5: closed form of variance 0.5: 3.52; `kl_loss()`
# 0.413, which is mean plus mean for the standard deviation 0.5; Flipout layers alike.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet torch==2.13.0 numpy==2.4.6
env/bin/pip install --quiet --no-deps bayesian-torch==0.5.0
cat >program.py <<'PROGRAM'
import torch
from bayesian_torch.layers import LinearFlipout, LinearReparameterization
from torch.distributions import Normal, kl_divergence

torch.manual_seed(0)


def closed(layer, deviation):
    """Divergence of the posterior from N(0, deviation^2), weight by weight: weights, biases."""
    pairs = ((layer.mu_weight, layer.rho_weight), (layer.mu_bias, layer.rho_bias))
    return [kl_divergence(Normal(mu, torch.nn.functional.softplus(rho)), Normal(0.0, deviation)) for mu, rho in pairs]


for kind in (LinearReparameterization, LinearFlipout):
    layer = kind(3, 2, prior_mean=0.0, prior_variance=0.5, posterior_mu_init=0.0, posterior_rho_init=-1.0)
    told = layer.kl_loss().item()
    right = sum(part.sum().item() for part in closed(layer, 0.5**0.5))
    means = sum(part.mean().item() for part in closed(layer, 0.5))
    print(f"{kind.__name__}: kl_loss {told:.4f}, closed form {right:.4f}, means for a deviation of 0.5 {means:.4f}")
    assert abs(told - means) < 1e-5 and right > 3 * told
PROGRAM
env/bin/python -W ignore program.py
