"""`MLPRegressor` and `MLPClassifier` fit: warm starts, parts, early stopping, weights, several starts, warnings."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from estimator_cases import BINARY, LABELS, WEIGHT, X, Y, small, vector, y
from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.estimators.arguments import SOLVERS, STOCHASTIC

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(("cls", "target"), [(MLPRegressor, y), (MLPClassifier, LABELS)])
def test_a_warm_start_continues_as_if_there_had_been_no_break(cls, target, solver):
    arguments = {"batch_size": 20, "warm_start": True, "tol": 1e-7}
    once = small(cls, solver, max_iter=14, **arguments).fit(X, target)
    twice = small(cls, solver, max_iter=7, **arguments).fit(X, target).fit(X, target)
    assert np.array_equal(vector(once), vector(twice))
    assert once.loss_curve_ == twice.loss_curve_
    assert (twice.n_iter_, len(twice.loss_curve_)) == (7, 14)


@pytest.mark.parametrize("solver", ["adam", "lm"])
def test_a_warm_start_continues_also_after_the_best_weights_were_restored(solver):
    arguments = {"early_stopping": "loss", "n_iter_no_change": 100, "warm_start": True, "learning_rate_init": 0.05}
    once = small(MLPRegressor, solver, alpha=0, tol=0, max_iter=60, **arguments).fit(X, y)
    twice = small(MLPRegressor, solver, alpha=0, tol=0, max_iter=30, **arguments).fit(X, y).fit(X, y)
    assert min(once.validation_loss_curve_) < once.validation_loss_curve_[-1]
    assert once.validation_loss_curve_ == twice.validation_loss_curve_
    assert np.array_equal(vector(once), vector(twice))


def test_a_warm_start_goes_on_from_the_weights_where_the_solver_has_no_state():
    model = small(MLPRegressor, "lbfgs", max_iter=10, warm_start=True).fit(X, y)
    first = model.loss_
    assert model.fit(X, y).loss_ < first
    model.set_params(solver="lm", max_iter=200)
    assert model.fit(X, y).loss_ < first
    assert model.fit(X[:50], y[:50]).score(X[:50], y[:50]) > 0.5


def test_a_warm_start_wants_the_same_layers_and_targets():
    model = small(MLPRegressor, max_iter=2, warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match="outputs"):
        model.fit(X, Y)
    with pytest.raises(ValueError, match="layers"):
        model.set_params(hidden_layer_sizes=(5,)).fit(X, y)
    with pytest.raises(ValueError, match="same classes"):
        small(MLPClassifier, max_iter=2, warm_start=True).fit(X, LABELS).fit(X, BINARY)


@pytest.mark.parametrize(("cls", "target"), [(MLPRegressor, y), (MLPClassifier, LABELS)])
@pytest.mark.parametrize("solver", STOCHASTIC)
def test_partial_fit_is_an_epoch_of_fit(cls, target, solver):
    model = small(cls, solver, batch_size=16)
    for _ in range(10):
        model.partial_fit(X, target, *([None, [0, 1, 2]] if cls is MLPClassifier else []))
    assert np.array_equal(vector(model), vector(small(cls, solver, batch_size=16, max_iter=10, tol=0).fit(X, target)))
    model.partial_fit(X[:7], target[:7])
    assert (model.n_iter_, model.t_) == (1, 907)


def test_partial_fit_knows_its_classes():
    with pytest.raises(ValueError, match="classes must be passed"):
        small(MLPClassifier, "sgd").partial_fit(X, LABELS)
    model = small(MLPClassifier, "sgd").partial_fit(X[:1], ["b"], classes=["a", "b", "c"])
    with pytest.raises(ValueError, match="as before"):
        model.partial_fit(X, LABELS, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="not in"):
        model.partial_fit(X[:1], ["d"])
    with pytest.raises(ValueError, match="class_weight: expected a dict or None"):
        small(MLPClassifier, "sgd", class_weight="balanced").partial_fit(X, LABELS, classes=[0, 1, 2])
    assert not hasattr(small(MLPClassifier, "lm"), "partial_fit")
    with pytest.raises(ValueError, match="early_stopping"):
        small(MLPClassifier, "sgd", early_stopping=True).partial_fit(X, LABELS, classes=[0, 1, 2])


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("measure", ["score", "loss"])
@pytest.mark.parametrize(("cls", "target"), [(MLPRegressor, y), (MLPClassifier, LABELS)])
def test_early_stopping_restores_the_best_weights(cls, target, measure, solver):
    model = small(cls, solver, hidden_layer_sizes=(20,), early_stopping=measure, alpha=0, tol=0, max_iter=400,
                  learning_rate_init=0.05, n_iter_no_change=3)  # fmt: skip
    model.fit(X[:45], target[:45], X_val=X[45:], y_val=target[45:])
    assert model.n_iter_ < 400
    assert len(model.loss_curve_) == len(model.validation_loss_curve_) == model.n_iter_
    if measure == "score":
        assert model.score(X[45:], target[45:]) == pytest.approx(model.best_validation_score_, abs=1e-12)
        assert model.best_validation_score_ == max(model.validation_scores_)
    else:
        loss = model.network_.loss(X[45:], target[45:]) / 45
        assert loss == pytest.approx(min(model.validation_loss_curve_), rel=1e-12)
        assert model.validation_scores_ is None


def test_samples_are_held_back_by_class():
    rare = np.repeat([0, 1, 2], [60, 20, 10])
    model = small(MLPClassifier, early_stopping=True, validation_fraction=0.1, max_iter=5).fit(X, rare)
    _, held_back = model._hold_back(model._samples(X, model._encode(rare), None), None)
    assert np.bincount(held_back.T).tolist() == [6, 2, 1]


def test_a_warm_start_holds_back_the_same_samples():
    model = small(MLPRegressor, early_stopping=True, max_iter=5, warm_start=True, random_state=None).fit(X, y)
    before = model._hold_back(model._samples(X, y, None), None)
    after = model.fit(X, y)._hold_back(model._samples(X, y, None), None)
    assert all(np.array_equal(a.X, b.X) for a, b in zip(before, after, strict=True))


def test_a_validation_set_is_recorded_also_without_early_stopping():
    model = small(MLPRegressor, max_iter=30).fit(X[:60], y[:60], X_val=X[60:], y_val=y[60:])
    assert len(model.validation_loss_curve_) == model.n_iter_
    assert model.validation_loss_curve_[-1] == pytest.approx(0.5 * np.mean((model.predict(X[60:]) - y[60:]) ** 2))
    with pytest.raises(ValueError, match="y_val"):
        small(MLPRegressor).fit(X, y, X_val=X)
    with pytest.raises(ValueError, match="features"):
        small(MLPRegressor).fit(X, y, X_val=X[:, :2], y_val=y)


def test_class_weights_are_sample_weights():
    plain = small(MLPClassifier, alpha=0.3).fit(X, LABELS, np.array([1.0, 4.0, 0.5])[LABELS] * WEIGHT)
    model = small(MLPClassifier, alpha=0.3, class_weight={0: 1.0, 1: 4.0, 2: 0.5}).fit(X, LABELS, WEIGHT)
    assert np.array_equal(vector(model), vector(plain))
    balanced = small(MLPClassifier, alpha=0.3, class_weight="balanced").fit(X, LABELS)
    factors = 90 / (3 * np.bincount(LABELS))
    by_hand = small(MLPClassifier, alpha=0.3).fit(X, LABELS, factors[LABELS])
    assert vector(balanced) == pytest.approx(vector(by_hand), abs=1e-6)


def test_a_weight_of_two_is_the_sample_twice_and_of_zero_none():
    weight = np.repeat([2, 0, 1], 30)
    rows = np.repeat(np.arange(90), weight)
    weighted = small(MLPRegressor, alpha=0.1, tol=1e-9, max_iter=500).fit(X, y, weight)
    repeated = small(MLPRegressor, alpha=0.1, tol=1e-9, max_iter=500).fit(X[rows], y[rows])
    assert vector(weighted) == pytest.approx(vector(repeated), abs=1e-6)
    assert weighted.loss_ == pytest.approx(repeated.loss_, rel=1e-10)


@pytest.mark.parametrize("solver", ["lm", "adam"])
def test_the_best_of_several_starts_is_kept(solver):
    several = small(MLPRegressor, solver, n_init=6, alpha=0.01, max_iter=300).fit(X, y)
    random = np.random.RandomState(0)
    losses = []
    for _ in range(6):
        one = small(MLPRegressor, solver, alpha=0.01, max_iter=300, random_state=random).fit(X, y)
        losses.append(one.loss_)
    assert several.loss_ <= min(losses) * (1 + 1e-4) if solver == "lm" else several.loss_ < np.median(losses)
    assert len(several.loss_curve_) == several.n_iter_


def test_the_best_of_several_starts_is_judged_by_the_validation_set():
    arguments = {"early_stopping": "loss", "max_iter": 40}
    one = small(MLPRegressor, **arguments).fit(X[:60], y[:60], X_val=X[60:], y_val=y[60:])
    best = small(MLPRegressor, n_init=5, **arguments).fit(X[:60], y[:60], X_val=X[60:], y_val=y[60:])
    assert min(best.validation_loss_curve_) <= min(one.validation_loss_curve_)


@pytest.mark.parametrize("solver", SOLVERS)
def test_who_has_not_converged_warns_and_verbose_speaks(solver, capsys):
    model = small(MLPRegressor, solver, max_iter=3)
    with pytest.warns(ConvergenceWarning, match="max_iter=3"):
        model.fit(X, y)
    assert capsys.readouterr().out == ""
    model.set_params(verbose=True).fit(X, y)
    assert capsys.readouterr().out.count("Iteration") == 3


@pytest.mark.filterwarnings("error")
def test_who_has_converged_does_not_warn():
    assert small(MLPRegressor, "lm", alpha=0.1, max_iter=500).fit(X, y).n_iter_ < 500
    assert small(MLPRegressor, "adam", tol=0.1).fit(X, y).n_iter_ < 200


def test_max_fun_bounds_the_evaluations():
    model = small(MLPRegressor, "lbfgs", max_fun=10)
    with pytest.warns(ConvergenceWarning, match="max_fun=10"):
        model.fit(X, y)
    assert 5 <= model.n_iter_ <= 10


def test_the_adaptive_rate_is_divided_until_it_is_small(capsys):
    model = small(MLPRegressor, "sgd", learning_rate="adaptive", tol=0.5, n_iter_no_change=2, max_iter=500, verbose=1)
    model.fit(X, y)
    rates = [float(line.split("=")[1]) for line in capsys.readouterr().out.splitlines() if line.startswith("Learning")]
    assert rates == pytest.approx(0.001 / 5.0 ** np.arange(1, 6), rel=1e-4)
    assert model.n_iter_ < 500
