"""Fits of estimators that an exception ends: what is left is whole, a step of this fit or the last one."""

import copy
import warnings

import numpy as np
import pytest

import fastmlp
from estimator_cases import X, Y, small, y
from fastmlp import MLPRegressor
from fastmlp.estimators.watch import Watch

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


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
