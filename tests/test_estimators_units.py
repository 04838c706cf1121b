"""The estimators' `standardize`: the same as a pipeline of StandardScalers, on data in the user's units."""

import re
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fastmlp
from cases import relative_error
from fastmlp import datasets

RNG = np.random.default_rng(8)
X = RNG.normal(size=(120, 3)) * [1e5, 1e-3, 1.0] + [3e5, 0.0, -40.0]
U = (X - X.mean(axis=0)) / X.std(axis=0)
Y = 2.5e5 + 4e4 * (np.tanh(U[:, 0]) + 0.3 * U[:, 1] + 0.1 * RNG.normal(size=120))
LABELS = np.where(U[:, 0] + U[:, 2] ** 2 > 1, "yes", "no")
SETTINGS = {"hidden_layer_sizes": (5,), "activation": "tanh", "alpha": 0.1, "random_state": 0, "max_iter": 40}


def regressor(**changes):
    return fastmlp.MLPRegressor(**{**SETTINGS, "solver": "lm", **changes})


@pytest.mark.parametrize(("solver", "steps"), [("lm", 6), ("lbfgs", 30), ("scg", 12), ("adam", 40), ("sgd", 40)])
def test_it_is_a_pipeline_of_scalers(solver, steps):
    settings = {**SETTINGS, "solver": solver, "tol": 0.0, "max_iter": steps}
    with pytest.warns(match="converge|Converge"):
        model = fastmlp.MLPRegressor(standardize=True, **settings).fit(X, Y)
    pipeline = make_pipeline(
        StandardScaler(), TransformedTargetRegressor(fastmlp.MLPRegressor(**settings), transformer=StandardScaler())
    )
    with pytest.warns(match="converge|Converge"):
        pipeline.fit(X, Y)
    inner = pipeline[-1].regressor_
    assert np.allclose(model.loss_curve_, inner.loss_curve_, rtol=1e-7)
    assert np.abs(model.predict(X) - pipeline.predict(X)).max() < 1e-6 * Y.std()


@pytest.mark.parametrize("alpha", [0.1, "evidence"])
def test_deviations_are_in_the_users_units(alpha):
    settings = {"alpha": alpha, "max_iter": 300, "tol": 1e-8 if alpha == 0.1 else 1e-4}
    model = regressor(standardize=True, **settings).fit(X, Y)
    scaled = regressor(standardize=False, **settings).fit(U, (Y - Y.mean()) / Y.std())
    (mean, std), (other, other_std) = model.predict(X, return_std=True), scaled.predict(U, return_std=True)
    assert np.abs(mean - (Y.mean() + Y.std() * other)).max() < 1e-5 * Y.std()
    assert relative_error(std, Y.std() * other_std) < 1e-5


def test_the_default_is_to_standardise_for_the_evidence_only():
    model = regressor(alpha="evidence").fit(X, Y)
    assert model.score(X, Y) > 0.95
    assert model.posterior_.units is not None is not model.network_.units
    assert regressor(alpha="evidence", standardize=False, max_iter=200).fit(U, U[:, 1] + Y / 1e5).network_.units is None
    assert regressor(max_iter=200).fit(U, Y / 1e5).network_.units is None
    assert clone(regressor(standardize=True)).standardize is True
    with pytest.raises(TypeError, match="standardize: expected True or False"):
        regressor(standardize="yes").fit(X, Y)


def test_classifiers_standardise_their_inputs():
    settings = {**SETTINGS, "solver": "lm", "max_iter": 300}
    model = fastmlp.MLPClassifier(standardize=True, **settings).fit(X, LABELS)
    scaled = fastmlp.MLPClassifier(**settings).fit(U, LABELS)
    assert relative_error(model.predict_proba(X), scaled.predict_proba(U)) < 1e-6
    assert model.score(X, LABELS) > 0.95


def test_early_stopping_sees_the_loss_in_the_units_of_the_training():
    model = regressor(standardize=True, solver="lbfgs", max_iter=15, tol=0.0)
    with pytest.warns(match="converge|Converge"):
        model.fit(X[:90], Y[:90], X_val=X[90:], y_val=Y[90:])
    error = (model.predict(X[90:]) - Y[90:]) / Y[:90].std()
    assert model.validation_loss_curve_[-1] == pytest.approx(0.5 * np.mean(error**2), rel=1e-9)


def test_warm_starts_and_parts_keep_their_units():
    whole = regressor(standardize=True, solver="adam", max_iter=20, tol=0.0)
    halves = regressor(standardize=True, solver="adam", max_iter=10, tol=0.0, warm_start=True)
    parts = regressor(standardize=True, solver="adam", batch_size=120)
    with pytest.warns(match="converge|Converge"):
        whole.fit(X, Y)
    with pytest.warns(match="converge|Converge"):
        halves.fit(X, Y).fit(X, Y)
    assert np.array_equal(whole.network_.params, halves.network_.params)
    parts.partial_fit(X[:60], Y[:60])
    units = parts.network_.units.as_array()
    parts.partial_fit(X[60:], Y[60:])
    assert np.array_equal(parts.network_.units.as_array(), units)
    assert np.allclose(units[1, :3], X[:60].mean(axis=0))


def test_first_samples_that_are_constant_are_told():
    model = regressor(solver="adam", standardize=True)
    with pytest.warns(fastmlp.ScaleWarning, match=r"partial_fit: X\[:,0\], .*, y\[:,0\] are constant in the first"):
        model.partial_fit(X[:1], Y[:1])
    model.partial_fit(X[1:9], Y[1:9])
    regressor(solver="adam", standardize=True).partial_fit(X[:9], Y[:9])


@pytest.mark.parametrize("standardize", [False, True])
def test_who_standardises_is_not_asked_to(standardize):
    model = regressor(solver="lbfgs", standardize=standardize, max_iter=2)
    with pytest.warns(ConvergenceWarning) as caught:
        model.fit(U, U[:, 0])
    assert str(caught[0].message).endswith("raise it" + ", or take standardize=True" * (not standardize))


def test_a_fit_that_ends_above_a_constant_says_so():
    yacht = datasets.load_yacht()
    model = fastmlp.MLPRegressor(early_stopping=True, random_state=1)
    with pytest.warns(ConvergenceWarning, match="above that of a constant; take .* or standardize=True"):
        model.fit(yacht.X, yacht.T)
    assert model.score(yacht.X, yacht.T) < 0.01


def test_what_lm_can_change_is_no_rate():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        regressor().fit(U, 1e-10 * U[:, 0])
    (text,) = (str(each.message) for each in caught if each.category is ConvergenceWarning)
    assert text == (
        "lm has ended with a loss above that of a constant; take other starting values (random_state), or "
        "standardize=True"
    )


# ---- words ----

FAR = Y / 4e4 + 1e6
LOST = np.column_stack([Y, FAR]).astype(np.float32)


@pytest.mark.parametrize(
    ("changes", "targets", "text"),
    [
        ({}, 1e6 * U[:, 0], r"^y: column 0 is out of the outputs' reach"),
        ({}, 1e-10 * U[:, 0], r"^y: column 0 is far below what the outputs start with"),
        ({"standardize": True}, LOST, r"^y: column 1 is more than 1000 standard deviations from zero"),
        ({"alpha": "evidence"}, LOST, r"^y: column 1 is more than 1000 standard deviations from zero"),
        ({"alpha": "evidence"}, 1e-200 * Y, r"^y: column 0 has noise of .*; multiply y by a number"),
    ],
)
def test_warnings_call_the_targets_what_the_caller_does(changes, targets, text):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        regressor(**changes).fit(U.astype(targets.dtype), targets)
    said = [str(each.message) for each in caught if each.category is fastmlp.ScaleWarning]
    assert len(said) == 1
    assert re.search(text, said[0])


EVIDENCE = {"alpha": "evidence"}
NO_NUMBERS, NOT_FINITE, CONSTANT = np.full(120, "a"), np.where(np.arange(120) == 3, None, 1.0), np.full(120, 4e9)


@pytest.mark.parametrize(
    ("changes", "targets", "error", "text"),
    [
        ({}, NO_NUMBERS, TypeError, "^y: expected real numbers, got dtype <U1"),
        (EVIDENCE, NO_NUMBERS, TypeError, "^y: expected real numbers, got dtype <U1"),
        ({}, NOT_FINITE, ValueError, "^y: expected finite numbers, got nan"),
        ({"standardize": True, "max_iter": 300}, CONSTANT, ValueError, "^return_std: .*: y is constant"),
        (EVIDENCE, CONSTANT, ValueError, "^y: .* got constant ones"),
        ({**EVIDENCE, "standardize": False}, 1e-300 * Y, ValueError, "^y: .* of a variance from .* multiply y by"),
    ],
)
def test_errors_call_the_targets_what_the_caller_does(changes, targets, error, text):
    with pytest.raises(error, match=text):
        regressor(**changes).fit(U, targets).predict(U, return_std=True)


def test_a_start_that_is_not_finite_is_told_in_these_words():
    text = r"got inf; try other starting values \(random_state, n_init\), or take standardize=True$"
    with pytest.warns(fastmlp.ScaleWarning, match="^y: column 0"), pytest.raises(ValueError, match=text):
        regressor(solver="adam").fit(U, 1e200 * Y)


def test_deviations_that_float64_does_not_hold_are_told_of_y():
    model = regressor(standardize=True, max_iter=400, tol=1e-10).fit(U, 1e-200 * Y)
    with pytest.warns(fastmlp.ScaleWarning, match="^y: column 0 has noise of .*; multiply y by a number"):
        model.predict(U, return_std=True)


def test_a_network_that_misses_an_output_is_told_of_y():
    two = np.column_stack([U[:, 0], 1e6 * U[:, 1] + 1e9])
    with pytest.warns(ConvergenceWarning, match=r"explains 0\.0% of the variation of the targets, a straight line"):
        regressor(alpha="evidence", standardize=False, max_iter=300).fit(U, two)
