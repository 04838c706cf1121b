"""Derivatives of the targets as data of a fit: `derivatives=`, and the term it stands for, wherever terms go."""

import numpy as np
import pytest
import scipy.optimize

import fastmlp
from cases import network, relative_error
from fastmlp import TangentPropagation, WeightDecay
from tangent_cases import drawn, slopes, surface


def test_derivative_data_make_a_surrogate_of_few_samples():
    grid = np.random.default_rng(9).uniform(-1, 1, (1000, 2))
    ratios = []
    for seed in range(5):
        X = np.random.default_rng(seed).uniform(-1, 1, (15, 2))
        errors = []
        for derivatives in (None, ("inputs", slopes(X)[:, np.newaxis])):
            fits = []
            for start in range(3):
                net = fastmlp.Network([2, 10, 1], rng=start)
                result = net.fit(
                    X, surface(X), "lm", penalty=WeightDecay(1e-6, 1e-6), derivatives=derivatives, max_iter=300
                )
                fits.append((result.fun, np.sqrt(np.mean((net(grid)[:, 0] - surface(grid)) ** 2))))
            errors.append(min(fits)[1])
        ratios.append(errors[0] / errors[1])
    assert np.median(ratios) >= 4


def test_derivatives_of_a_fit_are_a_term_of_its_penalty():
    net = fastmlp.Network([2, 5, 1], rng=0)
    X = np.random.default_rng(0).uniform(-1, 1, (30, 2))
    d = slopes(X)
    ways = [
        {"derivatives": ("inputs", d[:, np.newaxis]), "derivative_weight": 0.3},
        {"derivatives": ("inputs", d), "derivative_weight": 0.3},
        {"derivatives": (np.eye(2), d[:, :, np.newaxis]), "derivative_weight": 0.3},
        {"derivatives": (np.eye(2), d), "derivative_weight": 0.3, "penalty": WeightDecay(0.0)},
        {"penalty": TangentPropagation("inputs", 0.3, of="outputs", targets=d)},
    ]
    ends = []
    for arguments in ways:
        other = net.copy()
        other.fit(X, surface(X), "lm", max_iter=10, **arguments)
        ends.append(other.params)
    assert all(relative_error(end, ends[0]) < 1e-9 for end in ends)


def test_auto_takes_tangents_for_what_they_are():
    net = fastmlp.Network([2, 5, 1], rng=0)
    X = np.random.default_rng(0).uniform(-1, 1, (30, 2))
    assert net.fit(X, surface(X), derivatives=("inputs", slopes(X)), max_iter=5).method == "lm"
    wide, X = fastmlp.Network([2, 100, 1], rng=0), np.random.default_rng(0).uniform(-1, 1, (1000, 2))
    assert wide.fit(X, surface(X), max_iter=0).method == "lm"
    assert wide.fit(X, surface(X), derivatives=("inputs", slopes(X)), max_iter=0).method == "lbfgs"


def test_many_networks_are_trained_one_by_one():
    X = np.random.default_rng(0).uniform(-1, 1, (30, 2))
    penalty = TangentPropagation("inputs", 0.3, targets=slopes(X))
    nets = [fastmlp.Network([2, 4, 1], rng=seed) for seed in (0, 1)]
    alone = [net.copy() for net in nets]
    fastmlp.fit_many(nets, X, surface(X), "lbfgs", penalty=penalty, max_iter=20)
    for net, other in zip(nets, alone, strict=True):
        other.fit(X, surface(X), "lbfgs", penalty=penalty, max_iter=20)
        assert relative_error(net.params, other.params) < 1e-6


def test_pruning_keeps_the_term():
    net = fastmlp.Network([2, 5, 1], rng=0)
    X = np.random.default_rng(0).uniform(-1, 1, (60, 2))
    penalty = WeightDecay(1e-2, 1e-2) + TangentPropagation("inputs", 0.3, targets=slopes(X))
    net.fit(X, surface(X), "lm", penalty=penalty)
    found = fastmlp.saliencies(net, X, surface(X), "obd", penalty=penalty)
    A = net.objective(X, surface(X), penalty=penalty).hess(net.params)
    rises = dict(zip(found.names, found.rise, strict=True))
    assert rises["W1[2,1]"] == pytest.approx(0.5 * A[5, 5] * net.weights[0][2, 1] ** 2, rel=1e-9)


def test_least_squares_of_scipy_takes_the_rows():
    net = fastmlp.Network([2, 4, 1], rng=0)
    X = np.random.default_rng(0).uniform(-1, 1, (30, 2))
    penalty = TangentPropagation("inputs", 0.3, targets=slopes(X)) + WeightDecay(1e-3)
    objective = net.objective(X, surface(X), penalty=penalty)
    found = scipy.optimize.least_squares(
        objective.residuals, objective.x0, objective.residual_jac, ftol=1e-15, xtol=1e-15, gtol=1e-8
    )
    assert abs(objective.grad(found.x)).max() < 1e-6


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"derivatives": "inputs"}, TypeError, "derivatives: expected a pair"),
        ({"derivatives": ("inputs",)}, ValueError, "derivatives: expected a pair .* got 1 items"),
        ({"derivatives": ("inputs", None)}, TypeError, "derivatives: targets: expected an array"),
        ({"derivatives": ("inputs", np.ones((20, 2, 4)))}, ValueError, "derivatives: targets: expected shape"),
        (
            {"derivatives": (np.ones((5, 1, 3)), np.ones((20, 1, 2)))},
            ValueError,
            "derivatives: directions: expected a row",
        ),
        ({"derivatives": ("inputs", np.ones((20, 2, 3))), "derivative_weight": -1}, ValueError, "derivative_weight"),
        ({"derivative_weight": 2.0}, ValueError, "derivative_weight: expected with derivatives only"),
    ],
)
def test_derivatives_of_a_fit_are_checked(arguments, error, message):
    net = network([3, 4, 2])
    X, T, *_ = drawn(net)
    with pytest.raises(error, match=message):
        net.fit(X, T, **arguments)
