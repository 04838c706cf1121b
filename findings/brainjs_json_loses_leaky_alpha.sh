#!/usr/bin/env bash
# brain.js 1.6.1 (npm): `toJSON` leaves the slope of leaky-relu out of a network's JSON; what `fromJSON` builds has slope 0.01.
#
# The network comes back with all weights and answers otherwise, without a message, unless the slope was the default.
# `toFunction` keeps it.
# Guessed before the run: equal outputs for every activation.
# Seen (Node.js 20): sigmoid, relu, tanh, leaky-relu of 0.01: equal to the bit; leaky-relu of 0.3: off by some tenths.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-save --ignore-scripts brain.js@1.6.1 >/dev/null
cat >program.cjs <<'PROGRAM'
const { NeuralNetwork } = require('brain.js');

const samples = Array.from({ length: 20 }, (_, i) => {
  const [a, b] = [Math.sin(i), Math.cos(2 * i)];
  return { input: [a, b], output: [0.5 + 0.4 * a * b] };
});
const difference = (activation, leakyReluAlpha) => {
  const net = new NeuralNetwork({ activation, hiddenLayers: [4], leakyReluAlpha });
  net.train(samples, { iterations: 1 });
  net.biases[1] = [-1, -1, -1, -1]; // units on the slope, whatever the starting values
  const again = new NeuralNetwork();
  again.fromJSON(JSON.parse(JSON.stringify(net.toJSON())));
  const direct = net.toFunction();
  const largest = (other) => Math.max(...samples.map(({ input }) => Math.abs(net.run(input)[0] - other(input)[0])));
  const [json, code] = [largest((input) => again.run(input)), largest(direct)];
  console.log(activation, leakyReluAlpha, 'by JSON', json, 'by toFunction', code);
  return json;
};
const same = ['sigmoid', 'relu', 'tanh', 'leaky-relu'].every((activation) => difference(activation, 0.01) === 0);
process.exit(same && difference('leaky-relu', 0.3) > 0.01 ? 0 : 1);
PROGRAM
node program.cjs
