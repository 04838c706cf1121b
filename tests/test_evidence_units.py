"""The evidence in the user's units: exact at any scale, the same in all, and what it says of data out of reach."""

import copy
import pickle

import numpy as np
import pytest

import fastmlp
from cases import relative_error
from fastmlp import datasets
from posterior_cases import NEW, X_NEW, A, B, C, D, N, T, U, V, X


def ridge(S, Z, alpha_w, alpha_b, beta):
    """Ln p(Z) of Bayesian linear regression with an intercept, in closed form; and its mean and variances at S."""
    design = np.column_stack([S, np.ones(len(S))])
    alpha = np.append(np.full(S.shape[1], alpha_w), alpha_b)
    covariance = np.eye(len(S)) / beta + design / alpha @ design.T
    log_density = -0.5 * (Z @ np.linalg.solve(covariance, Z) + np.linalg.slogdet(2 * np.pi * covariance)[1])
    precision = beta * design.T @ design + np.diag(alpha)
    mean = beta * design @ np.linalg.solve(precision, design.T @ Z)
    return log_density, mean, 1 / beta + np.einsum("np,pq,nq->n", design, np.linalg.inv(precision), design)


@pytest.mark.parametrize("unit", [1e-150, 1e-9, 1e-6, 1e-3, 1.0, 1e2, 1e5, 1e9, 1e150])
@pytest.mark.parametrize("offset", [0.0, 2.5, 1e3])
def test_without_hidden_layer_it_is_bayesian_regression_at_every_scale(unit, offset):
    t = unit * (1.5 * U[:, 0] - 0.5 * U[:, 1] + offset + 0.3 * V[:, 1])
    inputs = np.column_stack([1e5 * U[:, 0] + 3e5, 1e-8 * U[:, 1]])
    net = fastmlp.Network([2, 1], rng=0)
    posterior = fastmlp.fit_evidence(net, inputs, t, tol=1e-10)
    S, c = (inputs - inputs.mean(axis=0)) / inputs.std(axis=0), (t / unit).std() * unit
    alpha = posterior.group_precisions
    Z = (t / unit - (t / unit).mean()) / (t / unit).std()
    log_density, mean, variance = ridge(S, Z, alpha["W1"], min(alpha["b1"], 1e300), posterior._posterior.beta)
    assert posterior.converged
    assert posterior.noise_precision * c * c == pytest.approx(posterior._posterior.beta, rel=1e-9)
    assert posterior.log_evidence == pytest.approx(log_density - N * np.log(c), abs=1e-7)
    outputs, variances = posterior.predict(inputs)
    assert np.abs((outputs[:, 0] / unit - (t / unit).mean()) / (t / unit).std() - mean).max() < 1e-8
    if 1e-100 < unit < 1e100:
        assert relative_error(variances[:, 0] / c**2, variance) < 1e-8
    assert relative_error(net(inputs), outputs) < 1e-8


def problem(name):
    if name == "yacht":
        inputs, targets, *_ = datasets.load_yacht()
        return inputs[::2], np.log(targets[::2])[:, None], [6, 4, 1]
    return U, V, [3, 4, 2]


@pytest.mark.parametrize("groups", ["layers", "all", "ard"])
@pytest.mark.parametrize("name", ["yacht", "two outputs"])
def test_powers_of_two_change_no_bit(name, groups):
    inputs, targets, layers = problem(name)
    rng = np.random.default_rng(0)
    a, c = (2.0 ** rng.integers(-26, 27, size=array.shape[1]) for array in (inputs, targets))
    nets = [fastmlp.Network(layers, rng=1) for _ in range(2)]
    one = fastmlp.fit_evidence(nets[0], inputs, targets, groups)
    two = fastmlp.fit_evidence(nets[1], inputs * a, targets * c, groups)
    assert np.array_equal(one.prior_precision, two.prior_precision)
    assert np.array_equal(one._posterior.params, two._posterior.params)
    (mean, variance), (scaled, scaled_variance) = one.predict(inputs), two.predict(inputs * a)
    assert np.array_equal(scaled / c, mean)
    assert np.array_equal(scaled_variance / c**2, variance)
    assert two.log_evidence == pytest.approx(one.log_evidence - len(inputs) * np.log(c).sum(), rel=1e-12)
    assert np.array_equal(nets[1].rescale_inputs(1 / a).rescale_outputs(1 / c).params, nets[0].params)


@pytest.mark.parametrize(
    ("method", "noise"), [("maximum", "shared"), ("fixed_point", "shared"), ("maximum", "per_output")]
)
@pytest.mark.parametrize("groups", ["layers", "all", "ard"])
def test_other_units_and_offsets_change_nothing(groups, method, noise):
    """Where paths end at a maximum; at an edge rounding may choose another point, as good as this one.

    Plain re-estimation with a noise of each output creeps on here, for weights into hidden units that shrink and those
    out of them that grow: these targets are lines.
    """
    (inputs, targets, _), layers = problem("two outputs"), [3, 3, 2]
    options = {"tol": 1e-6, "noise": noise}
    one = fastmlp.fit_evidence(fastmlp.Network(layers, rng=1), inputs, targets, groups, method, **options)
    two = fastmlp.fit_evidence(
        fastmlp.Network(layers, rng=1), A * inputs + B, C * targets + D, groups, method, **options
    )
    assert one.stationary == two.stationary == method
    assert one.pruned == two.pruned
    assert two.log_evidence == pytest.approx(one.log_evidence - N * np.log(C).sum(), abs=1e-4)
    (mean, variance), (scaled, scaled_variance) = one.predict(NEW), two.predict(X_NEW)
    assert np.abs((scaled - D) / C - mean).max() < 1e-4
    assert np.abs(np.sqrt(scaled_variance) / C - np.sqrt(variance)).max() < 1e-4


def test_starts_sizes_and_mixtures_too():
    inputs, targets = U[:, :2], V[:, :1]
    settings = {"hidden": [1, 3], "n_starts": 2, "rng": 0, "max_iter": 60}
    one, two = (
        fastmlp.fit_evidence(fastmlp.Network([2, 2, 1], rng=1), x, t, combine="average", **settings)
        for x, t in ((inputs, targets), (2.0**20 * inputs, 2.0**-30 * targets))
    )
    assert len(one.starts) == 4
    shift = N * 30 * np.log(2)
    for here, there in zip(one.starts, two.starts, strict=True):
        assert there.log_evidence == pytest.approx(here.log_evidence + shift, rel=1e-12)
    (mean, variance), (scaled, scaled_variance) = one.predict(NEW[:, :2]), two.predict(2.0**20 * NEW[:, :2])
    assert np.array_equal(2.0**30 * scaled, mean)
    assert np.array_equal(2.0**60 * scaled_variance, variance)


def test_a_network_and_its_posterior_go_on_in_the_same_units():
    net = fastmlp.Network([3, 4, 2], rng=1)
    posterior = fastmlp.fit_evidence(net, X, T, tol=1e-6)
    assert np.array_equal(net.units.as_array(), posterior.units.as_array())
    assert net == posterior.network
    start = net.copy().fit(X, T, "lm", standardize=True, max_iter=0)
    error = (posterior.network(X) - T) / T.std(axis=0)
    assert start.fun == pytest.approx(0.5 * (error**2).sum(), rel=1e-9)
    assert posterior.history["noise_precision"].shape == (len(posterior.history["log_evidence"]), 2)
    laplace = fastmlp.Laplace(net, X, T, prior_precision=posterior.prior_precision,
                              noise_precision=posterior.noise_precision, standardize=True)  # fmt: skip
    assert laplace.log_evidence == pytest.approx(posterior.log_evidence, abs=1e-6)
    back = pickle.loads(pickle.dumps(copy.deepcopy(posterior)))
    assert np.array_equal(back.predict(X_NEW), posterior.predict(X_NEW))


def test_raw_units_are_still_there():
    net = fastmlp.Network([3, 2, 1], rng=1)
    posterior = fastmlp.fit_evidence(net, U, V[:, 0], standardize=False)
    assert posterior.units is None is net.units
    plain = fastmlp.Laplace(net, U, V[:, 0], prior_precision=posterior.prior_precision,
                            noise_precision=posterior.noise_precision)  # fmt: skip
    assert plain.log_evidence == posterior.log_evidence


@pytest.mark.parametrize("unit", [1e-6, 1e-4, 30.0, 1e3, 1e5])
def test_the_model_is_not_thrown_away_in_other_units(unit):
    """The posterior of the same data in other units is known: its evidence is less by N ln of the unit."""
    t = 2.5 + V[:, 0]
    one = fastmlp.fit_evidence(fastmlp.Network([3, 3, 1], rng=1), U, t)
    two = fastmlp.fit_evidence(fastmlp.Network([3, 3, 1], rng=1), U, unit * t)
    assert two.converged
    assert two.pruned == one.pruned
    assert two.log_evidence == pytest.approx(one.log_evidence - N * np.log(unit), abs=1e-4)
    assert np.mean((two.network(U)[:, 0] / unit - t) ** 2) < 0.03 * t.var()
    assert two.noise_precision * unit**2 == pytest.approx(one.noise_precision, rel=1e-4)


@pytest.mark.parametrize("offset", [1e3, 1e5, 1e6, 1e7])
def test_an_offset_is_no_signal(offset):
    t = V[:, 0]
    one = fastmlp.fit_evidence(fastmlp.Network([3, 3, 1], rng=0), U, t)
    two = fastmlp.fit_evidence(fastmlp.Network([3, 3, 1], rng=0), U + offset, offset + t)
    slack = 1e3 * np.finfo(float).eps * offset / min(t.std(), *U.std(axis=0))
    (mean, variance), (other, other_variance) = one.predict(NEW), two.predict(NEW + offset)
    assert np.abs(other - offset - mean).max() < slack * t.std()
    assert np.abs(np.sqrt(other_variance) - np.sqrt(variance)).max() < slack * t.std()


# ---- what is said ----


@pytest.mark.parametrize("fault", ["weights", "units"])
def test_evidence_that_learns_nothing_of_a_line_says_so(fault):
    inputs, target = (X, T[:, 0]) if fault == "weights" else (U, 1e10 * (U[:, 0] + 0.1 * V[:, 0]))
    options = {"sample_weight": np.full(N, 1 / N)} if fault == "weights" else {"standardize": False}
    expected = {"weights": "sample_weight counts samples, and adds up to 1 for 60 of them", "units": "standardize=True"}
    with pytest.warns(fastmlp.ConvergenceWarning, match=rf"a straight line \d.*{expected[fault]}"):
        fastmlp.fit_evidence(fastmlp.Network([3, 2, 1], rng=0), inputs, target, **options)


def test_noise_alone_is_no_fault_of_the_evidence():
    for seed in range(5):
        noise = np.random.default_rng(seed).normal(size=20)
        fastmlp.fit_evidence(fastmlp.Network([3, 2, 1], rng=seed), X[:20], noise)  # warnings are errors


def test_evidence_says_what_float32_and_rounding_leave():
    """The posterior is in float64 and right; the network that it is handed to is not."""
    rng = np.random.default_rng(0)
    stamps = 1.7e9 + 30 * rng.normal(size=(80, 1))
    target = np.sin((stamps[:, 0] - 1.7e9) / 30) + 0.1 * rng.normal(size=80)
    with pytest.warns(fastmlp.ScaleWarning, match=r"X: column 0 is more than 1000 standard deviations from .*float64"):
        fastmlp.fit_evidence(fastmlp.Network([1, 4, 1], dtype="float32", rng=0), stamps, target)
    fastmlp.fit_evidence(fastmlp.Network([1, 4, 1], rng=0), stamps, target)
    near = 1.7e9 + 4e-6 * rng.normal(size=(80, 1))
    with pytest.warns(fastmlp.ScaleWarning, match="values are next to each other, and counts as constant"):
        fastmlp.fit_evidence(fastmlp.Network([1, 4, 1], rng=0), near, target)
    with (
        pytest.warns(fastmlp.ScaleWarning, match=r"T: column 0 .* counts as constant"),
        pytest.raises(ValueError, match=r"constant ones, up to rounding; if they vary, subtract their offset"),
    ):
        fastmlp.fit_evidence(fastmlp.Network([3, 2, 1], rng=0), U, 1e9 + 1e-6 * V[:, 0])
