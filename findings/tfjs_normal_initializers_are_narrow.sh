#!/usr/bin/env bash
# TensorFlow.js 4.22.0 (npm: @tensorflow/tfjs): heNormal, glorotNormal and leCunNormal have 0.88 of the deviation they are said to have.
#
# Its documentation: draws of a truncated normal distribution with stddev = sqrt(2 / fanIn), for heNormal. That is the deviation before
# what lies beyond two of them is cut off, which leaves 0.8796; Keras for Python, whose names these are, divides by it first. Variance is
# lost by a quarter in every layer: after ten, 0.08 of it is left. The uniform ones are as they are said to be.
# Guessed before the run: the deviation of the documentation, as in Keras.
# Seen (Node.js 20): ratios 0.88 of the normal, 1.00 of the uniform ones (120,000 draws).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-save --ignore-scripts @tensorflow/tfjs@4.22.0 >/dev/null
cat >program.cjs <<'PROGRAM'
const tf = require('@tensorflow/tfjs');

const [fanIn, fanOut] = [300, 400];
const said = { he: 2 / fanIn, glorot: 2 / (fanIn + fanOut), leCun: 1 / fanIn };
let same = true;
for (const [name, variance] of Object.entries(said)) {
  const ratios = ['Normal', 'Uniform'].map((shape) => {
    const draws = tf.initializers[name + shape]({ seed: 1 }).apply([fanIn, fanOut]);
    return Math.sqrt(tf.moments(draws).variance.dataSync()[0] / variance);
  });
  console.log(`${name}: deviation over what it is said to be: normal ${ratios[0].toFixed(4)}, uniform ${ratios[1].toFixed(4)}`);
  same &&= Math.abs(ratios[0] - 0.8796) < 0.01 && Math.abs(ratios[1] - 1) < 0.01;
}
process.exit(same ? 0 : 1);
PROGRAM
node program.cjs
