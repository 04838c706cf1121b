"""The evidence of raw data, which ends right or says so, and of data at the ends of float64's range."""

import math
import warnings

import numpy as np
import pytest

import fastmlp
from cases import relative_error
from fastmlp import datasets, fit_evidence

DRAW = np.random.default_rng(3)
X = DRAW.normal(size=(300, 2))
T = np.tanh(2 * X[:, 0]) + 0.5 * X[:, 1] + 0.1 * DRAW.normal(size=300)
FEW, FEW_T = X[:80], T[:80]


def network(*layers):
    return fastmlp.Network([2, *layers, 1], rng=1)


WILD = {
    "inputs and prices": (np.array([1e5, 1e-3]), 0.0, 2.5e5, 0.0),
    "far inputs": (1.0, 1e4, 1.0, 0.0),
    "far targets": (1.0, 0.0, 1.0, 1e6),
    "small inputs": (1e-6, 0.0, 1.0, 0.0),
    "sane": (1.0, 0.0, 1.0, 0.0),
}


@pytest.mark.parametrize("groups", ["layers", "all", "ard"])
@pytest.mark.parametrize("case", WILD)
def test_raw_units_end_right_or_say_so_once(case, groups):
    """Right is what standardised units find: half as much as straight lines leave, or a tenth more than those."""
    scale, shift, unit, offset = WILD[case]
    inputs, target = scale * X + shift, unit * T + offset
    left = []
    for standardize in (True, False):
        net = network(4)
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            fit_evidence(net, inputs, target, groups, standardize=standardize)
        left.append(np.mean((net(inputs)[:, 0] - target) ** 2))
    A = np.c_[X, np.ones(len(X))]
    line = unit**2 * np.mean((T - A @ np.linalg.lstsq(A, T, rcond=None)[0]) ** 2)
    assert left[0] < 0.5 * line
    assert len(found) <= 1
    assert found or left[1] <= 0.5 * line
    if case == "sane":
        assert not found
    elif found and found[0].category is fastmlp.ScaleWarning:
        assert "standardize=True" in str(found[0].message)


@pytest.mark.parametrize("groups", ["layers", "ard"])
def test_without_hidden_layer_raw_units_are_as_good(groups):
    inputs, target = X * [1e5, 1e-5] + 1e3, 1e6 * (X[:, 0] + 0.1 * T)
    raw = fit_evidence(network(), inputs, target, groups, standardize=False)
    assert np.corrcoef(raw.network(inputs)[:, 0], target)[0, 1] ** 2 > 0.9


def test_float32_in_raw_units_is_told_what_it_loses():
    net = fastmlp.Network([2, 4, 1], dtype="float32", rng=1)
    with pytest.warns(fastmlp.ScaleWarning, match="T: column 0 is .* more than 1000 standard deviations from zero"):
        fit_evidence(net, X, T + 1e5, standardize=False)


@pytest.mark.parametrize("unit", [1e-300, 1e-200, 1e200, 1e300])
def test_targets_whose_variances_are_no_numbers_are_named(unit):
    plain = fit_evidence(network(3), FEW, FEW_T)
    net = network(3)
    text = r"T: column 0 has noise of .*, whose square is beyond the range of float64: .*; multiply T by a number"
    with pytest.warns(fastmlp.ScaleWarning, match=text):
        found = fit_evidence(net, FEW, unit * FEW_T)
    assert found.log_evidence + 80 * math.log(unit) == pytest.approx(plain.log_evidence, abs=1e-6)
    assert relative_error(found.network(FEW) / unit, plain.network(FEW)) < 1e-6
    assert found.noise_precision == (math.inf if unit < 1 else 0.0)
    alpha = found.prior_precision
    with pytest.warns(fastmlp.ScaleWarning, match=text):
        fastmlp.Laplace(net, FEW, unit * FEW_T, prior_precision=alpha, standardize=True)


@pytest.mark.parametrize("unit", [1e-300, 1e-150, 1e150, 1e300])
def test_raw_targets_without_a_variance_are_refused_by_name(unit):
    with pytest.raises(ValueError, match=r"T: expected targets of a variance from 1e-290 .*; take standardize=True"):
        fit_evidence(network(3), FEW, unit * FEW_T, standardize=False)


@pytest.mark.parametrize("unit", [1e-140, 1e140])
def test_nothing_is_said_of_variances_that_are_numbers(unit):
    found = fit_evidence(network(3), FEW, unit * FEW_T)
    assert 0 < found.noise_precision < math.inf


@pytest.mark.parametrize("unit", [1e-300, 1e-160, 1e160, 1e300])
def test_standard_errors_whose_squares_are_no_numbers_are_right(unit):
    plain, scaled = fit_evidence(network(3), FEW, FEW_T), fit_evidence(network(3), unit * FEW, FEW_T)
    first, second = (scaled.network.groups[name] for name in ("W1", "W2"))
    assert relative_error(unit * scaled.params_std[first], plain.params_std[first]) < 1e-6
    assert relative_error(scaled.params_std[second], plain.params_std[second]) < 1e-6


@pytest.mark.parametrize("groups", ["layers", "ard"])
@pytest.mark.parametrize("seed", [24, 25])
def test_paths_to_an_edge_are_the_same_in_other_units(seed, groups):
    """Where the optimum ceases to exist, trainings of hundreds of steps do not end, and rounding chose what came."""
    draw = np.random.default_rng(77)
    x = draw.uniform(-2, 2, (90, 1))
    t = np.sin(3 * x[:, 0]) + 0.1 * draw.normal(size=90)
    one = fit_evidence(fastmlp.Network([1, 4, 1], rng=seed), x, t, groups)
    assert one.stationary == "edge"
    for scale, shift, unit, offset in ((3e5, 0.0, 7e-6, 0.0), (1.7e-7, 3e-4, 0.3, 2e3), (11.0, 1.2e7, 1.3, -9e5)):
        two = fit_evidence(fastmlp.Network([1, 4, 1], rng=seed), scale * x + shift, unit * t + offset, groups)
        (mean, variance), (scaled, scaled_variance) = one.predict(x), two.predict(scale * x + shift)
        assert two.pruned == one.pruned
        assert two.log_evidence + 90 * math.log(unit) == pytest.approx(one.log_evidence, abs=1e-4)
        assert np.abs((scaled - offset) / unit - mean).max() < 1e-4 * t.std()
        assert np.abs(np.sqrt(scaled_variance) / unit - np.sqrt(variance)).max() < 1e-4 * t.std()


@pytest.mark.parametrize("groups", ["layers", "ard"])
@pytest.mark.parametrize("seed", [82, 84])
def test_long_trainings_are_the_same_in_other_units(seed, groups):
    """Of a hundred steps through a saddle: with all digits such pairs may end 33 nats apart."""
    x, t, *_ = datasets.load_yacht()
    t, rng = np.log(t), np.random.default_rng(seed)
    one = fit_evidence(fastmlp.Network([6, 5, 1], rng=seed), x, t, groups)
    mean, variance = one.predict(x)
    for _ in range(3):
        scale, unit = 10.0 ** rng.uniform(-8, 8, 6), 10.0 ** rng.uniform(-8, 8)
        inputs = scale * (x + 1e4 * x.std(axis=0) * rng.uniform(-1, 1, 6))
        two = fit_evidence(fastmlp.Network([6, 5, 1], rng=seed), inputs, unit * t, groups)
        scaled, scaled_variance = two.predict(inputs)
        assert two.pruned == one.pruned
        assert two.log_evidence + len(x) * math.log(unit) == pytest.approx(one.log_evidence, abs=1e-4)
        assert np.abs(scaled / unit - mean).max() < 1e-4 * t.std()
        assert np.abs(np.sqrt(scaled_variance) / unit - np.sqrt(variance)).max() < 1e-4 * t.std()
