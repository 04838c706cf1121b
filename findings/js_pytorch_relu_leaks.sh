#!/usr/bin/env bash
# js-pytorch 0.7.2 (npm): ReLU is leaky, the derivative of a^n is 2 a for every n, and MSELoss divides by the rows twice.
#
# `nn.ReLU` is documented as z for z > 0 and 0 elsewhere, and gives 0.001 z there. `pow` carries the exponent forward and not back.
# `nn.MSELoss`, called a mean, is the sum over N rows and D outputs over N^2, where PyTorch, whose names these are, has N D: larger
# batches have smaller losses and gradients.
# Guessed before the run: max(z, 0); n a^(n - 1); the mean over all elements.
# Seen (Node.js 20): ReLU(-1) = -0.001; slopes of a^3 are 0.2, 1.4, -0.6 at a = 0.1, 0.7, -0.3; of ones against zeros the loss is
# 3 for one row of three, 0.6 for five rows of three, 0.2 for five rows of one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-save --ignore-scripts js-pytorch@0.7.2 >/dev/null
cat >program.cjs <<'PROGRAM'
const { torch } = require('js-pytorch');

const numbers = (tensor) => [tensor.data].flat(9);
const near = (a, b) => a.length === b.length && a.every((v, i) => Math.abs(v - b[i]) < 1e-9);
const relu = numbers(new torch.nn.ReLU().forward(torch.tensor([[-1, 2, -0.5]])));
console.log('ReLU of -1, 2, -0.5:', ...relu);

const a = [0.1, 0.7, -0.3];
const slopes = (n) => {
  const leaf = torch.tensor([a], true);
  torch.pow(leaf, n).backward();
  return [leaf.grad.data ?? leaf.grad].flat(9);
};
for (const n of [1, 2, 3]) console.log(`slopes of a^${n}:`, ...slopes(n), 'formula:', ...a.map((v) => n * v ** (n - 1)));

const loss = new torch.nn.MSELoss();
const mse = [[1, 3], [5, 3], [5, 1], [10, 2]].map((shape) => numbers(loss.forward(torch.ones(shape), torch.zeros(shape)))[0]);
console.log('MSELoss of ones against zeros, 1 x 3, 5 x 3, 5 x 1, 10 x 2:', ...mse);
const rule = [3, 3 / 5, 1 / 5, 2 / 10];
const twice = a.map((v) => 2 * v);
const same = near(relu, [-0.001, 2, -0.0005]) && near(mse, rule) && [1, 2, 3].every((n) => near(slopes(n), twice));
process.exit(same ? 0 : 1);
PROGRAM
node program.cjs
