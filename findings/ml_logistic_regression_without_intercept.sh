#!/usr/bin/env bash
# ml-logistic-regression 2.0.0 (npm): models have no intercept, so that every boundary goes through the origin.
#
# Weights are those of the inputs, and none can be asked for beside them; inputs that are all positive, as lengths or ages, cannot be told
# apart by size. A column of ones beside them mends it.
# Guessed before the run: a constant term, as every statistics package fits.
# Seen (Node.js 20): one input 1 .. 8, labels 1 above 4.5: one weight, 4 of 8 right; with a column of ones all.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-save --ignore-scripts ml-logistic-regression@2.0.0 ml-matrix@6.15.1 >/dev/null
cat >program.cjs <<'PROGRAM'
const assert = require('assert');
const { Matrix } = require('ml-matrix');
const exported = require('ml-logistic-regression');
const LogisticRegression = exported.default || exported;

const x = [1, 2, 3, 4, 5, 6, 7, 8];
const labels = x.map((each) => Number(each > 4.5));
const right = (rows) => {
  const model = new LogisticRegression({ numSteps: 20000, learningRate: 0.05 });
  model.train(new Matrix(rows), Matrix.columnVector(labels));
  const found = model.predict(new Matrix(rows)).filter((label, i) => label === labels[i]).length;
  const shape = model.classifiers[0].weights;
  console.log(rows[0].length, 'columns:', shape.rows * shape.columns, 'weights,', found, 'of 8 right');
  assert(shape.rows * shape.columns === rows[0].length);
  return found;
};
assert(right(x.map((each) => [each])) === 4);
assert(right(x.map((each) => [each, 1])) === 8);
PROGRAM
node program.cjs
