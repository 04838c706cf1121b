#!/usr/bin/env bash
# hls4ml 1.3.0: what leaves -32 .. 32 comes back from the other end, in its default number format.
#
# All weights and results are ap_fixed<16,6> unless a precision is given by name, and this type wraps: a regression of room
# temperatures answers -28.6 for 35.4, far from every training target, without a message in conversion, compilation or
# `predict`. Targets have to be standardised, or layers be given a wider type that saturates.
# Guessed before the run: values that stop at 31.998.
# Seen (Python 3.11, PyTorch 2.13.0): outputs of 21.6 to 41.1: those below 32 are right to 0.02, all others lower by 64.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q torch==2.13.0
"$work/venv/bin/pip" install -q numpy==2.3.5 hls4ml==1.3.0
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PROGRAM'
import hls4ml
import numpy as np
import torch

torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(2, 6), torch.nn.ReLU(), torch.nn.Linear(6, 1))
with torch.no_grad():
    net[2].weight[:] = torch.tensor([9.0, -4.0, 9.0, -4.0, 9.0, -4.0])
    net[2].bias.fill_(31.5)
X = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
own = net(torch.from_numpy(X)).detach().numpy().ravel()
config = hls4ml.utils.config_from_pytorch_model(net, (2,), granularity="model")
model = hls4ml.converters.convert_from_pytorch_model(
    net, hls_config=config, output_dir="out", project_name="net", backend="Vivado", io_type="io_parallel")
model.compile()
theirs = model.predict(X).ravel()
low, high = own < 31.9, own > 32.1
print("default", config["Model"]["Precision"]["default"], "outputs", own.min(), "to", own.max(), "hls4ml", theirs.min(), "to", theirs.max())
right, wrapped = np.abs(theirs - own)[low].max(), np.abs(theirs + 64 - own)[high].max()
print(f"below 32: off by {right:.3f} at most; above: off by {wrapped:.3f} from 64 less")
raise SystemExit(0 if low.any() and high.any() and max(right, wrapped) < 0.2 else "hls4ml has changed: see above")
PROGRAM
