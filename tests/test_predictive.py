"""What posteriors predict: outputs averaged over normal logits, densities, slopes."""

import math

import numpy as np
import pytest

import fastmlp
from cases import PAIRS, anywhere, data, network, relative_error, trained
from fastmlp.model import moderation
from fastmlp.model.losses import Loss


@anywhere
@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_weight_space_and_function_space_have_the_same_covariance(output, loss):
    net, X, T = trained(output, loss)
    posterior = fastmlp.Laplace(net, X, T, prior_precision=0.3, noise_precision=None if output != "identity" else 2.0)
    new = data(net, 6, seed=1)[0]
    of = "outputs" if loss == "squared_error" else "logits"
    J, Jn = (net.jacobian(x, wrt="params", of=of).reshape(-1, net.n_params) for x in (X, new))
    root = fastmlp.derivatives.exact.ggn_vectors(net._architecture, net.params, fastmlp.model.functional.check_samples(
        net._architecture, X, T)) * math.sqrt(posterior.noise_precision)  # fmt: skip
    assert J.shape == root.shape
    kernel = np.eye(len(root)) + root @ root.T / 0.3
    expected = (Jn @ Jn.T - Jn @ root.T @ np.linalg.solve(kernel, root @ Jn.T) / 0.3) / 0.3
    assert relative_error(posterior.covariance(new).reshape(12, 12), expected) < 1e-9
    prediction = posterior.predict(new, parts=True)
    if loss == "squared_error":
        assert relative_error(prediction.epistemic.ravel(), np.diag(expected)) < 1e-9


@anywhere
@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_predictions_are_averages_over_normal_logits(output, loss):
    net, X, T = trained(output, loss, n=12)
    posterior = fastmlp.Laplace(net, X, T, prior_precision=0.3)
    new = 3 * data(net, 5, seed=1)[0]
    prediction = posterior.predict(new, parts=True)
    of = "outputs" if loss == "squared_error" else "logits"
    center = net(new) if of == "outputs" else net.trace(new).z[-1]
    J = net.jacobian(new, wrt="params", of=of)
    a = center + np.einsum("nkp,sp->snk", J, posterior.sample(200_000, rng=0) - net.params)
    if loss == "squared_error":
        means, noise = a, np.broadcast_to(posterior.noise_std**2, center.shape)
    elif output == "logistic":
        means = 1 / (1 + np.exp(-a))
        noise = (means * (1 - means)).mean(axis=0)
    elif output == "softmax":
        means = np.exp(a) / np.exp(a).sum(axis=2, keepdims=True)
        noise = (means * (1 - means)).mean(axis=0)
    else:
        means = np.exp(a)
        noise = means.mean(axis=0)
    tolerance = 0.05 if output == "softmax" else 0.03  # of this many draws, and of its own
    np.testing.assert_allclose(prediction.mean, means.mean(axis=0), rtol=tolerance, atol=0.01)
    if output != "exp":  # draws of a log-normal rate do not settle
        np.testing.assert_allclose(prediction.epistemic, means.var(axis=0), rtol=2 * tolerance, atol=0.01)
        np.testing.assert_allclose(prediction.noise, noise, rtol=tolerance, atol=0.01)
    if loss in ("squared_error", "poisson"):
        mean, variance = posterior.predict(new)
        assert np.array_equal(mean, prediction.mean)
        assert np.array_equal(variance, prediction.epistemic + prediction.noise)
    else:
        assert np.array_equal(posterior.predict(new), prediction.mean)


@anywhere
def test_a_posterior_of_counts_knows_the_factorials():
    t = np.array([0.0, 3.0, 1.0, 7.0])
    net = fastmlp.Network([1, 1], output="exp")
    prior = {"W1": math.inf, "b1": 2.0}
    net.params = [0.0, 1.0]
    posterior = fastmlp.Laplace(net, np.zeros((4, 1)), t, prior_precision=prior)
    likelihood = sum(k - math.e - math.log(math.factorial(int(k))) for k in t)
    expected = likelihood - 2.0 / 2 + 0.5 * math.log(2.0) - 0.5 * math.log(4 * math.e + 2.0)
    assert posterior.log_evidence == pytest.approx(expected, rel=1e-13)
    mean, variance = posterior.predict([[0.0]])
    s2 = 1 / (4 * math.e + 2)
    assert mean[0, 0] == pytest.approx(math.exp(1 + s2 / 2), rel=1e-13)
    assert variance[0, 0] == pytest.approx(mean[0, 0] + math.expm1(s2) * mean[0, 0] ** 2, rel=1e-13)


def test_two_classes_are_moderated_alike_by_quadrature_and_by_draws():
    net, X, T = trained("softmax", "cross_entropy", n=12)
    posterior = fastmlp.Laplace(net, X, T, prior_precision=0.3)
    difference = posterior.covariance(X)
    variance = [difference[i, 0, i, 0] + difference[i, 1, i, 1] - 2 * difference[i, 0, i, 1] for i in range(12)]
    a = net.trace(X).z[-1]
    exact, *_ = moderation.logistic(a[:, 0] - a[:, 1], np.array(variance))
    probabilities = posterior.predict(X, n_draws=20_000)
    np.testing.assert_allclose(probabilities[:, 0], exact, atol=0.006)
    assert relative_error(probabilities.sum(axis=1), np.ones(12)) < 1e-14
    assert np.array_equal(probabilities, posterior.predict(X, n_draws=20_000))
    assert not np.array_equal(probabilities, posterior.predict(X, n_draws=20_000, rng=1))


@anywhere
@pytest.mark.parametrize(("output", "loss"), [("identity", "squared_error"), ("softmax", "cross_entropy")])
def test_a_wrong_source_of_draws_is_told_whether_it_is_needed_or_not(output, loss):
    net, X, T = trained(output, loss, n=12)
    posterior = fastmlp.Laplace(net, X, T, prior_precision=0.3)
    for wrong, error in (("seed", TypeError), (True, TypeError), (-1, ValueError)):
        with pytest.raises(error, match="rng: expected None, a non-negative int or a numpy Generator, got"):
            posterior.predict(X, rng=wrong)
    generator = np.random.default_rng(3)
    drawn = posterior.predict(X, rng=generator)
    assert np.array_equal(drawn, posterior.predict(X, rng=3))


@anywhere
def test_a_loss_of_neither_noise_nor_classes_nor_counts_is_not_taken_for_one_of_classes(monkeypatch):
    """As of a new row of the list: its formulas tell what is predicted."""
    net = network([2, 3, 1], output="exp", loss="poisson")
    X, T = data(net, 20)
    known = fastmlp.Laplace(net, X, T, prior_precision=1.0)
    expected, evidence = known.predict(X), known.log_evidence
    monkeypatch.setitem(Loss("poisson").__dict__, "is_of_counts", False)
    unknown = fastmlp.Laplace(net, X, T, prior_precision=1.0)
    assert np.array_equal(unknown.predict(X), expected)
    assert unknown.log_evidence == evidence
    with pytest.raises(ValueError, match="expected a regression or a classifier, got poisson"):
        unknown.log_density(X, T)


def test_moderation_keeps_the_boundary_and_moves_probabilities_towards_it():
    net, X, T = trained("logistic", "binary_cross_entropy", (2, 3, 1), decay=0.05, n=15)
    posterior = fastmlp.Laplace(net, X, T, prior_precision=0.05)
    new = 4 * np.random.default_rng(2).normal(size=(500, 2))
    plain, moderated = net(new) - 0.5, posterior.predict(new) - 0.5
    assert (np.abs(moderated) <= np.abs(plain) + 1e-15).all()
    assert (np.sign(moderated) == np.sign(plain))[np.abs(moderated) > 1e-12].all()
    assert np.abs(plain - moderated).max() > 0.1


# ---- slopes ----


@anywhere
@pytest.mark.parametrize(
    ("layers", "hidden", "output", "loss"),
    [
        ([3, 4, 2], "tanh", "identity", "squared_error"),
        ([2, 3, 4, 2], ["softplus", "sin"], "identity", "squared_error"),
        ([3, 4, 3], "gelu", "softmax", "cross_entropy"),
        ([2, 3, 2], "silu", "exp", "poisson"),
        ([2, 3, 2], "elu", "logistic", "binary_cross_entropy"),
        ([2, 2], "tanh", "tanh", "squared_error"),
    ],
)
def test_variances_of_slopes_are_those_of_differenced_jacobians(layers, hidden, output, loss):
    net = network(layers, hidden, output, loss, scale=0.7)
    X, T = data(net, 30)
    posterior = fastmlp.Laplace(net, X, T, prior_precision=0.8)
    mean, variance = posterior.predict_jacobian(X[:4])
    assert np.array_equal(mean, net.jacobian(X[:4]))
    g, step = np.empty((*mean.shape, net.n_params)), 1e-5
    for p in range(net.n_params):
        above, below = net.copy(), net.copy()
        above.params += step * np.eye(net.n_params)[p]
        below.params -= step * np.eye(net.n_params)[p]
        g[..., p] = (above.jacobian(X[:4]) - below.jacobian(X[:4])) / (2 * step)
    expected = np.einsum("nkip,pq,nkiq->nki", g, posterior.params_covariance, g)
    assert relative_error(variance, expected) < 1e-8
