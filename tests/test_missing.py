"""Targets that are missing: what is left of each output, by generalised least squares, by hand and by differences."""

import pickle

import numpy as np
import pytest
import scipy.stats
import sklearn
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV

import cases
import fastmlp
from fastmlp import MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::fastmlp.PosteriorWarning")

RNG = np.random.default_rng(0)
N, D, K = 40, 3, 3
X = RNG.normal(size=(N, D))
T = X @ RNG.normal(size=(D, K)) + [5.0, 0.3, -200.0] + RNG.normal(size=(N, K)) * [0.1, 1.0, 5.0]
GAPS = RNG.random((N, K)) < 0.3
GAPS[7] = GAPS[8] = True  # two rows without any
SEEN = ~GAPS
HOLED = np.where(GAPS, np.nan, T)
SIGMA = RNG.uniform(0.3, 2.0, (N, K))
COUNT = RNG.integers(1, 4, N).astype(float)
A = np.column_stack([X, np.ones(N)])
NEW = RNG.normal(size=(6, D))
ALPHA = 0.7


def rows_of(k, weight=None):
    """The samples that output k has, as often as they count."""
    seen = np.flatnonzero(SEEN[:, k])
    return seen if weight is None else np.repeat(seen, weight[seen].astype(int))


def net_of(layers=(D, 4, K), seed=0):
    return cases.network(list(layers), seed=seed)


# ---- objectives ----


@pytest.mark.parametrize("sigma", [None, SIGMA], ids=["plain", "measured"])
@pytest.mark.parametrize("weight", [None, COUNT], ids=["once", "counted"])
def test_losses_and_derivatives_are_those_of_what_is_there(sigma, weight):
    """By Jacobians of the outputs, and differences for the exact Hessian."""
    net = net_of()
    own = net.objective(X, HOLED, sigma=sigma, sample_weight=weight, missing="ignore")
    told = np.ones((N, K)) if sigma is None else sigma
    w = np.ones(N) if weight is None else weight
    factor = np.where(SEEN, told**-2.0, 0.0) * w[:, None]

    def loss(params):
        net.params = params
        return 0.5 * (factor * (net.predict(X) - T) ** 2).sum()

    x = own.x0.copy()
    assert own.value(x) == pytest.approx(loss(x), rel=1e-12)
    J = net.jacobian(X, wrt="params")
    net.params = x
    residuals = net.predict(X) - T
    assert np.allclose(own.grad(x), np.einsum("nk,nkp->p", factor * residuals, J), rtol=1e-10, atol=1e-10)
    assert np.allclose(own.ggn(x), np.einsum("nk,nkp,nkq->pq", factor, J, J), rtol=1e-10, atol=1e-10)
    assert own.residuals(x) @ own.residuals(x) == pytest.approx(2 * loss(x), rel=1e-12)
    h = 1e-5
    steps = h * np.eye(len(x))[:5]
    differences = np.array([(own.grad(x + step) - own.grad(x - step)) / (2 * h) for step in steps])
    assert np.allclose(own.hess(x)[:5], differences, rtol=1e-6, atol=1e-4)


def test_values_in_the_place_of_what_is_missing_do_not_matter():
    objective = net_of().objective(X, HOLED, missing="ignore")
    for value in (0.0, 1e6):
        filled = np.where(GAPS, value, T)
        sigma = np.where(GAPS, 1e150, 1.0)
        other = net_of().objective(X, filled, sigma=sigma)
        assert objective.value(objective.x0) == pytest.approx(other.value(other.x0), rel=1e-12)


# ---- fits ----


@pytest.mark.parametrize("standardize", [False, True], ids=["raw", "standardised"])
@pytest.mark.parametrize("sigma", [None, SIGMA], ids=["plain", "measured"])
@pytest.mark.parametrize("method", ["lm", "lbfgs", "scg"])
def test_linear_networks_fit_what_is_there_of_each_output(method, sigma, standardize):
    net = fastmlp.Network([D, K], rng=0)
    tol = {} if method == "lm" else {"tol": 1e-9, "max_iter": 5000}
    net.fit(X, HOLED, method, sigma=sigma, missing="ignore", standardize=standardize, **tol)
    for k in range(K):
        rows = rows_of(k)
        s = np.ones(len(rows)) if sigma is None else SIGMA[rows, k]
        w = np.linalg.lstsq(A[rows] / s[:, None], T[rows, k] / s, rcond=None)[0]
        assert np.allclose(net.predict(X)[:, k], A @ w, rtol=1e-6, atol=1e-6 * T[:, k].std())


@pytest.mark.parametrize("method", ["adam", "sgd", "rprop"])
def test_minibatches_see_what_is_there(method):
    """The same steps as with an error so large that its square is nothing."""
    one, other = net_of(), net_of()
    options = {"max_iter": 5, "rng": 0}
    scaled = (HOLED - np.nanmean(HOLED, axis=0)) / np.nanstd(HOLED, axis=0)
    left = ~GAPS.all(axis=1)
    first = one.fit(X[left], scaled[left], method, missing="ignore", **options)
    second = other.fit(X[left], np.nan_to_num(scaled)[left], method, sigma=np.where(GAPS, 1e150, 1.0)[left], **options)
    assert np.allclose(first.x, second.x, rtol=1e-9, atol=1e-12)


def test_units_are_those_of_what_is_there():
    net = net_of()
    result = net.fit(X, HOLED, missing="ignore", standardize=True, max_iter=3)
    assert np.allclose(result.units.targets.shift, np.nanmean(HOLED, axis=0), rtol=1e-12)
    assert np.allclose(result.units.targets.scale, np.nanstd(HOLED, axis=0), rtol=1e-12)
    left = ~GAPS.all(axis=1)  # rows without any target count for nothing, nor do their inputs
    assert np.allclose(result.units.inputs.shift, X[left].mean(axis=0), rtol=1e-12, atol=1e-15)


def test_a_constant_with_gaps_is_a_constant():
    holed = HOLED.copy()
    holed[:, 1] = np.where(GAPS[:, 1], np.nan, 7.0)
    net = net_of()
    result = net.fit(X, holed, missing="ignore", standardize=True)
    assert result.units.targets.constant.tolist() == [False, True, False]
    assert np.allclose(net.predict(X)[:, 1], 7.0, rtol=1e-12)


def test_samples_held_back_keep_their_gaps():
    net = net_of()
    result = net.fit(X, HOLED, missing="ignore", validation=0.3, rng=0, max_iter=4, standardize=True)
    assert np.isfinite(result.history["validation_loss"]).all()
    pair = net_of().fit(X[:20], HOLED[:20], missing="ignore", validation=(X[20:], HOLED[20:]), max_iter=4)
    other = net_of()
    other.params = pair.x
    loss = 0.5 * np.nansum((other.predict(X[20:]) - HOLED[20:]) ** 2) / 20
    assert pair.history["validation_loss"][-1] == pytest.approx(loss, rel=1e-12)


def test_noise_of_each_output_is_of_its_own_targets():
    net = fastmlp.Network([D, K], rng=0)
    result = net.fit(X, HOLED, "lm", missing="ignore", noise="per_output")
    for k in range(K):
        rows = rows_of(k)
        _, (sse,), *_ = np.linalg.lstsq(A[rows], T[rows, k], rcond=None)
        assert result.noise_precision[k] == pytest.approx((len(rows) - D - 1) / sse, rel=2e-2)


# ---- posteriors ----


def posterior_of(sigma=None, weight=None, noise_precision=None, **options):
    net = fastmlp.Network([D, K], rng=0)
    beta = 1.0 if noise_precision is None else noise_precision
    data = {"sigma": sigma, "sample_weight": weight, "missing": "ignore"}
    objective = net.objective(X, HOLED, penalty=fastmlp.WeightDecay(ALPHA, ALPHA), noise_precision=beta, **data)
    x = objective.x0 - np.linalg.solve(objective.hess(objective.x0), objective.grad(objective.x0))
    net.params = x
    return fastmlp.Laplace(
        net, X, HOLED, prior_precision=ALPHA, noise_precision=noise_precision, **data, **options
    )  # fmt: skip


@pytest.mark.parametrize("weight", [None, COUNT], ids=["once", "counted"])
@pytest.mark.parametrize("beta", [0.3, (2.0, 0.3, 0.05)], ids=["one noise", "of each output"])
@pytest.mark.parametrize("sigma", [None, SIGMA], ids=["plain", "measured"])
def test_posteriors_are_the_exact_ones_of_what_is_there(sigma, beta, weight):
    posterior = posterior_of(sigma, weight, noise_precision=beta)
    mean, variance = posterior.predict(NEW, noise_std=0.0)
    design, evidence, betas = np.column_stack([NEW, np.ones(6)]), 0.0, np.broadcast_to(beta, K)
    for k in range(K):
        rows = rows_of(k, weight)
        s = (np.ones(len(rows)) if sigma is None else SIGMA[rows, k]) / np.sqrt(betas[k])
        C = np.linalg.inv(A[rows].T @ (A[rows] / s[:, None] ** 2) + ALPHA * np.eye(D + 1))
        w = C @ A[rows].T @ (T[rows, k] / s**2)
        assert np.allclose(mean[:, k], design @ w, rtol=1e-9, atol=1e-9)
        assert np.allclose(variance[:, k], np.einsum("ni,ij,nj->n", design, C, design), rtol=1e-9)
        marginal = np.diag(s**2) + A[rows] @ A[rows].T / ALPHA
        evidence += scipy.stats.multivariate_normal(np.zeros(len(rows)), marginal).logpdf(T[rows, k])
    assert posterior.log_evidence == pytest.approx(evidence, rel=1e-9)
    total = (np.ones(N) if weight is None else weight)[SEEN.any(axis=1)].sum()
    assert posterior.bic - -2 * posterior.log_likelihood == pytest.approx(
        posterior.effective_n_params * np.log(total), rel=1e-12
    )


def test_densities_in_units_of_the_targets_count_those_of_each_output():
    """The same evidence of the same problem, given in units of the targets or standardised by hand."""
    net = fastmlp.Network([D, K], rng=0)
    net.fit(X, HOLED, "lm", missing="ignore", standardize=True, penalty=fastmlp.WeightDecay(0.1, 0.1))
    options = {"missing": "ignore", "prior_precision": ALPHA, "noise": "shared"}
    own = fastmlp.Laplace(net, X, HOLED, standardize=True, **options)
    left = ~GAPS.all(axis=1)
    m, s = np.nanmean(HOLED, axis=0), np.nanstd(HOLED, axis=0)
    U = (X - X[left].mean(axis=0)) / X[left].std(axis=0)
    by_hand = fastmlp.Network([D, K], rng=0)
    by_hand.params = net.units.unfolded(net._architecture, net.params)
    other = fastmlp.Laplace(by_hand, U, (HOLED - m) / s, **options)
    assert own.log_evidence == pytest.approx(other.log_evidence - SEEN.sum(axis=0) @ np.log(s), rel=1e-9)
    assert np.allclose(
        own.predict(NEW)[1], s**2 * other.predict((NEW - X[left].mean(0)) / X[left].std(0))[1], rtol=1e-9
    )


def test_the_noise_that_is_found_counts_what_is_there():
    """beta = (N - gamma) / SSE with N the number of targets; of each output with a flat prior least squares' own."""
    net = fastmlp.Network([D, K], rng=0)
    net.fit(X, HOLED, "lm", missing="ignore")
    posterior = fastmlp.Laplace(net, X, HOLED, missing="ignore", prior_precision=0.0)
    squares, freedom = [], []
    for k in range(K):
        rows = rows_of(k)
        squares.append(np.linalg.lstsq(A[rows], T[rows, k], rcond=None)[1][0])
        freedom.append(len(rows) - D - 1)
    assert posterior.noise_precision == pytest.approx(sum(freedom) / sum(squares), rel=1e-9)
    assert np.allclose(posterior.noise_std**2, np.array(squares) / freedom, rtol=1e-8)
    assert np.allclose(posterior.degrees_of_freedom, freedom, rtol=1e-8)


@pytest.mark.parametrize("noise", ["shared", "per_output"])
def test_the_evidence_is_a_maximum_by_differences(noise):
    """Its derivatives by the logarithms of all precisions vanish where fit_evidence ends, on a linear network."""
    found = fastmlp.fit_evidence(
        fastmlp.Network([D, K], rng=0), X, HOLED, missing="ignore", noise=noise, standardize=False, tol=1e-6
    )
    beta = np.broadcast_to(found.noise_precision, K)
    alpha = np.array([*np.repeat(found.group_precisions["W1"], D), found.group_precisions["b1"]])

    def log_evidence(logs):
        a, b, total = alpha * np.exp([*np.repeat(logs[0], D), logs[1]]), beta * np.exp(logs[2:]), 0.0
        for k in range(K):
            rows = rows_of(k)
            marginal = np.eye(len(rows)) / b[k] + (A[rows] / a) @ A[rows].T
            total += scipy.stats.multivariate_normal(np.zeros(len(rows)), marginal).logpdf(T[rows, k])
        return total

    assert found.log_evidence == pytest.approx(log_evidence(np.zeros(2 + K)), rel=1e-8)
    directions = np.eye(2 + K) if noise == "per_output" else [*np.eye(2 + K)[:2], [0, 0, 1, 1, 1]]
    for direction in np.asarray(directions, float):
        slope = (log_evidence(1e-4 * direction) - log_evidence(-1e-4 * direction)) / 2e-4
        assert abs(slope) < 1e-3


def test_samples_left_out_are_those_that_are_there(tmp_path):
    posterior = posterior_of(noise_precision=1.0)
    result = posterior.leave_one_out()
    assert np.array_equal(np.isnan(result.residuals), GAPS)
    assert np.allclose(result.losses, 0.5 * np.nansum(result.residuals**2, axis=1), rtol=1e-12)
    for n in (0, 3, 7):
        for k in range(K):
            rows = rows_of(k)
            rows = rows[rows != n]
            C = np.linalg.inv(A[rows].T @ A[rows] + ALPHA * np.eye(D + 1))
            assert result.outputs[n, k] == pytest.approx(A[n] @ C @ A[rows].T @ T[rows, k], rel=1e-9)
    trained = posterior.leave_one_out("all")
    assert np.array_equal(np.isnan(trained.residuals), GAPS)
    assert np.allclose(trained.outputs, result.outputs, rtol=1e-6)
    posterior.save(tmp_path / "posterior", samples=True)
    for other in (fastmlp.load(tmp_path / "posterior"), pickle.loads(pickle.dumps(posterior))):
        assert np.array_equal(other.leave_one_out().residuals, result.residuals, equal_nan=True)
        assert other.log_evidence == posterior.log_evidence


def test_posteriors_without_their_samples_know_how_many_targets_there_were(tmp_path):
    net = fastmlp.Network([D, K], rng=0)
    net.fit(X, HOLED, "lm", missing="ignore", standardize=True)
    posterior = fastmlp.Laplace(net, X, HOLED, missing="ignore", prior_precision=ALPHA, standardize=True)
    posterior.save(tmp_path / "posterior")
    other = fastmlp.load(tmp_path / "posterior")
    assert other.log_evidence == posterior.log_evidence
    assert np.array_equal(other.predict(NEW), posterior.predict(NEW))


# ---- estimators ----


def linear(**options):
    return MLPRegressor(
        **{"hidden_layer_sizes": (), "solver": "lm", "alpha": 0.0, "tol": 1e-12, "random_state": 0, "missing": "ignore"}
        | options
    )


@pytest.mark.parametrize("sigma", [None, SIGMA], ids=["plain", "measured"])
@pytest.mark.parametrize("standardize", [False, True], ids=["raw", "standardised"])
def test_estimators_fit_and_score_what_is_there(standardize, sigma):
    told = None if sigma is None else np.where(GAPS, np.nan, sigma)
    model = linear(standardize=standardize).fit(X, HOLED, sigma=told)
    shares = []
    for k in range(K):
        rows = rows_of(k)
        s = np.ones(len(rows)) if sigma is None else SIGMA[rows, k]
        w = np.linalg.lstsq(A[rows] / s[:, None], T[rows, k] / s, rcond=None)[0]
        assert np.allclose(model.predict(X)[:, k], A @ w, rtol=1e-8, atol=1e-8)
        shares.append(r2_score(T[rows, k], A[rows] @ w))
    assert model.score(X, HOLED) == pytest.approx(np.mean(shares), rel=1e-9)


def test_deviations_are_those_of_what_is_there():
    mean, std = linear().fit(X, HOLED).predict(NEW, return_std=True)
    design = np.column_stack([NEW, np.ones(6)])
    for k in range(K):
        rows = rows_of(k)
        w, (sse,), *_ = np.linalg.lstsq(A[rows], T[rows, k], rcond=None)
        H = np.einsum("ni,ij,nj->n", design, np.linalg.inv(A[rows].T @ A[rows]), design)
        assert np.allclose(mean[:, k], design @ w, rtol=1e-6)
        assert np.allclose(std[:, k] ** 2, sse / (len(rows) - D - 1) * (1 + H), rtol=2e-2)


def test_early_stopping_parts_and_searches_take_gaps():
    scaled = (HOLED - np.nanmean(HOLED, axis=0)) / np.nanstd(HOLED, axis=0)
    options = {"hidden_layer_sizes": 3, "activation": "tanh", "random_state": 0, "max_iter": 5}
    for measure in ("loss", "score"):
        model = MLPRegressor(early_stopping=measure, solver="lbfgs", missing="ignore", **options)
        with pytest.warns(sklearn.exceptions.ConvergenceWarning):
            model.fit(X, scaled)
        assert np.isfinite(model.validation_loss_curve_).all()
    parts = MLPRegressor(missing="ignore", **options)
    for _ in range(3):
        parts.partial_fit(X, scaled)
    assert np.isfinite(parts.predict(X)).all()
    search = GridSearchCV(linear(), {"alpha": [0.0, 1e5]}, cv=3).fit(X, scaled)
    assert search.best_params_ == {"alpha": 0.0}
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    found = linear(alpha="evidence", tol=1e-4).fit(X, HOLED)
    assert np.isfinite(found.posterior_.log_evidence)
    assert linear(n_init=3, hidden_layer_sizes=2, activation="tanh", alpha=0.1).fit(X, scaled).score(X, scaled) > 0.5


# ---- what is refused ----


@pytest.mark.parametrize(
    "call",
    [
        lambda T: net_of().fit(X, T),
        lambda T: net_of().objective(X, T),
        lambda T: fastmlp.Laplace(net_of(), X, T, prior_precision=1.0),
        lambda T: fastmlp.fit_evidence(net_of(), X, T),
    ],
)
def test_missing_targets_are_refused_unless_told(call):
    with pytest.raises(ValueError, match=r"T: expected finite numbers, got nan at index .*; missing='ignore'"):
        call(HOLED)


def test_other_numbers_and_losses_are_refused():
    with pytest.raises(ValueError, match="T: expected finite numbers, got inf"):
        net_of().fit(X, np.where(GAPS, np.inf, T), missing="ignore")
    with pytest.raises(ValueError, match="X: expected finite numbers, got nan"):
        net_of().fit(np.where(X > 1, np.nan, X), HOLED, missing="ignore")
    with pytest.raises(ValueError, match=r"T: expected a number in each column at least, got none .* column 1"):
        net_of().fit(X, np.where([False, True, False], np.nan, T), missing="ignore")
    with pytest.raises(ValueError, match="missing: expected 'raise' for cross_entropy"):
        cases.network([D, 3], output="softmax").fit(X, np.eye(3)[COUNT.astype(int) - 1], missing="ignore")
    with pytest.raises(ValueError, match="missing: expected"):
        net_of().fit(X, T, missing="drop")
    with pytest.raises(ValueError, match="sigma: expected finite numbers of all targets that are not missing"):
        net_of().fit(X, HOLED, missing="ignore", sigma=np.where(np.arange(K) == 0, np.nan, SIGMA))
    with pytest.raises(ValueError, match="missing"):
        linear(missing="drop").fit(X, T)
    with pytest.raises(ValueError, match="NaN"):
        linear(missing="raise").fit(X, HOLED)


def test_nothing_changes_where_nothing_is_missing():
    one, other = net_of(), net_of()
    first, second = (net.fit(X, T / [1, 1, 200], **told) for net, told in ((one, {}), (other, {"missing": "ignore"})))
    assert np.array_equal(first.x, second.x)
