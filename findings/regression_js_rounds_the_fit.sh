#!/usr/bin/env bash
# regression 2.0.1 (npm): coefficients, predictions and r2 are rounded to two decimals, whatever the units of the data.
#
# `precision` is documented, with this default, as of the significant figures the output is rounded to; it counts decimals, and `predict` is
# made of the rounded coefficients. Data of the size 0.001 are fitted by y = 0, with an r2 below zero; `precision: 1` says r2 = 1
# of a poor fit.
# Guessed before the run: least squares to rounding, text rounded.
# Seen (Node.js 20): y = 0.001, 0.0025, 0.0034: "y = 0x", predictions 0, r2 = -5.4; in thousandths: slope 1.2, r2 = 0.98.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-save --ignore-scripts regression@2.0.1 >/dev/null
cat >program.cjs <<'PROGRAM'
const assert = require('assert');
const regression = require('regression');

const y = [1, 2.5, 3.4];
const points = (unit) => y.map((each, i) => [i, each * unit]);
const whole = regression.linear(points(1));
const small = regression.linear(points(0.001));
const exact = regression.linear(points(0.001), { precision: 12 });
for (const fit of [whole, small, exact]) console.log(fit.string, 'r2', fit.r2, 'at 2:', fit.predict(2));
assert(Math.abs(whole.equation[0] - 1.2) < 1e-12 && whole.r2 === 0.98);
assert(small.equation.every((each) => each === 0) && small.predict(2)[1] === 0 && small.r2 < -5);
assert(Math.abs(exact.equation[0] - 0.0012) < 1e-12 && Math.abs(exact.r2 - 0.98) < 0.01);
assert(regression.linear([[0, 1], [1, 2], [2, 2.5], [3, 4.1]], { precision: 1 }).r2 === 1);
PROGRAM
node program.cjs
