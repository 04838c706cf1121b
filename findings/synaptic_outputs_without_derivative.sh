#!/usr/bin/env bash
# synaptic 1.1.4 (npm): steps leave out the derivative of the output unit, whatever the cost and the activation.
#
# The error of an output is target minus output: right for logistic units with cross-entropy. The trainer's default cost is the
# mean squared error, and with tanh outputs no cost that it has is descended; samples near saturation weigh too much.
# Guessed before the run: steps along the gradient of the squared error, a common factor aside.
# Seen (Node.js 20), 2-3-1, one step over (t - y) dy/dw: identity 1.000; logistic 1 / (y (1 - y)), tanh 1 / (1 - y^2), for each
# sample another factor (4.0, 5.2; 1.3, 16.2).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-save --ignore-scripts synaptic@1.1.4 >/dev/null
cat >program.cjs <<'PROGRAM'
const { Layer, Neuron } = require('synaptic');

/* One step at (x, y + 0.3) over what the slope of the output asks for, for all weights; and y. */
const compare = (squash, x) => {
  const [input, hidden, output] = [2, 3, 1].map((size) => new Layer(size));
  const links = [...input.project(hidden).list, ...hidden.project(output).list];
  hidden.set({ squash, bias: 0.1 });
  output.set({ squash, bias: 0.2 });
  links.forEach((link, i) => { link.weight = Math.sin(2 * i + 1); });
  const answer = () => { input.activate(x); hidden.activate(); return output.activate()[0]; };
  const start = links.map((link) => link.weight);
  const slopes = links.map((link, i) => {
    const [above, below] = [1e-5, -1e-5].map((h) => { link.weight = start[i] + h; return answer(); });
    link.weight = start[i];
    return (above - below) / 2e-5;
  });
  const y = answer();
  output.propagate(1e-4, [y + 0.3]);
  hidden.propagate(1e-4);
  return { y, ratios: links.map((link, i) => (link.weight - start[i]) / (1e-4 * 0.3) / slopes[i]) };
};

const factors = { IDENTITY: () => 1, LOGISTIC: (y) => 1 / (y * (1 - y)), TANH: (y) => 1 / (1 - y * y) };
let wrong = 0;
for (const [name, factor] of Object.entries(factors)) {
  for (const x of [[0.3, -0.8], [2, 1.5]]) {
    const { y, ratios } = compare(Neuron.squash[name], x);
    console.log(name, 'y', y.toFixed(3), 'step over slope', ratios[0].toFixed(3), 'expected', factor(y).toFixed(3));
    wrong += ratios.some((ratio) => Math.abs(ratio / factor(y) - 1) > 0.01);
  }
}
process.exit(wrong);
PROGRAM
node program.cjs
