"""Targets with measurement errors: objectives against autodiff and least squares, fits against SciPy's curve_fit."""

import numpy as np
import pytest
import scipy.optimize

import autodiff
import cases
import faces
import fastmlp
import nist
from fastmlp.model import functional
from fastmlp.optimize import explained, reference

EPS = {"float32": 6e-8, "float64": 1.2e-16}
NETWORKS = [([2, 3, 1], "tanh", "identity"), ([3, 4, 2], "silu", "identity"), ([2, 3, 3, 3], "sin", "tanh"),
            ([2, 2], "tanh", "logistic"), ([3, 5, 2], "elu", "exp")]  # fmt: skip
SIGMA_SIZES = (1e-6, 1.0, 1e6)


def problem(layers, hidden, output, n=17, seed=0, dtype="float64", size=1.0):
    net = fastmlp.Network(layers, hidden=hidden, output=output, loss="squared_error", dtype=dtype, rng=seed)
    rng = np.random.default_rng(seed)
    X, T = rng.normal(size=(n, layers[0])), size * rng.normal(size=(n, layers[-1]))
    sigma, weight = size * rng.uniform(0.2, 5.0, T.shape), rng.uniform(0.0, 3.0, n)
    return net, X.astype(dtype), T.astype(dtype), sigma, weight


# ---- the kernels ----


@pytest.mark.parametrize("n", [1, 3, 17, 130])
def test_kernels_with_a_precision_of_each_target(n, dtype, isa):
    rng = np.random.default_rng(n)
    Y, T, h1, h2, RZ = (rng.normal(size=(3, n)).astype(dtype) for _ in range(5))
    P, weight, scale = (rng.uniform(0.1, 9.0, shape).astype(dtype) for shape in ((3, n), n, 3))
    terms = {"weight": weight, "scale": scale, "precision": P, "isa": isa}
    c, r = weight * scale[:, None] * P.astype(float), Y.astype(float) - T
    values, D = faces.loss_gradient("squared_error", Y, T, Y=Y, d1=h1, **terms)
    assert np.allclose(values, 0.5 * (c * r**2).sum(axis=0), rtol=40 * EPS[dtype])
    assert np.allclose(D, c * r * h1, rtol=40 * EPS[dtype], atol=0)
    for ggn in (False, True):
        curvature = h1.astype(float) ** 2 + (0 if ggn else r * h2)
        got = faces.loss_hessp("squared_error", Y, T, RZ, ggn=ggn, Y=Y, d1=h1, d2=h2, **terms)
        assert np.allclose(got, c * curvature * RZ, rtol=400 * EPS[dtype], atol=400 * EPS[dtype])


# ---- objectives ----


@pytest.mark.parametrize("size", SIGMA_SIZES)
@pytest.mark.parametrize("n", [1, 3, 17, 300])
@pytest.mark.parametrize(("layers", "hidden", "output"), NETWORKS)
def test_objective_against_autodiff(layers, hidden, output, n, size):
    net, X, T, sigma, weight = problem(layers, hidden, output, n, size=size)
    own = net.objective(X, T, sigma=sigma, sample_weight=weight)
    p, P = own.x0, sigma**-2.0
    _, losses, gradient = autodiff._evaluate(*autodiff.problem(net, X, T, weight, P))
    J = autodiff.jacobians(net, X)["params", "outputs"]
    H = autodiff.hessian(net, X, T, weight, P)
    B = np.einsum("n,nk,nkp,nkq->pq", weight, P, J, J)
    V = np.random.default_rng(1).normal(size=(len(p), 3))
    value, grad, matrix = own.normal_equations(p)
    r, A = own.residuals(p), own.residual_jac(p)
    expected = [(own.value(p), losses.sum()), (value, losses.sum()), (own.grad(p), gradient), (grad, gradient),
                (own.hess(p), H), (own.ggn(p), B), (matrix, B), (own.hessp(p, V), H @ V), (own.ggnp(p, V), B @ V),
                (0.5 * r @ r, losses.sum()), (A.T @ r, gradient), (A.T @ A, B)]  # fmt: skip
    for got, right in expected:
        assert cases.relative_error(got, right) < 1e-11


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_bits_do_not_depend_on_threads(n_threads):
    net, X, T, sigma, weight = problem([3, 4, 2], "tanh", "identity", n=5000)
    own, other = (
        net.objective(X, T, sigma=sigma, sample_weight=weight, n_threads=threads) for threads in (1, n_threads)
    )
    assert np.array_equal(own.grad(own.x0), other.grad(own.x0))
    assert np.array_equal(own.hess(own.x0), other.hess(own.x0))


def test_float32_is_that_of_float64_to_rounding():
    net, X, T, sigma, weight = problem([3, 4, 2], "tanh", "identity", dtype="float32")
    wide, *_ = problem([3, 4, 2], "tanh", "identity")
    wide.params = net.params
    own = net.objective(X, T, sigma=sigma, sample_weight=weight)
    right = wide.objective(X, T, sigma=sigma, sample_weight=weight.astype("float32"))
    for name in ("value", "grad", "hess", "ggn", "residuals"):
        assert cases.relative_error(getattr(own, name)(own.x0), getattr(right, name)(own.x0)) < 1e-5


# ---- fits ----


@pytest.mark.parametrize("method", ["lm", "lbfgs", "scg", "rprop", "adam", "sgd", "bfgs", "trust-exact"])
@pytest.mark.parametrize("shape", ["(N,)", "(N, 1)"])
def test_errors_of_one_output_are_weights(method, shape):
    """The same objective, to rounding, though weights count samples."""
    rng = np.random.default_rng(0)
    X, sigma = rng.normal(size=(60, 2)), rng.uniform(0.5, 2.0, 60)
    T = np.sin(X[:, :1]) + 0.1 * rng.normal(size=(60, 1))
    by_errors, by_weights = fastmlp.Network([2, 3, 1], rng=1), fastmlp.Network([2, 3, 1], rng=1)
    options = {"max_iter": 12, "rng": 0, "penalty": fastmlp.WeightDecay(0.01, 0.01)}
    one = by_errors.fit(X, T, method, sigma=sigma if shape == "(N,)" else sigma[:, None], **options)
    other = by_weights.fit(X, T, method, sample_weight=sigma**-2, **options)
    assert one.nit == other.nit
    assert cases.relative_error(one.x, other.x) < 1e-6
    assert np.allclose(one.history["train_loss"] * 60, other.history["train_loss"] * (sigma**-2).sum())


def test_standardised_training_has_the_same_minimum():
    """In a network without hidden layer and penalty: weighted least squares, in any units."""
    rng = np.random.default_rng(0)
    X = np.array([1e5, 1e-3, 1.0]) * rng.normal(size=(40, 3)) + [3e6, 0, 1]
    sigma = np.array([1e4, 1e-4]) * rng.uniform(0.5, 2.0, (40, 2))
    T = np.array([2.5e5, 1e-3]) * (rng.normal(size=(40, 2)) + 1.0) + sigma * rng.normal(size=(40, 2))
    net = fastmlp.Network([3, 2], rng=0)
    assert net.fit(X, T, "lm", sigma=sigma, standardize=True).success
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    A = np.column_stack([Z, np.ones(40)])
    for k in range(2):
        w = np.linalg.lstsq(A / sigma[:, [k]], T[:, k] / sigma[:, k], rcond=None)[0]
        assert np.allclose(net.predict(X)[:, k], A @ w, rtol=1e-8, atol=1e-8 * T[:, k].std())


@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize("name", ["Rat42", "Misra1a", "BoxBOD"])
def test_nists_problems_are_those_of_curve_fit(name, absolute):
    """Logistic units are b1 / (1 + exp(b2 - b3 x)), and -elu(-z) for z > 0 is 1 - exp(-z)."""
    given = nist.load(name)
    sigma = np.random.default_rng(0).uniform(0.5, 2.0, len(given.x))
    b = given.certified
    if name == "Rat42":
        start, hidden, fixed = [b[2], -b[1], b[0], 0.0], "logistic", "b2"

        def f(x, w, c, v):
            return v / (1 + np.exp(-(w * x + c)))

        def jac(x, w, c, v):
            s = 1 / (1 + np.exp(-(w * x + c)))
            return np.column_stack([v * s * (1 - s) * x, v * s * (1 - s), s])
    else:
        start, hidden, fixed = [-b[1], 0.0, -b[0], 0.0], "elu", ["b1", "b2"]

        def f(x, w, v):
            return v * np.expm1(w * x)

        def jac(x, w, v):
            return np.column_stack([v * x * np.exp(w * x), np.expm1(w * x)])

    net = fastmlp.Network([1, 1, 1], hidden=hidden)
    net.params = start
    free = [i for i in range(4) if not (i == 3 or (i == 1 and hidden == "elu"))]
    popt, pcov = scipy.optimize.curve_fit(
        f, given.x, given.y, np.array(start)[free], sigma, absolute, jac=jac, ftol=1e-15, xtol=1e-15, gtol=1e-15
    )
    net.fit(given.x[:, None], given.y, "lm", sigma=sigma, fixed=fixed, tol=1e-13, max_iter=500)
    assert np.allclose(net.params[free], popt, rtol=1e-8, atol=0)
    prior = dict.fromkeys(net.groups, 0.0) | dict.fromkeys([fixed] if isinstance(fixed, str) else fixed, np.inf)
    posterior = fastmlp.Laplace(
        net, given.x[:, None], given.y, sigma=sigma, absolute_sigma=absolute, prior_precision=prior
    )
    assert cases.relative_error(posterior.params_covariance[np.ix_(free, free)], pcov) < 1e-8


@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize("name", ["Gauss1", "Hahn1", "Chwirut2", "Nelson"])
def test_nists_problems_by_levenberg_marquardt_are_those_of_curve_fit(name, absolute):
    """Functions that are no networks: residuals over sigma, and the covariance from their Jacobian at the end.

    Problems at whose end curve_fit, which stops sooner, has a gradient that is small enough for these digits.
    """
    given, model = nist.load(name), nist.MODELS[name]
    sigma = np.random.default_rng(0).uniform(0.5, 2.0, len(given.y))

    def f(x, *b):
        return model(np.array(b), x)[0]

    def jac(x, *b):
        return np.column_stack(model(np.array(b), x)[1])

    popt, pcov = scipy.optimize.curve_fit(
        f, given.x, given.y, given.certified, sigma, absolute, jac=jac, ftol=1e-15, xtol=1e-15, gtol=1e-15
    )
    found = fastmlp.levenberg_marquardt(
        lambda b: (f(given.x, *b) - given.y) / sigma, lambda b: jac(given.x, *b) / sigma[:, None], given.starts[1]
    )
    assert np.allclose(found.x, popt, rtol=1e-8, atol=0)
    factor = 1.0 if absolute else 2 * found.cost / (len(given.y) - len(popt))
    _, s, V = np.linalg.svd(found.jac, full_matrices=False)
    assert cases.relative_error(factor * (V.T / s**2) @ V, pcov) < 1e-8


# ---- what is said of a fit ----


@pytest.mark.parametrize("outputs", [1, 2])
def test_equal_errors_change_no_verdict(outputs):
    """What a network and a straight line explain are shares, in any units of the errors."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    T = X @ rng.normal(size=(3, outputs)) + 0.1 * rng.normal(size=(60, outputs))
    net = fastmlp.Network([3, 4, outputs], rng=0)
    plain = functional.check_samples(net._architecture, X, T)
    for size in (1e-6, 1.0, 1e6):
        measured = functional.check_samples(net._architecture, X, T, None, np.full(T.shape, size))
        found = [
            explained.poor(net._architecture, each, reference.of(net._architecture, each), net.params, loss)
            for each, loss in ((plain, net.loss(X, T)), (measured, net.loss(X, T) / size**2))
        ]
        assert found[0] is not None
        assert np.allclose(found[0][:2], found[1][:2], rtol=1e-9)
        assert found[0].output == found[1].output


def test_a_straight_line_that_is_missed_is_told_of():
    """An output that the errors let be seen: the line explains what they are measured to, the network nothing."""
    rng = np.random.default_rng(0)
    X, sigma = rng.normal(size=(60, 1)), np.array([0.1, 10.0]) * rng.uniform(0.5, 2.0, (60, 2))
    T = X + sigma * rng.normal(size=(60, 2))
    net = fastmlp.Network([1, 3, 2], rng=0)
    net.params = np.zeros(net.n_params)
    samples = functional.check_samples(net._architecture, X, T, None, sigma)
    loss = net.objective(X, T, sigma=sigma).value(net.params)
    found = explained.poor(net._architecture, samples, reference.of(net._architecture, samples), net.params, loss)
    assert found.own < 0.05
    assert found.line > 0.9


# ---- what is refused ----


@pytest.mark.parametrize(
    ("sigma", "message"),
    [
        (np.ones(3), r"sigma: expected shape \(4,\) or \(4, 2\), got \(3,\)"),
        (np.ones((4, 1)), r"sigma: expected shape \(4,\) or \(4, 2\), got \(4, 1\)"),
        (np.zeros(4), r"sigma: expected numbers > 0, got 0\.0"),
        (np.full(4, -1.0), r"sigma: expected numbers > 0, got -1\.0"),
        ([1.0, np.nan, 1.0, 1.0], r"sigma: .*nan"),
        ([1.0, np.inf, 1.0, 1.0], r"sigma: .*inf"),
        (np.full(4, 1e-170), r"sigma: expected numbers whose squares float64 holds, got 1e-170; multiply T and sigma"),
        (np.full(4, 1e170), r"sigma: expected numbers whose squares float64 holds"),
        (["a"] * 4, r"sigma: expected real numbers"),
    ],
)
@pytest.mark.parametrize("call", ["fit", "objective", "Laplace", "fit_evidence"])
def test_wrong_errors_are_named(sigma, message, call):
    net, X, T = fastmlp.Network([1, 2, 2], rng=0), np.ones((4, 1)), np.ones((4, 2))
    calls = {
        "fit": net.fit,
        "objective": net.objective,
        "Laplace": lambda X, T, sigma: fastmlp.Laplace(net, X, T, sigma=sigma, prior_precision=1.0),
        "fit_evidence": lambda X, T, sigma: fastmlp.fit_evidence(net, X, T, sigma=sigma),
    }
    with pytest.raises((ValueError, TypeError), match=message):
        calls[call](X, T, sigma=sigma)


def test_only_squared_error_has_errors():
    net = fastmlp.Network([1, 2, 1], output="logistic", rng=0)
    with pytest.raises(ValueError, match="sigma: expected None for binary_cross_entropy"):
        net.fit([[0.0], [1.0]], [0.0, 1.0], sigma=[1.0, 1.0])


@pytest.mark.parametrize(
    ("dtype", "size", "sigma"),
    [("float32", 1e20, 1e-18), ("float32", 1e-15, 1e15), ("float64", 1e100, 1e-150), ("float64", 1e-100, 1e150)],
)
def test_errors_beyond_the_numbers_in_standardised_units_are_named(dtype, size, sigma):
    net, X, T, *_ = problem([2, 3, 1], "tanh", "identity", dtype=dtype)
    with pytest.raises(ValueError, match=rf"sigma: expected numbers whose squares {dtype} holds in standardised units"):
        net.fit(X, T * net.dtype.type(size), sigma=np.full(17, sigma), standardize=True)
