#!/usr/bin/env bash
# torch-levenberg-marquardt 1.2.3 (torch 2.13.0): one sample that is already predicted perfectly ends the training of all.
#
# Losses other than the squared error are made residuals by their square root, whose derivative at 0 is infinite. Where a
# sample's cross-entropy rounds to 0, or a Huber loss has no error, the whole step is not finite; it is tried again with more damping
# until the damping is at its bound, which counts as the end of the training. Nothing is raised.
# Guessed before the run: such a sample adds nothing to the step.
# Seen: 60 samples, 20 steps: the loss falls from 0.74 to 0.06; with a 61st whose loss is 0: no parameter changes, stop = True.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet torch==2.13.0 torch-levenberg-marquardt==1.2.3 numpy==2.4.6
cat >program.py <<'PROGRAM'
import torch
from torch_levenberg_marquardt.loss import CrossEntropyLoss
from torch_levenberg_marquardt.training import LevenbergMarquardtModule


def trained(easy_sample):
    torch.manual_seed(0)
    X = torch.randn(60, 2)
    y = (X[:, 0] * X[:, 1] > 0).long()
    model = torch.nn.Sequential(torch.nn.Linear(2, 6), torch.nn.ReLU(), torch.nn.Linear(6, 2))
    if easy_sample:
        far = torch.tensor([[3000.0, 3000.0]])
        X, y = torch.cat([X, far]), torch.cat([y, model(far).argmax(1)])
    losses = torch.nn.functional.cross_entropy(model(X), y, reduction="none").detach()
    module = LevenbergMarquardtModule(model, loss_fn=CrossEntropyLoss())
    start = module.flat_params.clone()
    for _ in range(20):
        _, loss, stop, _ = module.training_step(X, y)
        if stop:
            break
    moved = (module.flat_params - start).abs().max().item()
    print(f"{len(X)} samples, smallest loss {losses.min():.2g}: mean loss {losses.mean():.4f} -> {loss:.4f}, "
          f"largest change of a parameter {moved:.2g}, stop = {stop}")
    return losses.mean().item(), loss.item(), moved, stop


before, after, moved, stop = trained(False)
assert after < before / 3 and moved > 0
before, after, moved, stop = trained(True)
assert moved == 0 and stop
PROGRAM
env/bin/python program.py
