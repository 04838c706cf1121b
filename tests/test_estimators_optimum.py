"""Estimators end at scikit-learn's optimum, by its steps, for the same arguments."""

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse
import sklearn.neural_network as theirs

import fastmlp
from estimator_cases import BINARY, COUNTS, LABELS, SEVERAL, SMALL, WEIGHT, X, Y, small, vector, y
from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.estimators.arguments import SOLVERS, STOCHASTIC

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
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
