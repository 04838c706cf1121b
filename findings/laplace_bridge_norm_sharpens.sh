#!/usr/bin/env bash
# laplace-torch 0.3: with link_approx="bridge_norm" class probabilities go to 0 and 1 as samples are added, whatever the network says.
#
# The four links are approximations of one integral, so that the documentation of the call offers them side by side. This one divides
# logits by the mean variance's square root, from both sides of 1: where the posterior is narrow (much data, a strong prior) it magnifies
# them, and the surest posterior gives the most extreme answer. Only "bridge" and "mc" come near the network's own softmax.
# Guessed before the run: some per cent between the links, and all of them at the softmax of the fit as the posterior shrinks.
# Seen (torch 2.13.0): three classes, softmax regression, probabilities near 0.58, 0.21, 0.21; 100 samples: 0.96, 1000: 0.9999,
# 10,000: 1 - 1e-18. Sampling ("mc") is within 0.02 of the softmax.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet torch==2.13.0 laplace-torch==0.3 torchmetrics==1.9.0 curvlinops-for-pytorch==3.0.1 numpy==2.4.6
env/bin/pip uninstall --quiet --yes torchvision # comes along, is not needed, and may be built for another torch
cat >program.py <<'PROGRAM'
import torch
from laplace import Laplace
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.set_default_dtype(torch.float64)
point = torch.tensor([[1.0, 0.0]])


def probabilities(samples):
    """Of the first class at a point: softmax of the fit, and by each link of the Laplace approximation around it."""
    torch.manual_seed(0)
    X = torch.randn(samples, 2)
    y = torch.distributions.Categorical(logits=torch.stack([X[:, 0], X[:, 1], 0 * X[:, 0]], 1)).sample()
    net = nn.Sequential(nn.Linear(2, 3))
    optimizer = torch.optim.LBFGS(net.parameters(), max_iter=200)

    def closure():
        optimizer.zero_grad()
        value = nn.functional.cross_entropy(net(X), y, reduction="sum") + sum((p**2).sum() for p in net.parameters()) / 2
        value.backward()
        return value

    optimizer.step(closure)
    laplace = Laplace(net, "classification", subset_of_weights="all", hessian_structure="full")
    laplace.fit(DataLoader(TensorDataset(X, y), batch_size=100))
    links = {link: laplace(point, link_approx=link, n_samples=20_000)[0, 0].item() for link in ("mc", "bridge", "bridge_norm")}
    return {"softmax": torch.softmax(net(point), 1)[0, 0].item(), **links}


for samples, least in ((100, 0.9), (1000, 0.999), (10_000, 1 - 1e-12)):
    found = probabilities(samples)
    print(samples, *(f"{name} {value:.5f}" for name, value in found.items()))
    assert abs(found["mc"] - found["softmax"]) < 0.03 and found["bridge_norm"] > least
PROGRAM
env/bin/python program.py
