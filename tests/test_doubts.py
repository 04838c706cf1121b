"""When a posterior says that it should not be trusted, against training on, mpmath and closed forms (L8)."""

import math
import re
import warnings

import mpmath
import numpy as np
import pytest

import fastmlp
from cases import data, network
from fastmlp.bayes import modes
from fastmlp.bayes.doubts import FARTHEST, LARGEST_ERROR

RNG = np.random.default_rng(6)
X40 = RNG.normal(size=(40, 2)) * [1e5, 1e-3] + [3e5, 0.0]
T40 = 2e5 + 1e4 * RNG.normal(size=40)
AWAY = r"^posterior: the network is .* posterior standard deviations away from the optimum"


def straight_line(moved=0.0):
    """A linear network, `moved` standard deviations from the optimum along a random direction, and A."""
    design, beta = np.column_stack([X40, np.ones(40)]), 1e-8
    Q, R = np.linalg.qr(design)
    direction = np.linalg.solve(R, np.random.default_rng(0).normal(size=3))
    net = fastmlp.Network([2, 1])
    net.params = np.linalg.solve(R, Q.T @ T40) + moved * direction / np.sqrt(beta) / np.linalg.norm(R @ direction)
    return net, beta


# ---- distance from the optimum ----


@pytest.mark.parametrize("moved", [0.0, 0.99 * FARTHEST, 1.01 * FARTHEST, 30.0])
def test_the_distance_is_that_of_the_closed_form_in_any_units(moved):
    net, beta = straight_line(moved)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        posterior = fastmlp.Laplace(net, X40, T40, prior_precision=0.0, noise_precision=beta)
    assert posterior.distance == pytest.approx(moved, rel=1e-6, abs=1e-8)
    assert [each.category for each in caught] == [fastmlp.PosteriorWarning] * (moved > FARTHEST)
    assert all(each.filename == __file__ for each in caught)


@pytest.mark.parametrize(("output", "standardize"), [("identity", False), ("identity", True), ("softmax", False)])
def test_the_distance_is_what_training_on_finds(output, standardize):
    rng, penalty = np.random.default_rng(1), fastmlp.WeightDecay(0.3, 0.3)
    X = rng.uniform(-2, 2, (200, 2))
    T = np.sin(2 * X[:, 0]) + X[:, 1] + 0.1 * rng.normal(size=200)
    T = (T > 0).astype(int) if output == "softmax" else 50 * T
    options = {"standardize": standardize, "penalty": penalty}
    net = fastmlp.Network([2, 4, 2 if output == "softmax" else 1], output=output, rng=0)
    net.fit(X, T, "lm", tol=1e-9, **options)
    at_optimum = fastmlp.Laplace(net, X, T, hessian="exact", **options)
    assert at_optimum.distance < 1e-6
    net.params = at_optimum.sample(1, rng=0)[0] * 0.03 + 0.97 * net.params
    with pytest.warns(fastmlp.PosteriorWarning, match=AWAY + r".* train it on these samples with this penalty"):
        posterior = fastmlp.Laplace(net, X, T, hessian="exact", **options)
    step = posterior.params - at_optimum.params
    found = math.sqrt(step @ np.linalg.solve(at_optimum.params_covariance, step))
    assert posterior.distance == pytest.approx(found, rel=0.05)


def test_an_early_end_and_another_prior_are_told_and_the_network_that_was_trained_on_is_not():
    rng = np.random.default_rng(2)
    x = rng.uniform(-2, 2, (100, 1))
    t = np.sin(2 * x) + 0.1 * rng.normal(size=x.shape)
    net, penalty = fastmlp.Network([1, 5, 1], rng=0), fastmlp.WeightDecay(0.01, 0.01)
    net.fit(x, t, "lm", penalty=penalty, max_iter=5)
    with pytest.warns(fastmlp.PosteriorWarning, match=AWAY):
        fastmlp.Laplace(net, x, t, penalty=penalty)
    net.fit(x, t, "lm", penalty=penalty)
    assert fastmlp.Laplace(net, x, t, penalty=penalty).distance < 1e-4
    with pytest.warns(fastmlp.PosteriorWarning, match=AWAY + r".* penalty prior_precision / noise_precision"):
        fastmlp.Laplace(net, x, t, prior_precision=30.0)
    posterior = fastmlp.fit_evidence(net, x, t)
    assert posterior.distance < 1e-3
    assert posterior.rounding < 1e-9


def test_a_network_in_single_precision_is_told_of_the_double_one():
    """Targets without much noise are a better judge of the parameters than 24 bits can be."""
    rng = np.random.default_rng(1)
    x = rng.uniform(-2, 2, 100)
    t = x / 7 + 1 / 3 + 1e-9 * rng.normal(size=100)
    slope, offset = np.polynomial.Polynomial.fit(x, t, 1).convert().coef[::-1]
    double, single = (fastmlp.Network([1, 1], dtype=dtype) for dtype in ("float64", "float32"))
    double.params = single.params = [slope, offset]
    options = {"prior_precision": 0.0, "noise_precision": 1e18}
    assert fastmlp.Laplace(double, x[:, np.newaxis], t, **options).distance < 1e-3
    with pytest.warns(fastmlp.PosteriorWarning, match=AWAY + r".*\(method='lm', a smaller tol\), in float64$"):
        fastmlp.Laplace(single, x[:, np.newaxis], t, **options)


def test_a_diagonal_has_a_distance_too_and_held_parameters_have_none():
    net = fastmlp.Network([1, 1])
    net.params = [1.0, 2.0]
    x, t = np.array([[-1.0], [1.0]]), np.array([2.0, 2.0])  # the optimum is w = 0, b = 2; A = 2 beta
    for hessian in ("ggn", "diagonal"):
        options = {"noise_precision": 50.0, "hessian": hessian}
        with pytest.warns(fastmlp.PosteriorWarning, match=r"is 10 posterior standard deviations"):
            fastmlp.Laplace(net, x, t, prior_precision=0.0, **options)
        assert fastmlp.Laplace(net, x, t, prior_precision={"W1": math.inf}, **options).distance < 1e-12
    nothing = fastmlp.Laplace(net, x, t, prior_precision=math.inf, noise_precision=1.0)
    assert nothing.distance == 0.0
    assert nothing.rounding < 1e-15


# ---- rounding ----


def exact_variances(net, X, alpha, beta):
    """Variances of the parameters of a network with tanh units, and the condition of A scaled, by 50 digits."""
    (W1, W2), (b1, _) = ([[mpmath.mpf(w) for w in row] for row in net.weights[0]], net.weights[1]), net.biases
    rows = []
    for x in X:
        h = [
            mpmath.tanh(mpmath.fsum(w * mpmath.mpf(v) for w, v in zip(row, x, strict=True)) + mpmath.mpf(b))
            for row, b in zip(W1, b1, strict=True)
        ]
        slopes = [mpmath.mpf(u) * (1 - each**2) for u, each in zip(W2[0], h, strict=True)]
        rows.append([*(s * mpmath.mpf(v) for s in slopes for v in x), *slopes, *h, mpmath.mpf(1)])
    J = mpmath.matrix(rows)
    A = beta * (J.T * J) + mpmath.diag([mpmath.mpf(each) for each in alpha])
    scale = [mpmath.sqrt(A[i, i]) for i in range(J.cols)]
    eigenvalues = mpmath.eigsy(mpmath.diag([1 / s for s in scale]) * A * mpmath.diag([1 / s for s in scale]), True)
    inverse = A**-1
    return np.array([float(inverse[i, i]) for i in range(J.cols)]), float(max(eigenvalues) / min(eigenvalues))


@pytest.mark.parametrize("unit", [1.0, 1e5])
@pytest.mark.parametrize("apart", [0.0, 1e-7])
@pytest.mark.parametrize(
    ("alpha", "beta", "doubtful"),
    [(1e-4, 100.0, False), (1e-6, 100.0, False), (1e-10, 100.0, True), (1e-10, 0.01, False), (1e-14, 0.01, True)],
)
def test_rounding_is_told_where_it_changes_variances(alpha, beta, doubtful, unit, apart):
    """Two units that are the same, or nearly so, and a prior that hardly tells them apart."""
    rng = np.random.default_rng(1)
    x = rng.uniform(-2, 2, (30, 1))
    net = fastmlp.Network([1, 3, 1], rng=1)
    net.fit(x, np.sin(2 * x), "lm", penalty=fastmlp.WeightDecay(1e-3, 1e-3))
    W1, W2, b1 = net.weights[0].copy(), net.weights[1].copy(), net.biases[0].copy()
    W1[2], b1[2], W2[0, 1:] = (1 + apart) * W1[1], b1[1], W2[0, 1] / 2
    net.params = np.concatenate([W1.ravel() / unit, b1, W2.ravel(), net.biases[1]])
    X = unit * x
    T = net(X)
    prior = np.repeat([alpha * unit**2, alpha], [3, 7])
    with mpmath.workdps(50), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        posterior = fastmlp.Laplace(net, X, T, prior_precision=prior, noise_precision=beta)
        variances, condition = exact_variances(net, X, prior, beta)
    error = np.abs(posterior.params_std**2 / variances - 1).max()
    assert posterior.rounding == pytest.approx(np.finfo(float).eps * condition, rel=0.5)
    assert error < posterior.rounding
    assert (error > LARGEST_ERROR) == doubtful
    messages = [str(each.message) for each in caught]
    assert len(messages) == doubtful
    names = r"((W1\[[12],0\]|b1\[[12]\]|W2\[0,[12]\])(, )?){2,} are hardly determined together"  # of both units
    expected = rf"^posterior: rounding changes variances by .*, since {names}; take a larger prior_precision"
    assert all(re.search(expected, message) for message in messages)


def test_units_of_the_inputs_are_no_doubt():
    rng = np.random.default_rng(3)
    X, t = rng.normal(size=(50, 4)), rng.normal(size=50)
    shares = []
    for scale in (np.ones(4), np.array([1e8, 1e-8, 1e3, 1e-5])):
        net = fastmlp.Network([4, 1])
        coefficients = np.linalg.lstsq(np.column_stack([X, np.ones(50)]), t, rcond=None)[0]
        net.params = coefficients / np.append(scale, 1.0)
        shares.append(fastmlp.Laplace(net, X * scale, t, prior_precision=0.0, noise_precision=1.0).rounding)
    design = np.column_stack([X, np.ones(50)])
    expected = np.finfo(float).eps * np.linalg.cond(design / np.linalg.norm(design, axis=0)) ** 2
    assert shares == pytest.approx([expected] * 2, rel=0.2)


# ---- what the caller can change ----


def test_columns_that_add_up_to_another_are_named():
    classes = RNG.integers(3, size=100)
    X, t = np.column_stack([RNG.normal(size=100), 1e6 * np.eye(3)[classes]]), classes + 0.1 * RNG.normal(size=100)
    net = fastmlp.Network([4, 1], rng=0)
    for hessian in ("ggn", "exact"):
        for beta in (None, 2.0):
            with pytest.raises(fastmlp.NotPositiveDefiniteError) as caught:
                fastmlp.Laplace(net, X, t, prior_precision=0.0, noise_precision=beta, hessian=hessian)
            message = str(caught.value)
            assert "neither the data nor the prior determine W1[0,1], W1[0,2], W1[0,3], b1[0]; " in message
            assert "take prior_precision > 0 for them, or leave out what is redundant" in message
            assert "hessian" not in message
    with pytest.raises(fastmlp.NotPositiveDefiniteError, match="take penalty > 0"):
        fastmlp.Laplace(net, X, t, penalty=fastmlp.WeightDecay(0.0))
    with pytest.raises(fastmlp.NotPositiveDefiniteError, match="take a larger penalty"):
        fastmlp.Laplace(net, X, t, penalty=fastmlp.WeightDecay(1e-30, 1e-30))


def test_many_undetermined_parameters_are_counted():
    net = fastmlp.Network([2, 5, 1], "relu", rng=0)
    net.biases[0][...] = -100.0  # no unit is ever active
    X, T = data(net, 30)
    for hessian in ("ggn", "diagonal"):
        with pytest.raises(
            fastmlp.NotPositiveDefiniteError,
            match=r"determine W1\[0,0\], W1\[0,1\], W1\[1,0\], W1\[1,1\], W1\[2,0\], W1\[2,1\] and 14 more; take prior",
        ):
            fastmlp.Laplace(net, X, T, prior_precision=0.0, noise_precision=1.0, hessian=hessian)


def test_a_saddle_is_not_a_lack_of_data():
    net = network([1, 3, 1], seed=1, scale=2.0)
    X, T = data(net, 20)
    with pytest.raises(fastmlp.NotPositiveDefiniteError) as caught:
        fastmlp.Laplace(net, X, T, penalty=fastmlp.WeightDecay(1e-3, 1e-3), noise_precision=1.0, hessian="exact")
    assert str(caught.value).endswith("; train to a minimum (method='lm'), take a larger penalty, or hessian='ggn'")


def test_weights_that_sum_to_one_are_told_that_they_count():
    rng, penalty = np.random.default_rng(4), fastmlp.WeightDecay(1e-4, 1e-4)
    x = rng.uniform(-2, 2, (300, 1))
    t = np.sin(2 * x) + 0.1 * rng.normal(size=x.shape)
    net, weight = fastmlp.Network([1, 4, 1], rng=0), np.full(300, 1 / 300)
    net.fit(x, t, "lm", penalty=fastmlp.WeightDecay(1e-4 / 300, 1e-4 / 300), sample_weight=weight, tol=1e-10)
    with pytest.raises(ValueError, match=r"^noise_precision: .* 1 targets, \d.* parameters that they determine.*"
                       r"; sample_weight counts samples, and adds up to 1 for 300 of them: multiply it by 300, and "
                       r"penalty too if the optimum is to stay"):  # fmt: skip
        fastmlp.Laplace(net, x, t, penalty=fastmlp.WeightDecay(1e-4 / 300, 1e-4 / 300), sample_weight=weight)
    followed = fastmlp.Laplace(net, x, t, penalty=penalty, sample_weight=300 * weight)  # what the message says
    plain = fastmlp.Laplace(net, x, t, penalty=penalty)
    assert followed.noise_precision == pytest.approx(plain.noise_precision, rel=1e-12)
    line, X = fastmlp.Network([5, 1]), rng.normal(size=(6, 5))
    with pytest.raises(ValueError, match=r"; take more samples, fewer units or a larger prior_precision$"):
        fastmlp.Laplace(line, X, X[:, 0], prior_precision=0.0)


def test_parameters_that_nothing_determines_say_nothing_of_how_far_modes_are_apart():
    C = np.diag([2.0, np.inf, np.nan, 0.5])
    assert modes.distance(np.array([1.0, 3.0, 4.0, 2.0]), C) == pytest.approx(0.5 + 8.0, rel=1e-14)
    assert modes.distance(np.array([3.0, 4.0]), C[1:3, 1:3]) == 0.0


@pytest.mark.filterwarnings("ignore::fastmlp.PosteriorWarning")
def test_new_samples_beside_which_the_old_ones_are_lost_are_named():
    rng = np.random.default_rng(0)
    net = fastmlp.Network([3, 5, 4, 2], hidden=["relu", "sin"], output="softmax", rng=0)
    X, labels = rng.normal(size=(9, 3)), rng.integers(0, 2, 9)
    old = fastmlp.Laplace(net, X, labels, prior_precision=1e-3)
    with pytest.raises(fastmlp.NotPositiveDefiniteError, match="sample_weight: expected new samples that count about"):
        old.updated(X, labels, sample_weight=np.full(9, 1e25))
