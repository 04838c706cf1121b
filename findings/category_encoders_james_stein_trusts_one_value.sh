#!/usr/bin/env bash
# category-encoders 2.11.2: the James-Stein encoder does not shrink rare categories: of a category seen once, the one value is the encoding.
#
# The manual has the default model, "independent", as of squared standard errors, which "penalize small observation counts". The
# variance is taken instead, so that counts have no part in it, and a single value has the variance 0 and is trusted wholly. With three categories,
# of any size, the encoding is the plain mean.
# Guessed before the run: (1 - B) mean_i + B mean with B of the manual, near the mean for rare categories.
# Seen (pandas 2.3): one value of 10 among 201: 10; a category of 50 values with mean 1.03: 0.90; the mean of all is 0.29.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet category-encoders==2.11.2 numpy==2.4.6 pandas==2.3.3 scikit-learn==1.8.0 scipy==1.16.3 statsmodels==0.15.0
cat >program.py <<'PROGRAM'
import warnings

import category_encoders
import numpy as np
import pandas as pd

warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
names = np.repeat(list("abcd"), 50)
y = rng.normal(size=200) + np.where(names == "a", 0.9, 0.0)
names, y = np.append(names, "once"), np.append(y, 10.0)
X, y = pd.DataFrame({"name": names}), pd.Series(y)


def encoded(X, y):
    """Of each category: encoding, mean."""
    code = category_encoders.JamesSteinEncoder().fit(X, y).transform(X)["name"]
    return pd.DataFrame({"code": code, "y": y}).groupby(X["name"]).mean()


one = encoded(X, y)
print(one.round(3).to_string(), f"\nmean of all {y.mean():.3f}")
assert one.code["once"] == 10
share = (one.code["a"] - y.mean()) / (one.y["a"] - y.mean())
assert share < 0.9  # fifty values are shrunk, one is not
more = encoded(pd.concat([X] * 20, ignore_index=True), pd.concat([y] * 20, ignore_index=True))
share_of_20_times = (more.code["a"] - y.mean()) / (more.y["a"] - y.mean())
print(f"share of the own mean: of 50 values {share:.3f}, of 1000 {share_of_20_times:.3f}")
assert abs(share - share_of_20_times) < 0.01
three = encoded(X[X["name"].isin(["a", "b", "c"])], y[X["name"].isin(["a", "b", "c"])])
np.testing.assert_allclose(three.code, three.y)
PROGRAM
env/bin/python program.py
