#!/usr/bin/env bash
# neataptic 1.4.7 (npm): the derivative of softsign, x / (1 + |x|), is given as x / (1 + |x|)^2, not 1 / (1 + |x|)^2.
#
# It has the wrong sign for negative x, where training moves weights away from the minimum, and vanishes at 0, where the
# function is steepest. The other 14 activations agree with differences away from their kinks.
# Guessed before the run: all derivatives right.
# Seen (Node.js 20): SOFTSIGN at -0.7: difference quotient 0.3460, derivative -0.2422.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-save --ignore-scripts neataptic@1.4.7 >/dev/null
cat >program.cjs <<'PROGRAM'
const { activation } = require('neataptic').methods;

const points = [-2.3, -0.7, -0.2, 0.3, 0.9, 2.1];
const h = 1e-5;
const wrong = Object.entries(activation).filter(([name, f]) => points.some((x) => {
  const difference = (f(x + h) - f(x - h)) / (2 * h);
  const bad = Math.abs(difference - f(x, true)) > 1e-4;
  if (bad) console.log(name, 'at', x, 'difference quotient', difference.toFixed(4), 'derivative', f(x, true).toFixed(4));
  return bad;
}));
const { SOFTSIGN } = activation;
const formula = points.every((x) => Math.abs(SOFTSIGN(x, true) - x / (1 + Math.abs(x)) ** 2) < 1e-12);
process.exit(wrong.length === 1 && wrong[0][0] === 'SOFTSIGN' && formula ? 0 : 1);
PROGRAM
node program.cjs
