"""Estimators of layers that are not dense: `layers`, and samples that have a shape."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

import fastmlp
from fastmlp import AveragePool, Conv, MaxPool, MLPClassifier, MLPRegressor
from fastmlp.invariance import RandomShift

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(80, 6, 5))
Y = IMAGES[:, 1:4, 2].sum(axis=1)
LABELS = np.array(["dark", "grey", "light"])[np.digitize(Y, [-0.7, 0.7])]
HIDDEN = [Conv(2, 3), AveragePool(2), 4]
LAYERS = [(1, 6, 5), *HIDDEN]


def regressor(layers=LAYERS, **arguments):
    return MLPRegressor(layers=layers, **{"activation": "tanh", "solver": "lm", "random_state": 0, **arguments})


def classifier(layers=LAYERS, **arguments):
    return MLPClassifier(layers=layers, **{"activation": "tanh", "max_iter": 5, "random_state": 0, **arguments})


@pytest.mark.parametrize("make", [regressor, classifier])
def test_samples_are_rows_or_have_their_shape(make):
    y = Y if make is regressor else LABELS
    rows = IMAGES.reshape(80, 30)
    model = make().fit(rows, y)
    expected = model.predict(rows)
    assert model.network_._architecture.specification[:-1] == tuple(LAYERS)
    assert model.n_features_in_ == 30
    for X in (IMAGES, IMAGES[:, None], IMAGES.tolist()):
        assert np.array_equal(model.predict(X), expected)
        assert model.score(X, y) == model.score(rows, y)
        for layers in (LAYERS, HIDDEN):
            assert np.array_equal(make(layers).fit(X, y).predict(X), expected)
    for X in (pd.DataFrame(rows), scipy.sparse.csr_array(rows)):
        assert np.array_equal(make().fit(X, y).predict(X), expected)
    assert (make().fit(IMAGES.astype("f4"), y).network_.dtype) == "float32"


def test_the_network_is_the_one_that_is_asked_for_with_the_starting_values_of_its_fans():
    rows = IMAGES.reshape(80, 30)
    model = regressor(solver="sgd", learning_rate_init=1e-12, max_iter=1).fit(rows, Y)
    net = model.network_
    assert [W.shape for W in model.coefs_] == [(2, 1, 3, 3), (4, 4), (4, 1)]
    assert [b.shape for b in model.intercepts_] == [(2,), (4,), (1,)]
    assert (model.n_layers_, net.hidden) == (5, ("tanh", "tanh"))
    many = regressor([(1, 6, 5), Conv(400, 3)], solver="sgd", learning_rate_init=1e-12, max_iter=1).fit(rows, Y)
    bound = (6 / (9 + 9 * 400)) ** 0.5
    W = many.coefs_[0]
    assert 0.99 * bound < abs(W).max() <= bound
    assert W.std() == pytest.approx(bound / 3**0.5, rel=0.05)
    model.coefs_ = [2 * W for W in net.weights[:1]] + model.coefs_[1:]


def test_every_kind_of_layer_and_signals():
    X = RNG.normal(size=(60, 2, 12))
    model = regressor([(2, 12), Conv(3, 3, 2, "same", "position"), MaxPool(2), Conv(2, 2, shared=False)], max_iter=20)
    model.fit(X, X[:, 1, 4])
    assert np.array_equal(model.predict(X), model.predict(X.reshape(60, 24)))
    assert model.network_.weights[0].shape == (3, 2, 3)


def test_it_is_an_estimator_like_others():
    model = classifier(alpha=0.5).fit(IMAGES, LABELS)
    other = clone(model)
    assert other.get_params()["layers"] == LAYERS
    assert not hasattr(other, "network_")
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), other.fit(IMAGES, LABELS)):
        assert np.array_equal(twin.predict_proba(IMAGES), model.predict_proba(IMAGES))
    model.set_params(layers=[Conv(1, 2)], hidden_layer_sizes=(100,)).fit(IMAGES, LABELS)
    assert model.network_._architecture.layers[0].outputs == (1, 5, 4)
    model.set_params(layers=None, hidden_layer_sizes=3).fit(IMAGES.reshape(80, 30), LABELS)
    assert model.network_.layers == (30, 3, 3)


def test_searches_and_pipelines_go_over_layers():
    rows = IMAGES.reshape(80, 30)
    pipe = make_pipeline(MinMaxScaler(), classifier(solver="lbfgs", max_iter=100, alpha=0.1))
    search = GridSearchCV(pipe, {"mlpclassifier__layers": [LAYERS, [(1, 6, 5), Conv(1, 3)], [5]]}, cv=2)
    search.fit(rows, LABELS)
    assert search.best_score_ > 0.6
    assert len(set(search.cv_results_["mean_test_score"])) == 3
    assert cross_val_score(classifier(HIDDEN), IMAGES, LABELS, cv=2).shape == (2,)


def test_parts_and_warm_starts_go_on():
    model = classifier(HIDDEN).partial_fit(IMAGES[:40], LABELS[:40], classes=np.unique(LABELS))
    before = model.network_.params
    model.partial_fit(IMAGES[40:].reshape(40, 30), LABELS[40:])
    assert not np.array_equal(model.network_.params, before)
    twice, once = (classifier(HIDDEN, solver="lbfgs", warm_start=True, max_iter=n, tol=0.0) for n in (4, 8))
    assert np.array_equal(twice.fit(IMAGES, LABELS).fit(IMAGES, LABELS).coefs_[0], once.fit(IMAGES, LABELS).coefs_[0])
    with pytest.raises(ValueError, match=r"^warm_start: expected the layers \(\(1, 6, 5\), Conv\(.* got .*Conv"):
        once.set_params(layers=[Conv(3, 3)]).fit(IMAGES, LABELS)
    with pytest.raises(ValueError, match=r"^X: expected shape \(n_samples, 30\) or \(n_samples, 1, 6, 5\)"):
        twice.fit(IMAGES[:, :5], LABELS)


def test_a_fit_anew_takes_the_shape_of_its_own_samples():
    model = regressor(HIDDEN).fit(IMAGES, Y)
    assert model.fit(IMAGES[:, :5], Y).network_.layers[0] == 25
    assert model.predict(IMAGES[:, :5]).shape == (80,)


def test_validation_sets_early_stopping_augmentation_deviations_and_evidence():
    model = regressor(HIDDEN, early_stopping="loss").fit(IMAGES[:60], Y[:60], X_val=IMAGES[60:], y_val=Y[60:])
    assert len(model.validation_loss_curve_) == model.n_iter_
    assert classifier(HIDDEN, early_stopping=True).fit(IMAGES, LABELS).validation_scores_
    assert classifier(HIDDEN, augment=RandomShift(1)).fit(IMAGES, LABELS).n_iter_ == 5
    mean, std = (
        regressor(HIDDEN, alpha=1.0, standardize=True, max_iter=500).fit(IMAGES, Y).predict(IMAGES, return_std=True)
    )
    assert (abs(mean - Y) < 3 * std).mean() > 0.9
    model = regressor([Conv(1, 3)], alpha="evidence", n_init=2).fit(IMAGES, Y)
    assert sorted(model.posterior_.group_precisions) == ["W1", "W2", "b1", "b2"]
    assert model.score(IMAGES, Y) > 0.9
    path = regressor([Conv(1, 3)], alpha=1.0, max_iter=500).fit(IMAGES, Y).prune_path(IMAGES, Y, n_params=20)
    assert path.best_estimator.predict(IMAGES).shape == (80,)


# ---- from networks ----


def test_estimators_of_networks():
    net = fastmlp.Network([*LAYERS, 3], output="softmax", rng=0)
    model = MLPClassifier.from_network(net, ["a", "b", "c"], max_iter=3)
    assert (model.layers, model.hidden_layer_sizes, model.activation) == (tuple(LAYERS), (100,), "tanh")
    assert np.array_equal(model.predict_proba(IMAGES), net(IMAGES))
    assert clone(model).fit(IMAGES, LABELS).network_._architecture == net._architecture
    assert MLPClassifier.from_network(net, layers=LAYERS).network_ == net
    dense = fastmlp.Network([(1, 6, 5), 4, 1], rng=0)
    assert MLPRegressor.from_network(dense).layers == ((1, 6, 5), 4)
    assert fastmlp.from_sklearn(model) == net


NET, from_network = fastmlp.Network([*LAYERS, 1], rng=0), MLPRegressor.from_network


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: from_network(NET, layers=[Conv(2, 3)]), r"layers: expected \(\(1, 6, 5\), Conv"),
        (lambda: from_network(NET, hidden_layer_sizes=3), "hidden_layer_sizes: expected None, as of"),
        (lambda: from_network(fastmlp.Network([3, 1]), layers=[3]), "layers: expected None, as of net"),
        (
            lambda: from_network(fastmlp.Network([(1, 3, 3), Conv(1, 2)])),
            r"net: expected a dense last layer, .* got Conv\(1, 2\)",
        ),
        (lambda: regressor(5).fit(IMAGES, Y), "layers: expected hidden layers, and before them"),
        (lambda: regressor(["tanh"]).fit(IMAGES, Y), "layers: expected an integer, got 'tanh'"),
        (lambda: regressor([(1, 6), Conv(1, 2)]).fit(IMAGES, Y), r"X: expected shape \(n_samples, 6\) or"),
        (lambda: regressor([(1, 6.5), Conv(1, 2)]).fit(IMAGES, Y), "layers: expected an integer, got 6.5"),
        (lambda: regressor(hidden_layer_sizes=3).fit(IMAGES, Y), "layers: expected None beside hidden_layer_sizes=3"),
        (lambda: regressor(HIDDEN).fit(IMAGES.reshape(80, 30), Y), r"layers: expected a shape .* got 30 units"),
        (lambda: regressor(activation=["tanh"]).fit(IMAGES, Y), "activation: expected a name, or one for each of 2"),
        (lambda: regressor().fit(IMAGES[:, :, :4], Y), r"X: expected shape \(n_samples, 30\) or"),
        (lambda: regressor([Conv(1, 7)]).fit(IMAGES, Y), "layers: expected at least 7 inputs along each axis"),
        (lambda: regressor().fit(IMAGES, Y).predict(IMAGES[:, 1:]), r"X: expected shape \(n_samples, 30\) or"),
        (lambda: MLPRegressor().fit(IMAGES, Y), "Found array with dim 3"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_by_name(call, message):
    with pytest.raises((TypeError, ValueError), match=f"^{message}"):
        call()
