"""Estimators from networks, and paths of ever smaller ones."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fastmlp
from fastmlp import MLPClassifier, MLPRegressor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
Y = np.column_stack([np.tanh(X[:, 0]), X[:, 1] - X[:, 2]]) + 0.05 * RNG.normal(size=(60, 2))
CLASSES = np.array(["a", "b", "c"])
LABELS = CLASSES[np.digitize(X[:, 0] + 0.3 * X[:, 1], [-0.5, 0.5])]

NETWORKS = {
    "regression": ([4, 3, 1], {}),
    "several outputs": ([4, 3, 2, 2], {"hidden": ["tanh", "softplus"]}),
    "counts": ([4, 1], {"output": "exp"}),
    "two classes": ([4, 3, 1], {"output": "logistic"}),
    "two of softmax": ([4, 3, 2], {"output": "softmax"}),
    "three classes": ([4, 3, 3], {"output": "softmax", "hidden": "relu", "dtype": "float32"}),
    "several labels": ([4, 3, 3], {"output": "logistic"}),
}
TARGETS = {
    "regression": Y[:, 0],
    "several outputs": Y,
    "counts": np.round(np.exp(Y[:, 0])),
    "two classes": (X[:, 0] > 0).astype(int),
    "two of softmax": (X[:, 0] > 0).astype(int),
    "three classes": np.digitize(X[:, 0], [-0.5, 0.5]),
    "several labels": (X[:, :3] > 0).astype(int),
}


def network(name, rng=0):
    layers, arguments = NETWORKS[name]
    return fastmlp.Network(layers, rng=rng, **arguments)


def kind_of(name):
    return MLPClassifier if network(name)._architecture.loss.is_of_classes else MLPRegressor


@pytest.mark.parametrize("name", NETWORKS)
def test_an_estimator_predicts_what_its_network_does(name):
    net, kind = network(name), kind_of(name)
    model = kind.from_network(net)
    outputs = net(X)
    if kind is MLPRegressor:
        np.testing.assert_array_equal(model.predict(X), outputs[:, 0] if outputs.shape[1] == 1 else outputs)
    else:
        P = model.predict_proba(X)
        np.testing.assert_array_equal(P[:, -1], outputs[:, -1])
        np.testing.assert_allclose(model.predict_log_proba(X), np.log(P), rtol=1e-4)
        Z = model.decision_function(X)
        if name.startswith("two"):
            assert Z.shape == (60,)
            np.testing.assert_allclose(Z, np.log(P[:, 1] / P[:, 0]), rtol=1e-9, atol=1e-12)
            np.testing.assert_array_equal(model.predict(X), Z > 0)
    assert 0 <= abs(model.score(X, TARGETS[name])) < 1e3
    assert (model.n_features_in_, model.n_layers_, model.n_outputs_) == (4, len(net.layers), net.layers[-1])
    assert (model.hidden_layer_sizes, model.out_activation_) == (net.layers[1:-1], net.output)
    assert model.network_ == net
    assert model.network_ is not net


@pytest.mark.parametrize("name", NETWORKS)
def test_it_is_an_estimator_like_others(name):
    net, kind = network(name), kind_of(name)
    model = kind.from_network(net, alpha=0.5, warm_start=True)
    other = clone(model)
    assert str(other.get_params()) == str(model.get_params())
    assert not hasattr(other, "network_")
    other.set_params(max_iter=1, solver="lbfgs")
    with pytest.warns(Warning, match="converged"):
        assert other.fit(X, TARGETS[name]).network_.layers[:-1] == net.layers[:-1]
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(twin.predict(X), model.predict(X))
    assert len(pickle.dumps(model)) < 6000
    with pytest.raises(ValueError, match="X has 3 features"):
        model.predict(X[:, :3])


@pytest.mark.parametrize("name", NETWORKS)
def test_parts_and_warm_starts_go_on_from_the_network_and_its_mask(name):
    net, kind = network(name), kind_of(name)
    mask = np.zeros(net.n_params, bool)
    mask[:3] = True
    net.pruned = mask
    T = TARGETS[name]
    for arguments in ({"solver": "adam"}, {"solver": "lm", "warm_start": True, "alpha": 1.0, "max_iter": 3}):
        model = kind.from_network(net, **arguments)
        if arguments["solver"] == "adam":
            model.partial_fit(X, T)
            assert model.t_ == 60
        else:
            with pytest.warns(Warning, match="max_iter"):
                model.fit(X, T)
            scale = len(X) * (net.layers[-1] if kind is MLPRegressor else 1)
            whole = net.copy().unprune().objective(X, T, penalty=fastmlp.WeightDecay(scale / len(X)))
            first = whole.value(net.params)
            assert model.loss_curve_[0] * scale < first  # the first step from where the network was
        assert not np.array_equal(model.network_.params, net.params)
        np.testing.assert_array_equal(model.network_.pruned, mask)
        assert not model.network_.params[:3].any()


def test_classes_have_names():
    net = network("three classes")
    model = MLPClassifier.from_network(net, CLASSES, solver="lm", warm_start=True, alpha=0.1, max_iter=500)
    np.testing.assert_array_equal(model.classes_, CLASSES)
    np.testing.assert_array_equal(model.predict(X), CLASSES[net(X).argmax(axis=1)])
    assert model.fit(X, LABELS).score(X, LABELS) > 0.95
    assert MLPClassifier.from_network(network("two classes"), ["no", "yes"]).predict(X[:3]).dtype.kind == "U"


def test_units_are_kept_and_standardised_training_goes_on_in_them():
    raw, T = 100 + 20 * X, 1e3 * Y[:, 0]
    net, penalty = fastmlp.Network([4, 5, 1], rng=0), fastmlp.WeightDecay(1.0, 1.0)
    path = fastmlp.prune(net, raw, T, penalty=penalty, standardize=True, n_params=8)
    model = MLPRegressor.from_network(path.best, solver="lm", alpha=1.0, warm_start=True, max_iter=300)
    assert model.standardize is True
    np.testing.assert_array_equal(model.predict(raw), path.best(raw)[:, 0])
    model.fit(raw[:50], T[:50])  # of other moments
    assert model.network_.units == path.best.units
    np.testing.assert_array_equal(model.network_.pruned, path.best.pruned)
    own = model.network_.units.unfolded(model.network_._architecture, model.network_.params)
    np.testing.assert_allclose(own[model.network_.pruned], 0, atol=1e-12)
    assert model.score(raw, T) > 0.9


def test_pipelines_and_transformers_take_it():
    net = network("regression")
    pipe = make_pipeline(StandardScaler().fit(X), MLPRegressor.from_network(net))
    np.testing.assert_allclose(pipe.predict(X), net((X - X.mean(axis=0)) / X.std(axis=0))[:, 0], rtol=1e-12)
    outer = TransformedTargetRegressor(
        MLPRegressor.from_network(net, solver="lm", max_iter=500, alpha=1.0), transformer=StandardScaler()
    )
    assert outer.fit(X, Y[:, 0]).predict(X).shape == (60,)


def test_what_does_not_fit_is_refused_by_name():
    def refused(call, *parts):
        with pytest.raises((TypeError, ValueError)) as caught:
            call()
        for part in parts:
            assert part in str(caught.value), caught.value

    regression, three = network("regression"), network("three classes")
    refused(lambda: MLPRegressor.from_network(three), "net", "softmax with cross_entropy")
    refused(lambda: MLPClassifier.from_network(regression), "net", "identity with squared_error")
    refused(lambda: MLPRegressor.from_network(fastmlp.Network([2, 2, 1], output="tanh", rng=0)), "net", "tanh")
    refused(lambda: MLPRegressor.from_network("net"), "net")
    refused(lambda: MLPRegressor.from_network(regression, hidden_layer_sizes=4), "hidden_layer_sizes", "(3,)")
    refused(lambda: MLPRegressor.from_network(regression, activation="relu"), "activation", "tanh")
    refused(lambda: MLPRegressor.from_network(regression, loss="poisson"), "loss", "squared_error")
    refused(lambda: MLPRegressor.from_network(regression, classes=[0, 1]), "classes")
    for classes in (["a", "b"], ["c", "b", "a"], ["a", "b", "b"]):
        refused(lambda classes=classes: MLPClassifier.from_network(three, classes), "classes", "3 different ones")
    refused(lambda: MLPClassifier.from_network(network("several labels"), [0, 1, 5]), "classes", "several labels")
    model = MLPRegressor.from_network(regression, hidden_layer_sizes=3, activation=["tanh"], loss="squared_error")
    refused(lambda: model.predict(X, return_std=True), "return_std", "from_network")


def test_deviations_come_after_a_fit_that_goes_on():
    model = MLPRegressor.from_network(
        network("regression"), solver="lm", alpha=1.0, warm_start=True, max_iter=500, tol=1e-8
    )
    mean, std = model.fit(X, Y[:, 0]).predict(X, return_std=True)
    assert (std > 0).all()
    assert (np.abs(mean - Y[:, 0]) < 3 * std).mean() > 0.95


# ---- paths ----


def fitted(kind, y, X=X, **arguments):
    own = {"hidden_layer_sizes": 4, "activation": "tanh", "solver": "lm", "alpha": 0.5, "tol": 1e-8, "max_iter": 500}
    return kind(**{**own, "random_state": 0, **arguments}).fit(X, y)


@pytest.mark.parametrize(
    ("kind", "y", "lam", "weight"),
    [
        (MLPRegressor, Y[:, 0], 0.5, None),
        (MLPRegressor, Y, 1.0, None),
        (MLPClassifier, LABELS, 0.5, None),
        (MLPRegressor, Y[:, 0], 0.5, RNG.uniform(0.5, 2.0, 60)),
    ],
    ids=["one output", "two outputs", "classes", "weights"],
)
def test_a_path_prunes_what_fit_minimises(kind, y, lam, weight):
    model = fitted(kind, y)
    before = model.network_.params
    path = model.prune_path(X, y, weight, n_params=8)
    # scikit-learn's mean objective times N, and K, in the library's arguments
    share = 1.0 if weight is None else 60 / weight.sum()
    T = np.searchsorted(model.classes_, y) if kind is MLPClassifier else y
    by_hand = fastmlp.prune(
        model.network_, X, T, penalty=fastmlp.WeightDecay(lam * share), n_params=8,
        sample_weight=None if weight is None else weight * share,
    )  # fmt: skip
    assert [step.removed for step in path.steps] == [step.removed for step in by_hand.steps]
    np.testing.assert_allclose(path.steps[-1].objective, by_hand.steps[-1].objective, rtol=1e-12)
    assert path.best_step == by_hand.best_step == len(path.steps) - 1
    assert np.array_equal(model.network_.params, before)
    if weight is None:
        divisor = 60 * (1 if y.ndim == 1 else y.shape[1])
        assert path.steps[0].objective / divisor == pytest.approx(model.loss_, rel=1e-9)


@pytest.mark.parametrize(("kind", "y"), [(MLPRegressor, Y[:, 0]), (MLPClassifier, LABELS)])
def test_steps_are_estimators_with_scores(kind, y):
    model = fitted(kind, y[:40], X[:40])
    path = model.prune_path(X[:40], y[:40], X_val=X[40:], y_val=y[40:], stop="validation")
    assert len(path.scores) == len(path.steps)
    for k in (0, path.best_step, -1):
        own = path.estimator(k)
        assert own.score(X[40:], y[40:]) == pytest.approx(path.scores[k], rel=1e-12)
        np.testing.assert_array_equal(own.network_.pruned, path.fixed(k))
        assert own.get_params() == model.get_params()
    losses = [step.validation_loss for step in path.steps]
    assert losses[path.best_step] == min(losses)
    assert (path.best_estimator.predict(X) == path.estimator(path.best_step).predict(X)).all()
    assert "score" in path.table().split("\n")[0]
    np.testing.assert_array_equal(path.frame()["score"], path.scores)
    train = model.prune_path(X[:40], y[:40], n_params=20)
    assert train.scores[-1] == pytest.approx(train.estimator(-1).score(X[:40], y[:40]), rel=1e-12)
    further = path.best_estimator.set_params(warm_start=True, max_iter=2000).fit(X, y)
    np.testing.assert_array_equal(further.network_.pruned, path.best.pruned)
    if kind is MLPClassifier:
        np.testing.assert_array_equal(further.classes_, model.classes_)


def test_with_evidence_its_priors_are_pruned_by():
    model = fitted(MLPRegressor, Y[:, 0], alpha="evidence", tol=1e-4)
    path = model.prune_path(X, Y[:, 0])
    assert path.criterion == "evidence"
    by_hand = fastmlp.prune(model.posterior_)
    assert path.steps[0].log_evidence == pytest.approx(by_hand.steps[0].log_evidence, rel=1e-6)
    assert path.best.n_params == by_hand.best.n_params
    assert [step.removed for step in path.steps] == [step.removed for step in by_hand.steps]
    assert path.best_estimator.posterior_ is None


@pytest.mark.parametrize("seed", range(6))
def test_the_plainest_path_is_one(seed):
    """relu is what estimators take by themselves, and alpha is not on biases: units die, and are straight lines."""
    model = MLPRegressor(hidden_layer_sizes=(5,), alpha=0.1, solver="lm", random_state=seed, tol=1e-2).fit(X, Y[:, 0])
    path = model.prune_path(X, Y[:, 0])
    assert path.steps[-1].n_params <= 2
    assert path.best_estimator.score(X, Y[:, 0]) == path.scores[path.best_step] > 0.8


def test_frames_keep_their_names():
    frame = pd.DataFrame(X, columns=list("pqrs"))
    model = fitted(MLPRegressor, Y[:, 0], frame)
    own = model.prune_path(frame, Y[:, 0], n_params=10).best_estimator
    np.testing.assert_array_equal(own.feature_names_in_, list("pqrs"))
    assert own.predict(frame).shape == (60,)


def test_a_path_needs_a_fit_and_has_its_own_objective():
    with pytest.raises(NotFittedError):
        MLPRegressor().prune_path(X, Y[:, 0])
    model = fitted(MLPRegressor, Y[:, 0])
    for name in ("penalty", "standardize", "validation"):
        with pytest.raises(TypeError, match=f"^{name}: expected none"):
            model.prune_path(X, Y[:, 0], **{name: None})
    with pytest.raises(ValueError, match=r"^what: expected 'weights'"):
        model.prune_path(X, Y[:, 0], what="layers")
    with pytest.raises(ValueError, match=r"^alpha"):
        model.set_params(alpha="evidence").prune_path(X, Y[:, 0])
    with pytest.raises(ValueError, match="classes"):
        fitted(MLPClassifier, LABELS).prune_path(X, np.where(LABELS == "a", "z", LABELS))


def test_paths_in_standardised_units_keep_those_of_the_fit():
    raw, T = 100 + 20 * X, 1e3 * Y[:, 0]
    model = fitted(MLPRegressor, T, raw, standardize=True)
    path = model.prune_path(raw[:50], T[:50], n_params=9)
    assert path.best.units == model.network_.units
    assert path.scores[-1] > 0.9
