#!/usr/bin/env bash
# machine_learning 0.1.1 (npm): the learning rate `lr` of MLP.train is read and not used; every step has the rate 1.
#
# Nothing is said; smaller steps can only be had by scaling data. What is printed and returned as error is the cross-entropy, what is
# descended the squared error.
# Guessed before the run: a rate of 0 leaves the weights as they are.
# Seen (Node.js 20): 2-3-1, 5 epochs: predictions after rates 0, 0.001 and 0.6 equal to the bit, and not those of the start.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-save --ignore-scripts machine_learning@0.1.1 >/dev/null
cat >program.cjs <<'PROGRAM'
const { MLP } = require('machine_learning');

const input = [[0.4, 0.5], [0.5, -0.3], [-0.6, 0.2], [0.1, 0.9]];
const start = () => [[[0.5, -0.2, 0.3], [0.1, 0.4, -0.6]], [[0.7], [-0.5], [0.2]]];

const predictions = (options) => {
  const net = new MLP({
    input, label: [[1], [0], [1], [0]], n_ins: 2, n_outs: 1, hidden_layer_sizes: [3],
    w_array: start(), b_array: [[0, 0, 0], [0]],
  });
  net.set('log level', 0);
  if (options) net.train(options);
  return net.predict(input).map(([y]) => y);
};

const before = predictions(null);
const after = [0, 0.001, 0.6].map((lr) => predictions({ lr, epochs: 5 }));
console.log('start', before, 'after rates 0, 0.001, 0.6', ...after);
const same = (a, b) => a.every((value, i) => value === b[i]);
process.exit(same(after[0], after[1]) && same(after[1], after[2]) && !same(before, after[0]) ? 0 : 1);
PROGRAM
node program.cjs
