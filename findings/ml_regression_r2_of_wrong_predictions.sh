#!/usr/bin/env bash
# ml-regression-base 4.0.1 (npm), for all of ml-regression: `score` gives the squared correlation as r2, which no offset or factor changes.
#
# Predictions that are 1000 too large, or of the wrong sign, score 1. For the data of a linear fit the two are one number; for held-back
# data, and for power, exponential and other fits, which are made on transformed data, they are not.
# Guessed before the run: 1 - sum of squared residuals / sum of squared deviations, as scikit-learn's `score`.
# Seen (Node.js 20): y = 2 x against 2 x + 1000 and -x: r2 = 1 and 1; the formula gives -85,713 and -45.8.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-save --ignore-scripts ml-regression-base@4.0.1 ml-regression-simple-linear@3.0.1 >/dev/null
cat >program.cjs <<'PROGRAM'
const { SimpleLinearRegression } = require('ml-regression-simple-linear');

const x = [1, 2, 3, 4, 5, 6];
const fit = new SimpleLinearRegression(x, x.map((each) => 2 * each));
const data = {
  'its own data': x.map((each) => 2 * each),
  '1000 more': x.map((each) => 2 * each + 1000),
  'the other sign': x.map((each) => -each),
};
let wrong = 0;
for (const [name, y] of Object.entries(data)) {
  const mean = y.reduce((a, b) => a + b) / y.length;
  const sum = (f) => y.reduce((total, each, i) => total + f(each, i) ** 2, 0);
  const formula = 1 - sum((each, i) => each - fit.predict(x[i])) / sum((each) => each - mean);
  const { r2 } = fit.score(x, y);
  console.log(name, 'r2', r2, 'formula', formula);
  wrong += !(Math.abs(r2 - 1) < 1e-12) + (name !== 'its own data' && !(formula < 0));
}
process.exit(wrong);
PROGRAM
node program.cjs
