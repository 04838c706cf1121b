"""`MLPRegressor` and `MLPClassifier`: scikit-learn's optimum for the same arguments, and what they do beyond."""

import copy
import pickle
import sys
import warnings

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse
import sklearn
import sklearn.neural_network as theirs
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fastmlp
from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.estimators.arguments import SOLVERS, STOCHASTIC
from fastmlp.estimators.watch import Watch

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 3))
Y = np.c_[np.sin(X[:, 0]) + X[:, 1] ** 2, X @ [1.0, -2.0, 0.5]] + 0.3 * RNG.normal(size=(90, 2))
y = Y[:, 0]
COUNTS = RNG.poisson(np.exp(0.5 * X[:, 0] + 0.3))
BINARY = (y > 0.7).astype(int)
LABELS = np.digitize(y, [0.3, 1.3])
SEVERAL = (Y > [0.7, 0.0]).astype(int)
WEIGHT = RNG.uniform(0.2, 3.0, 90)
SMALL = {"hidden_layer_sizes": (4,), "activation": "tanh", "random_state": 0}


def small(cls, solver="lm", **arguments):
    return cls(**{**SMALL, "solver": solver, **arguments})


def vector(model):
    return np.hstack([array.ravel() for array in (*model.coefs_, *model.intercepts_)])


# ---- the same arguments ----

PROBLEMS = {
    "squared error": (MLPRegressor, theirs.MLPRegressor, y, {}),
    "poisson": (MLPRegressor, theirs.MLPRegressor, COUNTS, {"loss": "poisson"}),
    "two classes": (MLPClassifier, theirs.MLPClassifier, BINARY, {}),
    "three classes": (MLPClassifier, theirs.MLPClassifier, LABELS, {}),
    "labels": (MLPClassifier, theirs.MLPClassifier, SEVERAL, {}),
}


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["", "weighted"])
@pytest.mark.parametrize("name", PROBLEMS)
def test_the_optimum_is_that_of_scikit_learn(name, weight):
    ours, peers, target, more = PROBLEMS[name]
    arguments = {**SMALL, "solver": "lbfgs", "alpha": 2.0, "max_iter": 1000, "tol": 1e-6, **more}
    model = ours(**arguments).fit(X, target, weight)
    peer = peers(**arguments).fit(X, target, weight)
    assert model.loss_ == pytest.approx(peer.loss_, rel=1e-5)
    assert abs(model.predict(X) - peer.predict(X)).mean() < 0.01
    peer.set_params(warm_start=True)
    peer.coefs_, peer.intercepts_ = [W.copy() for W in model.coefs_], [b.copy() for b in model.intercepts_]
    assert peer.fit(X, target, weight).loss_ == pytest.approx(
        model.loss_, rel=1e-5
    )  # hardly anything left to be gained


def test_lbfgs_ends_where_scikit_learns_does():
    for cls, peers, target in ((MLPRegressor, theirs.MLPRegressor, y), (MLPClassifier, theirs.MLPClassifier, LABELS)):
        for tol in (1e-2, 1e-12):  # by the gradient, by the change of the objective
            arguments = {**SMALL, "solver": "lbfgs", "alpha": 1.0, "tol": tol, "max_iter": 1000}
            model, peer = cls(**arguments).fit(X, target), peers(**arguments).fit(X, target)
            assert model.n_iter_ == pytest.approx(peer.n_iter_, rel=0.3)
            assert model.loss_ == pytest.approx(peer.loss_, rel=1e-2 if tol == 1e-2 else 1e-6)


STEPS = (
    {"solver": "adam", "epsilon": 1e-15},  # theirs counts before bias correction
    {"solver": "sgd", "learning_rate_init": 0.05},
    {"solver": "sgd", "nesterovs_momentum": False, "momentum": 0.5},
    {"solver": "sgd", "learning_rate": "invscaling", "momentum": 0.0, "power_t": 0.3, "learning_rate_init": 0.1},
)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["", "weighted"])
@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("steps", STEPS, ids=str)
def test_full_batch_steps_are_those_of_scikit_learn(name, steps, weight):
    ours, peers, target, more = PROBLEMS[name]
    arguments = {**SMALL, "activation": "logistic", "alpha": 0.5, "max_iter": 15, "batch_size": 90, **more, **steps}
    model, peer = ours(**arguments).fit(X, target, weight), peers(**arguments).fit(X, target, weight)
    assert vector(model) == pytest.approx(vector(peer), abs=1e-7)
    assert model.loss_curve_ == pytest.approx(peer.loss_curve_, abs=1e-7)
    assert (model.n_iter_, model.t_, model.out_activation_) == (peer.n_iter_, peer.t_, peer.out_activation_)


@pytest.mark.parametrize("solver", [solver for solver in SOLVERS if solver not in STOCHASTIC])
def test_several_outputs_have_the_minimum_of_the_documented_mean(solver):
    """scikit-learn's gradient is K times too large beside its penalty."""
    model = small(MLPRegressor, solver, alpha=0.3, tol=1e-8, max_iter=5000).fit(X, Y)

    def objective(params):
        V, W = params[:12].reshape(3, 4), params[12:20].reshape(4, 2)
        outputs = np.tanh(X @ V + params[20:24]) @ W + params[24:]
        return 0.5 * np.mean((outputs - Y) ** 2) + 0.3 / 180 * (params[:20] @ params[:20])

    assert model.loss_ == pytest.approx(objective(vector(model)), rel=1e-12)
    slope = scipy.optimize.approx_fprime(vector(model), objective, 1e-6)
    assert abs(slope).max() < (5e-4 if solver == "lbfgs" else 5e-6)  # which ends by the change of the objective
    assert model.predict(X).shape == (90, 2)


def test_tol_bounds_the_gradient_of_the_mean():
    model = small(MLPRegressor, "scg", tol=1e-5, max_iter=5000, alpha=0.1).fit(X, y)
    gradient = model.network_.objective(X, y, penalty=fastmlp.WeightDecay(0.1)).grad(model.network_.params)
    assert 1e-8 < abs(gradient).max() / 90 <= 1e-5


# ---- fitting ----


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


def test_ctrl_c_leaves_the_last_step(monkeypatch):
    notes = Watch.__call__
    seen = []

    def interrupted(self, state):
        seen.append(state.x)
        if state.nit == 5:
            raise KeyboardInterrupt
        return notes(self, state)

    monkeypatch.setattr(Watch, "__call__", interrupted)
    model = small(MLPRegressor, "scg")
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y, X_val=X, y_val=y)
    assert np.array_equal(model.network_.params, seen[-1])
    monkeypatch.undo()
    loss = model.network_.loss(X, y)
    assert 90 * model.set_params(warm_start=True, max_iter=5).fit(X, y).loss_ < loss


def whole(model):
    """What an estimator is, but for its network."""
    return {
        name: value for name, value in model.__getstate__().items() if name not in ("network_", "_result", "n_init")
    }


@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize(("solver", "n_init"), [("adam", 1), ("scg", 3), ("lm", 3)])
def test_a_refit_that_fails_leaves_the_estimator_as_it_was(monkeypatch, solver, n_init, error, warm_start):
    model = small(MLPRegressor, solver, warm_start=warm_start, max_iter=40).fit(X, y, X_val=X, y_val=y)
    before, network, params = str(whole(model)), model.network_, model.network_.params
    model.set_params(n_init=n_init)

    def failing(self, state):
        raise error("no")

    monkeypatch.setattr(Watch, "__call__", failing)
    wider = X if warm_start else np.c_[X, X[:, :1]]
    with pytest.raises(error):
        model.fit(wider, y, X_val=wider, y_val=y)
    assert str(whole(model)) == before
    assert model.network_ is network
    assert model.n_features_in_ == X.shape[1] == network.layers[0]
    assert np.array_equal(network.params, params) or (warm_start and error is KeyboardInterrupt)
    assert np.isfinite(model.predict(X)).all()


def test_ctrl_c_with_several_starts_leaves_a_network(monkeypatch):
    def failing(self, state):
        raise KeyboardInterrupt

    monkeypatch.setattr(Watch, "__call__", failing)
    for solver in ("lm", "scg"):
        model = small(MLPRegressor, solver, n_init=3)
        with pytest.raises(KeyboardInterrupt):
            model.fit(X, y, X_val=X, y_val=y)
        assert model.predict(X).shape == y.shape


def test_weights_that_are_not_finite_are_an_error():
    with pytest.raises(ValueError, match="non-finite"):
        small(MLPRegressor, "sgd", activation="identity", learning_rate_init=1e6, max_iter=50).fit(X, y)


# ---- predictions ----


@pytest.mark.parametrize(("target", "n_columns"), [(BINARY, 2), (LABELS, 3), (SEVERAL, 2)])
def test_probabilities_their_logarithms_and_logits_agree(target, n_columns):
    model = small(MLPClassifier, max_iter=50).fit(X, target)
    P, Z = model.predict_proba(X), model.decision_function(X)
    assert P.shape == (90, n_columns)
    assert model.predict_log_proba(X) == pytest.approx(np.log(P), abs=1e-12)
    if target is LABELS:
        assert P.sum(axis=1) == pytest.approx(1.0)
        assert np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True) == pytest.approx(P)
        assert np.array_equal(model.predict(X), Z.argmax(axis=1))
    else:
        of_interest = P[:, 1] if target is BINARY else P
        assert 1 / (1 + np.exp(-Z)) == pytest.approx(of_interest)
        assert np.array_equal(model.predict(X), (Z > 0).astype(int))


@pytest.mark.parametrize("target", [BINARY, LABELS, SEVERAL])
def test_logarithms_are_finite_where_probabilities_vanish(target):
    model = small(MLPClassifier, max_iter=5).fit(X, target)
    model.coefs_[-1][...] *= 1e4
    Z = model.decision_function(X)
    least = {1: lambda: -abs(Z).max(), 2: lambda: Z.min(), 3: lambda: -np.ptp(Z, axis=1).max()}
    assert (model.predict_proba(X) == 0).any()
    assert model.predict_log_proba(X).min() == pytest.approx(least[model.n_outputs_]())


def test_labels_may_be_strings():
    names = np.array(["red", "green", "blue"])[LABELS]
    model = small(MLPClassifier, max_iter=50, early_stopping=True).fit(X, names)
    assert model.classes_.tolist() == ["blue", "green", "red"]
    assert set(model.predict(X)) <= set(names)
    assert model.score(X, names) > 0.5


def test_a_single_class_is_always_predicted():
    model = small(MLPClassifier, "adam", max_iter=3).fit(X, np.full(90, 7))
    assert (model.predict(X) == 7).all()
    assert model.predict_proba(X).tolist() == [[1.0]] * 90
    assert model.predict_log_proba(X).tolist() == [[0.0]] * 90


@pytest.mark.parametrize("cls", [MLPRegressor, MLPClassifier])
def test_float32_stays_float32(cls):
    model = small(cls, "adam", max_iter=5).fit(X.astype(np.float32), BINARY)
    assert {array.dtype for array in (*model.coefs_, *model.intercepts_)} == {np.dtype(np.float32)}
    outputs = model.predict(X) if cls is MLPRegressor else model.predict_proba(X)
    assert outputs.dtype == np.float32


def test_sparse_inputs_are_made_dense():
    S = scipy.sparse.csr_array(np.where(abs(X) > 0.5, X, 0.0))
    dense = small(MLPRegressor, max_iter=5).fit(S.toarray(), y)
    model = small(MLPRegressor, max_iter=5).fit(S, y)
    assert np.array_equal(model.predict(S), dense.predict(S.toarray()))
    with pytest.raises(MemoryError, match="fits into memory when dense"):
        model.fit(scipy.sparse.csr_array((90, 10**13)), y)


# ---- standard deviations ----


def by_hand(A, Y, new, alpha, weight):
    """Bayesian linear regression with the same precision for all coefficients and (N K - gamma) / SSE for the noise."""
    A, new = np.c_[A, np.ones(len(A))], np.c_[new, np.ones(len(new))]
    curvature = A.T @ (weight[:, None] * A)
    inverse = np.linalg.inv(curvature + alpha * np.eye(A.shape[1]))
    gamma = Y.shape[1] * np.trace(curvature @ inverse)
    SSE = (weight[:, None] * (Y - A @ inverse @ (A.T @ (weight[:, None] * Y))) ** 2).sum()
    return np.sqrt(SSE / (weight.sum() * Y.shape[1] - gamma) * (1 + np.einsum("ni,ij,nj->n", new, inverse, new)))


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["", "weighted"])
@pytest.mark.parametrize("target", [y, Y], ids=["one output", "two outputs"])
def test_deviations_of_a_linear_model_are_those_of_bayesian_regression(target, weight):
    A, T = X - np.average(X, axis=0, weights=weight), target.reshape(90, -1)
    T = T - np.average(T, axis=0, weights=weight)  # so that the bias is 0 with a prior as without
    model = MLPRegressor(hidden_layer_sizes=(), solver="lm", alpha=4.0, tol=1e-12).fit(
        A, T if T.shape[1] > 1 else T[:, 0], weight
    )
    mean, std = model.predict(3 * X, return_std=True)
    assert np.array_equal(mean, model.predict(3 * X))
    expected = by_hand(A, T, 3 * X, 4.0 * T.shape[1], np.ones(90) if weight is None else weight)
    assert pytest.approx(np.tile(expected, (T.shape[1], 1)).reshape(std.T.shape), rel=1e-6) == std.T


def test_a_weight_of_two_counts_as_the_sample_twice_for_deviations_too():
    once = small(MLPRegressor, alpha=1.0, tol=1e-10).fit(X, y, np.where(np.arange(90) < 30, 2.0, 1.0))
    twice = small(MLPRegressor, alpha=1.0, tol=1e-10).fit(np.r_[X, X[:30]], np.r_[y, y[:30]])
    assert once.predict(X, return_std=True)[1] == pytest.approx(twice.predict(X, return_std=True)[1], rel=1e-6)


def test_deviations_hold_the_noise_and_widen_where_data_are_missing():
    x = np.random.default_rng(1).uniform(-2, 2, (200, 1))
    t = np.sin(2 * x[:, 0]) + 0.1 * np.random.default_rng(2).normal(size=200)
    model = small(MLPRegressor, hidden_layer_sizes=6, alpha=0.01).fit(x, t)
    _, std = model.predict(x, return_std=True)
    assert std == pytest.approx(np.full(200, 0.1), rel=0.3)
    assert model.predict([[4.0]], return_std=True)[1] > 2 * std.max()


@pytest.mark.parametrize("arguments", [{}, {"loss": "poisson"}], ids=["squared error", "poisson"])
def test_default_networks_with_their_dead_units_have_deviations_too(arguments):
    model = MLPRegressor(random_state=0, max_iter=50, **arguments).fit(X.astype(np.float32), COUNTS)
    with pytest.warns(fastmlp.PosteriorWarning, match="^return_std: the network is .* away from the optimum"):
        rate, std = model.predict(X, return_std=True)
    assert std.dtype == np.float32
    assert (std > (np.sqrt(rate) if arguments else 0)).all()


def test_deviations_belong_to_the_weights_of_the_moment():
    model = small(MLPRegressor, alpha=1.0).fit(X, y)
    _, std = model.predict(X, return_std=True)
    posterior = model._posterior
    assert np.array_equal(model.predict(X, return_std=True)[1], std)
    assert model._posterior is posterior
    model.coefs_[-1][...] *= 1.5
    with pytest.warns(fastmlp.PosteriorWarning, match="^return_std: the network is .* away from the optimum"):
        assert (model.predict(X, return_std=True)[1] > std).all()
    model.fit(X[:80], y[:80])
    assert not np.array_equal(model.predict(X, return_std=True)[1], std)


def test_copies_know_deviations_that_the_model_had_been_asked_for():
    model = small(MLPRegressor, alpha=1.0, tol=1e-6).fit(np.tile(X, (100, 1)), np.tile(y, 100))
    copy = pickle.dumps(model)
    assert len(copy) < X.nbytes * 10
    with pytest.raises(ValueError, match=r"^return_std: expected a model that knows its training samples"):
        pickle.loads(copy).predict(X, return_std=True)
    _, std = model.predict(X, return_std=True)
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict(X, return_std=True)[1], std)


def test_after_a_part_the_samples_are_not_known():
    model = small(MLPRegressor, "adam").fit(X, y)
    with pytest.raises(ValueError, match=r"^return_std: .* after partial_fit"):
        model.partial_fit(X[:10], y[:10]).predict(X, return_std=True)


# ---- precisions from the evidence ----


@pytest.mark.parametrize(
    ("cls", "target"), [(MLPRegressor, y), (MLPClassifier, BINARY), (MLPClassifier, LABELS)], ids=["y", "two", "three"]
)
def test_the_evidence_chooses_the_penalty(cls, target):
    model = small(cls, max_iter=1).fit(X, target, WEIGHT)
    net = model.network_.copy()
    model.set_params(alpha="evidence", warm_start=True, max_iter=200).fit(X, target, WEIGHT)
    posterior = fastmlp.fit_evidence(net, X, target, sample_weight=WEIGHT)
    assert np.array_equal(model.network_.params, net.params)
    assert model.posterior_.group_precisions == posterior.group_precisions
    assert model.loss_ == pytest.approx(-posterior.log_evidence / 90)
    assert model.loss_curve_[0] > model.loss_ == pytest.approx(model.best_loss_, abs=0.1)
    assert model.n_iter_ == len(model.loss_curve_) - 1


def test_deviations_are_those_of_the_precisions_that_were_chosen():
    model = small(MLPRegressor, alpha="evidence").fit(X, y)
    assert np.array_equal(model.predict(X, return_std=True)[1], np.sqrt(model.posterior_.predict(X)[1][:, 0]))
    model.intercepts_[-1][...] += 1.0
    with pytest.warns(fastmlp.PosteriorWarning, match="^return_std: the network is .* away from the optimum"):
        std = model.predict(X, return_std=True)[1]
    assert std == pytest.approx(np.sqrt(model.posterior_.predict(X)[1][:, 0]))
    assert small(MLPRegressor).fit(X, y).posterior_ is None


def test_of_several_starts_the_one_with_the_largest_evidence_is_kept():
    x = np.linspace(-1, 1, 30)[:, None]
    evidences = []
    for n_init in (1, 4):
        model = small(MLPRegressor, alpha="evidence", n_init=n_init, hidden_layer_sizes=5, random_state=2)
        model.fit(x, np.sin(9 * x[:, 0]))
        evidences.append(model.posterior_.log_evidence + model.posterior_.log_symmetries)
    assert evidences[1] > evidences[0] + 10


def test_the_evidence_wants_lm_and_no_validation_set():
    for wrong in ({"solver": "adam"}, {"early_stopping": "loss"}):
        with pytest.raises(
            ValueError, match=r"^alpha: expected 'evidence' with solver='lm' and without early stopping"
        ):
            small(MLPRegressor, **{"alpha": "evidence", **wrong}).fit(X, y)
    with pytest.raises(ValueError, match=r"^X_val: expected None with alpha='evidence'"):
        small(MLPRegressor, alpha="evidence").fit(X, y, X_val=X, y_val=y)
    with pytest.warns(ConvergenceWarning, match="the precisions have not converged within max_iter=1"):
        small(MLPRegressor, alpha="evidence", max_iter=1).fit(X, y)


# ---- scikit-learn's company ----


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


def test_a_refit_that_fails_leaves_curves_as_they_were():
    model = fastmlp.MLPRegressor(solver="adam", max_iter=3, warm_start=True, random_state=0, early_stopping=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, Y)
        before = copy.deepcopy({name: getattr(model, name) for name in ("loss_curve_", "validation_scores_")})

        def score(Y, T, weight):
            if len(model.loss_curve_) > 5:
                raise ZeroDivisionError
            return 0.0

        model.set_params(max_iter=50)
        model._score = score
        with pytest.raises(ZeroDivisionError):
            model.fit(X, Y)
    assert len(before["loss_curve_"]) == model.n_iter_
    assert before == {name: getattr(model, name) for name in before}
