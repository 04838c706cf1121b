"""Posteriors of more parameters than residuals: beside matrices, Gaussian processes, exact marginal likelihoods."""

import pickle

import numpy as np
import pytest
import scipy.linalg
import scipy.stats

import fastmlp
from cases import PAIRS, anywhere, data, network
from fastmlp.bayes import narrow
from fastmlp.derivatives import wide
from fastmlp.derivatives.gram import Gram
from fastmlp.derivatives.wide import WideCovariance

N, D = 20, 400
M = 15  # residuals
draw = np.random.default_rng(0)
X = draw.normal(size=(N, 5)) @ draw.normal(size=(5, D)) + 0.1 * draw.normal(size=(N, D))
T = np.tanh(X[:, 0] / 3) + 0.1 * draw.normal(size=N)
NEW = draw.normal(size=(6, 5)) @ draw.normal(size=(5, D))


def problem(n_flat):
    rng = np.random.default_rng(n_flat)
    J = rng.normal(size=(M, 250)) * np.exp(rng.normal(size=250))
    diagonal = np.exp(2 * rng.normal(size=250))
    diagonal[rng.permutation(250)[:n_flat]] = 0.0
    return J, diagonal, J.T @ J + np.diag(diagonal), rng


@pytest.mark.parametrize("factor", [1.0, 7.0])
@pytest.mark.parametrize("n_flat", [0, 1, 4])
def test_the_covariance_is_the_inverse(n_flat, factor):
    J, diagonal, A, rng = problem(n_flat)
    C = WideCovariance(Gram(J), diagonal).over(factor)
    inverse, rows = np.linalg.inv(factor * A), rng.normal(size=(2, 3, 250))
    np.testing.assert_allclose(C.matrix, inverse, rtol=1e-8, atol=1e-10 * inverse.max())
    np.testing.assert_allclose(C.diagonal, np.diagonal(inverse), rtol=1e-9)
    np.testing.assert_allclose(C.quadratic(rows), np.einsum("abi,ij,abj->ab", rows, inverse, rows), rtol=1e-9)
    np.testing.assert_allclose(C.from_root(C.times_root(rows)), rows @ inverse, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(C.apply(rows[0, 0]), inverse @ rows[0, 0], rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(C.root @ C.root.T, inverse, rtol=1e-8, atol=1e-10 * inverse.max())
    np.testing.assert_allclose(C.log_det_precision, np.linalg.slogdet(factor * A)[1], rtol=1e-11)
    np.testing.assert_allclose(C.precisions, np.diagonal(factor * A), rtol=1e-12)
    where = np.sort(rng.permutation(250)[:40])
    v = rng.normal(size=40)
    form = v @ np.linalg.solve(inverse[np.ix_(where, where)], v)
    np.testing.assert_allclose(C.marginal(where, v), form, rtol=1e-8)
    shares = np.sort(scipy.linalg.eigvals(np.linalg.solve(A, np.diag(diagonal))).real)
    np.testing.assert_allclose(np.sort(wide.prior_shares(Gram(J), diagonal)), shares, rtol=0, atol=1e-10)


def test_variances_that_data_make_small_keep_their_digits():
    """A parameter of the precision 1 in the prior, 1e12 by the data: 1 - 1 would leave four digits."""
    J, diagonal, _, _ = problem(0)
    J[:, 5] = 0.0
    J[0] = 0.0
    J[0, 5], diagonal[5] = 1e6, 1.0
    np.testing.assert_allclose(WideCovariance(Gram(J), diagonal).diagonal[5], 1 / (1 + 1e12), rtol=1e-9)


def test_flat_parameters_that_data_do_not_determine_are_named():
    net = network([D, 2, 1], scale=0.1)
    prior = dict.fromkeys(("W1", "W2", "b1"), 1.0)
    inputs = X.copy()
    inputs[:, 7] = 0.0
    with pytest.raises(fastmlp.NotPositiveDefiniteError, match=r"determine W1\[0,7\], W1\[1,7\]; take prior_precision"):
        fastmlp.Laplace(net, inputs, T, prior_precision=alpha_but(net, "W1[:,7]", prior), noise_precision=1.0)


def alpha_but(net, name, prior):
    """Precisions by parameter, 0 for a column of the weights."""
    groups = {f"W1[:,{i}]": prior["W1"] for i in range(D) if f"W1[:,{i}]" != name}
    return groups | {"W2": prior["W2"], "b1": prior["b1"]}


def both(monkeypatch, make):
    """A posterior by rows, and one by matrices."""
    by_rows = make()
    assert isinstance(by_rows._posterior.covariance, WideCovariance)
    monkeypatch.setattr(wide, "MANY", 10**9)
    by_matrix = make()
    assert not isinstance(by_matrix._posterior.covariance, WideCovariance)
    return by_rows, by_matrix


def compare(own, other, new, rtol=1e-9):
    for name in ("log_evidence", "log_likelihood", "effective_n_params", "noise_precision", "aic", "bic", "nic"):
        np.testing.assert_allclose(getattr(own, name), getattr(other, name), rtol=rtol, err_msg=name)
    for name in ("params_std", "prior_precision", "grad_norm", "distance", "log_distinct_symmetries"):
        mine, theirs = getattr(own, name), getattr(other, name)
        np.testing.assert_allclose(mine, theirs, rtol=100 * rtol, atol=1e-9, err_msg=name)  # 0 at an optimum
    np.testing.assert_allclose(own.gamma, other.gamma, rtol=0, atol=rtol)
    np.testing.assert_allclose(own.rounding, other.rounding, rtol=1e-4)
    mine, theirs = own.predict(new, parts=True), other.predict(new, parts=True)
    for a, b in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol)
    for a, b in zip(own.predict_jacobian(new), other.predict_jacobian(new), strict=True):
        np.testing.assert_allclose(a, b, rtol=10 * rtol, atol=1e-12)
    largest = np.abs(other.covariance(new)).max()
    np.testing.assert_allclose(own.covariance(new), other.covariance(new), rtol=0, atol=rtol * largest)


@anywhere
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_posteriors_of_every_loss_are_those_by_matrices(output, loss, weighted, monkeypatch):
    net = network([60, 5, 2], "tanh", output, loss, scale=0.4)
    inputs, targets = data(net, 12)
    weight = np.random.default_rng(1).uniform(0.5, 2, 12) if weighted else None
    own = fastmlp.Laplace  # at any parameters
    options = {"sample_weight": weight}
    if loss == "squared_error":
        options |= {"noise_precision": [3.0, 0.5]}
        if weighted:
            options |= {"noise_precision": 2.0, "sigma": np.random.default_rng(2).uniform(0.5, 2, (12, 2))}
    prior = {"W1": 0.5, "W2": 0.2, "b1": 1.0, "b2": 0.1 if loss == "cross_entropy" else 0.0}
    pair = both(monkeypatch, lambda: own(net, inputs, targets, prior_precision=prior, **options))
    compare(*pair, data(net, 5, seed=3)[0])


@anywhere
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("prior", ["penalty", "prior", "held"])
def test_noise_and_units_are_those_by_matrices(prior, standardize, monkeypatch):
    net = fastmlp.Network([D, 2, 1], rng=0)
    penalty = fastmlp.WeightDecay(weights=0.1)
    net.fit(X, T, "lm", penalty=penalty, standardize=standardize, tol=1e-9)
    if prior == "penalty":
        given = {"penalty": penalty}
    else:
        beta = 20.0
        given = {"prior_precision": {"W1": 0.1 * beta, "W2": np.inf if prior == "held" else 0.1 * beta, "b1": 0.3}}
    pair = both(monkeypatch, lambda: fastmlp.Laplace(net, X, T, standardize=standardize, **given))
    compare(*pair, NEW, rtol=1e-8)  # of a noise precision, which is a fixed point


def process(alpha, alpha_b, beta, new):
    """Mean and variance of new targets without noise, and ln p(T), of t = w'x + b + noise."""
    K = X @ X.T / alpha + 1 / alpha_b
    C = K + np.eye(N) / beta
    cross = new @ X.T / alpha + 1 / alpha_b
    own = (new**2).sum(axis=1) / alpha + 1 / alpha_b
    solved = np.linalg.solve(C, np.column_stack([T, cross.T]))
    variance = own - (cross * solved[:, 1:].T).sum(axis=1)
    return cross @ solved[:, 0], variance, scipy.stats.multivariate_normal(np.zeros(N), C).logpdf(T)


def test_a_linear_network_is_a_gaussian_process():
    alpha, alpha_b, beta = 30.0, 2.0, 25.0
    net = fastmlp.Network([D, 1], rng=0)
    net.fit(X, T, "lm", penalty=fastmlp.WeightDecay(alpha / beta, alpha_b / beta), tol=1e-11)
    own = fastmlp.Laplace(net, X, T, prior_precision={"W1": alpha, "b1": alpha_b}, noise_precision=beta)
    assert isinstance(own._posterior.covariance, WideCovariance)
    mean, variance, log_marginal = process(alpha, alpha_b, beta, NEW)
    found = own.predict(NEW, parts=True)
    np.testing.assert_allclose(found.mean[:, 0], mean, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.epistemic[:, 0], variance, rtol=1e-9)
    np.testing.assert_allclose(own.log_evidence, log_marginal, rtol=1e-9)


def test_the_evidence_of_a_linear_network_is_the_exact_marginal_likelihood():
    found = fastmlp.fit_evidence(fastmlp.Network([D, 1], rng=0), X, T, standardize=False)
    alpha, alpha_b = found.group_precisions.values()
    beta = found.noise_precision
    assert found.converged
    mean, variance, log_marginal = process(alpha, alpha_b, beta, NEW)
    np.testing.assert_allclose(found.log_evidence, log_marginal, rtol=1e-9)
    np.testing.assert_allclose(found.predict(NEW)[0][:, 0], mean, rtol=0, atol=1e-8)
    np.testing.assert_allclose(found.predict(NEW, parts=True).epistemic[:, 0], variance, rtol=1e-8)

    def evidence(logs):
        a, a_b, b = np.exp(logs)
        return process(a, a_b, b, NEW[:1])[2]

    logs = np.log([alpha, alpha_b, beta])
    for i in range(3):  # a maximum
        step = 0.05 * np.eye(3)[i]
        assert evidence(logs) >= max(evidence(logs + step), evidence(logs - step))


def test_the_evidence_by_coordinates_is_that_of_all_parameters(monkeypatch):
    seen = []

    def look(state):
        seen.append((state.log_evidence, state.posterior.predict(NEW)[0]))

    net = fastmlp.Network([D, 2, 1], rng=0)
    found = fastmlp.fit_evidence(net, X, T, callback=look)
    assert isinstance(found._posterior.covariance, WideCovariance)
    assert found.params.shape == (net.n_params,)
    np.testing.assert_allclose(found.log_evidence, found.history["log_evidence"][-1], rtol=1e-9)
    np.testing.assert_allclose(found.effective_n_params, found.history["effective_n_params"][-1], rtol=1e-9)
    np.testing.assert_allclose(found.predict(NEW)[0], net(NEW), rtol=0, atol=1e-9)
    assert len(seen) == len(found.history["log_evidence"])
    np.testing.assert_allclose([each for each, _ in seen], found.history["log_evidence"], rtol=1e-6)
    assert found.distance < 1e-6
    alpha = {name: np.inf if name in found.pruned else a for name, a in found.group_precisions.items()}
    again = fastmlp.Laplace(net, X, T, prior_precision=alpha, noise_precision=found.noise_precision, standardize=True)
    np.testing.assert_allclose(again.log_evidence, found.log_evidence, rtol=1e-8)
    monkeypatch.setattr(narrow, "pays", lambda *problem: False)
    other = fastmlp.fit_evidence(fastmlp.Network([D, 2, 1], rng=0), X, T)
    assert found.log_evidence > other.log_evidence - 3  # of many maxima


def test_the_evidence_has_the_same_bits_for_any_number_of_threads():
    one, two = (
        fastmlp.fit_evidence(fastmlp.Network([D, 2, 1], rng=0), X, T, n_starts=2, rng=0, n_threads=n) for n in (1, 2)
    )
    assert np.array_equal(one.params, two.params)
    assert one.log_evidence == two.log_evidence


@pytest.mark.filterwarnings("ignore::fastmlp.ConvergenceWarning")  # after a few steps
def test_relevances_are_left_as_they_are():
    inputs = X[:, :60]
    found = fastmlp.fit_evidence(fastmlp.Network([60, 1], rng=0), inputs, T, groups="ard", max_iter=3, tol=0.1)
    assert len(found.group_precisions) == 61


def test_a_pickle_predicts_the_same_and_damage_is_refused():
    net = fastmlp.Network([D, 2, 1], rng=0)
    penalty = fastmlp.WeightDecay(weights=0.1)
    net.fit(X, T, "lm", penalty=penalty)
    own = fastmlp.Laplace(net, X, T, penalty=penalty)
    again = pickle.loads(pickle.dumps(own))
    np.testing.assert_array_equal(again.predict(NEW)[1], own.predict(NEW)[1])
    state = own.__getstate__()
    state["_curvature"] = Gram(np.zeros((N, 3)))
    broken = fastmlp.Laplace.__new__(fastmlp.Laplace)
    with pytest.raises(fastmlp.ModelFormatError, match="expected the posterior of a network"):
        broken.__setstate__(state)


def test_samples_are_left_out_and_added(monkeypatch):
    net = fastmlp.Network([D, 2, 1], rng=0)
    penalty = fastmlp.WeightDecay(weights=0.3, biases=0.3)
    net.fit(X, T, "lm", penalty=penalty, tol=1e-9)
    own, other = both(monkeypatch, lambda: fastmlp.Laplace(net, X, T, penalty=penalty))
    mine, theirs = own.leave_one_out(), other.leave_one_out()
    np.testing.assert_allclose(mine.residuals, theirs.residuals, rtol=1e-8)
    np.testing.assert_allclose(mine.cooks_distance, theirs.cooks_distance, rtol=1e-7)
    np.testing.assert_allclose(own.influence(NEW), other.influence(NEW), rtol=0, atol=1e-9)
    new = X[:3] + 0.1, T[:3]
    np.testing.assert_allclose(own.updated(*new).log_evidence, other.updated(*new).log_evidence, rtol=1e-9)


def test_rows_are_held_where_they_are_few():
    assert wide.pays(50, 10_011)
    assert wide.pays(3000, 3500)  # where matrices take more memory
    assert not wide.pays(50, 199)
    assert not wide.pays(100, 399)


@anywhere
@pytest.mark.parametrize("flat", [{}, {"b2": 0.0}])
def test_the_noise_of_fewer_residuals_than_parameters_comes_from_their_kernel(flat, monkeypatch):
    """The fixed point beta SSE = N - gamma, by eigenvalues of (N, N) where A itself is a matrix (P, P)."""
    net = network([10, 20, 1], scale=0.4)
    inputs, targets = data(net, 120)
    prior = {"W1": 0.5, "W2": 0.2, "b1": 1.0, "b2": 0.1} | flat
    own = fastmlp.Laplace(net, inputs, targets, prior_precision=prior)
    assert not isinstance(own._posterior.covariance, WideCovariance)
    sse = ((net(inputs) - targets) ** 2).sum()
    assert own.noise_precision * sse == pytest.approx(120 - own.effective_n_params, rel=1e-10)
    monkeypatch.setattr(wide, "MANY", 10**9)
    other = fastmlp.Laplace(net, inputs, targets, prior_precision=prior)
    assert own.noise_precision == pytest.approx(other.noise_precision, rel=1e-10)
