"""The Laplace approximation against closed forms: Bayesian linear and logistic regression, NIST, sampling (L8, L13)."""

import math
import pickle

import numpy as np
import pytest

import fastmlp
import nist
from cases import PAIRS, anywhere, data, network, relative_error, trained
from fastmlp.bayes import predictive

RNG = np.random.default_rng(17)
X15, T15 = RNG.normal(size=(15, 3)), RNG.normal(size=15)
DESIGN = np.column_stack([X15, np.ones(15)])
ALPHA, BETA = 0.7, 2.3


def log_density(t, covariance):
    """Brute force: ln N(t | 0, covariance)."""
    return -0.5 * (t @ np.linalg.solve(covariance, t) + np.linalg.slogdet(2 * np.pi * covariance)[1])


def linear_network(alpha, beta, X=X15, T=T15):
    """A network without hidden layer at the maximum of its posterior."""
    design = np.column_stack([X, np.ones(len(X))])
    A = beta * design.T @ design + np.diag(np.broadcast_to(alpha, design.shape[1]))
    net = fastmlp.Network([X.shape[1], 1])
    net.params = beta * np.linalg.solve(A, design.T @ T)
    return net, A


# ---- a network without hidden layer is Bayesian linear regression ----


@pytest.mark.parametrize("hessian", ["ggn", "exact"])
@pytest.mark.parametrize("alpha", [ALPHA, np.array([0.7, 0.1, 5.0, 0.01])])
def test_without_hidden_layer_it_is_bayesian_linear_regression(alpha, hessian):
    net, A = linear_network(alpha, BETA)
    posterior = fastmlp.Laplace(net, X15, T15, prior_precision=alpha, noise_precision=BETA, hessian=hessian)
    covariance = np.eye(15) / BETA + DESIGN / alpha @ DESIGN.T
    assert posterior.log_evidence == pytest.approx(log_density(T15, covariance), rel=1e-12)
    assert posterior.grad_norm < 1e-13
    assert relative_error(posterior.params_covariance, np.linalg.inv(A)) < 1e-12
    assert relative_error(posterior.params_std, np.sqrt(np.diag(np.linalg.inv(A)))) < 1e-12
    assert posterior.effective_n_params == pytest.approx(4 - np.trace(np.linalg.inv(A) * alpha), rel=1e-12)
    new = np.random.default_rng(1).normal(size=(7, 3))
    J = np.column_stack([new, np.ones(7)])
    mean, variance = posterior.predict(new)
    assert relative_error(mean[:, 0], J @ net.params) < 1e-12
    assert relative_error(variance[:, 0], 1 / BETA + np.diag(J @ np.linalg.inv(A) @ J.T)) < 1e-12
    assert relative_error(posterior.covariance(new).reshape(7, 7), J @ np.linalg.inv(A) @ J.T) < 1e-12
    slopes, variances = posterior.predict_jacobian(new)
    assert relative_error(slopes, np.tile(net.weights[0], (7, 1, 1))) < 1e-14
    assert relative_error(variances, np.tile(np.diag(np.linalg.inv(A))[:3], (7, 1, 1))) < 1e-12


def test_the_fixed_point_of_the_noise_is_the_same_by_iteration():
    net, _ = linear_network(ALPHA, BETA)
    posterior = fastmlp.Laplace(net, X15, T15, prior_precision=ALPHA)
    sse, beta = 2 * net.loss(X15, T15), 1.0
    for _ in range(200):
        eigenvalues = beta * np.linalg.eigvalsh(DESIGN.T @ DESIGN)
        beta = (15 - (eigenvalues / (eigenvalues + ALPHA)).sum()) / sse
    assert posterior.noise_precision == pytest.approx(beta, rel=1e-12)
    assert posterior.noise_precision * sse == pytest.approx(15 - posterior.effective_n_params, rel=1e-12)


@anywhere
@pytest.mark.parametrize("flat", [{"W1": 0.4}, {"W1": 0.4, "b1": 3.0}, 0.0, [1e9, 1e-9]])
@pytest.mark.parametrize("hessian", ["ggn", "diagonal"])
def test_the_noise_has_a_fixed_point_whatever_the_prior(flat, hessian):
    net, _ = linear_network(ALPHA, BETA)
    posterior = fastmlp.Laplace(net, X15, T15, prior_precision=flat, hessian=hessian)
    sse = 2 * net.loss(X15, T15)
    assert posterior.noise_precision * sse == pytest.approx(15 - posterior.effective_n_params, rel=1e-9)


def test_with_a_penalty_the_prior_precision_is_that_of_the_noise_times_lambda():
    net, X, T = trained("identity", "squared_error")
    posterior = fastmlp.Laplace(net, X, T, penalty=fastmlp.WeightDecay(0.3, 0.3))
    gamma, sse = posterior.effective_n_params, 2 * net.loss(X, T)
    assert posterior.noise_precision == pytest.approx((80 - gamma) / sse, rel=1e-12)
    assert relative_error(posterior.prior_precision, np.full(17, 0.3 * posterior.noise_precision)) < 1e-15
    same = fastmlp.Laplace(net, X, T, prior_precision=posterior.prior_precision, noise_precision=(80 - gamma) / sse)
    assert same.log_evidence == pytest.approx(posterior.log_evidence, rel=1e-12)
    assert posterior.grad_norm < 1e-8


def test_each_output_may_have_a_noise_of_its_own():
    net, X, T = trained("identity", "squared_error", (3, 2))
    beta = np.array([0.5, 8.0])
    both = fastmlp.Laplace(net, X, T, prior_precision=ALPHA, noise_precision=beta)
    single = []
    for k in range(2):
        one = fastmlp.Network([3, 1])
        one.params = np.append(net.weights[0][k], net.biases[0][k])
        single.append(fastmlp.Laplace(one, X, T[:, k], prior_precision=ALPHA, noise_precision=beta[k]))
    assert both.log_evidence == pytest.approx(sum(each.log_evidence for each in single), rel=1e-12)
    variance = np.column_stack([each.predict(X)[1] for each in single])
    assert relative_error(both.predict(X)[1], variance) < 1e-12


@anywhere
def test_whole_sample_weights_are_repetitions():
    net, X, T = trained("identity", "squared_error")
    weight = np.arange(40) % 3
    weighted = fastmlp.Laplace(net, X, T, prior_precision=ALPHA, sample_weight=weight)
    repeated = fastmlp.Laplace(net, np.repeat(X, weight, 0), np.repeat(T, weight, 0), prior_precision=ALPHA)
    assert weighted.log_evidence == pytest.approx(repeated.log_evidence, rel=1e-12)
    assert weighted.noise_precision == pytest.approx(repeated.noise_precision, rel=1e-12)


# ---- other likelihoods ----


def test_without_hidden_layer_it_is_laplaces_logistic_regression():
    T = (T15 > 0).astype(float)
    net = fastmlp.Network([3, 1], output="logistic")
    net.fit(X15, T, method="lm", penalty=fastmlp.WeightDecay(ALPHA, ALPHA), tol=1e-12)
    y = net(X15)[:, 0]
    A = DESIGN.T @ (DESIGN * (y * (1 - y))[:, np.newaxis]) + ALPHA * np.eye(4)
    w = net.params
    expected = np.log(np.where(T == 1, y, 1 - y)).sum() - ALPHA / 2 * w @ w
    expected += 2 * math.log(ALPHA) - 0.5 * np.linalg.slogdet(A)[1]
    posterior = fastmlp.Laplace(net, X15, T, prior_precision=ALPHA)
    assert posterior.log_evidence == pytest.approx(expected, rel=1e-10)
    a, s = DESIGN @ w, np.sqrt(np.diag(DESIGN @ np.linalg.solve(A, DESIGN.T)))
    nodes, weights = np.polynomial.hermite_e.hermegauss(100)
    moderated = 1 / (1 + np.exp(-(a + np.outer(nodes, s)))).T @ (weights / weights.sum())
    assert relative_error(posterior.predict(X15)[:, 0], moderated) < 1e-9


# ---- identities ----


@pytest.mark.parametrize("hessian", ["ggn", "exact", "diagonal"])
def test_gamma_counts_eigenvalues_above_alpha_group_by_group(hessian):
    net, X, T = trained("identity", "squared_error")
    posterior = fastmlp.Laplace(net, X, T, prior_precision=0.6, noise_precision=2.0, hessian=hessian)
    H = 2.0 * (net.hessian(X, T, "exact" if hessian == "exact" else "ggn"))
    eigenvalues = np.diag(H) if hessian == "diagonal" else np.linalg.eigvalsh(H)
    gamma = posterior.effective_n_params
    assert gamma == pytest.approx((eigenvalues / (eigenvalues + 0.6)).sum(), rel=1e-10)
    by_group = posterior.effective_n_params_by_group
    assert sum(by_group.values()) == pytest.approx(gamma, rel=1e-13)
    inverse = posterior.params_covariance
    for name, where in net.groups.items():
        n = where.stop - where.start
        assert by_group[name] == pytest.approx(n - 0.6 * np.trace(inverse[where, where]), rel=1e-10, abs=1e-12)


def test_gamma_is_the_sum_of_leverages():
    net, X, T = trained("identity", "squared_error")
    posterior = fastmlp.Laplace(net, X, T, prior_precision=0.6, noise_precision=2.0)
    leverages = 2.0 * np.trace(posterior.covariance(X).reshape(80, 80))
    assert posterior.effective_n_params == pytest.approx(leverages, rel=1e-11)


@anywhere
def test_targets_in_other_units_shift_the_log_evidence_by_the_jacobian():
    net, X, T = trained("identity", "squared_error")
    alpha, c = {"W1": 0.3, "b1": 1.1, "W2": 0.2, "b2": 0.7}, -250.0
    posterior = fastmlp.Laplace(net, X, T, prior_precision=alpha, noise_precision=2.0)
    rescaled = {name: value / (c**2 if name.endswith("2") else 1) for name, value in alpha.items()}
    other = fastmlp.Laplace(net.rescale_outputs(c), X, c * T, prior_precision=rescaled, noise_precision=2.0 / c**2)
    shift = other.log_evidence - posterior.log_evidence
    assert shift == pytest.approx(-80 * math.log(abs(c)), rel=1e-12)
    assert other.effective_n_params == pytest.approx(posterior.effective_n_params, rel=1e-10)
    assert relative_error(other.predict(X)[1], c**2 * posterior.predict(X)[1]) < 1e-10


def test_rat42_has_the_certified_standard_errors():
    problem = nist.load("Rat42")
    x, t = problem.x[:, np.newaxis], problem.y
    net = fastmlp.Network([1, 1, 1], hidden="logistic")
    b1, b2, b3 = problem.starts[1]
    net.params = [b3, -b2, b1, 0.0]
    net.fit(x, t, method="lm", fixed="b2", tol=1e-9)
    posterior = fastmlp.Laplace(net, x, t, prior_precision={"b2": math.inf})
    certified = [3.4465663377e-03, 8.8295217536e-02, 1.7340283401e00, 0.0]
    np.testing.assert_allclose(posterior.params_std, certified, rtol=1e-8)
    assert 1 / math.sqrt(posterior.noise_precision) == pytest.approx(1.1587725499, rel=1e-9)
    assert posterior.effective_n_params == 3.0


@anywhere
def test_held_parameters_do_not_vary():
    net, X, T = trained("identity", "squared_error")
    posterior = fastmlp.Laplace(net, X, T, prior_precision={"W1[:,0]": math.inf, "W2": 0.5, "b1": 0.5, "b2": 0.5})
    held = [0, 2, 4]
    free = np.delete(np.arange(17), held)
    assert np.array_equal(posterior.params_std == 0, [i in held for i in range(17)])
    assert np.array_equal(posterior.sample(5, rng=0)[:, held], np.tile(net.params[held], (5, 1)))
    assert not posterior.gamma[held].any()
    H = posterior.noise_precision * np.delete(np.delete(net.hessian(X, T, "ggn"), held, 0), held, 1)
    alpha = np.delete(posterior.prior_precision, held)
    assert relative_error(posterior.params_covariance[np.ix_(free, free)],
                          np.linalg.inv(H + np.diag(alpha))) < 1e-9  # fmt: skip
    assert np.isfinite(posterior.log_evidence)
    assert posterior.predict_jacobian(X)[1].min() > 0


@anywhere
def test_symmetries_count_exchanges_and_changes_of_sign():
    X, T = np.zeros((3, 1)), np.zeros(3)
    for hidden, expected in (
        ("tanh", math.log(math.factorial(4) * 2**4) + math.log(math.factorial(3) * 2**3)),
        (["softplus", "tanh"], math.log(math.factorial(4)) + math.log(math.factorial(3) * 2**3)),
    ):
        net = fastmlp.Network([1, 4, 3, 1], hidden=hidden, rng=0)
        posterior = fastmlp.Laplace(net, X, T, prior_precision=1.0, noise_precision=1.0)
        assert posterior.log_symmetries == pytest.approx(expected, rel=1e-14)


@anywhere
def test_samples_have_the_posteriors_covariance():
    net, X, T = trained("identity", "squared_error", n=80)
    for hessian in ("ggn", "diagonal"):
        posterior = fastmlp.Laplace(net, X, T, prior_precision=0.5, noise_precision=3.0, hessian=hessian)
        draws = posterior.sample(200_000, rng=0)
        scale = np.outer(posterior.params_std, posterior.params_std)
        assert np.abs(draws.mean(axis=0) - net.params).max() < 0.01 * posterior.params_std.max()
        assert np.abs((np.cov(draws.T) - posterior.params_covariance) / scale).max() < 0.015


@pytest.mark.parametrize("layers", [[2, 1], [2, 4, 1]])
def test_intervals_hold_what_they_promise_where_model_and_prior_are_right(layers):
    rng, alpha, beta, inside = np.random.default_rng(0), 0.5, 25.0, []
    for _ in range(300):
        net = fastmlp.Network(layers)
        net.params = rng.normal(size=net.n_params) / math.sqrt(alpha)
        X, new = rng.normal(size=(30, 2)), rng.normal(size=(5, 2))
        T, targets = (net(x) + rng.normal(size=(len(x), 1)) / math.sqrt(beta) for x in (X, new))
        net.fit(X, T, method="lm", penalty=fastmlp.WeightDecay(alpha / beta, alpha / beta))
        mean, variance = fastmlp.Laplace(net, X, T, prior_precision=alpha, noise_precision=beta).predict(new)
        inside.append((np.abs(targets - mean) < 1.6449 * np.sqrt(variance)).mean())
    error = np.std(inside) / math.sqrt(300)
    assert np.mean(inside) == pytest.approx(0.9, abs=3 * error)
    assert error < 0.012


# ---- what is not a posterior ----


@anywhere
def test_negative_eigenvalues_are_reported():
    net = network([1, 3, 1], seed=1, scale=2.0)
    X, T = data(net, 20)
    H = net.hessian(X, T)
    expected = np.linalg.eigvalsh(H)
    assert expected[0] < -1e-3
    posterior = fastmlp.Laplace(net, X, T, prior_precision=2 - expected[0], noise_precision=1.0, hessian="exact")
    assert relative_error(posterior.negative_eigenvalues, expected[expected < 0]) < 1e-9
    for hessian in ("ggn", "diagonal"):
        posterior = fastmlp.Laplace(net, X, T, prior_precision=1.0, noise_precision=1.0, hessian=hessian)
        assert len(posterior.negative_eigenvalues) == 0
    with pytest.raises(fastmlp.NotPositiveDefiniteError, match=rf"smallest eigenvalue {expected[0] + 0.001:.3g} .*lm"):
        fastmlp.Laplace(net, X, T, prior_precision=0.001, noise_precision=1.0, hessian="exact")


@pytest.mark.parametrize("hessian", ["ggn", "diagonal"])
def test_what_the_data_do_not_determine_needs_a_prior(hessian):
    net = fastmlp.Network([1, 2, 1], rng=0)
    for beta in (1.0, None):
        with pytest.raises(fastmlp.NotPositiveDefiniteError, match=r"smallest eigenvalue .*take prior_precision > 0"):
            fastmlp.Laplace(net, [[0.0]] * 9, [1.0] * 9, prior_precision=0.0, noise_precision=beta, hessian=hessian)
    softmax = network([2, 3], output="softmax")
    X, T = data(softmax, 50)
    with pytest.raises(fastmlp.NotPositiveDefiniteError):
        fastmlp.Laplace(softmax, X, T, prior_precision=0.0)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, ValueError, "prior_precision: expected either it or a penalty, got none"),
        ({"prior_precision": 1.0, "penalty": fastmlp.WeightDecay(1.0)}, ValueError, "got both"),
        ({"penalty": 0.1}, TypeError, "penalty: expected a fastmlp.WeightDecay"),
        ({"prior_precision": -1.0}, ValueError, "prior_precision: expected a finite number >= 0"),
        ({"prior_precision": [1.0, np.nan]}, ValueError, "prior_precision: expected a finite number >= 0, got nan"),
        ({"prior_precision": np.ones(3)}, ValueError, "prior_precision: expected one number, one for each of W1, b1"),
        ({"prior_precision": {"W3": 1.0}}, ValueError, "prior_precision: expected a group among W1"),
        ({"prior_precision": 1.0, "hessian": "kron"}, ValueError, "hessian: expected one of ggn, exact, diagonal"),
        ({"prior_precision": 1.0, "noise_precision": 0.0}, ValueError, "noise_precision: expected a finite number > 0"),
        ({"prior_precision": 1.0, "noise_precision": [1.0, 2.0]}, ValueError, "noise_precision: expected shape"),
        (
            {"penalty": fastmlp.WeightDecay(1.0), "noise_precision": [1, 2]},
            ValueError,
            "noise_precision: expected shape",
        ),
        ({"prior_precision": 1.0, "T": [], "X": np.empty((0, 3))}, ValueError, "X: expected at least one sample"),
    ],
)
def test_wrong_arguments_are_refused(arguments, error, message):
    net, _ = linear_network(ALPHA, BETA)
    given = {"X": X15, "T": T15, **arguments}
    with pytest.raises(error, match=message):
        fastmlp.Laplace(net, given.pop("X"), given.pop("T"), **given)


def test_a_classifier_has_no_noise_precision():
    net = fastmlp.Network([1, 1], output="logistic")
    with pytest.raises(ValueError, match="noise_precision: expected None for binary_cross_entropy, got 2"):
        fastmlp.Laplace(net, [[0.0]], [1.0], prior_precision=1.0, noise_precision=2.0)


def test_as_many_parameters_with_a_flat_prior_as_targets_do_not_determine_the_noise():
    net, _ = linear_network(ALPHA, BETA)
    with pytest.raises(ValueError, match=r"noise_precision: .* 4 targets, 4 parameters with a flat prior"):
        fastmlp.Laplace(net, X15[:4], T15[:4], prior_precision=0.0)


def test_a_perfect_fit_does_not_determine_the_noise():
    net, _ = linear_network(ALPHA, BETA)
    with pytest.raises(ValueError, match="noise_precision: expected a number, since the data do not determine it"):
        fastmlp.Laplace(net, X15, net(X15), prior_precision=1.0)


@anywhere
def test_the_posterior_is_a_copy_in_double_precision():
    double, X, T = trained("identity", "squared_error")
    single = fastmlp.Network(double.layers, dtype="float32")
    single.params = double.params.astype(np.float32)
    double.params = single.params
    one, two = (fastmlp.Laplace(net, X, T, prior_precision=1.0) for net in (double, single))
    before = two.predict(X)
    single.params = np.zeros(17)
    assert one.log_evidence == two.log_evidence
    assert np.array_equal(two.predict(X), before)
    assert np.array_equal(one.predict(X), before)
    again = pickle.loads(pickle.dumps(two))
    assert np.array_equal(again.predict(X), before)
    assert np.array_equal(again.leave_one_out().residuals, two.leave_one_out().residuals)


@anywhere
def test_no_rows_have_empty_predictions():
    for output, loss in PAIRS:
        net, X, T = trained(output, loss)
        posterior = fastmlp.Laplace(net, X, T, prior_precision=1.0)
        assert all(part.shape == (0, 2) for part in posterior.predict(np.empty((0, 2)), parts=True))
        assert posterior.covariance(np.empty((0, 2))).shape == (0, 2, 0, 2)
        assert posterior.predict_jacobian(np.empty((0, 2)))[1].shape == (0, 2, 2)


@anywhere
def test_predictions_in_blocks_are_the_same(monkeypatch):
    for output, loss in PAIRS:
        net, X, T = trained(output, loss)
        posterior = fastmlp.Laplace(net, X, T, prior_precision=1.0)
        whole = (*posterior.predict(X, parts=True), posterior.covariance(X), posterior.predict_jacobian(X)[1])
        monkeypatch.setattr(predictive, "BLOCK", 500)
        parts = (*posterior.predict(X, parts=True), posterior.covariance(X), posterior.predict_jacobian(X)[1])
        monkeypatch.undo()
        assert all(relative_error(got, expected) < 1e-13 for got, expected in zip(parts, whole, strict=True))


@pytest.mark.parametrize("noise", [5e-324, 1e-308, np.array(["1", "2"]), np.array([1, "a"], object)])
def test_noise_precisions_that_are_no_numbers_of_full_precision_are_named(noise):
    net, X, T = network([3, 4, 2]), np.ones((5, 3)), np.ones((5, 2))
    with pytest.raises((TypeError, ValueError), match=r"^noise_precision: expected"):
        fastmlp.Laplace(net, X, T, prior_precision=1.0, noise_precision=noise)


@pytest.mark.filterwarnings("ignore::fastmlp.PosteriorWarning")
def test_the_joint_covariance_of_many_inputs_is_formed_in_bands(monkeypatch):
    net = network([3, 4, 2])
    X, T = data(net, 40)
    posterior = fastmlp.Laplace(net, X, T, prior_precision=1.0, noise_precision=2.0)
    whole = posterior.covariance(X)
    monkeypatch.setattr(predictive, "BAND", 7 * 2 * 40 * net.n_params)  # seven rows of eighty
    parts = posterior.covariance(X)
    np.testing.assert_allclose(parts, whole, rtol=0, atol=1e-14 * abs(whole).max())
    matrix = parts.reshape(80, 80)
    assert np.array_equal(matrix, matrix.T)


@pytest.mark.parametrize("hessian", ["ggn", "exact", "diagonal"])
def test_noise_of_a_penalty_is_that_of_the_prior_that_goes_with_it(hessian):
    """beta from one factor; from eigenvalues, with alpha = beta lambda told, it is a fixed point too."""
    net, penalty = fastmlp.Network([1, 3, 1], rng=0), fastmlp.WeightDecay(0.05, 0.05)
    X = np.linspace(-1, 1, 40)[:, None]
    T = np.sin(3 * X) + 0.1 * np.random.default_rng(0).normal(size=X.shape)
    net.fit(X, T, "lm", penalty=penalty)
    one = fastmlp.Laplace(net, X, T, penalty=penalty, hessian=hessian)
    alpha = one.noise_precision * penalty.diagonal(net._architecture)
    other = fastmlp.Laplace(net, X, T, prior_precision=alpha, hessian=hessian)
    told = fastmlp.Laplace(net, X, T, prior_precision=alpha, noise_precision=one.noise_precision, hessian=hessian)
    assert other.noise_precision == pytest.approx(one.noise_precision, rel=1e-9)
    for each in (other, told):
        assert each.log_evidence == pytest.approx(one.log_evidence, rel=1e-9)
        assert np.allclose(each.params_covariance, one.params_covariance, rtol=1e-8)
        assert np.allclose(each.gamma, one.gamma, rtol=1e-8)
    gamma, r = one.effective_n_params, net.predict(X) - T
    assert one.noise_precision * float((r**2).sum()) == pytest.approx(40 - gamma, rel=1e-10)


def test_inputs_whose_squares_are_no_numbers_are_told():
    X = np.array([[1e200, 1.0], [1.0, 1.0], [0.0, 1.0]])
    with pytest.raises(
        fastmlp.NotPositiveDefiniteError, match=r"^posterior: expected .*; take X in other units, as by "
    ):
        fastmlp.Laplace(fastmlp.Network([2, 1], rng=0), X, np.ones((3, 1)), prior_precision=1.0)
