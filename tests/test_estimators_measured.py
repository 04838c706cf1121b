"""Measurement errors of the targets in estimators: least squares by hand, splits, metadata, deviations."""

import pickle

import numpy as np
import pytest
import sklearn
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fastmlp
from fastmlp import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
N, D, K = 60, 3, 2
X = RNG.normal(size=(N, D)) * [1.0, 100.0, 0.01] + [0.0, 1e3, 1.0]
SIGMA = RNG.uniform(0.1, 3.0, (N, K)) * [1.0, 50.0]
SCALED = (X - X.mean(axis=0)) / X.std(axis=0)
Y = SCALED @ RNG.normal(size=(D, K)) * [2.0, 90.0] + [5.0, -300.0] + SIGMA * RNG.normal(size=(N, K))
CURVED = np.tanh(2 * SCALED[:, :1]) * [8.0, 400.0] + SIGMA * RNG.normal(size=(N, K))
COUNT = RNG.integers(1, 4, N).astype(float)
A = np.column_stack([SCALED, np.ones(N)])


def linear(**options):
    return MLPRegressor(
        **{"hidden_layer_sizes": (), "solver": "lm", "alpha": 0.0, "tol": 1e-12, "random_state": 0, **options}
    )


def generalised(k, sigma, weight=None, alpha=0.0):
    """Coefficients and covariance of output k by generalised least squares, alpha on all but the last."""
    w = (np.ones(N) if weight is None else weight) / sigma[:, k] ** 2
    precision = A.T @ (w[:, None] * A) + alpha * np.diag([1.0] * D + [0.0])
    return np.linalg.solve(precision, A.T @ (w * Y[:, k])), np.linalg.inv(precision)


@pytest.mark.parametrize("standardize", [False, True], ids=["raw", "standardised"])
@pytest.mark.parametrize("weight", [None, COUNT], ids=["once", "counted"])
def test_a_linear_fit_is_generalised_least_squares(weight, standardize):
    model = linear(absolute_sigma=True, standardize=standardize)
    model.fit(SCALED, Y, weight, sigma=SIGMA)
    mean, std = model.predict(SCALED, return_std=True)
    with_noise = model.predict(SCALED, return_std=True, noise_std=SIGMA)[1]
    for k in range(K):
        w, C = generalised(k, SIGMA, weight)
        variance = np.einsum("ni,ij,nj->n", A, C, A)
        assert np.allclose(mean[:, k], A @ w, rtol=1e-9, atol=1e-9 * Y[:, k].std())
        assert np.allclose(std[:, k] ** 2, variance, rtol=1e-9)
        assert np.allclose(with_noise[:, k] ** 2, variance + SIGMA[:, k] ** 2, rtol=1e-9)


def test_a_factor_is_estimated_unless_errors_are_absolute():
    """One factor of all errors: chi^2 over the degrees of freedom, as that of curve_fit."""
    model = linear().fit(SCALED, Y, sigma=SIGMA)
    std = model.predict(SCALED, return_std=True)[1]
    found = [generalised(k, SIGMA) for k in range(K)]
    chi2 = sum((((Y[:, k] - A @ w) / SIGMA[:, k]) ** 2).sum() for k, (w, _) in enumerate(found))
    factor = chi2 / (N * K - K * (D + 1))
    for k, (_, C) in enumerate(found):
        assert np.allclose(std[:, k] ** 2, factor * np.einsum("ni,ij,nj->n", A, C, A), rtol=1e-8)
    tenth = linear().fit(SCALED, Y, sigma=0.1 * SIGMA).predict(SCALED, return_std=True)[1]
    assert np.allclose(tenth, std, rtol=1e-8)


def test_alpha_is_in_units_of_the_errors():
    """The library's objective: alpha K beside the sum of squares over sigma^2."""
    model = linear(alpha=0.003).fit(SCALED, Y, sigma=SIGMA)
    for k in range(K):
        assert np.allclose(model.predict(SCALED)[:, k], A @ generalised(k, SIGMA, alpha=0.003 * K)[0], rtol=1e-9)
    own = model.network_.objective(SCALED, Y, sigma=SIGMA, penalty=fastmlp.WeightDecay(0.003 * K))
    assert model.loss_ == pytest.approx(own.value(model.network_.params) / (N * K), rel=1e-12)


@pytest.mark.parametrize("solver", ["lm", "lbfgs", "scg", "adam", "sgd"])
def test_errors_of_one_output_are_weights(solver):
    """The same steps as with sample weights 1/sigma^2 whose mean is one, which the estimator divides by."""
    sigma = SIGMA[:, 0] * np.sqrt((SIGMA[:, 0] ** -2).mean())
    model = MLPRegressor(hidden_layer_sizes=4, activation="tanh", solver=solver, random_state=0, max_iter=6, alpha=0.5)
    one = model.fit(SCALED, Y[:, 0], sigma=sigma)
    other = sklearn.base.clone(model).fit(SCALED, Y[:, 0], sigma**-2)
    assert np.allclose(one.predict(SCALED), other.predict(SCALED), rtol=1e-7)
    assert np.allclose(one.loss_curve_, other.loss_curve_, rtol=1e-7)


def test_samples_held_back_keep_their_errors():
    """Early stopping looks at their loss in units of the errors, and at scores weighted by 1/sigma^2."""
    options = {"hidden_layer_sizes": 3, "activation": "tanh", "solver": "lbfgs", "random_state": 0, "max_iter": 4}
    for measure in ("loss", "score"):
        model = MLPRegressor(early_stopping=measure, validation_fraction=0.3, **options).fit(SCALED, Y, sigma=SIGMA)
        _, held = train_test_split(np.arange(N), test_size=0.3, random_state=drawn_after_starts())
        net, residual = model.network_, Y[held] - model.predict(SCALED[held])
        own = 0.5 * ((residual / SIGMA[held]) ** 2).mean()
        assert any(np.isclose(own, each, rtol=1e-9) for each in model.validation_loss_curve_)
        if measure == "score":
            weight = SIGMA[held] ** -2.0
            mean = (weight * Y[held]).sum(axis=0) / weight.sum(axis=0)
            r2 = 1 - (weight * residual**2).sum(axis=0) / (weight * (Y[held] - mean) ** 2).sum(axis=0)
            assert max(model.validation_scores_) == pytest.approx(r2.mean(), rel=1e-9)
        assert net.n_params == 3 * D + 3 + 3 * K + K


def drawn_after_starts():
    """The generator of random_state=0 after the starting values of a D-3-K network."""
    random = np.random.RandomState(0)
    for shape in ((D, 3), (3,), (3, K), (K,)):
        random.uniform(-1, 1, shape)
    return random


def test_parts_and_warm_starts_take_errors():
    options = {"hidden_layer_sizes": 3, "activation": "tanh", "solver": "adam", "shuffle": False, "random_state": 0}
    whole = MLPRegressor(max_iter=2, batch_size=N, **options).fit(SCALED, Y, sigma=SIGMA)
    parts = MLPRegressor(batch_size=N, **options)
    for _ in range(2):
        parts.partial_fit(SCALED, Y, sigma=SIGMA)
    assert np.array_equal(whole.predict(SCALED), parts.predict(SCALED))
    assert not np.array_equal(whole.predict(SCALED), parts.partial_fit(SCALED, Y).predict(SCALED))
    warm = MLPRegressor(max_iter=1, warm_start=True, batch_size=N, **options)
    warm.fit(SCALED, Y, sigma=SIGMA).fit(SCALED, Y, sigma=SIGMA)
    assert np.array_equal(whole.predict(SCALED), warm.predict(SCALED))


def test_the_best_of_several_starts_is_the_best_with_errors():
    one = linear(hidden_layer_sizes=3, activation="tanh", alpha=0.1, max_iter=30, standardize=True)
    first = one.fit(SCALED, Y, sigma=SIGMA).loss_
    several = sklearn.base.clone(one).set_params(n_init=4).fit(SCALED, Y, sigma=SIGMA)
    assert several.loss_ < first
    residuals = (Y - several.predict(SCALED)) / SIGMA
    assert 0 < several.loss_ - 0.5 * (residuals**2).mean() < 0.1  # what the penalty adds


def test_the_evidence_is_that_of_fit_evidence():
    Y = CURVED
    model = linear(alpha="evidence", absolute_sigma=True, hidden_layer_sizes=2, activation="tanh", tol=1e-4)
    model.fit(X, Y, sigma=SIGMA)
    assert model.posterior_.noise_precision == 1.0
    again = fastmlp.Laplace(
        model.network_, X, Y, sigma=SIGMA, absolute_sigma=True, prior_precision=model.posterior_.prior_precision,
        standardize=model.posterior_.units,
    )  # fmt: skip
    assert model.posterior_.log_evidence == pytest.approx(again.log_evidence, rel=1e-9)
    assert np.allclose(model.predict(X, return_std=True, noise_std=1.0)[1] ** 2, again.predict(X, noise_std=1.0)[1])
    model.intercepts_[-1][0] += 1e-6  # other weights, of which the posterior is formed anew
    assert np.allclose(model.predict(X, return_std=True)[1] ** 2, again.predict(X)[1], rtol=1e-3)
    assert model._posterior is not model.posterior_


def test_samples_without_weight_leave_with_their_errors():
    weight = np.where(np.arange(N) < 40, 1.0, 0.0)
    one = linear().fit(SCALED, Y, weight, sigma=SIGMA)
    other = linear().fit(SCALED[:40], Y[:40], sigma=SIGMA[:40])
    assert np.allclose(one.predict(SCALED), other.predict(SCALED), rtol=1e-12)


def test_errors_travel_as_metadata_in_searches_and_pipelines():
    pipe = make_pipeline(StandardScaler(), linear())
    own = pipe.fit(X, Y, mlpregressor__sigma=SIGMA)
    assert np.allclose(own.predict(X)[:, 0], A @ generalised(0, SIGMA)[0], rtol=1e-9)
    with sklearn.config_context(enable_metadata_routing=True):
        model = linear().set_fit_request(sigma=True).set_predict_request(noise_std=True)
        search = GridSearchCV(model, {"alpha": [0.0, 1e6]}, cv=3).fit(SCALED, Y, sigma=SIGMA)
    assert search.best_params_ == {"alpha": 0.0}
    assert np.allclose(search.predict(SCALED)[:, 1], A @ generalised(1, SIGMA)[0], rtol=1e-9)
    split = [np.arange(0, 40), np.arange(40, N)]
    by_hand = linear().fit(SCALED[split[0]], Y[split[0]], sigma=SIGMA[split[0]]).score(SCALED[split[1]], Y[split[1]])
    with sklearn.config_context(enable_metadata_routing=True):
        scores = sklearn.model_selection.cross_val_score(
            linear().set_fit_request(sigma=True), SCALED, Y, cv=[split], params={"sigma": SIGMA}
        )
    assert scores[0] == pytest.approx(by_hand, rel=1e-12)


def test_copies_keep_deviations_that_have_been_asked_for():
    model = linear().fit(SCALED, Y, sigma=SIGMA)
    mean, std = model.predict(SCALED, return_std=True)
    other = pickle.loads(pickle.dumps(model))
    assert np.array_equal(other.predict(SCALED, return_std=True), (mean, std))
    pair = (each.predict(SCALED, return_std=True, noise_std=2.0)[1] for each in (model, other))
    assert np.array_equal(*pair)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sigma": np.ones(N - 1)}, r"sigma: expected shape \(60,\) or \(60, 2\), got \(59,\)"),
        ({"sigma": np.ones((N, 3))}, r"sigma: expected shape \(60,\) or \(60, 2\), got \(60, 3\)"),
        ({"sigma": np.zeros(N)}, "sigma: expected numbers > 0, got 0"),
        ({"sigma": np.full(N, np.nan)}, "sigma"),
        ({"sigma": np.ma.masked_less(np.ones(N), 2)}, "sigma: expected an array without a mask"),
    ],
)
def test_wrong_errors_are_refused_and_leave_the_model_as_it_was(given, message):
    model = linear().fit(SCALED, Y)
    before = model.predict(SCALED)
    with pytest.raises((ValueError, TypeError), match=message):
        model.fit(SCALED, Y, **given)
    assert np.array_equal(model.predict(SCALED), before)


def test_counts_and_classes_have_no_errors():
    with pytest.raises(ValueError, match="sigma: expected None for poisson"):
        linear(loss="poisson").fit(SCALED, abs(Y[:, 0]), sigma=np.ones(N))
    with pytest.raises(TypeError, match="sigma"):
        MLPClassifier().fit(SCALED, Y[:, 0] > 0, sigma=np.ones(N))
    with pytest.raises(ValueError, match="absolute_sigma: expected sigma"):
        linear(absolute_sigma=True).fit(SCALED, Y)
    with pytest.raises(TypeError, match="absolute_sigma"):
        linear(absolute_sigma="yes").fit(SCALED, Y, sigma=SIGMA)
    with pytest.raises(ValueError, match="noise_std: expected None without return_std"):
        linear().fit(SCALED, Y).predict(SCALED, noise_std=1.0)
