#!/usr/bin/env bash
# simple-statistics 7.12.1 (npm): the normal distribution function is a printed table: two decimals of z, four of the probability.
#
# `cumulativeStdNormalProbability` looks z up, so that it is a staircase of steps of 0.004, and z beyond 3.09 is one number. `probit`, its
# inverse, is an approximation that is off by 0.003: a 95 % interval from it is 1.957 wide on either side. `errorFunction`, in the
# same package, is right to 1e-7.
# Guessed before the run: 1e-7 or better, as from `errorFunction`.
# Seen (Node.js 20): 0.8907 for z = 1.2251 to 1.2349, right are 0.8897 to 0.8916; probit(0.975) = 1.95716, right is 1.95996.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-save --ignore-scripts simple-statistics@7.12.1 >/dev/null
cat >program.cjs <<'PROGRAM'
const assert = require('assert');
const { cumulativeStdNormalProbability: table, errorFunction, probit } = require('simple-statistics');

const phi = (z) => (1 + errorFunction(z / Math.SQRT2)) / 2;
for (const z of [0.0049, 1.2251, 1.2349, 1.96, 2.5758]) console.log(z, table(z), phi(z).toFixed(7));
assert(table(1.2251) === 0.8907 && table(1.2349) === 0.8907 && table(0.0049) === 0.5);
assert(Math.abs(phi(1.96) - 0.9750021) < 1e-6 && phi(0.0049) - table(0.0049) > 1.9e-3);
console.log('probit(0.975)', probit(0.975), 'right is 1.95996');
assert(Math.abs(probit(0.975) - 1.95716) < 1e-5);
PROGRAM
node program.cjs
