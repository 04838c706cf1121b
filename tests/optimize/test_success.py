"""Success of constants, and of data that float32 has lost; and what is advised, in the words of whoever has called."""

import warnings

import numpy as np
import pytest

import fastmlp
from cases import RESUMABLE
from fastmlp.errors import ScaleWarning
from fastmlp.estimators.arguments import SOLVERS
from fastmlp.optimize import reference
from fastmlp.optimize.explained import poor
from scale_cases import caught, explained, nearly_linear

X, Y = nearly_linear(7)


# ---- constant targets ----

CONSTANTS = {"0": 0.0, "0.3": 0.3, "12.5": 12.5, "-4e6": -4e6, "1e12": 1e12}


@pytest.mark.parametrize("method", RESUMABLE)
@pytest.mark.parametrize("case", CONSTANTS)
def test_a_constant_is_learnt_or_it_is_no_success(case, method):
    """Success is to come within a tenth of it, of a zero within a tenth of 1."""
    constant = CONSTANTS[case]
    net = fastmlp.Network([3, 4, 1], rng=3)
    res, _ = caught(net, X, np.full(200, constant), method, rng=0, max_iter=300)
    missed = np.sqrt(np.mean((net(X) - constant) ** 2))
    assert not res.success or missed <= 0.1 * (abs(constant) or 1.0)
    assert res.success or method in ("sgd", "adam", "rprop", "scg")


def test_minibatches_that_miss_a_constant_are_no_success():
    net = fastmlp.Network([3, 4, 1], rng=0)
    res, found = caught(net, X, np.full(200, 12.5), "adam", rng=0)
    assert np.abs(net(X) - 12.5).max() > 1.25
    assert not res.success
    assert res.message == "all epochs done, but the loss is above that of a constant"
    assert not found


@pytest.mark.parametrize("method", ["lm", "lbfgs"])
@pytest.mark.parametrize("case", ["0", "0.3", "12.5"])
def test_a_constant_among_targets_is_no_alarm(case, method):
    """Its rounding is not worse than a constant."""
    net = fastmlp.Network([3, 4, 2], rng=0)
    targets = np.c_[np.full(200, CONSTANTS[case]), Y]
    _, found = caught(net, X, targets, method)
    assert found == []
    if method == "lbfgs":  # which ends where its rounding leads, unless it is to go to the minimum
        net.fit(X, targets, method, tol=1e-5, max_iter=5000)
    assert np.abs(net(X)[:, 0] - CONSTANTS[case]).max() < (1e-4 if method == "lm" else 0.02)


def test_a_constant_that_is_missed_is_named():
    """No method of many steps misses it: here the network is taken away from it by hand."""
    targets = np.c_[Y, np.full(200, 3.0)]
    net = fastmlp.Network([3, 4, 2], rng=0)
    net.fit(X, targets, "lm")
    data = net.objective(X, targets).data
    constant = reference.of(net._architecture, data.samples)
    assert poor(net._architecture, data.samples, constant, net.params, data.value(net.params)) is None
    net.biases[-1][1] += 0.5
    found = poor(net._architecture, data.samples, constant, net.params, data.value(net.params))
    assert str(found) == "the network misses T[:,1], which is constant, by 0.5"


@pytest.mark.parametrize("K", [1, 2])
def test_a_constant_far_below_the_outputs_is_named(K):
    targets = np.c_[np.full(200, 1e-12), Y][:, :K]
    res, found = caught(fastmlp.Network([3, 4, K], rng=0), X, targets, "lm")
    assert res.success
    assert "T: column 0 is far below what the outputs start with: train with standardize=True" in found[0]
    net = fastmlp.Network([3, 4, K], rng=0)
    assert caught(net, X, targets, "lm", standardize=True, max_iter=300)[1] == []
    assert (net(X)[:, 0] == 1e-12).all()


def test_a_penalty_that_holds_a_constant_down_is_no_alarm():
    net = fastmlp.Network([3, 4, 2], rng=0)
    penalty = fastmlp.WeightDecay(300.0, 300.0)
    _, found = caught(net, X, np.c_[Y, np.full(200, 3.0)], "lm", penalty=penalty)
    assert abs(net(X)[:, 1].mean() - 3.0) > 0.3
    assert found == []


# ---- successes that are none ----


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize(("columns", "offset"), [("X", 1e7), ("X", 1e9), ("T", 1e9)])
def test_float32_that_has_lost_the_data_is_no_success(columns, offset, standardize, many):
    inputs, targets = X + offset * (columns == "X"), Y + offset * (columns == "T")
    for dtype in ("float32", "float64"):
        net = fastmlp.Network([3, 4, 1], dtype=dtype, rng=0)
        if many:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ScaleWarning)
                (res,) = fastmlp.fit_many([net], inputs, targets, standardize=standardize)
        else:
            res, found = caught(net, inputs, targets, "lm", standardize=standardize)
            assert len(found) == (dtype == "float32" or not standardize)
        if dtype == "float32":
            assert not res.success
            assert "converged to what float32 has left of the data" in res.message
            assert "a straight line 9" in res.message
        elif standardize:
            assert explained(net, inputs, targets) > 0.9


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("unit", [1e-43, 1e-60, 1e-200])
@pytest.mark.parametrize("columns", ["X", "T"])
def test_numbers_too_small_for_float32_are_named(columns, unit, standardize):
    """They are subnormal there, or zeros."""
    inputs, targets = X * (unit if columns == "X" else 1.0), Y * (unit if columns == "T" else 1.0)
    net = fastmlp.Network([3, 4, 1], dtype="float32", rng=0)
    res, found = caught(net, inputs, targets, "lm", standardize=standardize)
    assert not res.success
    text = "columns 0, 1, 2 are" if columns == "X" else "column 0 is"
    assert f"{columns}: {text} so small that float32 holds nothing of them, or little" in found[0]
    assert "multiply them by a number beforehand" in found[0]
    net = fastmlp.Network([3, 4, 1], rng=0)
    _, found = caught(net, inputs, targets, "lm", standardize=True)
    assert found == []
    size = unit if columns == "T" else 1.0
    assert np.corrcoef(net(inputs)[:, 0] / size, targets / size)[0, 1] ** 2 > 0.9


def test_rare_and_constant_columns_are_held_by_float32():
    inputs = np.c_[X[:, 0], np.arange(200) == 7, np.ones(200), np.zeros(200), np.full(200, 1e-50)]
    many = np.tile(inputs, (20, 1))
    many[:, 1] = np.arange(4000) == 777
    for data, targets in ((inputs, Y), (many, np.tile(Y, 20))):
        for standardize in (False, True):
            net = fastmlp.Network([5, 4, 1], dtype="float32", rng=0)
            assert caught(net, data, targets, "lbfgs", max_iter=20, standardize=standardize)[1] == []


def test_float32_that_has_learnt_them_all_the_same_is_a_success():
    net = fastmlp.Network([3, 4, 1], dtype="float32", rng=0)
    res, found = caught(net, X + 1e4, Y, "lm", standardize=True)
    assert res.success
    assert len(found) == 1
    assert explained(net, X + 1e4, Y) > 0.9


@pytest.mark.parametrize("many", [False, True])
def test_lists_weights_and_many_samples_are_looked_at_too(many):
    """Of 3,000 samples some are chosen; those without weight are not among them."""
    inputs, targets = np.tile(X, (15, 1)), np.tile(Y, 15)
    inputs[::3] *= 1e3
    weight = (np.arange(3000) % 3 > 0).astype(float).tolist()
    net = fastmlp.Network([3, 4, 1], dtype="float32", rng=0)
    data = (inputs + 1e9).tolist(), targets.tolist()
    fit = (lambda *a, **k: fastmlp.fit_many([net], *a, **k)[0]) if many else net.fit
    with pytest.warns(ScaleWarning, match="take dtype='float64'"):
        res = fit(*data, method="lm", sample_weight=weight, standardize=True)
    assert not res.success
    assert "a straight line 9" in res.message


# ---- in the caller's words ----

WILD = X * [1e5, 1e-3, 1.0], 1e5 * Y


def said_of(call):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        call()
    return [str(each.message) for each in found if each.category is ScaleWarning]


@pytest.mark.parametrize("method", SOLVERS)
def test_whoever_has_called_is_told_once_what_can_be_changed_there(method):
    networks = [fastmlp.Network([3, 4, 1], rng=seed) for seed in range(3)]
    (said,) = said_of(lambda: fastmlp.fit_many(networks, *WILD, method, max_iter=20))
    assert said.endswith("train with standardize=True, from new starting values (net.initialize())")
    (said,) = said_of(
        lambda: fastmlp.sweep(*WILD, [3, 4], n_starts=2, validation=0.3, method=method, max_iter=20, rng=0)
    )
    assert said.endswith("train with standardize=True")
    for n_init in (1, 3):
        estimator = fastmlp.MLPRegressor(
            hidden_layer_sizes=(4,), activation="tanh", solver=method, random_state=0, n_init=n_init, max_iter=20
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", fastmlp.ConvergenceWarning)
            (said,) = said_of(lambda estimator=estimator: estimator.fit(*WILD))
        assert said.endswith(": take standardize=True")


def test_an_estimator_has_no_network_in_hand():
    estimator = fastmlp.MLPRegressor(hidden_layer_sizes=(4,), activation="tanh", solver="lm", random_state=0)
    (said,) = said_of(lambda: estimator.fit((X + 1e7).astype(np.float32), Y))
    assert "give X in float64" in said
    assert "dtype=" not in said


@pytest.mark.parametrize(("output", "state"), [("identity", "out of all proportion"), ("logistic", "saturated")])
def test_without_hidden_layer_nothing_is_said_of_hidden_units(output, state):
    targets = Y if output == "identity" else (Y > 2.5).astype(float)
    _, found = caught(fastmlp.Network([3, 1], output=output, rng=0), 1e7 * X, targets, "lm", max_iter=20)
    assert f"are so large that outputs start out {state}" in found[0]
    _, found = caught(fastmlp.Network([3, 1], output=output, rng=0), 1e-7 * X, targets, "lm", max_iter=20)
    assert "are so small that outputs do not see them" in found[0]
