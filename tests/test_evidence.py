"""Precisions by the evidence: maximum and fixed point, scikit-learn's linear models, relevance (L13)."""

import math
import warnings

import numpy as np
import pytest
from sklearn.linear_model import BayesianRidge

import fastmlp
from cases import PAIRS, alternation_of, anywhere, data, network, relative_error
from fastmlp.bayes import alternation, ascent, occam
from fastmlp.bayes.alternation import Alternation
from fastmlp.datasets import load_yacht
from posterior_cases import CLASSES, SINE, X100, seam


def assert_fixed_point(posterior, X, T, tolerance):
    """alpha_g |w_g|^2 = gamma_g and beta SSE = N K - gamma."""
    for name, alpha in posterior.group_precisions.items():
        where = fastmlp.model.selection.positions(posterior._architecture, name, "name")
        w, gamma = posterior.params[where], posterior.gamma[where].sum()
        if name in posterior.pruned:
            assert not w.any()
            assert gamma == 0.0
        else:
            assert alpha * (w @ w) == pytest.approx(gamma, rel=tolerance)
    if posterior._architecture.loss.has_noise:
        net = fastmlp.Network(posterior._architecture.widths)
        net.params = posterior.params
        sse = ((net(X) - T.reshape(len(X), -1)) ** 2).sum()
        assert posterior.noise_precision * sse == pytest.approx(T.size - posterior.gamma.sum(), rel=tolerance)


@pytest.mark.parametrize("method", ["maximum", "fixed_point"])
def test_without_hidden_layer_it_is_bayesian_ridge_regression(method):
    design = np.column_stack([X100, np.ones(100)])
    T = design @ [1.0, -2.0, 0.3] + 0.3 * np.random.default_rng(1).normal(size=100)
    net = fastmlp.Network([2, 1], rng=0)
    posterior = fastmlp.fit_evidence(net, X100, T, "all", method, tol=1e-11, standardize=False)
    ridge = BayesianRidge(alpha_1=0, alpha_2=0, lambda_1=0, lambda_2=0, fit_intercept=False, tol=1e-15, max_iter=1000,
                          compute_score=True).fit(design, T)  # fmt: skip
    assert posterior.converged
    assert posterior.noise_precision == pytest.approx(ridge.alpha_, rel=1e-9)
    assert posterior.group_precisions["all"] == pytest.approx(ridge.lambda_, rel=1e-9)
    assert posterior.log_evidence == pytest.approx(ridge.scores_[-1], rel=1e-9)
    assert relative_error(net.params, ridge.coef_) < 1e-9
    _, std = ridge.predict(design, return_std=True)
    assert relative_error(posterior.predict(X100)[1][:, 0], std**2) < 1e-9


@pytest.mark.parametrize("n_samples", [8, 12, 60])
def test_without_hidden_layer_the_mean_is_that_of_the_precisions_to_ten_digits(n_samples):
    """Few samples, where what training leaves of the gradient is much for the curvature: w = beta A^-1 X't."""
    for seed in range(5):
        rng = np.random.default_rng([n_samples, seed])
        X = rng.normal(size=(n_samples, 1))
        T = X[:, 0] + 0.3 * rng.normal(size=n_samples) + 1
        posterior = fastmlp.fit_evidence(fastmlp.Network([1, 1], rng=0), X, T, standardize=False)
        design = np.column_stack([X, np.ones(n_samples)])
        alpha, beta = np.array(list(posterior.group_precisions.values())), posterior.noise_precision
        held = np.isinf(alpha)
        design[:, held], alpha[held] = 0.0, 1.0
        w = np.linalg.solve(beta * design.T @ design + np.diag(alpha), beta * design.T @ T)
        assert abs(posterior.network(X)[:, 0] - design @ w).max() < 1e-10 * T.std()


@pytest.mark.parametrize("groups", ["layers", "all", "ard"])
def test_the_fixed_point_holds_for_each_group(groups):
    net = fastmlp.Network([2, 4, 1], rng=1)
    steps = {"tol": 1e-8, "max_iter": 500, "standardize": False}
    posterior = fastmlp.fit_evidence(net, X100, SINE, groups, "fixed_point", **steps)
    assert posterior.converged
    assert posterior.stationary == "fixed_point"
    assert posterior.grad_norm < 1e-5
    assert np.array_equal(net.params, posterior.params)
    if groups == "all":
        alpha, w = posterior.group_precisions["all"], posterior.params
        assert alpha * (w @ w) == pytest.approx(posterior.effective_n_params, rel=1e-6)
    else:
        assert_fixed_point(posterior, X100, SINE, 1e-6)


@anywhere
@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_the_occam_factors_gradient_is_that_of_differences(output, loss):
    net = network([2, 3, 3, 2], ["tanh", "softplus"], output, loss)
    X, T = data(net, 20)
    prior, beta = {"W1[:,0]": math.inf, "b1": 0.7, "W2": 0.3, "W3": 0.7}, np.array([2.0, 0.5])
    weight = np.arange(20) % 4 / 2

    def posterior(params):
        net.params = params
        noise = beta if loss == "squared_error" else None
        return fastmlp.Laplace(net, X, T, prior_precision={**prior, "b2": 1.0, "b3": 1.0}, noise_precision=noise,
                               sample_weight=weight)  # fmt: skip

    here, step = posterior(net.params), 1e-5
    gradient, free = occam.log_det_gradient(here._posterior), np.isfinite(here.prior_precision)
    for slope, change in zip(gradient, step * np.eye(len(free))[free], strict=True):
        above, below = (posterior(here.params + sign * change)._posterior.covariance for sign in (1, -1))
        difference = (above.log_det_precision - below.log_det_precision) / (2 * step)
        assert slope == pytest.approx(difference, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("output", ["identity", "logistic"])
def test_corrected_re_estimation_is_the_gradient_along_trained_networks(output):
    net = fastmlp.Network([2, 3, 1], output=output, rng=1)
    alternation = alternation_of(net, X100, SINE if output == "identity" else CLASSES, "ard", 1e-9)
    at = np.array([0.7, 1.3, 0.4, 0.2, 0.9, 50.0 if output == "identity" else 1.0])
    step = alternation.trained(at)
    proposal = alternation.proposal(step, corrected=True)
    plain = alternation.proposal(step, corrected=False)
    assert np.abs(plain.gradient - proposal.gradient).max() > 0.1
    assert (proposal.gradient * proposal.change >= 0).all()
    for place in range(6 if output == "identity" else 5):
        change = 1e-4 * np.eye(6)[place]
        above, below = (alternation.trained(at * np.exp(sign * change)).posterior.log_evidence for sign in (1, -1))
        assert proposal.gradient[place] == pytest.approx((above - below) / 2e-4, rel=1e-4)
    assert output == "identity" or proposal.gradient[5] == proposal.change[5] == 0.0


@pytest.mark.parametrize("groups", ["layers", "all"])
def test_at_the_maximum_no_precision_is_better(groups):
    net = fastmlp.Network([2, 4, 1], rng=1)
    posterior = fastmlp.fit_evidence(net, X100, SINE, groups, tol=1e-6, standardize=False)
    assert posterior.converged
    assert posterior.stationary == "maximum"
    assert np.array_equal(net.params, posterior.params)
    alternation = alternation_of(net, X100, SINE, groups, 1e-9)
    at = np.array([*posterior.group_precisions.values(), posterior.noise_precision])
    for place in np.flatnonzero(np.isfinite(at)):
        for sign in (1, -1):
            other = alternation.trained(at * np.exp(0.01 * sign * np.eye(len(at))[place])).posterior.log_evidence
            assert other < posterior.log_evidence + 1e-7
            alternation.params = posterior.params


def test_the_path_is_recorded_and_the_evidence_does_not_fall():
    net = fastmlp.Network([2, 4, 1], rng=1)
    posterior = fastmlp.fit_evidence(net, X100, SINE)
    history = posterior.history
    steps = len(history["log_evidence"])
    assert history["prior_precision"].shape == (steps, 4)
    assert history["prior_precision"][0].tolist() == [0.1] * 4
    assert history["noise_precision"][0] == pytest.approx(100 / SINE.var())
    leaves = seam(history)  # from a grid to the samples as they are: other data
    rises = np.diff(history["log_evidence"])
    assert abs(rises[leaves - 1]) < 0.1
    assert (np.delete(rises, leaves - 1) > -2e-6).all()  # trainings end within 1e-6 of their optimum
    assert history["log_evidence"][-1] == posterior.log_evidence > history["log_evidence"][0] + 20
    assert history["effective_n_params"][-1] == posterior.effective_n_params
    assert list(posterior.group_precisions.values()) == history["prior_precision"][-1].tolist()
    assert history["noise_precision"][-1] == posterior.noise_precision


def yacht():
    X, T, *_ = load_yacht()
    X, T = (X - X.mean(axis=0)) / X.std(axis=0), np.log(T)
    return X, (T - T.mean()) / T.std()


@pytest.mark.parametrize("method", ["maximum", "fixed_point"])
@pytest.mark.parametrize("groups", ["layers", "all", "ard"])
def test_hard_data_converge_too(method, groups):
    X, T = yacht()
    for seed in range(3):
        net = fastmlp.Network([6, 5, 1], rng=seed)
        posterior = fastmlp.fit_evidence(net, X, T, groups, method, standardize=False)
        assert posterior.converged
        assert posterior.grad_norm < 1e-3
        if posterior.stationary == "fixed_point" and groups != "all":
            assert_fixed_point(posterior, X, T, 1e-3)


def test_a_step_that_lowers_the_evidence_is_shortened(monkeypatch):
    trials, trained = [], Alternation.trained
    monkeypatch.setattr(Alternation, "trained", lambda self, p: trials.append(np.log(p)) or trained(self, p))
    monkeypatch.setattr(ascent, "ENOUGH", math.inf)  # no rise is enough
    with pytest.warns(fastmlp.ConvergenceWarning, match="not converged within max_iter=1"):
        posterior = fastmlp.fit_evidence(fastmlp.Network([2, 1], rng=1), X100, SINE, prior_precision=2.0, max_iter=1)
    start, first, *shorter = trials[:8]
    for step, share in zip(shorter, 0.5 ** np.arange(1, 7), strict=True):
        error = np.abs(step - start - share * (first - start)).max()
        assert error < (1e-5 if share * np.abs(first - start).max() < ascent.LONG else alternation.COARSE)
    assert posterior.log_evidence == posterior.history["log_evidence"].max()


def test_where_no_step_is_uphill_the_best_point_is_returned(monkeypatch):
    monkeypatch.setattr(ascent, "ENOUGH", math.inf)
    net = fastmlp.Network([2, 4, 1], rng=1)
    posterior = fastmlp.fit_evidence(net, X100, SINE, tol=1e-8, max_iter=500)
    assert posterior.converged
    assert posterior.stationary == "edge"
    assert posterior.log_evidence == posterior.history["log_evidence"][seam(posterior.history) :].max()
    assert posterior.log_evidence > posterior.history["log_evidence"].max() - 0.1
    assert np.array_equal(net.params, posterior.params)


def test_the_best_is_returned_where_time_is_up():
    net = fastmlp.Network([2, 4, 1], rng=1)
    with pytest.warns(fastmlp.ConvergenceWarning, match="not converged within max_iter=3") as warned:
        posterior = fastmlp.fit_evidence(net, X100, SINE, max_iter=3)
    assert len(warned) == 1
    assert warned[0].filename == __file__
    assert not posterior.converged
    assert posterior.stationary == ""
    assert posterior.log_evidence == posterior.history["log_evidence"][seam(posterior.history) :].max()
    assert posterior.log_evidence > posterior.history["log_evidence"].max() - 0.1
    assert np.array_equal(net.params, posterior.params)


def test_irrelevant_inputs_are_pruned_and_relevant_ones_are_not():
    X = np.column_stack([X100, np.random.default_rng(5).normal(size=100)])
    posterior = fastmlp.fit_evidence(fastmlp.Network([3, 6, 1], rng=0), X, SINE, groups="ard", standardize=False)
    alpha = posterior.group_precisions
    assert min(alpha["W1[:,1]"], alpha["W1[:,2]"]) > 50 * alpha["W1[:,0]"]
    assert posterior.pruned
    assert posterior.noise_precision**-0.5 == pytest.approx(0.1, abs=0.02)
    assert list(posterior.pruned) == [name for name, value in alpha.items() if value == math.inf]
    assert not any(posterior.params[fastmlp.model.selection.named(posterior._architecture, name, "")].any()
                   for name in posterior.pruned)  # fmt: skip


def test_the_effective_number_of_parameters_does_not_grow_with_the_network():
    """Foresee and Hagan (1997): it is what the function needs."""
    x = np.linspace(-1, 1, 41)[:, np.newaxis]
    T = np.sin(2 * np.pi * x) + 0.1 * np.random.default_rng(3).normal(size=x.shape)
    gamma = [fastmlp.fit_evidence(fastmlp.Network([1, M, 1], rng=1), x, T).effective_n_params for M in (5, 10, 20)]
    assert max(gamma) < 1.1 * min(gamma)
    assert 7 < min(gamma) < 12


@pytest.mark.parametrize(
    ("output", "n_outputs", "T"),
    [
        ("logistic", 1, CLASSES),
        ("softmax", 3, CLASSES.astype(int) + (X100[:, 0] > 1)),
        ("exp", 1, np.random.default_rng(0).poisson(np.exp(X100[:, 0]))),
    ],
)
def test_classifiers_and_counts_have_prior_precisions_only(output, n_outputs, T):
    net = fastmlp.Network([2, 3, n_outputs], output=output, rng=0)
    steps = {"tol": 1e-6, "max_iter": 500, "standardize": False}
    posterior = fastmlp.fit_evidence(net, X100, T, "layers", "fixed_point", **steps)
    assert posterior.converged
    assert posterior.noise_precision == 1.0
    assert (posterior.history["noise_precision"] == 1.0).all()
    assert_fixed_point(posterior, X100, T, 1e-4)


def test_noise_without_a_signal_leaves_no_network():
    x = np.linspace(-1, 1, 20)[:, np.newaxis]
    noise = np.random.default_rng(0).normal(size=20)
    noise -= np.polyval(np.polyfit(x[:, 0], noise, 1), x[:, 0])
    posterior = fastmlp.fit_evidence(fastmlp.Network([1, 1], rng=0), x, noise, tol=1e-12, standardize=False)
    assert posterior.pruned == ("W1", "b1")
    assert posterior.effective_n_params == 0.0
    mean, variance = posterior.predict([[0.3]])
    assert mean[0, 0] == 0.0
    assert variance[0, 0] == pytest.approx((noise**2).mean(), rel=1e-12)
    assert posterior.log_evidence == pytest.approx(-10 * (1 + math.log(2 * math.pi * (noise**2).mean())), rel=1e-12)
    assert not posterior.sample(3).any()


@pytest.mark.filterwarnings("ignore:the precisions have not converged within max_iter=3")
def test_sample_weights_are_repetitions_and_float32_will_do():
    weight = np.arange(100) % 3
    one, two, three = (fastmlp.Network([2, 2, 1], rng=1, dtype=dtype) for dtype in ("float64", "float64", "float32"))
    weighted = fastmlp.fit_evidence(one, X100, SINE, sample_weight=weight, noise_precision=50.0, max_iter=3)
    rows = np.repeat(np.arange(100), weight)
    repeated = fastmlp.fit_evidence(two, X100[rows], SINE[rows], noise_precision=50.0, max_iter=3)
    assert relative_error(weighted.history["log_evidence"], repeated.history["log_evidence"]) < 1e-6
    single = fastmlp.fit_evidence(three, X100, SINE, sample_weight=weight, noise_precision=50.0, max_iter=3)
    assert relative_error(single.history["log_evidence"], repeated.history["log_evidence"]) < 1e-2


@pytest.mark.parametrize("layers", [[2, 1], [2, 3, 1]])
@pytest.mark.parametrize("T", [np.zeros(100), np.ones(100)])
def test_constant_targets_are_refused(layers, T):
    with pytest.raises(ValueError, match="T: expected targets with noise"):
        fastmlp.fit_evidence(fastmlp.Network(layers, rng=0), X100, T, "layers", "fixed_point")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"net": None}, TypeError, "net: expected a fastmlp.Network"),
        ({"method": "em"}, ValueError, "method: expected one of maximum, fixed_point"),
        ({"n_starts": 0}, ValueError, "n_starts: expected an integer >= 1"),
        ({"combine": "median"}, ValueError, "combine: expected one of best, average"),
        ({"hidden": "few"}, ValueError, "net: expected a hidden layer"),
        ({"net": fastmlp.Network([2, 2, 1]), "hidden": "few"}, ValueError, "hidden: expected one of auto"),
        ({"net": fastmlp.Network([2, 2, 1]), "hidden": 3}, TypeError, "hidden: expected None, 'auto' or numbers"),
        ({"groups": "units"}, ValueError, "groups: expected one of layers, all, ard, got 'units'"),
        ({"groups": ["W1"]}, TypeError, "groups: expected a name"),
        ({"prior_precision": 0.0}, ValueError, "prior_precision: expected a finite number > 0"),
        ({"noise_precision": 0.0}, ValueError, "noise_precision: expected a finite number > 0"),
        ({"max_iter": -1}, ValueError, "max_iter: expected an integer >= 0"),
        ({"tol": -1.0}, ValueError, "tol: expected a finite number >= 0"),
        ({"X": np.empty((0, 2)), "T": []}, ValueError, "X: expected at least one sample"),
        ({"sample_weight": np.zeros(100)}, ValueError, "sample_weight: expected at least one positive number"),
    ],
)
def test_wrong_arguments_are_refused(arguments, error, message):
    given = {"net": fastmlp.Network([2, 1]), "X": X100, "T": SINE, **arguments}
    with pytest.raises(error, match=message):
        fastmlp.fit_evidence(**given)


def test_a_classifier_has_no_noise_precision():
    net = fastmlp.Network([2, 1], output="logistic")
    with pytest.raises(ValueError, match="noise_precision: expected None for binary_cross_entropy, got 2"):
        fastmlp.fit_evidence(net, X100, CLASSES, noise_precision=2.0)


@pytest.mark.parametrize(("groups", "n_outputs"), [("all", 4), ("layers", 4), ("all", 6)])
def test_an_output_that_noise_has_drowned_is_named(groups, n_outputs):
    """By the noise of others, if all are to have the same; with a noise of its own it is found."""
    drowned = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        X, T = rng.normal(size=(40, 3)), rng.normal(size=(40, n_outputs))
        T[:, 0] = X[:, 0] + 0.3 * rng.normal(size=40)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            net = fastmlp.Network([3, 4, n_outputs], rng=seed)
            posterior = fastmlp.fit_evidence(net.copy(), X, T, groups, noise="shared")
        if np.mean((posterior.predict(X)[0][:, 0] - T[:, 0]) ** 2) > 0.7 * T[:, 0].var():
            drowned += 1
            assert any("T[:,0]" in str(each.message) for each in said)
            found = fastmlp.fit_evidence(net, X, T, groups)
            assert np.mean((found.predict(X)[0][:, 0] - T[:, 0]) ** 2) < 0.2 * T[:, 0].var()
    assert drowned > 0
