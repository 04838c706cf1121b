#!/usr/bin/env bash
# neataptic 1.4.7 (npm): the cost MSLE is the sum of log t - log y, neither squared nor a mean.
#
# It is negative where predictions are too large, and falls without end as they grow: evolution and `train` that stop at an
# error, or compare networks by it, choose the networks that overshoot most.
# Guessed before the run: the mean of (log t - log y)^2.
# Seen (Node.js 20): targets (1, 0.5), outputs (0.8, 0.4): 0.4463, for 0.0498; the other way round -0.4463; outputs of 100: -9.9.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-save --ignore-scripts neataptic@1.4.7 >/dev/null
cat >program.cjs <<'PROGRAM'
const { MSLE } = require('neataptic').methods.cost;

const [t, y] = [[1, 0.5], [0.8, 0.4]];
const mean = t.reduce((sum, each, i) => sum + (Math.log(each) - Math.log(y[i])) ** 2, 0) / t.length;
console.log('MSLE', MSLE(t, y), 'mean of squares', mean, 'exchanged', MSLE(y, t), 'outputs of 100', MSLE(t, [100, 100]));
const signed = Math.abs(MSLE(t, y) - 2 * Math.log(1.25)) < 1e-12 && Math.abs(MSLE(y, t) + 2 * Math.log(1.25)) < 1e-12;
process.exit(signed && MSLE(t, [100, 100]) < -9 ? 0 : 1);
PROGRAM
node program.cjs
