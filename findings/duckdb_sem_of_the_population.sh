#!/usr/bin/env bash
# duckdb 2.0.1: `sem`, the standard error of the mean, is the population's standard deviation over the root of n; `stddev` is the sample's.
#
# So `sem(x)` is not `stddev(x) / sqrt(count(x))`: below it by 11 % for five values. `skewness` and `kurtosis`
# beside it are corrected for the bias of a sample. The function's description says "the standard error of the mean".
# Guessed before the run: the sample's standard deviation over the root of n, as in SciPy and pandas.
# Seen (SciPy 1.17.1): 1, 2, 4, 8, 16: 2.440, from `stddev` 2.728.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet duckdb==2.0.1 numpy==2.4.6 scipy==1.17.1
cat >program.py <<'PROGRAM'
import duckdb
import numpy as np
from scipy import stats

x = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
values = ", ".join(f"({each})" for each in x)
query = f"select sem(x), stddev(x) / sqrt(count(x)), skewness(x), kurtosis(x) from (values {values}) as t(x)"
sem, from_stddev, skewness, kurtosis = duckdb.sql(query).fetchall()[0]
print(f"sem {sem:.3f}, from stddev {from_stddev:.3f}, SciPy {stats.sem(x):.3f}; with n {stats.sem(x, ddof=0):.3f}")
assert np.isclose(from_stddev, stats.sem(x)) and np.isclose(sem, stats.sem(x, ddof=0))
assert np.isclose(skewness, stats.skew(x, bias=False)) and np.isclose(kurtosis, stats.kurtosis(x, bias=False))
PROGRAM
env/bin/python program.py
