"""Leaving out a sample without training, against training without it (L8)."""

import math

import numpy as np
import pytest
from sklearn.datasets import load_diabetes

import fastmlp
from cases import PAIRS, anywhere, data, network, relative_error

RNG = np.random.default_rng(8)


def fitted(net, X, T, decay, weight=None):
    net.fit(X, T, method="lm", penalty=fastmlp.WeightDecay(decay, decay), sample_weight=weight, tol=1e-9)
    return net


def without(net, n, X, T, decay, weight=None):
    """The network trained from the optimum, without sample n."""
    weight = np.ones(len(X)) if weight is None else weight.astype(float)
    weight[n] = 0.0
    return fitted(net.copy(), X, T, decay, weight)


@pytest.mark.parametrize("weight", [None, np.arange(1, 16) / 3.0])
def test_without_hidden_layer_it_is_what_training_without_the_sample_gives(weight):
    X, T, new = RNG.normal(size=(15, 3)), RNG.normal(size=(15, 2)), RNG.normal(size=(4, 3))
    net = fitted(fastmlp.Network([3, 2], rng=0), X, T, 0.4, weight)
    posterior = fastmlp.Laplace(
        net, X, T, penalty=fastmlp.WeightDecay(0.4, 0.4), noise_precision=2.5, sample_weight=weight
    )
    result, moves, changes = posterior.leave_one_out(), posterior.influence(), posterior.influence(new)
    assert moves.shape == (15, 8)
    assert changes.shape == (15, 4, 2)
    A = np.linalg.inv(posterior.params_covariance)
    for n in range(15):
        other = without(net, n, X, T, 0.4, weight)
        assert relative_error(result.outputs[n], other(X[n : n + 1])[0]) < 1e-9
        assert relative_error(result.residuals[n], other(X[n : n + 1])[0] - T[n]) < 1e-9
        assert result.losses[n] == pytest.approx(other.loss(X[n : n + 1], T[n : n + 1]), rel=1e-9)
        move = other.params - net.params
        assert relative_error(moves[n], move) < 1e-8
        assert relative_error(changes[n], other(new) - net(new)) < 1e-8
        assert result.cooks_distance[n] == pytest.approx(move @ A @ move / posterior.effective_n_params, rel=1e-7)


@pytest.mark.parametrize(("output", "loss"), [pair for pair in PAIRS if pair[1] != "squared_error"])
@pytest.mark.parametrize("soft", [False, True])
def test_classifiers_and_counts_take_one_newton_step(output, loss, soft):
    net = network([2, 2], output=output, loss=loss)
    X, T = data(net, 60, soft=soft)
    fitted(net, X, T, 0.5)
    posterior = fastmlp.Laplace(net, X, T, prior_precision=0.5)
    result, moves, plain = posterior.leave_one_out(), posterior.influence(), net(X)
    others = [without(net, n, X, T, 0.5) for n in range(60)]
    outputs = np.array([other(X[n : n + 1])[0] for n, other in enumerate(others)])
    assert np.abs(result.outputs - outputs).max() < 0.07 * np.abs(plain - outputs).max()
    assert relative_error(moves, np.array([other.params - net.params for other in others])) < 0.1
    losses = np.array([other.loss(X[n : n + 1], T[n : n + 1]) for n, other in enumerate(others)])
    assert result.losses.sum() == pytest.approx(losses.sum(), rel=0.002)


def test_a_network_with_hidden_units_is_close_and_closest_with_the_exact_hessian():
    X, T = load_diabetes(return_X_y=True)
    X, T = (X - X.mean(axis=0)) / X.std(axis=0), (T - T.mean()) / T.std()
    net = fitted(fastmlp.Network([10, 5, 1], rng=0), X, T, 5.0)
    true = np.array([(without(net, n, X, T, 5.0)(X[n : n + 1]) - T[n])[0, 0] for n in range(442)])
    errors = {}
    for hessian in ("exact", "ggn"):
        posterior = fastmlp.Laplace(net, X, T, penalty=fastmlp.WeightDecay(5.0, 5.0), hessian=hessian)
        residuals = posterior.leave_one_out().residuals[:, 0]
        assert math.sqrt((residuals**2).mean()) == pytest.approx(math.sqrt((true**2).mean()), rel=0.005)
        assert not posterior.leave_one_out().doubtful.any()
        errors[hessian] = np.median(np.abs(residuals - true))
    assert errors["exact"] < errors["ggn"] / 4


@anywhere
@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_leverages_add_up_to_gamma(output, loss):
    net = network([3, 4, 2], output=output, loss=loss)
    X, T = data(net, 30)
    weight = np.arange(30) % 4 / 2.0
    posterior = fastmlp.Laplace(net, X, T, prior_precision=0.7, sample_weight=weight)
    result = posterior.leave_one_out()
    assert result.leverage.sum() == pytest.approx(posterior.effective_n_params, rel=1e-10)
    assert np.array_equal(result.leverage[::4], np.zeros(8))
    assert relative_error(result.outputs[::4], net(X)[::4]) < 1e-13
    assert np.array_equal(result.doubtful, result.leverage >= 0.3)


def test_a_sample_that_alone_determines_a_parameter_is_flagged():
    X, T = np.array([[0.0], [0.0], [1.0]]), np.array([1.0, 2.0, 5.0])
    net = fastmlp.Network([1, 1])
    net.params = [3.5, 1.5]
    result = fastmlp.Laplace(net, X, T, prior_precision=0.0, noise_precision=1.0).leave_one_out()
    assert result.leverage == pytest.approx([0.5, 0.5, 1.0])
    assert result.doubtful.all()
    assert result.residuals[:2, 0] == pytest.approx([1.0, -1.0])
    assert_undefined(result, 2)


def assert_undefined(result, n):
    assert result.leverage[n] == pytest.approx(result.outputs.shape[1], rel=1e-4)
    for values in (result.outputs, result.residuals, result.losses, result.cooks_distance):
        assert np.isnan(values[n]).all()
        assert np.isfinite(np.delete(values, n, axis=0)).all()
    assert result.doubtful[n]


def rotated(X, rng):
    return X @ np.linalg.qr(rng.normal(size=(X.shape[1],) * 2))[0]


def at_least_squares(X, T):
    """The network without hidden layer that fits best, and its design, by columns of size 1."""
    design, scale = np.column_stack([X, np.ones(len(X))]), np.append(np.abs(X).max(axis=0), 1.0)
    w = (np.linalg.lstsq(design / scale, T, rcond=None)[0].T / scale).T
    net = fastmlp.Network([X.shape[1], T.shape[1]])
    net.params = np.concatenate([w[:-1].T.ravel(), w[-1]])
    return net, design / scale


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("form", ["plain", "scaled", "rotated", "rotated and scaled", "scaled and rotated"])
@pytest.mark.parametrize("seed", range(3))
def test_an_indicator_of_a_single_sample_leaves_it_without_a_prediction(form, n_outputs, seed):
    """Of others the residual is r / (1 - h), by the hat matrix of the columns as they are."""
    rng = np.random.default_rng(seed)
    X, T = (
        np.column_stack([np.linspace(0, 1, 10), rng.normal(size=10), np.eye(10)[3]]),
        rng.normal(size=(10, n_outputs)),
    )
    units = 10 ** rng.uniform(-8, 8, 3)
    if form == "scaled and rotated":
        X = rotated(X * np.array([1e-2, 1.0, 1e2]), rng)
    elif form.startswith("rotated"):
        X = rotated(X, rng)
    X = X * units if form.endswith("scaled") else X
    net, design = at_least_squares(X, T)
    posterior = fastmlp.Laplace(net, X, T, prior_precision=0.0, noise_precision=1e4)
    result, moves, changes = posterior.leave_one_out(), posterior.influence(), posterior.influence(X[:2])
    assert_undefined(result, 3)
    for values in (moves, changes):
        assert np.isnan(values[3]).all()
        assert np.isfinite(np.delete(values, 3, axis=0)).all()
    Q = np.linalg.qr(design)[0]
    left = 1 - (Q**2).sum(axis=1, keepdims=True)
    others = np.arange(10) != 3
    assert relative_error(result.residuals[others], (Q @ (Q.T @ T) - T)[others] / left[others]) < 1e-7


@pytest.mark.parametrize("alpha", [1e-4, 1e-9])
def test_a_leverage_that_a_prior_keeps_below_one_has_a_prediction(alpha):
    """Without the sample the weight of its indicator is 0, which only the prior says."""
    x, t = np.linspace(0, 1, 10), np.random.default_rng(0).normal(size=10)
    X = np.column_stack([x, np.eye(10)[3]])
    prior = [0.0, alpha, 0.0]
    design = np.column_stack([X, np.ones(10)])
    net = fastmlp.Network([2, 1])
    net.params = np.linalg.solve(design.T @ design + np.diag(prior), design.T @ t)
    result = fastmlp.Laplace(net, X, t, prior_precision=prior, noise_precision=1.0).leave_one_out()
    kept = np.arange(10) != 3
    line = np.polynomial.Polynomial.fit(x[kept], t[kept], 1)
    assert result.leverage[3] == pytest.approx(1.0, abs=2 * alpha)
    assert result.outputs[3, 0] == pytest.approx(line(x[3]), rel=10 * np.finfo(float).eps / alpha)
    assert np.isfinite(result.cooks_distance).all()
    assert result.doubtful[3]


def test_a_hidden_unit_that_one_sample_alone_sees():
    rng = np.random.default_rng(0)
    X = np.append(rng.uniform(-1, 1, 20), 9.0)[:, np.newaxis] * 1e4
    T = rng.normal(size=(21, 1))
    net = fastmlp.Network([1, 3, 1], "relu")
    net.params = [1e-4, -1e-4, 1e-4, 0.1, 0.2, -5.0, *np.zeros(4)]
    prior = {"W1": math.inf, "b1": math.inf}
    features = np.maximum(X * [1e-4, -1e-4, 1e-4] + [0.1, 0.2, -5.0], 0.0)
    net.params = np.append(net.params[:6], np.linalg.lstsq(np.column_stack([features, np.ones(21)]), T, rcond=None)[0])
    posterior = fastmlp.Laplace(net, X, T, prior_precision=prior)
    assert_undefined(posterior.leave_one_out(), 20)
    assert np.isnan(posterior.influence(X[:1])[20]).all()


def test_classes_of_a_sample_that_alone_determines_a_parameter():
    """Softmax with the first logit held at 0, and soft targets, so that the weights of an indicator are finite."""
    X, T = np.column_stack([np.linspace(-1, 1, 12), np.eye(12)[5]]), RNG.dirichlet(np.ones(3), 12)
    net = fastmlp.Network([2, 3], output="softmax")
    net.params = np.zeros(9)
    net.fit(X, T, "lm", fixed=["W1[0,:]", 6], tol=1e-10)
    prior = np.array([math.inf, math.inf, *np.zeros(4), math.inf, 0.0, 0.0])
    posterior = fastmlp.Laplace(net, X, T, prior_precision=prior)
    result = posterior.leave_one_out()
    assert result.leverage[5] == pytest.approx(2.0)  # of three logits, two of which are free
    for values in (
        result.outputs,
        result.residuals,
        result.losses,
        result.cooks_distance,
        posterior.influence()[:, 2:6],
    ):
        assert np.isnan(values[5]).all()
        assert np.isfinite(np.delete(values, 5, axis=0)).all()


@anywhere
def test_each_output_may_have_a_noise_of_its_own():
    X, T, beta = RNG.normal(size=(20, 2)), RNG.normal(size=(20, 2)), np.array([0.5, 6.0])
    net = network([2, 2])
    result = fastmlp.Laplace(net, X, T, prior_precision=0.3, noise_precision=beta).leave_one_out()
    for k in range(2):
        one = fastmlp.Network([2, 1])
        one.params = np.append(net.weights[0][k], net.biases[0][k])
        single = fastmlp.Laplace(one, X, T[:, k], prior_precision=0.3, noise_precision=beta[k]).leave_one_out()
        assert relative_error(result.residuals[:, k], single.residuals[:, 0]) < 1e-12


@pytest.mark.parametrize("beta", [2.0, np.array([2.0])])
def test_the_sandwich_of_linear_regression_is_whites(beta):
    X, T = RNG.normal(size=(30, 2)), RNG.normal(size=30)
    net = fastmlp.Network([2, 1], rng=0)
    fitted(net, X, T, 0.0)
    design = np.column_stack([X, np.ones(30)])
    inverse = np.linalg.inv(design.T @ design)
    residuals = T - net(X)[:, 0]
    expected = inverse @ (design.T * residuals**2 @ design) @ inverse
    for hessian in ("ggn", "exact"):
        posterior = fastmlp.Laplace(net, X, T, prior_precision=0.0, noise_precision=beta, hessian=hessian)
        assert relative_error(posterior.sandwich_covariance, expected) < 1e-11
    held = fastmlp.Laplace(net, X, T, prior_precision=[0.0, math.inf], noise_precision=beta)
    assert not held.sandwich_covariance[2].any()


def test_information_criteria_of_linear_regression():
    X, T = RNG.normal(size=(30, 2)), RNG.normal(size=30)
    net = fitted(fastmlp.Network([2, 1], rng=0), X, T, 0.2)
    posterior = fastmlp.Laplace(net, X, T, penalty=fastmlp.WeightDecay(0.2, 0.2), noise_precision=1.5)
    design, r = np.column_stack([X, np.ones(30)]), net(X)[:, 0] - T
    A = 1.5 * (design.T @ design + 0.2 * np.eye(3))
    likelihood = -0.75 * (r @ r) + 15 * math.log(1.5 / (2 * math.pi))
    gamma = 3 - 0.3 * np.trace(np.linalg.inv(A))
    F = (1.5 * design * r[:, np.newaxis]).T @ (1.5 * design * r[:, np.newaxis])
    assert posterior.log_likelihood == pytest.approx(likelihood, rel=1e-12)
    assert posterior.aic == pytest.approx(2 * gamma - 2 * likelihood, rel=1e-12)
    assert posterior.bic == pytest.approx(gamma * math.log(30) - 2 * likelihood, rel=1e-12)
    assert posterior.nic == pytest.approx(2 * np.trace(F @ np.linalg.inv(A)) - 2 * likelihood, rel=1e-12)


def test_the_network_information_criterion_knows_noise_that_the_model_does_not():
    """It is what leaving out each sample gives, to first order; Akaike's is so for the noise of the model only."""
    X = np.random.default_rng(0).uniform(-2, 2, (2000, 2))
    T = np.tanh(X[:, 0]) + np.random.default_rng(1).normal(size=2000) * np.abs(X[:, 1])
    net = fitted(fastmlp.Network([2, 3, 1], rng=0), X, T, 0.5)
    posterior = fastmlp.Laplace(net, X, T, penalty=fastmlp.WeightDecay(0.5, 0.5), hessian="exact")
    beta = posterior.noise_precision
    residuals = posterior.leave_one_out("doubtful").residuals
    without = beta * (residuals**2).sum() - 2000 * math.log(beta / (2 * math.pi))
    assert abs(posterior.nic - without) < abs(posterior.aic - without) / 5
    assert posterior.nic - without == pytest.approx(0, abs=0.02 * (without + 2 * posterior.log_likelihood))


def test_networks_are_retrained_where_the_formula_is_rough():
    X, T = load_diabetes(return_X_y=True)
    X, T = (X - X.mean(axis=0)) / X.std(axis=0), (T - T.mean()) / T.std()
    net = fitted(fastmlp.Network([10, 5, 1], rng=0), X, T, 1.0)
    posterior = fastmlp.Laplace(net, X, T, penalty=fastmlp.WeightDecay(1.0, 1.0), hessian="exact")
    plain, some, all_ = (posterior.leave_one_out(retrain) for retrain in ("none", "doubtful", "all"))
    doubtful = plain.doubtful
    assert 3 < doubtful.sum() < 50
    assert np.array_equal(some.residuals[~doubtful], plain.residuals[~doubtful])
    assert np.array_equal(some.residuals[doubtful], all_.residuals[doubtful])
    A = np.linalg.inv(posterior.params_covariance)
    for n in np.flatnonzero(doubtful)[:5]:
        other = without(net, n, X, T, 1.0)
        assert some.outputs[n] == pytest.approx(other(X[n : n + 1])[0], rel=1e-6)
        assert some.residuals[n, 0] == pytest.approx(some.outputs[n, 0] - T[n], rel=1e-12)
        assert some.losses[n] == pytest.approx(other.loss(X[n : n + 1], T[n : n + 1]), rel=1e-5)
        move = other.params - net.params
        assert some.cooks_distance[n] == pytest.approx(move @ A @ move / posterior.effective_n_params, rel=1e-4)
    rms = [math.sqrt((each.residuals**2).mean()) for each in (plain, some, all_)]
    assert abs(rms[1] - rms[2]) < 0.3 * abs(rms[0] - rms[2])


def test_classifiers_with_held_parameters_are_retrained_too():
    net = network([2, 3, 2], output="softmax")
    X, T = data(net, 20)
    net.fit(X, T, method="lm", penalty=fastmlp.WeightDecay(0.5, 0.5), fixed="b1", tol=1e-9)
    prior = {"W1": 0.5, "b1": math.inf, "W2": 0.5, "b2": 0.5}
    result = fastmlp.Laplace(net, X, T, prior_precision=prior).leave_one_out("all")
    weight = np.ones(20)
    weight[3] = 0.0
    other = net.copy()
    other.fit(X, T, method="lm", penalty=fastmlp.WeightDecay(0.5, 0.5), fixed="b1", tol=1e-9, sample_weight=weight)
    assert result.outputs[3] == pytest.approx(other(X[3:4])[0], rel=1e-6)
    with pytest.raises(ValueError, match="retrain: expected one of none, doubtful, all, got 'some'"):
        fastmlp.Laplace(net, X, T, prior_precision=prior).leave_one_out("some")
