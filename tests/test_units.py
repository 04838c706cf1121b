"""Standardised units: means, deviations and constants, against exact sums and scikit-learn's StandardScaler."""

import math
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from fastmlp.model import units

RNG = np.random.default_rng(0)
EPS = np.finfo(np.float64).eps
TWO_ROUNDINGS = np.where(RNG.random(60) < 0.5, 0.1 + 0.2, 0.3)


def exact(column, weight=None):
    """Mean and variance without rounding."""
    weight = [1] * len(column) if weight is None else [Fraction(float(w)) for w in weight]
    x, total = [Fraction(float(value)) for value in column], sum(weight)
    mean = sum(w * value for w, value in zip(weight, x, strict=True)) / total
    return mean, sum(w * (value - mean) ** 2 for w, value in zip(weight, x, strict=True)) / total


def assert_exact(found, array, weight=None):
    """The mean is rounded once, or nearly; the deviation has lost a few bits, whatever the offset."""
    for j, column in enumerate(array.T):
        mean, variance = exact(column, weight)
        slack = 0.75 * np.spacing(abs(float(mean))) + 8 * EPS * math.sqrt(variance)
        assert abs(Fraction(found.shift[j]) - mean) <= Fraction(slack)
        assert abs(Fraction(found.scale[j]) ** 2 / variance - 1) <= 20 * EPS


# ---- means and deviations ----


@pytest.mark.parametrize("offset", [0.0, 1.0, 1e4, 1e7, -1e7])
@pytest.mark.parametrize("weighted", [False, True])
def test_moments_are_exact_to_a_few_bits_at_every_offset(offset, weighted):
    array = RNG.normal(size=(300, 3)) * [1.0, 1e-3, 1e5]
    array += offset * array.std(axis=0)
    weight = RNG.integers(1, 5, 300).astype(float) if weighted else None
    assert_exact(units.columns(array, weight, "X"), array, weight)


@pytest.mark.parametrize("shape", [(30_000, 3), (70_001, 1), (20, 9_000), (9, 70_000)])
def test_blocks_are_put_together(shape, dtype):
    array = (RNG.normal(size=shape) + 1000.0).astype(dtype)
    found = units.columns(array, None, "X")
    some = slice(None, None, max(1, shape[1] // 3))
    values = array[:, some].astype(np.float64)
    mean = np.array([math.fsum(column) for column in values.T]) / len(values)
    variance = np.array([math.fsum((column - m) ** 2) for column, m in zip(values.T, mean, strict=True)]) / len(values)
    assert np.allclose(found.shift[some], mean, rtol=2 * EPS, atol=0)
    assert np.allclose(found.scale[some], np.sqrt(variance), rtol=1e-13, atol=0)
    u = ((array.astype(np.float64) - found.shift) / found.scale).astype(dtype)
    assert np.array_equal(found.standardized(array), u)


@pytest.mark.parametrize("layout", [np.asfortranarray, lambda a: np.repeat(a, 2, axis=0)[::2]])
def test_the_layout_of_the_array_does_not_matter(layout):
    array = RNG.normal(size=(500, 4))
    one, two = units.columns(array, None, "X"), units.columns(layout(array), None, "X")
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    assert np.array_equal(two.standardized(layout(array)), one.standardized(array))
    assert two.standardized(layout(array)).flags.c_contiguous


def test_the_type_is_kept(dtype):
    array = RNG.normal(size=(50, 2)).astype(dtype)
    found = units.columns(array, None, "X")
    assert (found.scale.dtype, found.shift.dtype, found.constant.dtype) == (np.float64, np.float64, np.bool_)
    assert found.standardized(array).dtype == dtype


def test_it_agrees_with_scikit_learn():
    array = RNG.normal(size=(1000, 5)) * np.logspace(-3, 3, 5) + 10.0
    weight = RNG.random(1000)
    for weights in (None, weight):
        found, scaler = units.columns(array, weights, "X"), StandardScaler().fit(array, sample_weight=weights)
        assert np.allclose(found.scale, scaler.scale_, rtol=1e-11)
        assert np.allclose(found.standardized(array), scaler.transform(array), atol=1e-11)


# ---- powers of two ----


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_samples", [40, 30_000])
def test_powers_of_two_change_no_bit(n_samples, weighted):
    array = RNG.normal([0.0, 3.0, -1e6, 0.1, 0.0, 1.0], size=(n_samples, 6))
    array[:, 3] = np.where(array[:, 3] > 0, 0.3, 0.1 + 0.2)
    array[:, 4] = np.exp(3 * array[:, 4])
    weight = RNG.random(n_samples) if weighted else None
    one = units.columns(array, weight, "X")
    for powers in ([1000, -1000, 980, 900, -990, 1], [-1000, 1000, -700, -900, 990, 0]):
        factor = np.ldexp(1.0, powers)
        two = units.columns(array * factor, weight, "X")
        assert np.array_equal(two.constant, [False, False, False, True, False, False])
        assert np.array_equal(two.shift, one.shift * factor)
        assert np.array_equal(two.scale, np.where(one.constant, 1.0, one.scale * factor))
        assert np.array_equal(two.standardized(array * factor), one.standardized(array))


def test_powers_of_two_change_no_bit_in_float32():
    array = RNG.normal([0.0, 100.0], size=(5000, 2)).astype(np.float32)
    one = units.columns(array, None, "X")
    for power in (100, -100):
        scaled = np.ldexp(array, power)
        two = units.columns(scaled, None, "X")
        assert np.array_equal(two.scale, np.ldexp(one.scale, power))
        assert np.array_equal(two.standardized(scaled), one.standardized(array))


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e160, 1e300, 1e307])
def test_columns_of_any_size_are_columns(size):
    array = RNG.normal(size=(200, 1))
    found = units.columns(array * size, None, "X")
    assert not found.constant.any()
    assert found.scale == pytest.approx(array.std() * size, rel=1e-13)
    assert np.allclose(found.standardized(array * size), StandardScaler().fit_transform(array), atol=1e-13)


def test_a_column_that_overflows_in_differences_is_refused_by_name():
    array = np.array([[1.0, -1e308], [2.0, 1.1e308]])
    message = (
        r"^X: expected columns with finite differences for standardize, got column 1 from -1e\+308 to 1.1e\+308; div"
    )
    with pytest.raises(ValueError, match=message):
        units.columns(array, None, "X")


# ---- constants ----


@pytest.mark.parametrize(
    "column",
    [
        np.full(60, 7.0),
        np.full(60, 0.0),
        np.full(60, 0.1),
        TWO_ROUNDINGS,
        -1e200 * TWO_ROUNDINGS,
        RNG.permutation([0.1 * 3, 0.3, 0.1 + 0.1 + 0.1, 1 - 0.7, 3 / 10]),
        np.array([1 / 3 + 1 / 3 + 1 / 3, 1 / 49 * 49, 1.0, 0.1 * 10, sum([0.1] * 10)]),
        RNG.dirichlet(np.ones(20), 100).sum(axis=1),
        np.diff(0.1 * np.arange(1000)),
    ],
    ids=["7", "0", "0.1", "0.3", "-3e199", "0.3 in five ways", "1 in five ways", "shares", "differences"],
)
def test_constants_up_to_rounding_are_constants_as_in_scikit_learn(column):
    array = np.column_stack([column, np.arange(len(column))])
    found = units.columns(array, None, "X")
    assert np.array_equal(found.constant, [True, False])
    assert found.scale[0] == 1.0
    assert column.min() <= found.shift[0] <= column.max()
    assert not found.standardized(array)[:, 0].any()
    assert np.array_equal(StandardScaler().fit(array / np.abs(array).max(axis=0).clip(1)).scale_ == 1.0, [True, False])


@pytest.mark.parametrize(
    "column",
    [TWO_ROUNDINGS.astype(np.float32), np.float32(0.1) * RNG.permutation([3, 3, 3]).astype(np.float32),
     RNG.dirichlet(np.ones(10), 100).astype(np.float32).sum(axis=1)],
)  # fmt: skip
def test_constants_in_float32(column):
    array = np.column_stack([column, np.arange(len(column), dtype=np.float32)])
    found = units.columns(array, None, "X")
    assert np.array_equal(found.constant, [True, False])
    assert not found.standardized(array)[:, 0].any()
    rounded = units.columns(array.astype(np.float64), None, "X")
    assert np.array_equal(rounded.constant, [np.ptp(column) == 0, False])  # in float64 it is no rounding


@pytest.mark.parametrize(
    ("n_samples", "offset", "dtype"),
    [(20, 1e6, "f8"), (20, 1e7, "f8"), (20, 1e11, "f8"), (300_000, 1e11, "f8"), (20, 1e4, "f4"), (1_000_000, 1e4, "f4"),
     (300_000, 1e5, "f4")],
)  # fmt: skip
def test_columns_far_from_zero_are_columns(n_samples, offset, dtype):
    array = (RNG.normal(size=(n_samples, 1)) + offset).astype(dtype)
    found = units.columns(array, None, "X")
    assert not found.constant.any()
    assert found.scale == pytest.approx(array.astype(np.float64).std(), rel=1e-4 if offset > 1e7 else 1e-9)


def test_a_rare_difference_is_one():
    array = np.ones((300_000, 2))
    array[7] = [1 + 1e-9, 2.0]
    found = units.columns(array, None, "X")
    assert not found.constant.any()
    assert np.allclose(found.scale, (array[7] - 1) * np.sqrt(1 / 3e5 * (1 - 1 / 3e5)), rtol=1e-12, atol=0)


def test_differences_among_the_subnormal_numbers_are_rounding(dtype):
    tiny = np.finfo(dtype).tiny
    array = np.array([[tiny, tiny], [tiny * 1.25, tiny * 4]], dtype)
    assert np.array_equal(units.columns(array, None, "X").constant, [True, False])


def test_constants_that_differ_in_new_data_are_differences_to_the_constant():
    found = units.columns(np.column_stack([TWO_ROUNDINGS, np.zeros(60)]), None, "X")
    new = np.array([[np.nextafter(0.3, 0), 0.0], [float(np.float32(0.3)), 1.0], [5.0, -2.0]])
    assert np.array_equal(found.standardized(new), np.where([[True], [False], [False]], 0.0, new - found.shift))


def test_only_constants_are_set_to_zero():
    array = np.column_stack([RNG.normal(size=50) + 1e11, TWO_ROUNDINGS[:50]])
    found = units.columns(array, None, "X")
    assert np.array_equal(found.standardized(array)[:, 0], (array[:, 0] - found.shift[0]) / found.scale[0])
    assert np.count_nonzero(found.standardized(array)[:, 0]) > 40


# ---- weights ----


def test_rows_without_weight_allow_no_more_rounding():
    column = 1.0 + 30 * EPS * np.append(np.arange(5.0), np.zeros(1000))
    weight = (np.arange(1005) < 5).astype(float)
    assert units.columns(column[:, np.newaxis], None, "X").constant.all()
    assert not units.columns(column[:5, np.newaxis], None, "X").constant.any()
    assert not units.columns(column[:, np.newaxis], weight, "X").constant.any()


def test_rows_without_weight_do_not_count(dtype):
    array = RNG.normal(size=(30_000, 3)).astype(dtype)
    array[:, 1] = 0.5
    weight = RNG.random(30_000).astype(dtype)
    many = np.insert(array, [0, 5, 5, 30_000], [[1e30, 1e30, -1e30]], axis=0)
    one = units.columns(array, weight, "X")
    two = units.columns(many, np.insert(weight, [0, 5, 5, 30_000], 0.0), "X")
    assert np.array_equal(one.constant, [False, True, False])
    assert np.array_equal(two.constant, one.constant)
    assert np.allclose(two.scale, one.scale, rtol=1e-14, atol=0)
    assert np.allclose(two.shift, one.shift, rtol=0, atol=1e-16)


def test_a_difference_of_hardly_any_weight_is_none():
    array = np.array([[1.0], [1.0], [1 + 1e-10]])
    found = units.columns(array, np.array([1.0, 1.0, 1e-310]), "X")
    assert (found.scale[0], found.shift[0], found.constant[0]) == (1.0, 1.0, True)
    assert found.standardized(array)[2, 0] == array[2, 0] - 1.0


@pytest.mark.parametrize("weight", [0.1, 3.0, 1e300, 1e-300])
def test_equal_weights_are_none(weight):
    array = RNG.normal(size=(500, 2)) + 3.0
    one, two = units.columns(array, None, "X"), units.columns(array, np.full(500, weight), "X")
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


def test_whole_weights_are_repeated_rows():
    array, weight = RNG.normal(size=(100, 2)) + 1e6, RNG.integers(0, 4, 100)
    assert_exact(units.columns(array, weight.astype(float), "X"), np.repeat(array, weight, axis=0))


# ---- memory ----


def peak(call):
    """Bytes that were held at once, and the result."""
    tracemalloc.start()
    try:
        result = call()
        return tracemalloc.get_traced_memory()[1], result
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("weighted", [False, True])
def test_only_the_result_is_as_large_as_the_data(weighted):
    array = RNG.normal(size=(500_000, 20)).astype(np.float32)
    array[:, 3] = 1.0
    weight = RNG.random(500_000).astype(np.float32) if weighted else None
    if weighted:
        weight[::7] = 0.0
    held, found = peak(lambda: units.columns(array, weight, "X"))
    assert held < 5e6
    held, _ = peak(lambda: found.standardized(array))
    assert held < array.nbytes + 5e6
