#!/usr/bin/env bash
# convnetjs 0.3.0 (npm): the loss of its regression layer is 2 d^2, and its gradient d, that of d^2 / 2.
#
# What training reports is four times what it minimises: a root mean squared error from it is double, and the reported share of the
# weight decay (`l2_decay_loss`, with its half) is a quarter of what it is in the steps.
# Guessed before the run: d^2 / 2, as the source of its derivative says.
# Seen (Node.js 20): loss over d^2 / 2: 4.000; slope by differences over gradient: 4.000 for arrays and for single dimensions,
# 1.000 for softmax and SVM.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-save --ignore-scripts convnetjs@0.3.0 >/dev/null
cat >program.cjs <<'PROGRAM'
const { Net, Vol } = require('convnetjs');

const input = { type: 'input', out_sx: 1, out_sy: 1, out_depth: 3 };
const x = new Vol([0.3, -0.8, 0.5]);

/* Slope of the reported loss by a weight of the first layer, over the gradient there; the loss, and the outputs. */
const compare = (last, target) => {
  const net = new Net();
  net.makeLayers([input, { type: 'fc', num_neurons: 4, activation: 'tanh' }, last]);
  const loss = () => { net.forward(x); return net.backward(target); };
  const value = loss();
  const { params, grads } = net.getParamsAndGrads()[0];
  const [gradient, start, h] = [grads[1], params[1], 1e-5];
  params[1] = start + h;
  const above = loss();
  params[1] = start - h;
  const below = loss();
  params[1] = start;
  return { ratio: (above - below) / (2 * h) / gradient, value, y: Array.from(net.forward(x).w) };
};

const regression = { type: 'regression', num_neurons: 2 };
const array = compare(regression, [0.6, -0.4]);
const squares = (array.y[0] - 0.6) ** 2 + (array.y[1] + 0.4) ** 2;
const ratios = {
  'loss over d^2 / 2': array.value / (squares / 2), 'slope, array': array.ratio,
  'slope, one dimension': compare(regression, { dim: 1, val: 0.5 }).ratio,
  'slope, softmax': compare({ type: 'softmax', num_classes: 3 }, 1).ratio,
  'slope, svm': compare({ type: 'svm', num_classes: 3 }, 1).ratio,
};
console.log(ratios);
const expected = [4, 4, 4, 1, 1];
process.exit(Object.values(ratios).every((ratio, i) => Math.abs(ratio - expected[i]) < 1e-4) ? 0 : 1);
PROGRAM
node program.cjs
