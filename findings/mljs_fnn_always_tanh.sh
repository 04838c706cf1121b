#!/usr/bin/env bash
# ml-fnn 5.0.0 (npm) trains every network with tanh, whatever activation is asked for, and cannot train without decay.
#
# The name is looked for among the positions of a list of names, where none is found; the default stands in, in silence. A
# `regularization` of 0 counts as not given and becomes 0.01.
# Guessed before the run: gradients that are right for tanh and wrong for logistic, as derivatives are taken at outputs.
# Seen (Node.js 20): all 14 documented activations give networks that name tanh and answer as tanh does.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-save --ignore-scripts ml-fnn@5.0.0 >/dev/null
cat >program.mjs <<'PROGRAM'
import Network from 'ml-fnn';

const names = ['tanh', 'identity', 'logistic', 'arctan', 'softsign', 'relu', 'softplus', 'bent', 'sinusoid', 'sinc',
  'gaussian', 'parametric-relu', 'exponential-elu', 'soft-exponential'];
const X = Array.from({ length: 12 }, (_, i) => [Math.sin(i), Math.cos(3 * i)]);
const labels = X.map((_, i) => (i % 2 ? 'odd' : 'even'));
const largest = names.map((activation) => {
  const net = new Network({ hiddenLayers: [3], iterations: 1, activation, regularization: 0 });
  net.train(X, labels);
  const layer = net.toJSON().layers[0];
  net.predict(X);
  const [W, b] = [layer.W.to2DArray(), layer.b.to2DArray()[0]];
  const errors = X.flatMap((x, n) => b.map((bias, j) =>
    Math.abs(net.model[0].a.get(n, j) - Math.tanh(x[0] * W[0][j] + x[1] * W[1][j] + bias))));
  console.log(activation.padEnd(16), 'is', net.activation, 'regularization', net.regularization);
  return net.activation === 'tanh' && net.regularization === 0.01 ? Math.max(...errors) : Infinity;
});
process.exit(Math.max(...largest) < 1e-14 ? 0 : 1);
PROGRAM
node program.mjs
