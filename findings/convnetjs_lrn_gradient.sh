#!/usr/bin/env bash
# convnetjs 0.3.0 (npm): the gradient through its local response normalisation is wrong, in places in sign.
#
# y_i = x_i / (k + alpha/n sum_j x_j^2)^beta over n neighbouring maps: the terms between maps have wrong factors, so that layers before
# it are trained along something that is no gradient. Forward it is right. Convolution, pooling, maxout, tanh, sigmoid, relu are right.
# Guessed before the run: agreement with differences to 1e-6.
# Seen (Node.js 20): one place, maps 1, 2, -1.5, 0.5, 2.5, sum of w y with w = 1 .. 5, k = 1, n = 3, alpha = 1, beta = 0.75: slope by
# the second map 0.749, its gradient -0.828; the difference of all five is 1.15 times as long as the gradient.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-save --ignore-scripts convnetjs@0.3.0 >/dev/null
cat >program.cjs <<'PROGRAM'
const { LocalResponseNormalizationLayer, Vol } = require('convnetjs');

const [k, n, alpha, beta] = [1, 3, 1, 0.75];
const maps = [1, 2, -1.5, 0.5, 2.5];
const weights = [1, 2, 3, 4, 5];
const layer = new LocalResponseNormalizationLayer({ k, n, alpha, beta, in_sx: 1, in_sy: 1, in_depth: 5 });

const closed = (x) => x.map((value, i) => {
  const squares = x.slice(Math.max(0, i - 1), i + 2).reduce((sum, v) => sum + v * v, 0);
  return value / (k + (alpha / n) * squares) ** beta;
});
const total = (y) => y.reduce((sum, value, i) => sum + weights[i] * value, 0);

const input = new Vol(maps);
const output = layer.forward(input, true);
const forward = Math.max(...closed(maps).map((value, i) => Math.abs(value - output.w[i])));
output.dw = weights;
layer.backward();
const slopes = maps.map((_, i) => {
  const [above, below] = [1e-5, -1e-5].map((h) => total(closed(maps.map((value, j) => value + (i === j ? h : 0)))));
  return (above - below) / 2e-5;
});
const gradient = Array.from(input.dw);
console.log({ forward, slopes, gradient });
const opposite = slopes.filter((slope, i) => slope * gradient[i] < 0).length;
const distance = Math.hypot(...slopes.map((slope, i) => slope - gradient[i])) / Math.hypot(...slopes);
console.log({ opposite, distance });
process.exit(forward < 1e-12 && opposite > 0 && distance > 1 ? 0 : 1);
PROGRAM
node program.cjs
