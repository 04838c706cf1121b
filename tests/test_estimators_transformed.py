"""Deviations through scikit-learn's TransformedTargetRegressor: those of the regressor within, times the scale."""

import pickle

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import BayesianRidge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from fastmlp import MLPRegressor

pytestmark = [  # what counts here is how deviations are handed on, not how good they are
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::fastmlp.errors.PosteriorWarning"),
]

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 3))
PRICES = 2.5e5 + 8e4 * np.sin(X[:, 0]) + 1e4 * RNG.normal(size=80)  # a house's
SMALL = {"hidden_layer_sizes": (3,), "activation": "tanh", "solver": "lm", "alpha": 0.1, "random_state": 0}
TARGETS = {
    "one": PRICES,
    "a column": PRICES[:, np.newaxis],
    "two": np.c_[PRICES, 1e-4 * PRICES - 1e-3 * X[:, 1]],
}
SCALES = {
    StandardScaler: lambda each: each.scale_,
    RobustScaler: lambda each: each.scale_,
    MaxAbsScaler: lambda each: each.scale_,
    MinMaxScaler: lambda each: 1 / each.scale_,
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning")  # of the column
@pytest.mark.parametrize("alpha", [0.1, "evidence"])
@pytest.mark.parametrize("targets", TARGETS)
@pytest.mark.parametrize("scaler", SCALES)
def test_deviations_are_scaled_and_not_shifted(scaler, targets, alpha):
    T, arguments = TARGETS[targets], {**SMALL, "alpha": alpha}
    model = TransformedTargetRegressor(MLPRegressor(**arguments), transformer=scaler()).fit(X, T)
    mean, std = model.predict(X[:7], return_std=True)
    assert mean.shape == std.shape == T[:7].shape
    if targets != "two" or alpha == "evidence":  # else they are those of a network that is trained on by output
        assert np.array_equal(mean, model.predict(X[:7]))

    hand = scaler().fit(T.reshape(80, -1))
    inner = MLPRegressor(**arguments).fit(X, hand.transform(T.reshape(80, -1)).squeeze())
    inner_mean, inner_std = inner.predict(X[:7], return_std=True)
    assert std.reshape(7, -1) == pytest.approx(inner_std.reshape(7, -1) * SCALES[scaler](hand), rel=1e-12)
    assert mean.reshape(7, -1) == pytest.approx(hand.inverse_transform(inner_mean.reshape(7, -1)), rel=1e-12)
    assert 3e3 < std.reshape(7, -1)[:, 0].min() < 3e4


def test_pipelines_around_it_hand_on_too():
    model = TransformedTargetRegressor(MLPRegressor(**SMALL), transformer=StandardScaler())
    mean, std = (
        make_pipeline(StandardScaler(), model).fit(1e3 * X + 5e4, PRICES).predict(1e3 * X + 5e4, return_std=True)
    )
    alone = model.fit((X - X.mean(axis=0)) / X.std(axis=0), PRICES)
    expected = alone.predict((X - X.mean(axis=0)) / X.std(axis=0), return_std=True)
    assert mean == pytest.approx(expected[0], rel=1e-6)
    assert std == pytest.approx(expected[1], rel=1e-5)


def test_offsets_cost_no_digits():
    T = 1e9 + np.sin(X[:, 0])
    model = TransformedTargetRegressor(MLPRegressor(**SMALL), transformer=StandardScaler()).fit(X, T)
    _, std = model.predict(X, return_std=True)
    assert std == pytest.approx(model.regressor_.predict(X, return_std=True)[1] * model.transformer_.scale_, rel=1e-12)


@pytest.mark.filterwarnings("ignore::fastmlp.errors.ScaleWarning")  # of prices as they are
def test_pipelines_functions_and_none_go_too():
    pipeline = make_pipeline(StandardScaler(), MLPRegressor(**SMALL))
    negative = make_pipeline(MinMaxScaler(), FunctionTransformer(lambda t: -t, inverse_func=lambda t: -t))
    for arguments, slope in (
        ({"transformer": StandardScaler()}, PRICES.std()),
        ({"transformer": negative}, np.ptp(PRICES)),
        ({"func": lambda t: t / 1e5, "inverse_func": lambda t: t * 1e5}, 1e5),
        ({}, 1.0),
    ):
        model = TransformedTargetRegressor(pipeline, **arguments).fit(X, PRICES)
        _, std = model.predict(X, return_std=True)
        assert std == pytest.approx(model.regressor_.predict(X, return_std=True)[1] * slope, rel=1e-12)


@pytest.mark.parametrize(
    "transformer",
    [
        PowerTransformer(),
        QuantileTransformer(n_quantiles=20),
        FunctionTransformer(np.log, np.exp),
        FunctionTransformer(np.cbrt, lambda t: t**3),
    ],
)
def test_transformers_that_bend_are_refused_and_an_interval_is_the_way(transformer):
    model = TransformedTargetRegressor(MLPRegressor(**SMALL), transformer=transformer, check_inverse=False)
    model.fit(X, PRICES)
    model.predict(X)
    with pytest.raises(ValueError, match=r"^return_std: expected a transformer that scales and shifts .* got \w+Trans"):
        model.predict(X, return_std=True)
    mean, std = model.regressor_.predict(X, return_std=True)
    assert np.isfinite(model.transformer_.inverse_transform((mean - std).reshape(-1, 1))).all()


@pytest.mark.filterwarnings("ignore::fastmlp.errors.ScaleWarning")
def test_transformers_that_mix_targets_are_refused():
    model = TransformedTargetRegressor(MLPRegressor(**SMALL), transformer=PCA()).fit(X, np.c_[PRICES, X[:, 1]])
    with pytest.raises(ValueError, match=r"^return_std: expected a transformer that scales and shifts .* got PCA"):
        model.predict(X, return_std=True)


def test_copies_files_and_routing():
    model = TransformedTargetRegressor(MLPRegressor(**SMALL), transformer=StandardScaler()).fit(X, PRICES)
    _, std = model.predict(X, return_std=True)
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict(X, return_std=True)[1], std)
    assert np.array_equal(clone(model).fit(X, PRICES).predict(X, return_std=True)[1], std)
    assert model.predict(X, return_std=False).shape == (80,)
    with sklearn.config_context(enable_metadata_routing=True):
        inner = MLPRegressor(**SMALL).set_predict_request(return_std=True)
        routed = TransformedTargetRegressor(inner, transformer=StandardScaler()).fit(X, PRICES)
        assert np.array_equal(routed.predict(X, return_std=True)[1], std)


def test_other_regressors_are_left_alone():
    for regressor in (BayesianRidge(), GaussianProcessRegressor()):
        model = TransformedTargetRegressor(regressor, transformer=StandardScaler()).fit(X, PRICES)
        assert model.predict(X).shape == (80,)
        with pytest.raises(AttributeError, match="tuple"):
            model.predict(X, return_std=True)


def test_float32_stays():
    T = (PRICES / 1e4).astype(np.float32)
    model = TransformedTargetRegressor(MLPRegressor(**SMALL), transformer=StandardScaler()).fit(X.astype(np.float32), T)
    mean, std = model.predict(X.astype(np.float32), return_std=True)
    assert mean.dtype == std.dtype == np.float32
