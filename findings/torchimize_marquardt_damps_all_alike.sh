#!/usr/bin/env bash
# torchimize 0.0.16: Levenberg-Marquardt with `meth="marq"` adds the largest diagonal element of J'J to all, not each its own.
#
# So the units of parameters decide, which Marquardt's damping is for: where one parameter's unit is 1e5 times the other's, the fit
# stays where it starts, and says nothing. `meth="lev"` reaches the minimum.
# Guessed before the run: the number of iterations with "marq" does not depend on the units of the parameters.
# Seen (torch 2.13.0): 6 iterations for units 1, 1; 28 for 1, 1e3; for 1, 1e5 it ends after 2 at the start, sum of squares 7.2.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet torch==2.13.0 torchimize==0.0.16 numpy==2.4.6
cat >program.py <<'PROGRAM'
import torch
from torchimize.functions import lsq_lma

torch.set_default_dtype(torch.float64)
x = torch.linspace(0, 1, 30)
y = 2 * torch.exp(-1.5 * x) + 0.01 * torch.sin(40 * x)


def fit(unit, method):
    """The same curve; its rate is `unit` times the second parameter."""

    def residuals(p):
        return p[0] * torch.exp(-p[1] * unit * x) - y

    def jacobian(p):
        decay = torch.exp(-p[1] * unit * x)
        return torch.stack([decay, -p[0] * unit * x * decay], 1)

    way = lsq_lma(torch.tensor([1.0, 1.0 / unit]), residuals, jacobian, meth=method, max_iter=200)
    return len(way), (residuals(way[-1]) ** 2).sum().item()


found = {(method, unit): fit(unit, method) for method in ("lev", "marq") for unit in (1.0, 1e3, 1e5)}
for (method, unit), (iterations, squares) in found.items():
    print(f"{method}, unit {unit:g}: {iterations} iterations, sum of squares {squares:.5g}")
assert all(squares < 0.0015 for (method, _), (_, squares) in found.items() if method == "lev")
assert found["marq", 1e3][0] > 3 * found["marq", 1.0][0]
assert found["marq", 1e5][1] > 1
PROGRAM
env/bin/python program.py
