"""Means and spreads of columns against NumPy's, and exact sums."""

import math

import numpy as np
import pytest

from fastmlp._core.sums.moments import largest
from fastmlp.model.moments import of_columns as moments

rng = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(1, 1), (7, 1), (50, 3), (1000, 17)])
def test_they_are_numpys(shape, weighted, dtype):
    array = rng.normal(3.0, 2.0, shape).astype(dtype)
    weight = rng.uniform(0.0, 2.0, len(array)).astype(dtype) if weighted else None
    mean, sd, deviation, low, high, total = moments(array, weight)
    a = array.astype(float)
    s = np.ones(len(a)) if weight is None else weight.astype(float)
    expected = np.average(a, axis=0, weights=s)
    assert np.isclose(total, s.sum(), rtol=1e-14)
    assert np.allclose(mean, expected, rtol=1e-13)
    assert np.allclose(sd, np.sqrt(np.average((a - expected) ** 2, axis=0, weights=s)), rtol=1e-13, atol=1e-15)
    absolute = np.average(np.abs(a - expected), axis=0, weights=s)
    assert np.allclose(deviation, absolute, rtol=1e-13, atol=1e-15)
    assert np.array_equal([low, high], [a[s > 0].min(axis=0), a[s > 0].max(axis=0)])


@pytest.mark.parametrize("offset", [1e3, -1e8, 1e12])
def test_means_far_from_zero_are_exact(offset):
    array = offset + rng.normal(size=(100_000, 2))
    mean, sd, *_ = moments(array)
    for k in range(2):
        exact = math.fsum(array[:, k]) / len(array)
        assert abs(mean[k] - exact) <= 2 * np.spacing(abs(exact))
        assert np.isclose(sd[k], math.sqrt(math.fsum((array[:, k] - exact) ** 2) / len(array)), rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_rounding_is_no_spread(dtype):
    eps = np.finfo(dtype).eps
    array = np.full((1000, 3), 0.3, dtype)
    array[::2, 1] *= 1 + eps
    array[::2, 2] *= 1 + 10_000 * eps
    _, sd, deviation, *_ = moments(array)
    assert np.array_equal(sd > 0, [False, False, True])
    assert np.array_equal(deviation > 0, [False, False, True])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_largest_size(dtype):
    assert largest(np.array([0.5, -3.0, 2.0], dtype)) == 3.0
    assert largest(np.zeros(0, dtype)) == 0.0
