"""Precisions by the evidence: the fixed point, scikit-learn's linear models, relevance (L13)."""

import math

import numpy as np
import pytest
from sklearn.linear_model import BayesianRidge

import fastmlp
from cases import relative_error
from fastmlp.bayes import evidence
from fastmlp.datasets import load_yacht

RNG = np.random.default_rng(0)
X100 = RNG.uniform(-2, 2, (100, 2))
SINE = np.sin(2 * X100[:, 0]) + 0.1 * RNG.normal(size=100)
CLASSES = (X100[:, 0] ** 2 + X100[:, 1] ** 2 + RNG.normal(size=100) < 2).astype(float)


def assert_fixed_point(posterior, X, T, tolerance):
    """alpha_g |w_g|^2 = gamma_g and beta SSE = N K - gamma."""
    for name, alpha in posterior.group_precisions.items():
        where = fastmlp.selection.positions(posterior._architecture, name, "name")
        w, gamma = posterior.params[where], posterior.gamma[where].sum()
        if name in posterior.pruned:
            assert not w.any()
            assert gamma == 0.0
        else:
            assert alpha * (w @ w) == pytest.approx(gamma, rel=tolerance)
    if posterior._architecture.loss == "squared_error":
        net = fastmlp.Network(posterior._architecture.layers)
        net.params = posterior.params
        sse = ((net(X) - T.reshape(len(X), -1)) ** 2).sum()
        assert posterior.noise_precision * sse == pytest.approx(T.size - posterior.gamma.sum(), rel=tolerance)


def test_without_hidden_layer_it_is_bayesian_ridge_regression():
    design = np.column_stack([X100, np.ones(100)])
    T = design @ [1.0, -2.0, 0.3] + 0.3 * np.random.default_rng(1).normal(size=100)
    net = fastmlp.Network([2, 1], rng=0)
    posterior = fastmlp.fit_evidence(net, X100, T, groups="all", tol=1e-11)
    ridge = BayesianRidge(alpha_1=0, alpha_2=0, lambda_1=0, lambda_2=0, fit_intercept=False, tol=1e-15, max_iter=1000,
                          compute_score=True).fit(design, T)  # fmt: skip
    assert posterior.converged
    assert posterior.noise_precision == pytest.approx(ridge.alpha_, rel=1e-9)
    assert posterior.group_precisions["all"] == pytest.approx(ridge.lambda_, rel=1e-9)
    assert posterior.log_evidence == pytest.approx(ridge.scores_[-1], rel=1e-9)
    assert relative_error(net.params, ridge.coef_) < 1e-9
    _, std = ridge.predict(design, return_std=True)
    assert relative_error(posterior.predict(X100)[1][:, 0], std**2) < 1e-9


@pytest.mark.parametrize("groups", ["layers", "all", "ard"])
def test_the_fixed_point_holds_for_each_group(groups):
    net = fastmlp.Network([2, 4, 1], rng=1)
    posterior = fastmlp.fit_evidence(net, X100, SINE, groups=groups, tol=1e-8, max_iter=500)
    assert posterior.converged
    assert posterior.grad_norm < 1e-5
    assert np.array_equal(net.params, posterior.params)
    if groups == "all":
        alpha, w = posterior.group_precisions["all"], posterior.params
        assert alpha * (w @ w) == pytest.approx(posterior.effective_n_params, rel=1e-6)
    else:
        assert_fixed_point(posterior, X100, SINE, 1e-6)


def test_the_path_is_recorded_and_the_evidence_does_not_fall():
    net = fastmlp.Network([2, 4, 1], rng=1)
    posterior = fastmlp.fit_evidence(net, X100, SINE, groups="ard")
    history = posterior.history
    steps = len(history["log_evidence"])
    assert history["prior_precision"].shape == (steps, 5)
    assert history["prior_precision"][0].tolist() == [0.1] * 5
    assert history["noise_precision"][0] == pytest.approx(100 / SINE.var())
    assert posterior.log_evidence > history["log_evidence"].max() - evidence.FALL
    assert history["log_evidence"][-1] == posterior.log_evidence > history["log_evidence"][0] + 20
    assert history["effective_n_params"][-1] == posterior.effective_n_params
    assert list(posterior.group_precisions.values()) == history["prior_precision"][-1].tolist()
    assert history["noise_precision"][-1] == posterior.noise_precision


def test_a_step_that_lowers_the_evidence_is_shortened_and_at_last_not_taken(monkeypatch):
    monkeypatch.setattr(evidence, "FALL", -math.inf)  # no rise is enough
    fits, fit = [], fastmlp.Network.fit
    monkeypatch.setattr(fastmlp.Network, "fit", lambda *a, **k: fits.append(k["penalty"]) or fit(*a, **k))
    net = fastmlp.Network([2, 1], rng=1)
    posterior = fastmlp.fit_evidence(net, X100, SINE, prior_precision=2.0)
    start, *steps = (np.log(penalty.diagonal(net._architecture)) for penalty in fits)
    for step, share in zip(steps, (1.0, 0.5, 0.25, 0.125), strict=True):
        assert relative_error(step - start, share * (steps[0] - start)) < 1e-10
    assert not posterior.converged
    assert posterior.history["log_evidence"].tolist() == [posterior.log_evidence]
    assert np.array_equal(net.params, posterior.params)


def test_re_estimation_ends_where_it_goes_astray():
    X, T, *_ = load_yacht()
    X, T = (X - X.mean(axis=0)) / X.std(axis=0), np.log(T)
    net = fastmlp.Network([6, 5, 1], rng=0)
    posterior = fastmlp.fit_evidence(net, X, (T - T.mean()) / T.std())
    path = posterior.history["log_evidence"]
    assert not posterior.converged
    assert path[-1] == path.max() == posterior.log_evidence
    assert len(path) < 100
    assert posterior.grad_norm < 1e-3
    assert np.array_equal(net.params, posterior.params)


def test_irrelevant_inputs_are_pruned_and_relevant_ones_are_not():
    X = np.column_stack([X100, np.random.default_rng(5).normal(size=100)])
    posterior = fastmlp.fit_evidence(fastmlp.Network([3, 6, 1], rng=0), X, SINE, groups="ard")
    alpha = posterior.group_precisions
    assert min(alpha["W1[:,1]"], alpha["W1[:,2]"]) > 50 * alpha["W1[:,0]"]
    assert posterior.pruned
    assert posterior.noise_precision**-0.5 == pytest.approx(0.1, abs=0.02)
    assert list(posterior.pruned) == [name for name, value in alpha.items() if value == math.inf]
    assert not any(posterior.params[fastmlp.selection.named(posterior._architecture, name, "")].any()
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
    posterior = fastmlp.fit_evidence(net, X100, T, tol=1e-6, max_iter=500)
    assert posterior.converged
    assert posterior.noise_precision == 1.0
    assert (posterior.history["noise_precision"] == 1.0).all()
    assert_fixed_point(posterior, X100, T, 1e-4)


def test_noise_without_a_signal_leaves_no_network():
    x = np.linspace(-1, 1, 20)[:, np.newaxis]
    noise = np.random.default_rng(0).normal(size=20)
    noise -= np.polyval(np.polyfit(x[:, 0], noise, 1), x[:, 0])
    posterior = fastmlp.fit_evidence(fastmlp.Network([1, 1], rng=0), x, noise)
    assert posterior.pruned == ("W1", "b1")
    assert posterior.effective_n_params == 0.0
    mean, variance = posterior.predict([[0.3]])
    assert mean[0, 0] == 0.0
    assert variance[0, 0] == pytest.approx((noise**2).mean(), rel=1e-12)
    assert posterior.log_evidence == pytest.approx(-10 * (1 + math.log(2 * math.pi * (noise**2).mean())), rel=1e-12)
    assert not posterior.sample(3).any()


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
@pytest.mark.parametrize("T", [X100[:, 0] - 1, np.zeros(100), np.ones(100)])
def test_targets_without_noise_are_refused(layers, T):
    with pytest.raises(ValueError, match="T: expected targets with noise"):
        fastmlp.fit_evidence(fastmlp.Network(layers, rng=0), X100, T)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"net": None}, TypeError, "net: expected a fastmlp.Network"),
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
