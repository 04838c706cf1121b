#!/usr/bin/env bash
# TensorFlow.js 4.22.0 (npm: @tensorflow/tfjs-core): `tf.train.adadelta` is gradient descent, whatever rho and epsilon are.
#
# A step is g sqrt(U + epsilon) / sqrt(G + epsilon) of the decaying averages U of squared steps and G of squared gradients. Both are
# taken before g enters G, so both start at 0, steps equal gradients, U = G goes on for ever, and the quotient is 1. The reference
# that the documentation names (arXiv 1212.5701) puts g into G first, as do TensorFlow for Python and PyTorch.
# Guessed before the run: the paper's steps, which hardly depend on the size of gradients.
# Seen (Node.js 20): positions equal those of sgd with the same rate to single precision, for gradients of all sizes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-save --ignore-scripts @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-backend-cpu@4.22.0 >/dev/null
cat >program.cjs <<'PROGRAM'
const tf = require('@tensorflow/tfjs-core');
require('@tensorflow/tfjs-backend-cpu');

const gradients = [0.5, 1, -0.3, 20, 0.001, -7];
const path = (optimizer) => {
  const x = tf.variable(tf.scalar(1));
  return gradients.map((g) => {
    optimizer.applyGradients([{ name: x.name, tensor: tf.scalar(g) }]);
    return x.dataSync()[0];
  });
};
const paper = (rate, rho, epsilon) => {
  let [x, G, U] = [1, 0, 0];
  return gradients.map((g) => {
    G = rho * G + (1 - rho) * g * g;
    const step = g * Math.sqrt((U + epsilon) / (G + epsilon));
    U = rho * U + (1 - rho) * step * step;
    x -= rate * step;
    return x;
  });
};
const largest = (a, b) => Math.max(...a.map((v, i) => Math.abs(v - b[i])));
let same = true;
for (const [rho, epsilon] of [[0.95, 1e-6], [0.9, 1e-2], [0.5, 1e-4]]) {
  const found = path(tf.train.adadelta(0.1, rho, epsilon));
  const [descent, adadelta] = [largest(found, path(tf.train.sgd(0.1))), largest(found, paper(0.1, rho, epsilon))];
  console.log(`rho ${rho}, epsilon ${epsilon}: off gradient descent by ${descent}, off Adadelta by ${adadelta}`);
  same &&= descent < 1e-5 && adadelta > 0.1;
}
process.exit(same ? 0 : 1);
PROGRAM
node program.cjs
