"""An old posterior as the prior of new data: against one posterior of all data, and formulas with the prior's mean."""

import copy
import pickle

import numpy as np
import pytest

import fastmlp
from cases import network, relative_error
from fastmlp import Quadratic, WeightDecay
from fastmlp.bayes.frame import Frame
from fastmlp.bayes.laplace import Laplace
from fastmlp.bayes.posterior import Posterior

RNG = np.random.default_rng(11)
X = RNG.normal(size=(40, 3))
T = np.tanh(X[:, :1]) + 0.3 * X[:, 1:2] + 0.1 * RNG.normal(size=(40, 1))
OLD, NEW = slice(0, 25), slice(25, 40)
BETA = 60.0
ROOT = RNG.normal(size=(21, 21))


def trained(layers, X, T, penalty, **options):
    net = fastmlp.Network(layers, rng=1, **options)
    net.fit(X, T, "lm", penalty=penalty, tol=1e-10)
    return net


def prior_of(posterior):
    """In the scale of a sum over samples."""
    return Quadratic(posterior.params, np.linalg.inv(posterior.params_covariance) / posterior.noise_precision)


def by_hand(net, penalty_precision, center, beta):
    """Covariance, gamma and log evidence of E = beta E_D + 1/2 (w - m)' Pi (w - m), whose Pi is of full rank."""
    w, Pi = net.params, beta * penalty_precision
    A = beta * net.hessian(X, T, "ggn") + Pi
    log_likelihood = -beta * net.loss(X, T) + T.size / 2 * np.log(beta / (2 * np.pi))
    log_prior = -0.5 * (w - center) @ Pi @ (w - center) + 0.5 * np.linalg.slogdet(Pi)[1]
    gamma = 1 - np.diag(Pi @ np.linalg.inv(A))
    return np.linalg.inv(A), gamma, log_likelihood + log_prior - 0.5 * np.linalg.slogdet(A)[1]


# ---- one after the other is both at once ----


def test_of_a_linear_network_it_is_the_posterior_of_all_data():
    """Means, covariances, and the evidence: ln p(T1, T2) = ln p(T1) + ln p(T2 | T1)."""
    decay = WeightDecay(0.02, 0.03)
    noise = {"noise_precision": BETA}
    first = fastmlp.Laplace(trained([3, 1], X[OLD], T[OLD], decay), X[OLD], T[OLD], penalty=decay, **noise)
    prior = prior_of(first)
    second = fastmlp.Laplace(trained([3, 1], X[NEW], T[NEW], prior), X[NEW], T[NEW], penalty=prior, **noise)
    both = fastmlp.Laplace(trained([3, 1], X, T, decay), X, T, penalty=decay, **noise)
    assert relative_error(second.params, both.params) < 1e-9
    assert relative_error(second.params_covariance, both.params_covariance) < 1e-9
    assert first.log_evidence + second.log_evidence == pytest.approx(both.log_evidence, rel=1e-10)
    for one, other in zip(second.predict(X), both.predict(X), strict=True):
        assert relative_error(one, other) < 1e-9
    assert second.distance < 1e-6
    assert second.rounding < 1e-9


@pytest.mark.parametrize("output", ["logistic", "exp"])
def test_of_classifiers_and_counts_too(output):
    """Without hidden units the log posterior is concave, and the old one all but normal with many samples."""
    rng = np.random.default_rng(2)
    inputs = rng.normal(size=(4000, 2))
    rate = np.exp(0.3 * inputs[:, :1]) if output == "exp" else 1 / (1 + np.exp(-inputs[:, :1]))
    targets = rng.poisson(rate) if output == "exp" else (rng.uniform(size=rate.shape) < rate).astype(float)
    old, new, decay = slice(0, 2000), slice(2000, 4000), WeightDecay(0.5, 0.5)
    first = fastmlp.Laplace(
        trained([2, 1], inputs[old], targets[old], decay, output=output), inputs[old], targets[old], penalty=decay
    )
    prior = prior_of(first)
    net = trained([2, 1], inputs[new], targets[new], prior, output=output)
    second = fastmlp.Laplace(net, inputs[new], targets[new], penalty=prior)
    both = fastmlp.Laplace(trained([2, 1], inputs, targets, decay, output=output), inputs, targets, penalty=decay)
    assert np.abs((second.params - both.params) / both.params_std).max() < 0.1
    assert relative_error(second.params_std, both.params_std) < 0.02
    assert first.log_evidence + second.log_evidence == pytest.approx(both.log_evidence, abs=0.1)


# ---- formulas ----


@pytest.mark.parametrize("beta", [None, BETA])
def test_it_is_the_formula_with_a_matrix(beta):
    decay, form = np.linspace(0.1, 0.3, 21), Quadratic(RNG.normal(size=21), ROOT @ ROOT.T)
    penalty = Quadratic(np.zeros(21), decay) + form
    net = trained([3, 4, 1], X, T, penalty)
    posterior = fastmlp.Laplace(net, X, T, penalty=penalty, noise_precision=beta)
    Pi = np.diag(decay) + ROOT @ ROOT.T
    center = np.linalg.solve(Pi, ROOT @ ROOT.T @ form.center)
    covariance, gamma, log_evidence = by_hand(net, Pi, center, posterior.noise_precision)
    assert relative_error(posterior.params_covariance, covariance) < 1e-9
    assert relative_error(posterior.gamma, gamma) < 1e-9
    assert posterior.effective_n_params == pytest.approx(gamma.sum(), rel=1e-9)
    assert posterior.log_evidence == pytest.approx(log_evidence, rel=1e-10)
    assert relative_error(posterior.prior_precision, posterior.noise_precision * np.diag(Pi)) < 1e-12
    assert posterior.distance < 1e-4
    if beta is None:
        sse = 2 * net.loss(X, T)
        assert posterior.noise_precision == pytest.approx((T.size - gamma.sum()) / sse, rel=1e-9)


def test_a_diagonal_around_zero_is_weight_decay():
    decay = WeightDecay([0.1, 0.3], [0.2, 0.4])
    net = trained([3, 4, 1], X, T, decay)
    forms = (
        Quadratic(np.zeros(21), decay.diagonal(net._architecture)),
        WeightDecay({"W1": 0.1})
        + Quadratic(np.zeros(21), WeightDecay([0.0, 0.3], [0.2, 0.4]).diagonal(net._architecture)),
    )
    for hessian in ("ggn", "exact", "diagonal"):
        one = fastmlp.Laplace(net, X, T, penalty=decay, hessian=hessian)
        for form in forms:
            other = fastmlp.Laplace(net, X, T, penalty=form, hessian=hessian)
            assert other.noise_precision == pytest.approx(one.noise_precision, rel=1e-12)
            assert other.log_evidence == pytest.approx(one.log_evidence, rel=1e-12)
            assert relative_error(other.prior_precision, one.prior_precision) < 1e-12
            assert relative_error(other.gamma, one.gamma) < 1e-9
            assert relative_error(other.params_covariance, one.params_covariance) < 1e-10
            assert relative_error(other.sample(2, rng=0), one.sample(2, rng=0)) < 1e-10


@pytest.mark.filterwarnings("ignore::fastmlp.PosteriorWarning")  # rounding, where precisions are as large as that
def test_a_diagonal_may_have_any_range():
    precision = 10.0 ** np.linspace(-12, 12, 21)
    net = trained([3, 4, 1], X, T, Quadratic(np.zeros(21), precision))
    one = fastmlp.Laplace(net, X, T, penalty=Quadratic(np.zeros(21), precision), noise_precision=BETA)
    other = fastmlp.Laplace(net, X, T, prior_precision=BETA * precision, noise_precision=BETA)
    assert one.log_evidence == pytest.approx(other.log_evidence, rel=1e-12)


def test_a_diagonal_of_the_data_and_a_matrix_of_the_prior_make_a_matrix():
    net, form = trained([3, 4, 1], X, T, WeightDecay(0.1, 0.1)), Quadratic(np.ones(21), ROOT @ ROOT.T)
    with pytest.warns(fastmlp.PosteriorWarning, match="standard deviations away from the optimum"):
        posterior = fastmlp.Laplace(net, X, T, penalty=form, noise_precision=BETA, hessian="diagonal")
    A = BETA * (np.diag(net.hessian_diagonal(X, T, "ggn")) + ROOT @ ROOT.T)
    assert relative_error(posterior.params_covariance, np.linalg.inv(A)) < 1e-9
    assert relative_error(posterior.gamma, 1 - np.diag(BETA * ROOT @ ROOT.T @ np.linalg.inv(A))) < 1e-9
    gradient = BETA * (net.loss_and_grad(X, T)[1] + ROOT @ ROOT.T @ (net.params - 1))
    assert posterior.distance == pytest.approx(np.sqrt(gradient @ np.linalg.solve(A, gradient)), rel=1e-9)


def test_flat_directions_of_the_prior_have_no_terms():
    """A form of rank 5 is the limit of one with a little more, less what that little says."""
    half, little = ROOT[:, :5], 1e-7
    net = trained([3, 4, 1], X, T, Quadratic(np.zeros(21), half @ half.T))
    limit, near = (
        fastmlp.Laplace(net, X, T, penalty=Quadratic(np.zeros(21), half @ half.T + add * np.eye(21)),
                        noise_precision=BETA).log_evidence for add in (0.0, little)
    )  # fmt: skip
    w = net.params - half @ np.linalg.lstsq(half, net.params, rcond=None)[0]
    assert near == pytest.approx(limit + 8 * np.log(BETA * little) - BETA * little / 2 * (w @ w), abs=1e-3)


def test_parameters_that_are_held_are_no_part_of_it():
    """Outputs with constant targets, in standardised units: the form of the others is a block of the whole one."""
    targets = np.column_stack([T, np.full(40, 3.0)])
    net = fastmlp.Network([3, 2, 2], rng=1)
    P = net.n_params
    own = np.setdiff1d(np.arange(P), [10, 11, P - 1])  # without W2[1,:] and b2[1]
    precision = 0.3 * np.eye(P)
    precision[np.ix_(own, own)] += 0.01 * ROOT[: len(own)] @ ROOT[: len(own)].T
    form = Quadratic(np.zeros(P), precision)
    net.fit(X, targets, "lm", penalty=form, standardize=True, tol=1e-10)
    posterior = fastmlp.Laplace(net, X, targets, penalty=form, standardize=True)
    single = fastmlp.Network([3, 2, 1], rng=1)
    alone = Quadratic(np.zeros(len(own)), form.precision[np.ix_(own, own)])
    single.fit(X, T, "lm", penalty=alone, standardize=True, tol=1e-10)
    one = fastmlp.Laplace(single, X, T, penalty=alone, standardize=True)
    assert np.isinf(posterior.prior_precision).sum() == 3
    assert posterior.effective_n_params == pytest.approx(one.effective_n_params, rel=1e-9)
    assert posterior.log_evidence == pytest.approx(one.log_evidence, rel=1e-9)


# ---- what else is asked of it ----


def test_samples_left_out_are_those_of_networks_trained_without():
    decay = WeightDecay(0.02, 0.03)
    prior = prior_of(fastmlp.Laplace(trained([3, 1], X[OLD], T[OLD], decay), X[OLD], T[OLD], penalty=decay))
    net = trained([3, 1], X[NEW], T[NEW], prior)
    posterior = fastmlp.Laplace(net, X[NEW], T[NEW], penalty=prior, noise_precision=BETA)
    formula, retrained = posterior.leave_one_out(), posterior.leave_one_out("all")
    for n in range(3):
        rest = np.delete(np.arange(25, 40), n)
        expected = trained([3, 1], X[rest], T[rest], prior)(X[25 + n][np.newaxis])
        assert formula.outputs[n] == pytest.approx(expected[0], rel=1e-8)
        assert retrained.outputs[n] == pytest.approx(expected[0], rel=1e-8)
    assert relative_error(retrained.cooks_distance, formula.cooks_distance) < 1e-6


@pytest.mark.parametrize("precision", [ROOT @ ROOT.T, np.linspace(0.1, 0.2, 21)])
def test_it_can_be_pickled(precision):
    form = WeightDecay(0.1, 0.1) + Quadratic(np.ones(21), precision)
    posterior = fastmlp.Laplace(trained([3, 4, 1], X, T, form), X, T, penalty=form)
    for again in (pickle.loads(pickle.dumps(posterior)), copy.deepcopy(posterior)):
        assert again.rounding == posterior.rounding
        assert again.distance == posterior.distance
        assert np.array_equal(again.predict(X)[1], posterior.predict(X)[1])
        assert np.array_equal(again.leave_one_out("all").outputs, posterior.leave_one_out("all").outputs)


def test_what_is_no_prior_is_refused():
    net = network([3, 4, 1])
    with pytest.raises(TypeError, match=r"expected a fastmlp.WeightDecay or fastmlp.Quadratic, or their sum, got Obj"):
        fastmlp.Laplace(net, X, T, penalty=net.objective(X, T))
    with pytest.raises(ValueError, match="penalty: expected a network of 2 parameters, as the center of the Quadratic"):
        fastmlp.Laplace(net, X, T, penalty=Quadratic([1.0, 2.0], 1.0))
    with pytest.raises(ValueError, match="penalty: expected no negative eigenvalue of its matrix, got -"):
        fastmlp.Laplace(network([3, 1]), X, T, penalty=Quadratic(np.zeros(4), -1e-3 * np.eye(4)))


# ---- free coordinates ----


def test_shared_parameters_vary_together():
    """Against a network that has each once: of the sum of two inputs."""
    penalty, tie = WeightDecay(0.02, 0.03), [["W1[:,0]", "W1[:,1]"]]
    net = fastmlp.Network([3, 1], rng=0)
    net.fit(X, T, "lm", penalty=penalty, tied=tie, fixed=["b1"], tol=1e-10)
    objective = net.objective(X, T, penalty=WeightDecay(0.02 * BETA, 0.03 * BETA), tied=tie, fixed=["b1"],
                              noise_precision=BETA)  # fmt: skip
    seen = Laplace._of(Frame(net._architecture, None), Posterior(objective, objective.x0))
    summed = np.column_stack([X[:, 0] + X[:, 1], X[:, 2]])
    A = BETA * summed.T @ summed + BETA * np.diag([0.04, 0.02])
    J = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    assert relative_error(seen.params_covariance, J @ np.linalg.inv(A) @ J.T) < 1e-10
    assert relative_error(seen.params_std, np.sqrt(np.diag(J @ np.linalg.inv(A) @ J.T))) < 1e-10
    assert relative_error(seen.predict(X)[1][:, 0],
                          np.einsum("np,pq,nq->n", summed, np.linalg.inv(A), summed) + 1 / BETA) < 1e-10  # fmt: skip
    assert seen.effective_n_params == pytest.approx(2 - np.trace(BETA * np.diag([0.04, 0.02]) @ np.linalg.inv(A)))
    draws = seen.sample(3, rng=0)
    assert np.array_equal(draws[:, 0], draws[:, 1])
    assert np.ptp(draws[:, 3]) == 0
    with pytest.raises(TypeError, match="expected one without shared parameters for a pickle"):
        pickle.dumps(seen)
