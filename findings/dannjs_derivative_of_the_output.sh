#!/usr/bin/env bash
# dannjs 2.3.13 (npm): back-propagation takes f'(f(z)) for f'(z), hands errors on without the derivative, and has one step for all losses.
#
# Derivatives are functions of the pre-activation z, and are given the activation: that of tanh is never below 0.41, that of the logistic
# function never below 0.19, and relu units that are off learn as if they were on. Hidden units get the weighted error
# of the outputs, without the outputs' slopes. What is chosen by `setLossFunction` is what is reported; target minus output is what is
# descended. The derivative of leakySigmoid, s(x) + x / 100, is negative beyond 3.
# Guessed before the run: the gradient of the loss that is chosen.
# Seen (Node.js 20): steps of a 2-3-1 network are what this says to 1e-5, and equal for mse and mbe; they are off the gradient of half
# the squared error by 10 % (tanh) and 80 % (logistic) of its length.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-save --ignore-scripts dannjs@2.3.13 >/dev/null
cat >program.cjs <<'PROGRAM'
const { dann: Dann, activations } = require('dannjs');

const [x, target, rate] = [[0.3, -0.6], 0.9, 1e-4];
const V = [1.2, -0.7, 0.5];
const W = [[0.5, -1], [1.5, 0.4], [-0.8, 2]];
const functions = { tanH: [Math.tanh, (z) => 1 - Math.tanh(z) ** 2] };
functions.sigmoid = [(z) => 1 / (1 + Math.exp(-z)), (z) => Math.exp(-z) / (1 + Math.exp(-z)) ** 2];
functions.reLU = [(z) => Math.max(z, 0), (z) => (z >= 0 ? 1 : 0)];

const steps = (activation, loss) => {
  const net = new Dann(2, 1);
  net.addHiddenLayer(3, activation);
  net.outputActivation(activation);
  net.makeWeights();
  net.setLossFunction(loss);
  net.lr = rate;
  net.weights[0].matrix = W.map((row) => [...row]);
  net.weights[1].matrix = [[...V]];
  for (const bias of net.biases) bias.matrix = bias.matrix.map(() => [0]);
  net.backpropagate(x, [target]);
  const moved = [...net.weights[1].matrix[0], ...net.weights[0].matrix.flat()];
  return moved.map((w, i) => (w - [...V, ...W.flat()][i]) / rate);
};
const expected = (activation, asTold) => {
  const [f, derivative] = functions[activation];
  const slope = (z) => derivative(asTold ? f(z) : z);
  const Z = W.map((row) => row[0] * x[0] + row[1] * x[1]);
  const z = V.reduce((sum, v, i) => sum + v * f(Z[i]), 0);
  const error = target - f(z);
  const handed = asTold ? error : error * slope(z);
  return [...Z.map((zi) => error * slope(z) * f(zi)), ...Z.flatMap((zi, i) => x.map((xj) => handed * V[i] * slope(zi) * xj))];
};
const off = (a, b) => Math.hypot(...a.map((v, i) => v - b[i])) / Math.hypot(...b);
let same = true;
for (const activation of ['tanH', 'sigmoid', 'reLU']) {
  const found = steps(activation, 'mse');
  const [gradient, told] = [false, true].map((asTold) => off(found, expected(activation, asTold)));
  const other = off(steps(activation, 'mbe'), found);
  console.log(`${activation}: off the gradient by ${gradient}, off what is told above by ${told}; mbe off mse by ${other}`);
  same &&= other < 1e-6 && told < 1e-4 && gradient > 0.05;
}
const { leakySigmoid, leakySigmoid_d } = activations;
const slope = (leakySigmoid(4 + 1e-5) - leakySigmoid(4 - 1e-5)) / 2e-5;
console.log('slope of leakySigmoid at 4:', slope, 'given as', leakySigmoid_d(4));
process.exit(same && slope > 0.02 && leakySigmoid_d(4) < -0.02 ? 0 : 1);
PROGRAM
node program.cjs
