"""Measures, beside scikit-learn's, SciPy's and closed forms."""

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics

import report_cases
from fastmlp import report
from fastmlp.report.foretold import Labels, Rows, foretold
from fastmlp.report.judging import _calibration, _margin, limits
from fastmlp.tables.columns import Column, Schema


def number(*names):
    return tuple(Column(name, "number") for name in names)


def test_scores_of_numbers_are_those_of_the_field():
    model, train, (X, T) = report_cases.of_numbers()
    m, seen = report.measured(model, train, (X, T)), foretold(model, Rows(*train), Rows(X, T))
    for score, predicted in zip((m.network, m.line, m.base), (seen.network, seen.line, seen.base), strict=True):
        assert score.rmse == pytest.approx(sklearn.metrics.root_mean_squared_error(T, predicted), rel=1e-12)
        assert score.r2 == pytest.approx(sklearn.metrics.r2_score(T, predicted), rel=1e-12, abs=1e-14)
    assert m.network.r2 > 0.95 > m.line.r2
    gain = scipy.stats.ttest_rel((T - seen.line) ** 2, (T - seen.network) ** 2).statistic
    assert m.over_line == pytest.approx(gain, rel=1e-12)
    assert (m.n_train, m.n_held, m.target, m.classes, m.confusion) == (80, 40, "pr<i>ce", None, None)


def test_coverages_are_counted_and_have_the_limits_of_a_binomial_share():
    model, train, (X, T) = report_cases.of_numbers()
    found = {each.level: each for each in report.measured(model, train, (X, T)).intervals}
    _, low, high = model.predictive(X, 0.9)
    count = int(((low <= T) & (high >= T)).sum())
    expected = scipy.stats.binomtest(count, len(T)).proportion_ci(0.95, "exact")
    assert found[0.9][:4] == pytest.approx((0.9, count / len(T), expected.low, expected.high), rel=1e-9)
    assert found[0.9].width == pytest.approx((high - low).mean(), rel=1e-12)
    assert limits(0, 5) == pytest.approx(scipy.stats.binomtest(0, 5).proportion_ci(0.95, "exact"))
    assert limits(5, 5) == pytest.approx(scipy.stats.binomtest(5, 5).proportion_ci(0.95, "exact"))


def test_scores_of_classes_are_those_of_the_field():
    model, train, (X, labels) = report_cases.of_classes()
    m, P = report.measured(model, train, (X, labels)), model.probabilities(X)
    assert m.network.accuracy == pytest.approx(sklearn.metrics.accuracy_score(labels, P.argmax(axis=1)))
    assert m.network.balanced_accuracy == pytest.approx(
        sklearn.metrics.balanced_accuracy_score(labels, P.argmax(axis=1))
    )
    assert m.network.log_loss == pytest.approx(sklearn.metrics.log_loss(labels, P, labels=range(3)))
    np.testing.assert_array_equal(m.confusion, sklearn.metrics.confusion_matrix(labels, P.argmax(axis=1)))
    shares = np.tile(np.bincount(train[1]) / len(train[1]), (len(X), 1))
    assert m.base.log_loss == pytest.approx(sklearn.metrics.log_loss(labels, shares, labels=range(3)))
    assert m.noise_std is None
    assert m.intervals == ()


def test_calibration_by_hand():
    P = np.array([[0.62, 0.38], [0.68, 0.32], [0.05, 0.95], [1.0, 0.0]])
    bins = _calibration(Labels(np.array([0, 1, 1, 0]), P, P, P))
    assert [(each.rows, round(each.probability, 12), each.share) for each in bins] == [(2, 0.65, 0.5), (2, 0.975, 1.0)]


def test_the_calibration_error_is_weighted_by_rows():
    model, train, held = report_cases.of_classes()
    m, P = report.measured(model, train, held), model.probabilities(held[0])
    sure, right = P.max(axis=1), P.argmax(axis=1) == held[1]
    parts = [(sure[g], right[g]) for g in (np.ceil(sure * 10) == k for k in range(1, 11)) if g.any()]
    expected = sum(abs(s.sum() - r.sum()) for s, r in parts) / len(right)
    assert m.calibration_error == pytest.approx(expected, rel=1e-12)


def test_effects_of_a_linear_network_are_slopes_times_deviations():
    X, T = report_cases.rows(60)
    weights = np.array([2.0, 1.0, -1.0, 0.5, -0.25])
    m = report.measured(report_cases.linear(weights, report_cases.SCHEMA), (X, T), (X, T))
    found = {each.name: each for each in m.effects}
    assert found["speed"].change == pytest.approx(2 * X[:, 0].std())
    assert found["speed"].direction == pytest.approx(2 * X[:, 0].std())
    assert found["width & depth"].direction == pytest.approx(-0.25 * X[:, 4].std())
    # of a category the standard deviation of its own part of the output
    colour = found["<script>alert(1)</script>"]
    assert colour.change == pytest.approx((X[:, 1:4] @ weights[1:4]).std())
    assert colour.direction is None
    assert [each.change for each in m.effects] == sorted((each.change for each in m.effects), reverse=True)


def test_effects_on_probabilities_are_their_derivatives():
    model, (X, labels), held = report_cases.of_classes()
    J = model.network.jacobian(X) * X.std(axis=0)
    found = {each.name: each for each in report.measured(model, (X, labels), held).effects}
    assert found["b"].change == pytest.approx(np.sqrt((J[:, :, 1] ** 2).mean()))
    assert found["b"].direction is None


def test_columns_that_are_not_used_constant_or_outside_are_told():
    X, T = report_cases.rows(60)
    held = X[:3].copy()
    held[0, 0], held[1, 4], held[2, 4] = 99.0, -99.0, 99.0
    model = report_cases.linear([1.0, 0.0, 0.0, 0.0, 0.0], report_cases.SCHEMA)
    m = report.measured(model, (X, T), (held, T[:3]))
    assert m.pruned == ("<script>alert(1)</script>", "width & depth")
    assert m.constant == ("place",)
    assert m.outside == (("width & depth", 2), ("speed", 1))
    assert m.n_outside == 3


def test_margins():
    assert _margin(np.zeros(5)) == 0
    assert _margin(np.ones(5)) == np.inf
    assert _margin(-np.ones(5)) == -np.inf
    assert _margin(np.ones(1)) == 0


def test_a_single_row_and_targets_that_do_not_vary_are_measured():
    X, T = report_cases.rows(20)
    model = report_cases.linear(np.ones(5), report_cases.SCHEMA)
    m = report.measured(model, (X, T), (X[:1], T[:1]))
    assert np.isnan(m.network.r2)
    assert "errs by" in report.verdict(m)


def test_what_is_wrong_with_rows_is_named():
    model, train, held = report_cases.of_numbers()
    with pytest.raises(TypeError, match="model: expected a model of a table, as fastmlp fit writes, got Network"):
        report.measured(model.network, train, held)
    with pytest.raises(ValueError, match=r"held: expected shape \(n_samples, 5\), got \(40, 2\)"):
        report.measured(model, train, (held[0][:, :2], held[1]))
    with pytest.raises(ValueError, match=r"train: expected shape \(80,\), got \(3,\)"):
        report.measured(model, (train[0], train[1][:3]), held)
    with pytest.raises(ValueError, match="held: expected at least one sample, got none"):
        report.measured(model, train, (held[0][:0], held[1][:0]))
    with pytest.raises(ValueError, match=r"held: expected a pair \(X, T\), got 3 of them"):
        report.measured(model, train, (*held, 1))
    of_classes, (X, labels), _ = report_cases.of_classes()
    with pytest.raises(ValueError, match="train: expected classes from 0 to 2, got 7"):
        report.measured(of_classes, (X, np.full(len(X), 7)), (X, labels))
    with pytest.raises(TypeError, match="train: expected numbers of classes, got dtype float64"):
        report.measured(of_classes, (X, labels / 2), (X, labels))


def test_levels_of_a_category_of_two_are_one_column():
    schema = Schema((*number("a"), Column("sex", "category", ("f", "m"))), Column("y", "number"))
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=30), rng.integers(0, 2, 30)]).astype(float)
    found = report.measured(report_cases.linear([1.0, 4.0], schema), (X, X[:, 0]), (X, X[:, 0])).effects[0]
    assert found[:2] == ("sex", pytest.approx(4 * X[:, 1].std()))
