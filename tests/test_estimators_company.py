"""Estimators among scikit-learn's: clones, pipelines, searches, routing, frames; and what they refuse."""

import pickle
import sys

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fastmlp
from estimator_cases import BINARY, LABELS, WEIGHT, X, small, vector, y
from fastmlp import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_models_are_cloned_pickled_and_shown():
    model = small(MLPClassifier, "adam", max_iter=5, batch_size=30, warm_start=True).fit(X, LABELS)
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict_proba(X), model.predict_proba(X))
    assert np.array_equal(vector(again.fit(X, LABELS)), vector(model.fit(X, LABELS)))
    assert clone(model).get_params() == model.get_params()
    assert not hasattr(clone(model), "coefs_")
    assert "MLPClassifier" in model._repr_html_()


def test_grids_are_searched_in_pipelines():
    grid = {"mlpclassifier__hidden_layer_sizes": [(2,), (6,)], "mlpclassifier__alpha": [0.01, 1.0]}
    search = GridSearchCV(make_pipeline(StandardScaler(), small(MLPClassifier, max_iter=60)), grid, cv=3)
    assert search.fit(X, BINARY).best_score_ > 0.8


def test_weights_and_validation_sets_are_routed():
    with sklearn.config_context(enable_metadata_routing=True):
        model = small(MLPRegressor).set_fit_request(sample_weight=True, X_val=True, y_val=True)
        pipeline = make_pipeline(
            StandardScaler().set_fit_request(sample_weight=False), model, transform_input=["X_val"]
        )
        pipeline.fit(X[:60], y[:60], sample_weight=WEIGHT[:60], X_val=X[60:], y_val=y[60:])
    Z = StandardScaler().fit(X[:60]).transform(X)
    by_hand = small(MLPRegressor).fit(Z[:60], y[:60], WEIGHT[:60], Z[60:], y[60:])
    assert by_hand.validation_loss_curve_ == pipeline[-1].validation_loss_curve_


def test_frames_keep_the_names_of_their_columns():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    model = small(MLPRegressor, max_iter=5, early_stopping=True).fit(frame, pd.Series(y))
    assert model.feature_names_in_.tolist() == ["a", "b", "c"]
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[["b", "a", "c"]])


def test_weights_are_views_and_may_be_assigned():
    model = small(MLPRegressor, max_iter=5, hidden_layer_sizes=(4, 3), activation=("tanh", "relu")).fit(X, y)
    assert [W.shape for W in model.coefs_] == [(3, 4), (4, 3), (3, 1)]
    assert model.network_.hidden == ("tanh", "relu")
    model.coefs_[-1][...] = 0.0
    model.intercepts_ = [b + 1 for b in model.intercepts_]
    assert np.array_equal(model.predict(X), np.full(90, model.intercepts_[-1][0]))
    model.coefs_ = [W + 1 for W in model.coefs_]
    assert (model.coefs_[-1] == 1).all()


WRONG = (
    {"solver": "newton"}, {"activation": "swish"}, {"activation": ["tanh"] * 2}, {"alpha": -1.0}, {"alpha": "much"},
    {"batch_size": 0}, {"learning_rate": "fast"}, {"learning_rate_init": 0.0}, {"max_iter": 0}, {"max_fun": 1.5},
    {"n_init": 0}, {"n_iter_no_change": 0}, {"momentum": 1.0}, {"beta_1": 1.0}, {"epsilon": 0.0}, {"tol": -1.0},
    {"shuffle": "yes"}, {"early_stopping": "soon"}, {"validation_fraction": 1.0}, {"hidden_layer_sizes": (3, 0)},
    {"hidden_layer_sizes": 2.5}, {"power_t": -1.0}, {"warm_start": 1}, {"early_stopping": 1}, {"loss": "hinge"},
)  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_wrong_arguments_are_named(wrong):
    with pytest.raises((ValueError, TypeError), match=f"^{next(iter(wrong))}: expected"):
        MLPRegressor(**wrong).fit(X, y)


def test_wrong_data_are_refused():
    with pytest.raises(ValueError, match="sample_weight"):
        small(MLPRegressor).fit(X, y, -WEIGHT)
    with pytest.raises(ValueError, match=r"(?i)sample.?weight"):
        small(MLPRegressor).fit(X, y, np.zeros(90))
    with pytest.raises(ValueError, match="y: expected non-negative"):
        small(MLPRegressor, loss="poisson").fit(X, y)
    with pytest.raises(ValueError, match="several labels"):
        small(MLPClassifier).fit(X, np.c_[LABELS, LABELS])
    with pytest.raises(ValueError, match="Unknown label type"):
        small(MLPClassifier).fit(X, y)
    with pytest.raises(ValueError, match="too small"):
        small(MLPRegressor, early_stopping=True).fit(X[:5], y[:5])
    with pytest.warns(UserWarning, match="batch_size=91"):
        small(MLPRegressor, "sgd", batch_size=91, max_iter=1).fit(X, y)


def test_a_generator_is_a_random_state_too():
    one, other = (small(MLPRegressor, max_iter=3, random_state=np.random.default_rng(3)).fit(X, y) for _ in range(2))
    assert np.array_equal(vector(one), vector(other))


def test_without_scikit_learn_the_error_says_what_to_install(monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "sklearn" or "fastmlp.estimators" in name]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("estimators", "MLPRegressor"):
        monkeypatch.delitem(vars(fastmlp), name, raising=False)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError, match="pip install scikit-learn"):
        _ = fastmlp.MLPRegressor
    with pytest.raises(AttributeError, match="no attribute 'MLPTransformer'"):
        _ = fastmlp.MLPTransformer
    assert {"MLPClassifier", "MLPRegressor", "Network"} <= set(dir(fastmlp))
