#!/usr/bin/env bash
# captum 0.9.0: DeepLift of a network with GELU, SiLU, Mish, SELU, Hardtanh ... is gradient times input difference there, and says nothing.
#
# Attributions have to sum to f(x) - f(baseline). The rule that makes them do so is applied to modules in a table: ReLU, ELU, LeakyReLU,
# Sigmoid, Tanh, Softplus. Others keep their derivative at x. captum's documentation says that a limited number of activations is
# supported, names none, and there is no message; its LRP raises an error for a module without a rule.
# Guessed before the run: the sum is right for every activation, or there is an error.
# Seen (torch 2.13.0, double precision): the six agree to 1e-12, eight others are off by a tenth of the difference up to all of it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet torch==2.13.0 captum==0.9.0 numpy==2.4.6
cat >program.py <<'PROGRAM'
import warnings

import torch
from captum.attr import DeepLift
from torch import nn

warnings.simplefilter("ignore")  # that hooks and requires_grad are set, for all activations alike
torch.set_default_dtype(torch.float64)


def gap(activation):
    """Largest | sum of attributions - (f(x) - f(0)) |, and the largest difference."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 6), activation(), nn.Linear(6, 1))
    x = torch.randn(5, 3)
    difference = (net(x) - net(torch.zeros_like(x))).squeeze(1)
    sums = DeepLift(net).attribute(x, torch.zeros_like(x)).sum(1)
    return (sums - difference).abs().max().item(), difference.abs().max().item()


known = [nn.ReLU, nn.ELU, nn.LeakyReLU, nn.Sigmoid, nn.Tanh, nn.Softplus]
unknown = [nn.GELU, nn.SiLU, nn.Mish, nn.SELU, nn.Softsign, nn.Hardtanh, nn.Hardswish, nn.Tanhshrink]
for activation in known + unknown:
    wrong, of = gap(activation)
    print(f"{activation.__name__}: off by {wrong:.1e} of {of:.2f}")
    assert wrong < 1e-12 if activation in known else wrong > 0.02 * of
PROGRAM
env/bin/python program.py
