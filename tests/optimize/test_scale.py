"""Success that means something: ScaleWarning where data are out of a network's reach, and only there."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_digits

import fastmlp
from cases import MINIBATCH, RESUMABLE, WITH_GRADIENT
from fastmlp.errors import ScaleWarning
from fastmlp.optimize import reference
from fastmlp.optimize.explained import poor

rng = np.random.default_rng(0)
X = rng.normal(size=(200, 3))
Y = 2.5 + 0.8 * np.tanh(X[:, 0] + 0.5 * X[:, 1]) + 0.3 * X[:, 2] + 0.1 * rng.normal(size=200)  # a line has R2 = 0.88
GRID = np.linspace(0, 10, 101)[:, None]
UNITS = np.array([1e5, 1e-3, 1.0])
DIGITS = load_digits()


def explained(net, inputs, targets):
    return 1 - np.sum((net(inputs)[:, 0] - targets) ** 2) / np.sum((targets - targets.mean()) ** 2)


def caught(net, *arguments, **options):
    """The result of a fit and the texts of its warnings."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        res = net.fit(*arguments, **options)
    found = [each for each in found if each.category is ScaleWarning]
    assert len(found) <= 1
    return res, [str(each.message) for each in found]


# ---- no success in silence ----

RAW = {
    **{f"sin {scale:g}": (GRID, scale * np.sin(GRID[:, 0])) for scale in (1e-12, 1e-10, 1e-6, 1.0, 1e3, 1e6)},
    "house prices": (X, 1e5 * Y),
    "inputs 1e5 and 1e-3": (X * UNITS, Y),
    "inputs 1e5 and 1e-3, prices": (X * UNITS, 1e5 * Y),
    "large inputs": (1e6 * X, Y),
    "small inputs": (1e-7 * X, Y),
    "years": (X + np.array([0.0, 2000.0, 0.0]), Y),
    "a sensor's offset": (X + 1e4, Y),
    "an offset of the targets": (X, Y + 1e4),
    "a large offset of the targets": (X, Y + 1e7),
    "targets of 1e-9": (X, 1e-9 * Y),
    "small inputs far from zero": (1e-3 * X + 50.0, Y),
    "all of it": (X * UNITS + 1e6 * UNITS, 1e8 * Y - 1e10),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("method", ["auto", *RESUMABLE])
@pytest.mark.parametrize("case", RAW)
def test_none_succeeds_in_silence_where_a_straight_line_does_better(case, method, dtype):
    inputs, targets = RAW[case]
    line = np.c_[inputs - inputs.mean(axis=0), np.ones(len(inputs))]
    residuals = targets - line @ np.linalg.lstsq(line, targets, rcond=1e-14)[0]
    bound = 0.5 * min(1.0, (1 - residuals.var() / targets.var()) / 0.88)
    for seed in range(3):
        net = fastmlp.Network([inputs.shape[1], 15 if inputs is GRID else 4, 1], dtype=dtype, rng=seed)
        res, found = caught(net, inputs, targets, method, max_iter=300, rng=0)
        assert found or not res.success or explained(net, inputs, targets) >= bound


@pytest.mark.parametrize("case", RAW)
def test_standardised_they_are_learned(case):
    inputs, targets = RAW[case]
    net = fastmlp.Network([inputs.shape[1], 4, 1], rng=0)
    _, found = caught(net, inputs, targets, max_iter=300, standardize=True)
    assert not found
    if inputs is not GRID:
        assert explained(net, inputs, targets) > 0.95
    _, found = caught(net, inputs, targets, max_iter=300)  # from parameters that know the units
    assert not found


@pytest.mark.parametrize("method", ["lm", "lbfgs"])
def test_raw_targets_of_1e6_can_converge(method):
    n_converged = 0
    R = np.abs(1e6 * (Y - Y.mean())).sum()
    for seed in range(5):
        net = fastmlp.Network([3, 2, 1], hidden="silu", rng=seed)
        res, _ = caught(net, X, 1e6 * Y, method, max_iter=5000)
        assert res.success == (np.abs(net.loss_and_grad(X, 1e6 * Y)[1]).max() <= 1e-8 * R)
        n_converged += res.success and explained(net, X, 1e6 * Y) > 0.85
    assert n_converged >= 3


@pytest.mark.parametrize(("method", "least"), [("lm", 0.85), ("lbfgs", 0.5)])
def test_targets_of_1e_10_are_trained(method, least):
    net = fastmlp.Network([3, 4, 1], hidden="relu", rng=0)
    with pytest.warns(ScaleWarning, match="T: column 0 is far below what the outputs start with"):
        net.fit(X, 1e-10 * Y, method, max_iter=2000)
    assert explained(net, X, 1e-10 * Y) > least


# ---- which columns ----

NAMED = {
    "steep": (X * [1.0, 1e5, 1.0], Y, "X: column 1 is so large that hidden units start out saturated"),
    "steep, two": (X * [1e4, 1.0, 1e4], Y, "X: columns 0, 2 are so large that hidden units start out saturated"),
    "far": (
        X + np.array([0.0, 0.0, 2000.0]),
        Y,
        "X: column 2 is so far from zero that hidden units start out as constants",
    ),
    "faint": (X * [1e-5, 1.0, 1.0], Y, "X: column 0 is so small that hidden units do not see them"),
    "all faint": (X * 1e-5, Y, "X: columns 0, 1, 2 are so small that hidden units do not see them"),
    "high": (X, 1e4 * Y, "T: column 0 is out of the outputs' reach"),
    "far off": (X, 1e5 + Y, "T: column 0 is out of the outputs' reach"),
    "low": (X, 1e-9 * Y, "T: column 0 is far below what the outputs start with"),
    "one output": (X, np.c_[Y, 1e5 * Y, Y], "T: column 1 is out of the outputs' reach"),
}


@pytest.mark.parametrize("case", NAMED)
def test_columns_are_named_as_the_user_counts_them(case):
    inputs, targets, text = NAMED[case]
    net = fastmlp.Network([3, 4, targets.ndim if targets.ndim == 1 else 3], rng=0)
    _, found = caught(net, inputs, targets, max_iter=50)
    assert [each.split(" from the start")[0].split(": train with standardize")[0] for each in found] == [text]
    assert "standardize=True" in found[0]


def test_one_warning_names_them_all():
    net = fastmlp.Network([3, 4, 1], rng=0)
    _, found = caught(net, X * [1e5, 1.0, 1.0] + [0.0, 3e3, 0.0], 1e9 * Y)
    assert len(found) == 1
    assert all(f" column {column} " in found[0] for column in (0, 1))
    assert "T: column 0" in found[0]


def test_many_columns_are_counted():
    net = fastmlp.Network([64, 4, 10], output="softmax", rng=0)
    _, found = caught(net, 1e4 * DIGITS.data, DIGITS.target, "lbfgs", max_iter=20)
    assert "(" in found[0]
    assert " of them) are so large" in found[0]


def test_weights_tell_which_samples_count():
    inputs, weight = np.r_[X, 1e9 * X[:5]], np.r_[np.ones(200), np.zeros(5)]
    net = fastmlp.Network([3, 4, 1], rng=0)
    assert caught(net, inputs, np.r_[Y, 1e9 * Y[:5]], sample_weight=weight)[1] == []


# ---- where it is said ----


def test_the_line_that_called_is_named():
    inputs = 1e5 * X
    estimator = fastmlp.MLPRegressor(hidden_layer_sizes=4, activation="tanh", solver="lm", random_state=0)
    calls = [
        lambda: fastmlp.Network([3, 4, 1], rng=0).fit(inputs, Y, max_iter=20),
        lambda: fastmlp.fit_many([fastmlp.Network([3, 4, 1], rng=0)], inputs, Y, max_iter=20),
        lambda: fastmlp.fit_many([fastmlp.Network([3, 4, 1], rng=0)], inputs, Y, "scg", max_iter=20),
        lambda: fastmlp.sweep(inputs, Y, [3, 4], n_starts=2, validation=0.3, max_iter=20, rng=0),
        lambda: estimator.set_params(n_init=1).fit(inputs, Y),
        lambda: estimator.set_params(n_init=3).fit(inputs, Y),
    ]
    for call in calls:
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            call()
        said = [each for each in found if each.category is ScaleWarning]
        assert [each.filename for each in said] == [__file__]


# ---- not where there is no need ----


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("method", RESUMABLE)
def test_noise_is_no_matter_of_scale(method, seed):
    noise = np.random.default_rng(seed).normal(size=200)
    caught_text = caught(fastmlp.Network([3, 4, 1], rng=seed), X, noise, method, rng=0)[1]
    assert caught_text == []


SANE = {
    "uniform": (rng.uniform(size=(200, 3)), Y),
    "percent": (rng.uniform(0, 100, (200, 3)), Y),
    "a constant column": (np.c_[X[:, :2], np.ones(200)], Y),
    "a column of zeros": (np.c_[X[:, :2], np.zeros(200)], Y),
    "one-hot": (np.eye(3)[rng.integers(0, 3, 200)], Y),
    "a rare category": (np.c_[X[:, :2], np.arange(200) == 7], Y),
    "two samples": (X[:2], Y[:2]),
    "one sample": (X[:1], Y[:1]),
    "equal targets": (X, np.full(200, 12.5)),
    "targets of ten": (X, 10 * Y),
    "a faint column that tells nothing": (X * [1.0, 1.0, 1e-6], X[:, 0]),
}


@pytest.mark.parametrize("hidden", ["tanh", "relu", "logistic", "softplus"])
@pytest.mark.parametrize("method", ["lm", "lbfgs"])
@pytest.mark.parametrize("case", SANE)
def test_nothing_is_said_of_sane_data(case, method, hidden):
    inputs, targets = SANE[case]
    for seed in range(3):
        net = fastmlp.Network([3, 4, 1], hidden=hidden, rng=seed)
        assert caught(net, inputs, targets, method, max_iter=100)[1] == []


def test_a_strong_penalty_is_no_matter_of_scale():
    net = fastmlp.Network([3, 4, 1], rng=0)
    res, found = caught(net, X, Y, penalty=fastmlp.WeightDecay(1e4))
    assert res.success
    assert explained(net, X, Y) < 0.1
    assert found == []


def test_parts_of_a_training_are_not_judged():
    net, other = fastmlp.Network([3, 4, 1], rng=0), fastmlp.Network([3, 4, 1], rng=0)
    for _ in range(5):
        assert caught(net, 1e5 * X, 1e6 * Y, "lm", max_iter=1)[1] == []
    res, found = caught(other, 1e5 * X, 1e6 * Y, "adam", max_iter=20)
    assert len(found) == 1
    assert caught(other, 1e5 * X, 1e6 * Y, "adam", max_iter=20, warm_start=res)[1] == []


def test_pixels_of_digits_are_sane():
    net = fastmlp.Network([64, 10, 10], output="softmax", rng=0)
    assert caught(net, DIGITS.data / 16, DIGITS.target, "lbfgs", max_iter=50)[1] == []
    rare = DIGITS.data[:300] / 16 * np.where(np.arange(64) % 8 == 0, 1e-4, 1.0)  # columns at the edge, hardly used
    assert (
        caught(fastmlp.Network([64, 5, 10], output="softmax", rng=0), rare, DIGITS.target[:300], max_iter=10)[1] == []
    )


def test_large_weights_say_nothing_of_the_data():
    net = fastmlp.Network([3, 4, 1], rng=0)
    net.params = 100 * net.params
    assert caught(net, X, Y, max_iter=50)[1] == []


@pytest.mark.parametrize("seed", range(10))
def test_real_data_are_fine_in_standardised_units(seed):
    inputs, targets = load_diabetes(return_X_y=True, scaled=False)
    for method in ("lm", "lbfgs"):
        net = fastmlp.Network([10, 5, 1], rng=seed)
        assert caught(net, inputs, targets, method, max_iter=50, standardize=True)[1] == []


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


# ---- float32 ----


@pytest.mark.parametrize("standardize", [False, True])
def test_float32_far_from_zero_is_named(standardize):
    inputs = np.c_[X[:, :2], X[:, 2] + 1e5]
    net = fastmlp.Network([3, 4, 1], dtype="float32", rng=0)
    _, found = caught(net, inputs, Y, max_iter=20, standardize=standardize)
    assert "X: column 2 is more than 1000 standard deviations from zero, where float32 keeps fewer than 4" in found[0]
    assert "float64" in found[0]
    assert ("standardize" in found[0]) != standardize
    double = fastmlp.Network([3, 4, 1], rng=0)
    assert caught(double, inputs, Y, max_iter=20, standardize=True)[1] == []
    near = np.c_[X[:, :2], X[:, 2] + 500]
    assert caught(fastmlp.Network([3, 4, 1], dtype="float32", rng=0), near, Y, max_iter=20, standardize=True)[1] == []


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("offset", [1e5, 4e6, 1e9])
def test_float32_targets_far_from_zero_are_named(standardize, offset):
    net = fastmlp.Network([3, 4, 1], dtype="float32", rng=0)
    _, found = caught(net, X, Y + offset, max_iter=20, standardize=standardize)
    assert "T: column 0 is more than 1000 standard deviations from zero, where float32 keeps fewer than 4" in found[0]
    _, found = caught(fastmlp.Network([3, 4, 1], rng=0), X, Y + offset, max_iter=20, standardize=True)
    assert found == []


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("spread", [50.0, 1.0])
def test_columns_that_float32_has_made_constants_are_named(standardize, spread):
    """1e9 and numbers of order 50 or 1 beside it: a few values are left of 200, or one."""
    inputs = np.c_[X[:, :2], spread * X[:, 2] + 1e9]
    net = fastmlp.Network([3, 4, 1], dtype="float32", rng=0)
    _, found = caught(net, inputs, Y, max_iter=20, standardize=standardize)
    assert "column 2 is more than 1000 standard deviations from zero" in found[0]
    constant = np.c_[X[:, :2], np.full(200, 1e9)]
    net = fastmlp.Network([3, 4, 1], dtype="float32", rng=0)
    assert caught(net, constant, Y, max_iter=20, standardize=True)[1] == []


@pytest.mark.parametrize("name", ["X", "T"])
def test_columns_of_values_next_to_each_other_are_named(name):
    """Time stamps that span some hundred roundings count as constant, and say so; two roundings are none."""
    stamps = np.c_[1.7e9 + np.linspace(0.0, 2e-5 if name == "T" else 1e-4, 200)]
    inputs, target = (stamps, Y) if name == "X" else (X, stamps[:, 0])
    _, found = caught(fastmlp.Network([inputs.shape[1], 4, 1], rng=0), inputs, target, max_iter=20, standardize=True)
    assert f"{name}: column 0 is so far from zero that its values are next to each other, and counts as con" in found[0]
    assert "subtract the offsets before they are added" in found[0]
    two = np.c_[X[:, :2], np.where(X[:, 2] > 0, 0.3, 0.1 + 0.2)]
    assert caught(fastmlp.Network([3, 4, 1], rng=0), two, Y, max_iter=20, standardize=True)[1] == []


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


# ---- minibatches ----


@pytest.mark.parametrize("method", MINIBATCH)
def test_minibatches_succeed_where_they_are_no_worse_than_a_constant(method):
    rate = {"sgd": 0.01, "adam": 0.02}[method]
    for shift in (0.0, 40.0):
        net = fastmlp.Network([3, 4, 1], rng=0)
        res, _ = caught(net, X, Y + shift, method, max_iter=20, learning_rate=rate / (1 + shift), rng=0)
        assert res.success == bool(explained(net, X, Y + shift) >= 0) == (shift == 0)
        assert res.message.startswith("all epochs done")
        assert ("constant" in res.message) != res.success


@pytest.mark.parametrize("output", ["logistic", "softmax", "exp"])
def test_classes_and_counts_have_constants_of_their_own(output):
    T = (X[:, 0] > 0).astype(int) if output != "exp" else rng.poisson(np.exp(0.5 * X[:, 0]))
    layers = [3, 4, 2 if output == "softmax" else 1]
    for start in (0.0, 20.0):
        net = fastmlp.Network(layers, output=output, rng=0)
        net.biases[1][...] = start * np.arange(1, layers[-1] + 1) / 5
        res = net.fit(X, T, "adam", max_iter=10, rng=0)
        constant = fastmlp.Network(layers, output=output, rng=0)
        constant.weights[1][...] = 0.0
        constant.fit(X, T, "lm", fixed=["W1", "b1", "W2"])
        assert res.success == bool(net.loss(X, T) <= constant.loss(X, T))


def test_equal_targets_ask_for_nothing():
    assert fastmlp.Network([3, 4, 1], rng=0).fit(X, np.full(200, 2.0), "adam", rng=0).success


def test_a_penalty_on_the_output_biases_is_allowed_for():
    net = fastmlp.Network([3, 4, 1], rng=0)
    res = net.fit(X, Y, "adam", penalty=fastmlp.WeightDecay(500.0, 500.0), learning_rate=0.01, max_iter=300, rng=0)
    assert explained(net, X, Y) < 0  # as asked
    assert res.success


# ---- patience ----


@pytest.mark.parametrize("method", WITH_GRADIENT)
def test_stopping_by_patience_as_asked_is_success(method):
    net = fastmlp.Network([3, 20, 1], rng=0)
    rate = 0.02 if method == "adam" else None
    res = net.fit(X, Y, method, validation=0.3, patience=5, max_iter=2000, rng=0, learning_rate=rate)
    assert res.message.startswith("stopped by patience")
    assert res.success


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


def test_data_far_from_the_units_that_are_given_are_named():
    net, other = (fastmlp.Network([3, 4, 1], rng=seed) for seed in (0, 1))
    net.fit(X, Y, standardize=True)
    _, said = caught(other, 1e6 * X, Y, standardize=net.units)
    assert "X: columns 0, 1, 2 are so large" in said[0]
    assert "standardize=True" in said[0]


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


@pytest.mark.filterwarnings("ignore:the precisions have not converged")
def test_booleans_and_small_integers_are_numbers():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 2, (60, 3))
    X[:, 1] = 1
    y = X[:, 0] + 0.1 * rng.normal(size=60)
    expected = None
    for kind in (np.bool_, np.int8, np.uint8, np.float64):
        net = fastmlp.Network([3, 2, 1], rng=0)
        found = fastmlp.fit_evidence(net, X.astype(kind), y, max_iter=2)
        expected = found.log_evidence if expected is None else expected
        assert found.log_evidence == expected
