"""Standard deviations of estimators' predictions, and penalties that the evidence chooses."""

import pickle

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

import fastmlp
from estimator_cases import BINARY, COUNTS, LABELS, WEIGHT, X, Y, small, y
from fastmlp import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# ---- standard deviations ----


def by_hand(A, Y, new, alpha, weight):
    """Bayesian linear regression with the same precision for all coefficients and (N - gamma) / SSE for the noise.

    Of each output; `alpha` (K,) are the penalties of each, beside its sum of squares. Also the means.
    """
    A, new = np.c_[A, np.ones(len(A))], np.c_[new, np.ones(len(new))]
    curvature, mean, std = A.T @ (weight[:, None] * A), [], []
    for t, each in zip(Y.T, alpha, strict=True):
        inverse = np.linalg.inv(curvature + each * np.eye(A.shape[1]))
        w = inverse @ A.T @ (weight * t)
        noise = (weight * (t - A @ w) ** 2).sum() / (weight.sum() - np.trace(curvature @ inverse))
        mean.append(new @ w)
        std.append(np.sqrt(noise * (1 + np.einsum("ni,ij,nj->n", new, inverse, new))))
    return np.array(mean).T, np.array(std).T


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["", "weighted"])
@pytest.mark.parametrize("target", [y, Y], ids=["one output", "two outputs"])
def test_deviations_of_a_linear_model_are_those_of_bayesian_regression(target, weight):
    A, T = X - np.average(X, axis=0, weights=weight), target.reshape(90, -1)
    T = T - np.average(T, axis=0, weights=weight)  # so that the bias is 0 with a prior as without
    model = MLPRegressor(hidden_layer_sizes=(), solver="lm", alpha=4.0, tol=1e-12).fit(
        A, T if T.shape[1] > 1 else T[:, 0], weight
    )
    before = model.predict(3 * X)
    mean, std = model.predict(3 * X, return_std=True)
    assert np.array_equal(before, model.predict(3 * X))
    if T.shape[1] == 1:
        assert np.array_equal(mean, before)
    beta = np.atleast_1d(model._posterior.noise_precision)  # several as they were weighed last
    s = np.ones(90) if weight is None else weight
    alpha = 4.0 * T.shape[1] / beta / np.mean(1 / beta)
    means, expected = by_hand(A, T, 3 * X, alpha, s)
    assert pytest.approx(means.reshape(mean.shape), rel=1e-6, abs=1e-6) == mean  # as far as training goes
    assert pytest.approx(expected.reshape(std.shape), rel=1e-6 if T.shape[1] == 1 else 3e-3) == std


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
