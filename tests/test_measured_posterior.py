"""Posteriors of targets with measurement errors: generalised least squares and the exact marginal likelihood."""

import pickle

import numpy as np
import pytest
import scipy.stats

import cases
import fastmlp

RNG = np.random.default_rng(0)
N, D, K = 30, 3, 2
X = RNG.normal(size=(N, D))
SIGMA = RNG.uniform(0.05, 2.0, (N, K))
T = X @ RNG.normal(size=(D, K)) + 0.3 + SIGMA * RNG.normal(size=(N, K))
COUNT = RNG.integers(1, 4, N).astype(float)
A = np.column_stack([X, np.ones(N)])
ALPHA = 0.7


def linear(sigma=SIGMA, noise_precision=None, absolute=False, sample_weight=None, **options):
    """The posterior of a network without hidden layer at its maximum."""
    net = fastmlp.Network([D, K], rng=0)
    beta = 1.0 if noise_precision is None else noise_precision
    net.fit(
        X, T, "lm", sigma=sigma, sample_weight=sample_weight, penalty=fastmlp.WeightDecay(ALPHA / beta, ALPHA / beta)
    )
    return fastmlp.Laplace(
        net, X, T, sigma=sigma, absolute_sigma=absolute, prior_precision=ALPHA, sample_weight=sample_weight,
        noise_precision=noise_precision, **options,
    )  # fmt: skip


def closed(sigma, beta=1.0, weight=None):
    """By output: mean (D + 1,), covariance, and the log marginal likelihood of normal targets."""
    for k in range(K):
        rows = np.arange(N) if weight is None else np.repeat(np.arange(N), weight.astype(int))
        design, t, s = A[rows], T[rows, k], sigma[rows, k] / np.sqrt(beta)
        covariance = np.linalg.inv(design.T @ (design / s[:, None] ** 2) + ALPHA * np.eye(D + 1))
        mean = covariance @ design.T @ (t / s**2)
        marginal = np.diag(s**2) + design @ design.T / ALPHA
        yield mean, covariance, scipy.stats.multivariate_normal(np.zeros(len(t)), marginal).logpdf(t)


def own_params(net_params, k):
    weights, bias = net_params[: D * K].reshape(K, D), net_params[D * K :]
    return np.append(weights[k], bias[k])


@pytest.mark.parametrize("weight", [None, COUNT], ids=["once", "counted"])
@pytest.mark.parametrize("beta", [None, 0.3], ids=["absolute", "factor"])
def test_linear_networks_are_generalised_least_squares(beta, weight):
    posterior = linear(noise_precision=beta, absolute=beta is None, sample_weight=weight)
    x = RNG.normal(size=(7, D))
    mean, variance = posterior.predict(x)
    evidence = 0.0
    for k, (w, C, log_marginal) in enumerate(closed(SIGMA, beta or 1.0, weight)):
        where = [*range(k * D, k * D + D), K * D + k]
        assert np.allclose(posterior.params[where], w, rtol=1e-9, atol=1e-9)
        assert np.allclose(posterior.params_covariance[np.ix_(where, where)], C, rtol=1e-9, atol=1e-12)
        design = np.column_stack([x, np.ones(7)])
        assert np.allclose(mean[:, k], design @ w, rtol=1e-9, atol=1e-9)
        assert np.allclose(variance[:, k], np.einsum("ni,ij,nj->n", design, C, design), rtol=1e-9)
        evidence += log_marginal
    assert posterior.log_evidence == pytest.approx(evidence, rel=1e-9)
    assert posterior.noise_precision == (beta or 1.0)


def test_rows_are_counted_and_errors_are_not():
    """BIC counts samples; the same errors in other units change the density of the targets by their size alone."""
    one, other = linear(absolute=True), linear(np.full((N, K), 1.0), absolute=True)
    assert one.bic - (-2 * one.log_likelihood) == pytest.approx(one.effective_n_params * np.log(N))
    assert other.bic - (-2 * other.log_likelihood) == pytest.approx(other.effective_n_params * np.log(N))


def penalised(factor=1.0, sigma=SIGMA, **options):
    """The posterior with errors up to a factor, of a network at its maximum."""
    net, penalty = fastmlp.Network([D, K], rng=0), fastmlp.WeightDecay(0.3 / factor**2, 0.3 / factor**2)
    net.fit(X, T, "lm", sigma=factor * sigma, penalty=penalty, **options)
    return fastmlp.Laplace(net, X, T, sigma=factor * sigma, penalty=penalty, **options)


@pytest.mark.parametrize("factor", [1e-6, 7.0, 1e5])
def test_errors_known_up_to_a_factor(factor):
    """The factor is found: beta says it, and all else is the same."""
    one, other = penalised(), penalised(factor)
    assert other.noise_precision == pytest.approx(factor**2 * one.noise_precision, rel=1e-6)
    spread = one.params_covariance
    assert cases.relative_error(other.params_covariance, spread) < 1e-5
    gamma, r = one.effective_n_params, (one.network.predict(X) - T) / SIGMA
    assert one.noise_precision * (r**2).sum() == pytest.approx(N * K - gamma, rel=1e-9)


def test_errors_of_one_are_no_errors():
    one = penalised(sigma=np.ones((N, K)))
    other = fastmlp.Laplace(one.network, X, T, penalty=fastmlp.WeightDecay(0.3, 0.3))
    assert one.noise_precision == pytest.approx(other.noise_precision, rel=1e-12)
    assert one.log_evidence == pytest.approx(other.log_evidence, rel=1e-12)


@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_standardised_posteriors_are_those_by_hand(offset):
    """With the scales c of the targets taken out by hand: the same errors over c."""
    size = np.array([1e5, 1e-4])
    raw, sigma = size * (T + offset), size * SIGMA
    net = fastmlp.Network([D, 4, K], rng=3)
    penalty = fastmlp.WeightDecay(0.3, 0.3)
    net.fit(X, raw, "lm", sigma=sigma, standardize=True, penalty=penalty)
    own = fastmlp.Laplace(net, X, raw, sigma=sigma, absolute_sigma=True, penalty=penalty, standardize=True)
    m, s, d, c = X.mean(0), X.std(0), raw.mean(0), raw.std(0)
    by_hand = fastmlp.Network([D, 4, K], rng=3)
    by_hand.fit((X - m) / s, (raw - d) / c, "lm", sigma=sigma / c, penalty=penalty)
    other = fastmlp.Laplace(by_hand, (X - m) / s, (raw - d) / c, sigma=sigma / c, absolute_sigma=True, penalty=penalty)
    mean, variance = own.predict(X, noise_std=sigma)
    v, other_variance = other.predict((X - m) / s, noise_std=sigma / c)
    tolerance = 1e-7 * (1 + offset)
    assert np.allclose((mean - d) / c, v, rtol=0, atol=tolerance)
    assert np.allclose(variance / c**2, other_variance, rtol=tolerance)
    assert own.log_evidence == pytest.approx(other.log_evidence - N * np.log(c).sum(), abs=1e-4)
    assert own.noise_precision == other.noise_precision == 1.0


# ---- predictions ----


def test_noise_of_new_targets_is_told():
    posterior, x = linear(noise_precision=0.3), X[:5]
    mean, function = posterior.predict(x)
    parts = posterior.predict(x, parts=True)
    assert not parts.noise.any()
    assert np.array_equal(parts.epistemic, function)
    told = RNG.uniform(0.1, 1.0, (5, K))
    for noise_std, expected in ((2.0, 4.0), (told[:, 0], told[:, [0]] ** 2), (told, told**2)):
        again, variance = posterior.predict(x, noise_std=noise_std)
        assert np.array_equal(again, mean)
        assert np.allclose(variance, function + expected / 0.3, rtol=1e-14)


def test_without_errors_noise_that_is_told_replaces_what_was_found():
    net, penalty = fastmlp.Network([D, K], rng=0), fastmlp.WeightDecay(0.3, 0.3)
    net.fit(X, T, "lm", penalty=penalty, standardize=True)
    posterior = fastmlp.Laplace(net, X, T, penalty=penalty, standardize=True)
    parts, told = posterior.predict(X, parts=True), posterior.predict(X, parts=True, noise_std=0.5)
    assert np.array_equal(parts.epistemic, told.epistemic)
    assert np.array_equal(told.noise, np.full((N, K), 0.25))
    assert (parts.noise != 0.25).all()


def test_density_of_new_targets():
    posterior = linear(noise_precision=0.3)
    mean, variance = posterior.predict(X, noise_std=SIGMA)
    expected = scipy.stats.norm(mean, variance**0.5).logpdf(T).sum(axis=1)
    assert np.allclose(posterior.log_density(X, T, noise_std=SIGMA), expected, rtol=1e-12)
    with pytest.raises(ValueError, match="noise_std: expected the errors of these targets"):
        posterior.log_density(X, T)


@pytest.mark.parametrize("noise_std", [-1.0, np.ones(3), np.ones((5, 3)), [np.nan] * 5])
def test_wrong_noise_is_named(noise_std):
    with pytest.raises(ValueError, match="noise_std"):
        linear(absolute=True).predict(X[:5], noise_std=noise_std)


def test_classes_have_no_noise():
    net, penalty = fastmlp.Network([D, K], output="softmax", rng=0), fastmlp.WeightDecay(1.0, 1.0)
    net.fit(X, np.arange(N) % K, "lm", penalty=penalty)
    posterior = fastmlp.Laplace(net, X, np.arange(N) % K, penalty=penalty)
    with pytest.raises(ValueError, match="noise_std: expected None for cross_entropy"):
        posterior.predict(X, noise_std=1.0)


# ---- samples that come and go ----


def test_samples_left_out_are_those_of_trainings_without_them():
    posterior = linear(noise_precision=0.3)
    left = posterior.leave_one_out()
    change = posterior.influence()
    for n in (0, 7, N - 1):
        others = np.arange(N) != n
        for k in range(K):
            s = SIGMA[others, k] / np.sqrt(0.3)
            C = np.linalg.inv(A[others].T @ (A[others] / s[:, None] ** 2) + ALPHA * np.eye(D + 1))
            w = C @ A[others].T @ (T[others, k] / s**2)
            assert left.outputs[n, k] == pytest.approx(A[n] @ w, rel=1e-8)
            where = [*range(k * D, k * D + D), K * D + k]
            assert np.allclose(posterior.params[where] + change[n, where], w, rtol=1e-8, atol=1e-10)


def test_updated_is_the_posterior_of_all():
    first, rest = slice(0, 20), slice(20, N)
    net = fastmlp.Network([D, K], rng=0)
    net.fit(X[first], T[first], "lm", sigma=SIGMA[first], penalty=fastmlp.WeightDecay(ALPHA, ALPHA))
    old = fastmlp.Laplace(net, X[first], T[first], sigma=SIGMA[first], absolute_sigma=True, prior_precision=ALPHA)
    new, whole = old.updated(X[rest], T[rest], sigma=SIGMA[rest]), linear(absolute=True)
    assert np.allclose(new.params, whole.params, rtol=1e-9, atol=1e-10)
    assert cases.relative_error(new.params_covariance, whole.params_covariance) < 1e-9
    assert old.log_evidence + new.log_evidence == pytest.approx(whole.log_evidence, rel=1e-9)
    with pytest.raises(ValueError, match="sigma: expected errors of the new targets, as the old ones have, got none"):
        old.updated(X[rest], T[rest])


def test_pickles_keep_errors():
    posterior = linear(noise_precision=0.3)
    copy = pickle.loads(pickle.dumps(posterior))
    assert np.array_equal(copy.predict(X, noise_std=SIGMA), posterior.predict(X, noise_std=SIGMA))
    assert np.array_equal(copy.leave_one_out().outputs, posterior.leave_one_out().outputs)


# ---- the evidence ----


def log_marginal(alpha, beta):
    """Of all outputs, weights and biases of the precisions alpha."""
    total, prior = 0.0, np.append(np.full(D, 1 / alpha[0]), 1 / alpha[1])
    for k in range(K):
        marginal = np.diag(SIGMA[:, k] ** 2 / beta) + (A * prior) @ A.T
        total += scipy.stats.multivariate_normal(np.zeros(N), marginal).logpdf(T[:, k])
    return total


@pytest.mark.parametrize("method", ["maximum", "fixed_point"])
@pytest.mark.parametrize("absolute", [True, False])
def test_evidence_of_linear_networks_is_at_its_maximum(absolute, method):
    found = fastmlp.fit_evidence(
        fastmlp.Network([D, K], rng=0), X, T, "layers", method, sigma=SIGMA, absolute_sigma=absolute,
        standardize=False, tol=1e-8, max_iter=500,
    )  # fmt: skip
    alpha = np.array([found.group_precisions["W1"], found.group_precisions["b1"]])
    best = log_marginal(alpha, found.noise_precision)
    assert found.log_evidence == pytest.approx(best, rel=1e-9)
    assert found.converged
    assert (found.noise_precision == 1.0) == absolute
    for step in (np.array([1e-3, 0, 0]), np.array([0, 1e-3, 0]), np.array([0, 0, 1e-3]))[: 2 if absolute else 3]:
        for sign in (1, -1):
            logs = np.log([*alpha, found.noise_precision]) + sign * step
            assert log_marginal(np.exp(logs[:2]), np.exp(logs[2])) < best + 1e-9


@pytest.mark.parametrize("standardize", [True, False])
def test_noise_that_is_known_stays(standardize):
    x = np.linspace(-1, 1, 60)[:, None]
    t = np.sin(3 * x) + 0.1 * np.random.default_rng(1).normal(size=x.shape)
    found = fastmlp.fit_evidence(
        fastmlp.Network([1, 4, 1], rng=0), x, t, noise_precision=50.0, noise="known", standardize=standardize
    )
    assert found.noise_precision == pytest.approx(50.0, rel=1e-12)
    assert np.allclose(found.history["noise_precision"], 50.0, rtol=1e-12)


@pytest.mark.parametrize("standardize", [True, False])
def test_a_factor_of_all_errors_makes_no_difference(standardize):
    x = np.linspace(-1, 1, 80)[:, None]
    rng = np.random.default_rng(2)
    sigma = rng.uniform(0.02, 0.5, x.shape)
    t = np.sin(3 * x) + sigma * rng.normal(size=x.shape)
    one, other = (
        fastmlp.fit_evidence(fastmlp.Network([1, 4, 1], rng=0), x, t, sigma=factor * sigma, standardize=standardize)
        for factor in (1.0, 8.0)
    )
    assert other.noise_precision == pytest.approx(64 * one.noise_precision, rel=1e-3)
    assert np.allclose(one.predict(x), other.predict(x), atol=1e-3)
    assert other.log_evidence == pytest.approx(one.log_evidence, abs=1e-2)
    assert one.noise_precision == pytest.approx(1.0, rel=0.4)  # the errors are right as they are told


@pytest.mark.parametrize("standardize", [True, False])
def test_equal_known_errors_are_a_known_noise(standardize):
    x = np.linspace(-1, 1, 60)[:, None]
    t = np.sin(3 * x) + 0.1 * np.random.default_rng(1).normal(size=x.shape)
    ways = ({"sigma": np.full(60, 0.1), "absolute_sigma": True}, {"noise": "known", "noise_precision": 100.0})
    one, other = (
        fastmlp.fit_evidence(fastmlp.Network([1, 4, 1], rng=0), x, t, standardize=standardize, **way) for way in ways
    )
    assert one.log_evidence == pytest.approx(other.log_evidence, abs=1e-3)
    assert np.allclose(one.predict(x, noise_std=0.1), other.predict(x), atol=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"absolute_sigma": True}, "absolute_sigma: expected sigma, the errors that are meant, got none"),
        (
            {"sigma": SIGMA, "absolute_sigma": True, "noise_precision": 2.0},
            "noise_precision: expected None with absolute_sigma",
        ),
        ({"noise": "known"}, "noise_precision: expected numbers with noise='known'"),
        ({"noise": "known", "noise_precision": [3.0]}, r"noise_precision: expected shape \(2,\), got \(1,\)"),
        ({"noise": "other"}, "noise: expected one of per_output, shared, known, got 'other'"),
    ],
)
def test_contradictions_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        fastmlp.fit_evidence(fastmlp.Network([D, K], rng=0), X, T, **options)


# ---- what is said, and what is known ----


def test_what_is_printed_of_the_noise():
    """Beta is a number beside errors, and has units without them."""
    own, net = linear(noise_precision=0.25), fastmlp.Network([D, K], rng=0)
    net.fit(X, T, "lm", penalty=fastmlp.WeightDecay(0.3, 0.3))
    plain = fastmlp.Laplace(net, X, T, penalty=fastmlp.WeightDecay(0.3, 0.3))
    assert "noise deviation       2, times sigma" in str(own)
    assert "in the units of T" in str(plain)
    assert "times sigma" not in str(plain)


@pytest.mark.parametrize("size", [1e-20, 1e-8, 1.0, 1e8])
def test_errors_of_constant_targets_change_nothing(size):
    """In standardised units such a column is known, however well it was measured."""
    x = np.linspace(-1, 1, 40)[:, None]
    sigma = np.column_stack([np.full(40, 0.1), np.full(40, size)])
    t = np.column_stack([np.sin(3 * x[:, 0]) + 0.1 * np.random.default_rng(1).normal(size=40), np.full(40, 5.0)])
    penalty = fastmlp.WeightDecay(0.1, 0.1)
    net, alone = fastmlp.Network([1, 3, 2], rng=0), fastmlp.Network([1, 3, 2], rng=0)
    told, ones = sigma, np.column_stack([sigma[:, 0], np.ones(40)])
    one, other = (
        own.fit(x, t, "lm", sigma=errors, penalty=penalty, standardize=True)
        for own, errors in ((net, told), (alone, ones))
    )
    assert one.success
    assert one.fun == pytest.approx(other.fun, rel=1e-12)
    found, right = (
        fastmlp.fit_evidence(fastmlp.Network([1, 3, 2], rng=0), x, t, sigma=errors, absolute_sigma=True)
        for errors in (told, ones)
    )
    assert found.log_evidence == pytest.approx(right.log_evidence, abs=1e-9)
    assert found.effective_n_params == pytest.approx(right.effective_n_params, abs=1e-9)


def test_the_accuracy_of_training_is_that_of_the_targets_that_count():
    """Errors of samples without weight do not loosen it."""
    x = np.linspace(-1, 1, 40)[:, None]
    t, sigma = np.sin(3 * x) + 0.1 * np.random.default_rng(1).normal(size=x.shape), np.full(40, 0.1)
    more, errors = np.append(t, [[0.3]] * 3, axis=0), np.append(sigma, [1e-10] * 3)
    weight = np.append(np.ones(40), np.zeros(3))
    one = fastmlp.fit_evidence(fastmlp.Network([1, 3, 1], rng=0), x, t, sigma=sigma, absolute_sigma=True)
    other = fastmlp.fit_evidence(
        fastmlp.Network([1, 3, 1], rng=0), np.append(x, [[0.0]] * 3, axis=0), more, sigma=errors, absolute_sigma=True,
        sample_weight=weight,
    )  # fmt: skip
    assert other.log_evidence == pytest.approx(one.log_evidence, abs=1e-9)


@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("absolute", [True, False])
def test_derivatives_that_are_known_beside_errors(absolute, standardize):
    """Their variance is 1/(beta w) in the units of the training: the exact marginal likelihood of both."""
    rng, w, alpha = np.random.default_rng(3), 0.04, 1e-3
    slopes = np.array([[30.0, -70.0]])
    x = rng.normal(size=(15, 2)) * [2.0, 0.5] + 1
    sigma = rng.uniform(5.0, 50.0, (15, 1))
    t, d = x @ slopes.T + 100 + sigma * rng.normal(size=(15, 1)), slopes[:, :, None] + rng.normal(size=(15, 2, 1))
    penalty = fastmlp.WeightDecay(alpha, alpha) + fastmlp.TangentPropagation(np.eye(2), w, targets=d)
    net = fastmlp.Network([2, 1], rng=0)
    net.fit(x, t, "lm", sigma=sigma, penalty=penalty, standardize=standardize, tol=1e-12)
    own = fastmlp.Laplace(net, x, t, sigma=sigma, absolute_sigma=absolute, penalty=penalty, standardize=standardize)
    m, s, o, c = (x.mean(0), x.std(0), t.mean(), t.std()) if standardize else (0.0, np.ones(2), 0.0, 1.0)
    values = np.column_stack([(x - m) / s, np.ones(15)])
    design = np.concatenate([values, *(np.tile(np.append(e / s, 0.0), (15, 1)) for e in np.eye(2))])
    data = np.concatenate([(t[:, 0] - o) / c, d[:, 0, 0] / c, d[:, 1, 0] / c])
    beta = own.noise_precision
    variance = np.concatenate([(sigma[:, 0] / c) ** 2, np.full(30, 1 / w)]) / beta
    marginal = np.diag(variance) + design @ design.T / (beta * alpha)
    expected = scipy.stats.multivariate_normal(np.zeros(45), marginal).logpdf(data) - 45 * np.log(c)
    assert own.log_evidence == pytest.approx(expected, rel=1e-8)
    precision = design.T @ (design / variance[:, None]) + beta * alpha * np.eye(3)
    gamma = 3 - beta * alpha * np.trace(np.linalg.inv(precision))
    assert own.effective_n_params == pytest.approx(gamma, rel=1e-9)
    r = design @ np.linalg.solve(precision, design.T @ (data / variance)) - data
    assert absolute or (r**2 / variance).sum() == pytest.approx(45 - gamma, rel=1e-8)


def test_pruning_by_a_posterior_keeps_its_errors():
    """Evidence and likelihood of the start are the posterior's, those after deletions of a new one."""
    posterior = penalised()
    path = fastmlp.prune(posterior, n_params=6)
    assert path.steps[0].log_evidence == pytest.approx(posterior.log_evidence, rel=1e-9)
    alpha = posterior.noise_precision * 0.3
    net = path.best
    again = fastmlp.Laplace(net, X, T, sigma=SIGMA, prior_precision=alpha, noise_precision=posterior.noise_precision)
    assert path.steps[-1].log_evidence == pytest.approx(again.log_evidence, rel=1e-9)
    assert len(path.steps) > 1
