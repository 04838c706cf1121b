"""Success that means something: ScaleWarning where data are out of a network's reach, and only there."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_digits

import fastmlp
from cases import RESUMABLE
from fastmlp.errors import ScaleWarning
from scale_cases import caught, explained, nearly_linear

rng = np.random.default_rng(1)
X, Y = nearly_linear(0)
GRID = np.linspace(0, 10, 101)[:, None]
UNITS = np.array([1e5, 1e-3, 1.0])
DIGITS = load_digits()


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


def test_data_far_from_the_units_that_are_given_are_named():
    net, other = (fastmlp.Network([3, 4, 1], rng=seed) for seed in (0, 1))
    net.fit(X, Y, standardize=True)
    _, said = caught(other, 1e6 * X, Y, standardize=net.units)
    assert "X: columns 0, 1, 2 are so large" in said[0]
    assert "standardize=True" in said[0]


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
