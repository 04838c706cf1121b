"""Fits that explain less than a straight line or a constant, at all outputs or at one; and where there is no alarm."""

import numpy as np
import pytest

import fastmlp
from fastmlp.errors import ScaleWarning
from fastmlp.optimize import reference
from fastmlp.optimize.explained import poor
from scale_cases import caught, explained, nearly_linear

rng = np.random.default_rng(1)
X, Y = nearly_linear(0)


# ---- after a success that is none ----


@pytest.mark.filterwarnings("ignore::fastmlp.errors.IdenticalUnitsWarning")
def test_a_constant_that_a_line_beats_is_told_by_their_shares():
    u = (Y - Y.mean()) / Y.std()
    A = np.c_[X, np.ones(200)]
    line = 1 - np.sum((u - A @ np.linalg.lstsq(A, u, rcond=None)[0]) ** 2) / np.sum(u**2) * 199 / 196
    for options in ({}, {"standardize": True}):
        net = fastmlp.Network([3, 4, 1], rng=0, init="zeros")
        res, found = caught(net, X, u, "lbfgs", **options)
        assert res.success
        assert f"explains 0.0% of the variation of the targets, a straight line {line:.1%}: " in found[0]
        assert ("standardize=True" in found[0]) != bool(options)


@pytest.mark.filterwarnings("ignore::fastmlp.errors.IdenticalUnitsWarning")
@pytest.mark.parametrize("output", ["softmax", "logistic", "exp"])
def test_classes_and_counts_too(output):
    T = np.eye(2)[(X[:, 0] > 0).astype(int)] if output != "exp" else rng.poisson(np.exp(1 + X[:, :2]))
    T[-1] = T[0]
    net = fastmlp.Network([3, 4, 2], output=output, rng=0, init="zeros")
    net.biases[1][...] = (
        np.log(T.mean(axis=0)) if output != "logistic" else np.log(T.mean(axis=0) / (1 - T.mean(axis=0)))
    )
    with pytest.warns(ScaleWarning, match=r"explains 0.0% of .* a straight line [3-8]\d"):
        assert net.fit(X, T, "lbfgs").success


@pytest.mark.filterwarnings("ignore::fastmlp.errors.IdenticalUnitsWarning")
def test_nothing_is_said_where_parameters_are_held():
    net = fastmlp.Network([3, 4, 1], rng=0, init="zeros")
    assert caught(net, X, Y, "lbfgs", fixed=["W1", "W2"])[1] == []


@pytest.mark.parametrize("unit", [1e-3, 1e-6])
def test_a_decay_that_is_strong_in_the_users_units_only_is_no_excuse(unit):
    rng = np.random.default_rng(0)
    inputs = unit * rng.normal(size=(150, 2))
    targets = inputs @ [1.0, 0.5] + 0.02 * unit * rng.normal(size=150)
    options = {"method": "lm", "penalty": fastmlp.WeightDecay(1e-3)}
    _, found = caught(fastmlp.Network([2, 4, 1], rng=0), inputs, targets, **options)
    assert "standardize=True" in found[0]
    assert caught(fastmlp.Network([2, 4, 1], rng=0), inputs, targets, standardize=True, **options)[1] == []
    strong = {"method": "lm", "penalty": fastmlp.WeightDecay(1e4)}
    u, v = inputs / unit, targets / unit
    assert caught(fastmlp.Network([2, 4, 1], rng=0), u, v, **strong)[1] == []


# ---- outputs, one by one ----


SIGNALS = np.c_[np.sin(X[:, 0]) + X[:, 1], X[:, 2] + 0.3 * np.tanh(X[:, 0])] + 0.05 * rng.normal(size=(200, 2))


@pytest.mark.parametrize(
    ("scales", "method", "hidden", "penalty"),
    [((1, 1e-2), "adam", "relu", None), ((20, 1e-3), "lm", "tanh", fastmlp.WeightDecay(1e-3))],
)
def test_an_output_that_was_not_learnt_is_named(scales, method, hidden, penalty):
    net = fastmlp.Network([3, 6, 2], hidden=hidden, rng=0)
    res, said = caught(net, X, SIGNALS * scales, method, penalty=penalty, rng=0)
    assert res.success
    assert "T[:,1]" in said[0]
    assert "standardize=True" in said[0]


def test_outputs_of_noise_are_not_looked_for():
    for seed in range(20):
        noise = np.random.default_rng(seed).normal(size=(25, 5))
        net = fastmlp.Network([3, 2, 5], rng=seed)
        _, said = caught(net, X[:25], noise, "lm", standardize=True, penalty=fastmlp.WeightDecay(3.0))
        assert not said


def test_an_output_worse_than_a_constant_is_named():
    targets = np.c_[np.tanh(X[:, 0]), 0.02 * X[:, 1] * X[:, 2]]
    net = fastmlp.Network([3, 5, 2], rng=0)
    net.fit(X, targets, "lm", penalty=fastmlp.WeightDecay(1e-3))
    data = net.objective(X, targets).data
    constant = reference.of(net._architecture, data.samples)
    assert poor(net._architecture, data.samples, constant, net.params, data.value(net.params)) is None
    net.biases[-1][1] += 0.1
    found = poor(net._architecture, data.samples, constant, net.params, data.value(net.params))
    assert str(found) == "the network is worse than a constant at T[:,1]"


# ---- no alarm ----


def test_kinks_on_the_unit_interval_are_no_alarm():
    inputs = np.random.default_rng(0).normal(size=(500, 4))
    targets = np.tanh(inputs[:, 0]) + inputs[:, -1]
    targets = (targets - targets.mean()) / targets.std()
    inputs = (inputs - inputs.min(axis=0)) / np.ptp(inputs, axis=0)
    for seed in range(10):
        net = fastmlp.Network([4, 20, 1], hidden="relu", rng=seed)
        _, said = caught(net, inputs, targets, "adam", rng=0)
        assert not said
        assert explained(net, inputs, targets) > 0.95


def test_samples_without_weight_are_not_looked_at():
    draw = np.random.default_rng(0)
    inputs = draw.normal(size=(10_000, 3))
    targets = np.c_[inputs[:, 0], inputs[:, 1] * inputs[:, 2]] + 0.2 * draw.normal(size=(10_000, 2))
    weight = (np.arange(10_000) % 5 != 0).astype(float)  # a fold: each sample of some evenly taken ones
    _, said = caught(fastmlp.Network([3, 3, 2], rng=0), inputs, targets, "lm", sample_weight=weight, max_iter=20)
    assert not said
    for seed in range(20):  # noise, of which 13 samples count
        draw = np.random.default_rng(seed)
        inputs, targets, weight = draw.normal(size=(300, 8)), draw.normal(size=300), np.zeros(300)
        weight[:13] = 1
        net = fastmlp.Network([8, 1, 1], hidden="relu", rng=seed)
        assert not caught(net, inputs, targets, "lbfgs", sample_weight=weight)[1]


@pytest.mark.parametrize("hidden", ["identity", "tanh"])
def test_bottlenecks_are_compared_with_lines_of_their_rank(hidden):
    """At the optimum, which is that of two principal components, the column of noise is lost."""
    draw = np.random.default_rng(0)
    inputs = np.c_[
        draw.normal(size=(300, 2)) @ draw.normal(size=(2, 7)) + 0.2 * draw.normal(size=(300, 7)), draw.normal(size=300)
    ]
    inputs = (inputs - inputs.mean(axis=0)) / inputs.std(axis=0)
    net = fastmlp.Network([8, 2, 8], hidden=hidden, rng=0)
    res, said = caught(net, inputs, inputs, "lm", standardize=True, max_iter=3000)
    assert not said
    if hidden == "identity":
        least = 0.5 * np.sum(np.linalg.svd(inputs, compute_uv=False)[2:] ** 2)
        assert res.fun == pytest.approx(least, rel=1e-9)


def test_data_with_a_period_are_looked_at_by_chance():
    draw = np.random.default_rng(0)
    x, odd = draw.normal(size=4000), np.arange(4000) % 2
    targets = np.c_[np.where(odd, 3 * np.sin(2 * x) + 5, 0.1 * x), np.sin(x)] + 0.02 * draw.normal(size=(4000, 2))
    net = fastmlp.Network([2, 5, 2], rng=0)
    _, said = caught(net, np.c_[x, odd], targets, "adam", standardize=True, rng=0)
    assert not said


@pytest.mark.parametrize(("n_samples", "n_inputs", "n_outputs"), [(8, 5, 8), (12, 8, 6), (10, 6, 1)])
def test_few_samples_of_noise_are_no_line(n_samples, n_inputs, n_outputs):
    alarms = 0
    for seed in range(30):
        draw = np.random.default_rng(seed)
        inputs, targets = draw.normal(size=(n_samples, n_inputs)), draw.normal(size=(n_samples, n_outputs))
        net = fastmlp.Network([n_inputs, 1, n_outputs], hidden="relu", rng=seed)
        alarms += bool(caught(net, inputs, targets, "lm")[1])
    assert alarms <= 1
