"""Straight lines, beside scikit-learn's."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fastmlp.report import lines


@pytest.mark.parametrize(("n", "d"), [(50, 5), (40, 300), (30, 30)])
def test_a_straight_line_is_ridge_regression_with_the_penalty_that_leaves_rows_out_best(n, d):
    rng = np.random.default_rng(n)
    factors = rng.normal(size=(n, 3))  # so that some penalty is best, also of more columns than rows
    X = rng.uniform(0.1, 9, d) * (1 + factors @ rng.normal(size=(3, d)) + 0.3 * rng.normal(size=(n, d)))
    t, new = factors.sum(axis=1) + 0.5 * rng.normal(size=n), rng.normal(size=(20, d))
    theirs = make_pipeline(StandardScaler(), RidgeCV(n * lines.RIDGES)).fit(X, t)
    np.testing.assert_allclose(lines.straight_line(X, t)(new), theirs.predict(new), rtol=1e-9, atol=1e-12)


def test_a_straight_line_takes_constant_columns_twins_and_few_rows():
    X = np.array([[1.0, 2.0, 2.0], [1.0, 3.0, 3.0], [1.0, 5.0, 5.0]])
    found = lines.straight_line(X, 4 * X[:, 1])
    np.testing.assert_allclose(found([[7.0, 4.0, 4.0]]), [16.0], rtol=1e-6)
    np.testing.assert_array_equal(lines.straight_line(X[:1], np.array([3.0]))(X), [3.0, 3.0, 3.0])
    np.testing.assert_array_equal(lines.straight_line(X[:, :1], np.arange(3.0))(X[:, :1]), [1.0, 1.0, 1.0])


def test_straight_logits_are_logistic_regression():
    rng = np.random.default_rng(0)
    X, labels, new = rng.normal(3, 5, size=(150, 4)), rng.integers(0, 3, 150), rng.normal(size=(20, 4))
    theirs = make_pipeline(StandardScaler(), LogisticRegression(C=1.0, tol=1e-9, max_iter=1000)).fit(X, labels)
    np.testing.assert_allclose(lines.straight_logits(X, labels, 3)(new), theirs.predict_proba(new), atol=1e-6)


def test_straight_logits_take_a_class_that_no_row_has():
    probabilities = lines.straight_logits(np.array([[0.0], [1.0], [2.0]]), np.array([0, 2, 2]), 3)(np.zeros((1, 1)))
    assert probabilities.shape == (1, 3)
    assert probabilities[0, 1] < probabilities[0, 0]
