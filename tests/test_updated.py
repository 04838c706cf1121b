"""Posteriors as priors of new samples."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes

import fastmlp
from cases import network, relative_error


def linear(n, seed=0, outputs=2):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    return X, X @ rng.normal(size=(3, outputs)) + 0.3 * rng.normal(size=(n, outputs))


@pytest.mark.parametrize("hessian", ["ggn", "exact"])
def test_linear_networks_end_where_all_samples_together_do(hessian):
    X, T = linear(60)
    options = {"prior_precision": 0.7, "noise_precision": 4.0, "hessian": hessian}
    net, whole = fastmlp.Network([3, 2], rng=0), fastmlp.Network([3, 2], rng=0)
    penalty = fastmlp.WeightDecay(0.7 / 4, 0.7 / 4)
    net.fit(X[:25], T[:25], "lm", penalty=penalty, tol=1e-12)
    whole.fit(X, T, "lm", penalty=penalty, tol=1e-12)
    posterior, expected = fastmlp.Laplace(net, X[:25], T[:25], **options), fastmlp.Laplace(whole, X, T, **options)
    evidence = posterior.log_evidence
    for rows in (slice(25, 26), slice(26, 40), slice(40, 60)):
        posterior = posterior.updated(X[rows], T[rows])
        evidence += posterior.log_evidence
    assert relative_error(posterior.params, expected.params) < 1e-10
    assert relative_error(posterior.params_covariance, expected.params_covariance) < 1e-10
    assert np.isclose(evidence, expected.log_evidence, rtol=1e-10)  # ln p(T1) + ln p(T2 | T1) + ...
    for got, right in zip(posterior.predict(X), expected.predict(X), strict=True):
        assert relative_error(got, right) < 1e-10


def closed(X, T, seed, n_more, hessian, decay=5.0):
    """The share of the way, in the objective, from 200 samples to n_more with them."""
    order = np.random.default_rng(seed).permutation(len(X))
    old, new, all_of_them = order[:200], order[200 : 200 + n_more], order[: 200 + n_more]
    penalty = fastmlp.WeightDecay(decay, decay)
    net = fastmlp.Network([10, 5, 1], rng=seed)
    net.fit(X[old], T[old], "lm", penalty=penalty, tol=1e-9)
    posterior = fastmlp.Laplace(net, X[old], T[old], penalty=penalty, hessian=hessian).updated(X[new], T[new])
    objective = net.objective(X[all_of_them], T[all_of_them], penalty=penalty)
    before, after = objective.value(net.params), objective.value(posterior.params)
    best = fastmlp.refit(net, X[all_of_them], T[all_of_them], penalty=penalty).fun
    return (before - after) / (before - best)


def patients():
    X, t = load_diabetes(return_X_y=True)
    return (X - X.mean(axis=0)) / X.std(axis=0), ((t - t.mean()) / t.std())[:, np.newaxis]


def drawn():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(442, 10))
    return X, (np.tanh(X[:, :1] - X[:, 1:2]) + 0.5 * X[:, 2:3] + 0.4 * rng.normal(size=(442, 1))).copy()


@pytest.mark.parametrize("samples", [patients, drawn])
@pytest.mark.parametrize(
    ("hessian", "n_more", "median"), [("ggn", 1, 0.8), ("ggn", 10, 0.8), ("ggn", 200, 0.5), ("exact", 10, 0.9)]
)
def test_most_of_the_way_to_a_training_on_all_samples_is_gone(samples, hessian, n_more, median):
    shares = [closed(*samples(), seed, n_more, hessian) for seed in range(8)]
    assert np.median(shares) > median
    assert min(shares) > 0.35
    assert max(shares) <= 1 + 1e-9


def test_it_is_a_gauss_newton_step():
    X, T = drawn()
    penalty = fastmlp.WeightDecay(5.0, 5.0)
    net = fastmlp.Network([10, 5, 1], rng=0)
    net.fit(X[:200], T[:200], "lm", penalty=penalty, tol=1e-9)
    for hessian in ("ggn", "exact"):
        old = fastmlp.Laplace(net, X[:200], T[:200], penalty=penalty, noise_precision=3.0, hessian=hessian)
        A = 3 * (net.hessian(X[:200], T[:200], kind=hessian) + 5 * np.eye(net.n_params))
        J = net.jacobian(X[200:230], wrt="params")[:, 0]
        step = np.linalg.solve(A + 3 * J.T @ J, 3 * J.T @ (net(X[200:230]) - T[200:230])[:, 0])
        assert relative_error(old.updated(X[200:230], T[200:230]).params, net.params - step) < 1e-10


@pytest.mark.parametrize(("output", "loss"), [("logistic", None), ("softmax", None), ("exp", None)])
def test_classes_and_counts(output, loss):
    net = network([3, 4, 2], "tanh", output, loss, scale=0.5)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 3))
    label = (X[:, 0] + 0.5 * rng.normal(size=90) > 0).astype(int)
    T = label if output == "softmax" else np.column_stack([label, 1 - label]).astype(float)
    penalty = fastmlp.WeightDecay(1.0, 1.0)
    net.fit(X[:60], T[:60], "lm", penalty=penalty)
    old = fastmlp.Laplace(net, X[:60], T[:60], penalty=penalty)
    new = old.updated(X[60:], T[60:], sample_weight=np.full(30, 0.5))
    assert (new.params_std < old.params_std * (1 + 1e-9)).all()
    A = np.linalg.inv(old.params_covariance)
    G = net.hessian(X[60:], T[60:], kind="ggn", sample_weight=np.full(30, 0.5))
    gradient = net.loss_and_grad(X[60:], T[60:], sample_weight=np.full(30, 0.5))[1]
    assert relative_error(new.params, old.params - np.linalg.solve(A + G, gradient)) < 1e-8
    probe = net.copy()
    probe.params = new.params
    expected = probe.hessian(X[60:], T[60:], kind="ggn", sample_weight=np.full(30, 0.5)) + A
    assert relative_error(np.linalg.inv(new.params_covariance), expected) < 1e-8


def test_in_the_units_of_the_data_and_with_held_parameters():
    X, T = linear(50)
    raw, targets = 1e5 + 10 * X, 3 + 1e-3 * T
    net = fastmlp.Network([3, 4, 2], rng=0)
    penalty = fastmlp.WeightDecay(1.0, 1.0)
    net.fit(raw[:40], targets[:40], "lm", penalty=penalty, standardize=True)
    old = fastmlp.Laplace(net, raw[:40], targets[:40], penalty=penalty, standardize=True)
    new = old.updated(raw[40:], targets[40:])
    assert new.units == old.units
    mean, variance = new.predict(raw)
    assert relative_error(mean, targets) < 0.1
    assert (variance > 0).all()
    alpha = np.full(net.n_params, 1.0)
    alpha[:3] = np.inf
    with pytest.warns(fastmlp.PosteriorWarning):
        held = fastmlp.Laplace(fastmlp.Network([3, 4, 2], rng=0), X[:40], T[:40], prior_precision=alpha)
    assert np.array_equal(held.updated(X[40:], T[40:]).params[:3], held.params[:3])


def test_what_is_wrong_is_named():
    X, T = linear(20)
    net = fastmlp.Network([3, 2], rng=0)
    net.fit(X, T, "lm", penalty=fastmlp.WeightDecay(1.0, 1.0))
    posterior = fastmlp.Laplace(net, X, T, penalty=fastmlp.WeightDecay(1.0, 1.0))
    with pytest.raises(ValueError, match=r"^X: expected shape \(n_samples, 3\)"):
        posterior.updated(X[:, :2], T)
    with pytest.raises(ValueError, match=r"^X: expected at least one sample"):
        posterior.updated(X[:0], T[:0])
