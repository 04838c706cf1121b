"""What docs/coming-from/scikit-learn.md says of the differences between these estimators and scikit-learn's."""

import numpy as np
import pytest
import sklearn.neural_network as theirs

import fastmlp
from estimator_cases import vector
from fastmlp import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 3))
Y = np.c_[X[:, 0] ** 2, X @ [1.0, -2.0, 0.5]] + 0.1 * RNG.normal(size=(90, 2))
y = Y[:, 0]
LABELS = np.digitize(y, [0.3, 1.0])
SMALL = {"hidden_layer_sizes": (4,), "activation": "tanh", "random_state": 0, "max_iter": 5}
BOTH = (MLPRegressor, theirs.MLPRegressor)


def fitted(cls, X=X, target=y, weight=None, **arguments):
    return cls(**{**SMALL, **arguments}).fit(X, target, weight)


def test_the_penalty_of_minibatches_is_weighed_by_n_over_b_there():
    arguments = {"solver": "sgd", "shuffle": False, "batch_size": 30, "learning_rate_init": 0.05}
    ours, peer = fitted(MLPRegressor, alpha=3.0, **arguments), fitted(theirs.MLPRegressor, alpha=1.0, **arguments)
    assert vector(ours) == pytest.approx(vector(peer), rel=1e-10)


def test_of_k_outputs_gradients_are_k_times_as_large_there():
    arguments = {"solver": "sgd", "batch_size": 90, "alpha": 0.0}
    ours = fitted(MLPRegressor, target=Y, learning_rate_init=0.2, **arguments)
    peer = fitted(theirs.MLPRegressor, target=Y, learning_rate_init=0.1, **arguments)
    assert vector(ours) == pytest.approx(vector(peer), rel=1e-10)


def test_adam_corrects_epsilon_too_there():
    """After one step v is corrected by sqrt(1 - beta_2), so that epsilon there is one of epsilon / that here."""
    arguments = {"solver": "adam", "batch_size": 90, "max_iter": 1, "learning_rate_init": 0.1}
    ours = fitted(MLPRegressor, epsilon=0.1 / np.sqrt(1 - 0.999), **arguments)
    assert vector(ours) == pytest.approx(vector(fitted(theirs.MLPRegressor, epsilon=0.1, **arguments)), rel=1e-10)


def test_losses_of_classes_are_not_cut_off():
    arguments = {"solver": "sgd", "learning_rate_init": 1e-12, "max_iter": 1, "alpha": 0.0, "activation": "relu"}
    ours, peer = (fitted(cls, 1e5 * X, LABELS, **arguments) for cls in (MLPClassifier, theirs.MLPClassifier))
    assert peer.loss_ <= 36.05  # - ln eps
    assert ours.loss_ > 1000
    net = ours.network_
    assert ours.loss_ == pytest.approx(net.loss(1e5 * X, LABELS) / 90, rel=1e-3)


def test_a_warm_start_is_a_fresh_start_of_the_solver_there():
    arguments = {"solver": "sgd", "learning_rate_init": 0.05, "warm_start": True, "n_iter_no_change": 99}
    for cls, same in ((theirs.MLPRegressor, False), (MLPRegressor, True)):
        once, twice = (fitted(cls, max_iter=k, **arguments) for k in (10, 5))
        assert np.allclose(vector(once), vector(twice.fit(X, y)), rtol=1e-3, atol=0.0) is same


def test_other_layers_in_a_warm_start_are_refused():
    ours, peer = (fitted(cls, warm_start=True).set_params(hidden_layer_sizes=(7,)) for cls in BOTH)
    assert peer.fit(X, y).coefs_[0].shape == (3, 4)
    with pytest.raises(ValueError, match=r"^warm_start: expected the layers"):
        ours.fit(X, y)


@pytest.mark.parametrize(
    ("arguments", "weight", "message"),
    [
        ({"momentum": 1.0, "solver": "sgd"}, None, "^momentum: "),
        ({}, np.r_[-1.0, np.ones(89)], "^sample_weight: "),
        ({"loss": "poisson"}, None, "^y: expected non-negative"),
    ],
)
def test_what_is_taken_there_and_refused_here(arguments, weight, message):
    target = y - 5 if "loss" in arguments else y
    with np.errstate(all="ignore"):
        fitted(theirs.MLPRegressor, target=target, weight=weight, **arguments)
    with pytest.raises(ValueError, match=message):
        fitted(MLPRegressor, target=target, weight=weight, **arguments)


def test_masks_are_dropped_there():
    masked = np.ma.array(X, mask=X > 1)
    assert np.array_equal(vector(fitted(theirs.MLPRegressor, masked)), vector(fitted(theirs.MLPRegressor)))
    with pytest.raises(TypeError, match=r"^X: expected an array without a mask"):
        fitted(MLPRegressor, masked)


def test_samples_without_weight_take_part_there():
    weight = np.r_[np.zeros(30), np.ones(60)]
    arguments = {"batch_size": 30, "shuffle": False}
    ours = fitted(MLPRegressor, weight=weight, **arguments)
    assert ours.t_ == 5 * 60
    assert np.array_equal(vector(ours), vector(fitted(MLPRegressor, X[30:], y[30:], np.ones(60), **arguments)))
    with pytest.raises(ZeroDivisionError):
        fitted(theirs.MLPRegressor, weight=weight, **arguments)


def test_early_stopping_is_ignored_by_lbfgs_there():
    ours, peer = (fitted(cls, solver="lbfgs", early_stopping=True, max_iter=100) for cls in BOTH)
    assert not hasattr(peer, "validation_scores_")
    assert len(ours.validation_scores_) == ours.n_iter_


@pytest.mark.parametrize(("target", "same"), [(LABELS > 0, True), (LABELS, False)], ids=["two", "three"])
def test_samples_are_held_back_by_class_with_two_classes_only_there(target, same):
    arguments = {"solver": "sgd", "early_stopping": True, "shuffle": False, "alpha": 0.0, "learning_rate_init": 0.1}
    ours, peer = (fitted(cls, target=target, **arguments) for cls in (MLPClassifier, theirs.MLPClassifier))
    assert (np.allclose(vector(ours), vector(peer), rtol=1e-10)) is same


def test_lists_of_coefficients_are_views():
    ours, peer = (fitted(cls) for cls in BOTH)
    for model, changes in ((ours, False), (peer, True)):
        before = model.predict(X)
        model.coefs_[0] = 2 * model.coefs_[0]
        assert np.array_equal(model.predict(X), before) is not changes
    ours.coefs_[0][...] *= 2
    ours.coefs_ = [W.copy() for W in ours.coefs_]
    assert ours.predict(X) == pytest.approx(peer.predict(X), abs=1e-6)


def test_attributes_of_full_batch_solvers():
    ours, peer = (fitted(cls, solver="lbfgs") for cls in BOTH)
    names = ("loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_")
    assert [hasattr(peer, name) for name in names] == [False] * 4
    assert len(ours.loss_curve_) == ours.n_iter_
    assert (ours.best_loss_, ours.validation_scores_) == (ours.loss_curve_[-1], None)


def test_one_class_has_one_column():
    ours, peer = (fitted(cls, target=np.zeros(90)) for cls in (MLPClassifier, theirs.MLPClassifier))
    assert peer.predict_proba(X).shape == (90, 2)
    assert np.array_equal(ours.predict_proba(X), np.ones((90, 1)))


def test_logarithms_vanish_there():
    arguments = {"target": LABELS, "activation": "relu"}
    ours, peer = (fitted(cls, **arguments) for cls in (MLPClassifier, theirs.MLPClassifier))
    with np.errstate(divide="ignore"):
        assert np.isneginf(peer.predict_log_proba(1e5 * X)).any()
    assert np.isfinite(ours.predict_log_proba(1e5 * X)).all()
    assert not hasattr(peer, "decision_function")
    assert ours.decision_function(X).shape == (90, 3)


def test_float32_stays_float32_whatever_is_asked():
    ours, peer = (fitted(cls, X.astype("f4")) for cls in BOTH)
    assert (ours.predict(X).dtype, peer.predict(X).dtype) == (np.float32, np.float64)


def test_starting_values_are_the_same():
    ours, peer = (fitted(cls, solver="sgd", learning_rate_init=1e-300, max_iter=1) for cls in BOTH)
    assert np.array_equal(vector(ours), vector(peer))
    assert isinstance(ours.network_, fastmlp.Network)
    assert fitted(MLPRegressor, random_state=np.random.default_rng(0)).n_iter_ == 5
    with pytest.raises(ValueError, match="random_state"):
        fitted(theirs.MLPRegressor, random_state=np.random.default_rng(0))
