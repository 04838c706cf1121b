"""Accuracy and limits of the activations and of log1p, against mpmath.

An error is counted in ulps: spacings of the type at the correctly rounded reference. Where a derivative is a sum whose
terms cancel, the spacing is that of its scale, the sum of the magnitudes of the terms.
"""

from functools import cache

import numpy as np
import pytest
from mpmath import mp, mpf

import faces
from fastmlp._core.bridge import kernels
from reference import CONSTANT, LIMITS, ULPS

LOG1P_TOLERANCE = 2

# Arguments near which an implementation may change its formula, saturate, underflow or lose digits to cancellation.
SWITCHES = [0.3466, 0.5, 0.5493061443340549, 0.7517915, 1, 1.2784645, 1.4142135623730951, 2, 2.3993573, 4, 5, 8, 9, 12]
SWITCHES += [13.5, 14.2, 15, 17, 19, 22, 37.5, 38.5, 40, 44.18, 44.36, 83, 87.3, 88.38, 88.7228, 103.28, 103.97, 108]
SWITCHES += [110, 120, 354.7, 372.5, 708.4, 709.436, 709.7827, 744.4, 745.13, 751, 752, 760, 800, 1e5, 196608, 2e5]

activations = pytest.mark.parametrize("name", kernels.activation_names)
types = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["f32", "f64"])
instruction_sets = pytest.mark.parametrize("isa", kernels.isa_names)


@cache
def points(dtype):
    """Return arguments of both signs over the whole range, dense where the functions are not yet saturated."""
    rng = np.random.default_rng(20)
    info = np.finfo(dtype)
    magnitudes = np.exp2(rng.uniform(np.log2(info.smallest_subnormal), info.maxexp, 200))
    halves_of_ln2 = (np.arange(1, 40, 2) * np.log(2) / 2)[:, None]
    quarter_turns = np.concatenate([np.arange(1, 9), rng.integers(9, 125_000, 100)]) * (np.pi / 2)
    steps = np.arange(-2, 3) * info.eps
    columns = [
        rng.uniform(0, 5, 500),
        rng.uniform(0, 40, 200),
        rng.uniform(0, 120 if dtype == np.float32 else 800, 200),
        rng.uniform(0, 196608, 50),
        magnitudes,
        (np.array(SWITCHES)[:, None] * (1 + steps)).ravel(),
        (halves_of_ln2 * (1 + steps)).ravel(),
        quarter_turns,
        [info.smallest_subnormal, info.smallest_normal, info.max],
    ]
    with np.errstate(over="ignore"):
        z = np.concatenate(columns).astype(dtype)
    z = z[np.isfinite(z)]
    return np.concatenate([z, -z])


def reference(name, z, slope):
    """Return h, h', h'' at the mpf z, each with its scale; `slope` is that of leaky_relu."""
    t = min(abs(z), mpf(10_000))
    small = mp.exp(-t) / (1 + mp.exp(-t))
    p, q = (small, 1 - small) if z < 0 else (1 - small, small)
    if name == "tanh":
        h = mp.tanh(z)
        first = 4 * mp.exp(-2 * t) / (1 + mp.exp(-2 * t)) ** 2
        values = h, first, -2 * h * first
    elif name == "logistic":
        return (p, p), (p * q, p * q), (-p * q * mp.tanh(z / 2), p * q)
    elif name == "softplus":
        values = max(z, 0) + mp.log1p(mp.exp(-t)), p, p * q
    elif name == "elu":
        values = (mp.expm1(-t), mp.exp(-t), mp.exp(-t)) if z <= 0 else (z, mpf(1), mpf(0))
    elif name == "silu":
        second = p * q * (2 - z * mp.tanh(z / 2))
        return (z * p, z * p), (p * (1 + z * q), p * (1 + abs(z) * q)), (second, p * q * (2 + abs(z)))
    elif name == "gelu":
        t = min(abs(z), mpf(200))
        tail = mp.erfc(t / mp.sqrt(2)) / 2
        density = mp.exp(-t * t / 2) / mp.sqrt(2 * mp.pi)
        p = tail if z < 0 else 1 - tail
        first, second = z * density, z * z * density
        return (z * p, z * p), (p + first, p + abs(first)), (2 * density - second, 2 * density + second)
    elif name == "sin":
        values = mp.sin(z), mp.cos(z), -mp.sin(z)
    elif name == "exp":
        values = (mp.exp(min(z, mpf(10_000)) if z > 0 else -t),) * 3
    elif name == "log1p":
        values = (mp.log1p(z),)
    else:
        left = {"identity": mpf(1), "relu": mpf(0), "leaky_relu": mpf(float(slope))}[name]
        first = mpf(1) if z > 0 else left
        values = first * z, first, mpf(0)
    return tuple((v, v) for v in values)


class Exact:
    """Exact numbers, held as their rounded values and what rounding lost in ulps of their scales."""

    def __init__(self, values, scales, dtype):
        with np.errstate(over="ignore"):
            self.rounded = np.array([float(v) for v in values]).astype(dtype)
            scale = np.array([float(abs(s)) for s in scales]).astype(dtype)
        self.ulp = np.spacing(np.minimum(scale, np.nextafter(np.finfo(dtype).max, dtype(0)))).astype(np.float64)
        self.lost = np.array(
            [
                float((v - mpf(float(r))) / u) if np.isfinite(r) else 0.0
                for v, r, u in zip(values, self.rounded, map(float, self.ulp), strict=True)
            ]
        )

    def error_of(self, computed):
        """Return the errors in ulps; infinities must agree, and NaN is infinitely wrong."""
        with np.errstate(invalid="ignore", over="ignore"):
            error = np.abs((computed.astype(np.float64) - self.rounded.astype(np.float64)) / self.ulp - self.lost)
        error[computed == self.rounded] = np.abs(self.lost[computed == self.rounded])
        error[np.isnan(error)] = np.inf
        return error


@cache
def exact(name, dtype):
    """Return the references of h, h', h'' at `points(dtype)`."""
    with mp.workprec(140):
        rows = [reference(name, mpf(float(z)), 0.01) for z in arguments(name, dtype)]
    return [Exact(*zip(*column, strict=True), dtype) for column in zip(*rows, strict=True)]


def arguments(name, dtype):
    """Return the points that lie in the domain of the function."""
    z = points(dtype)
    return z[z >= 0] if name == "log1p" else z


def assert_accurate(name, dtype, order, computed, tolerance):
    """Fail with the worst argument; in a derivative, errors of the size of subnormal numbers do not count."""
    expected = exact(name, dtype)[order]
    error = expected.error_of(computed)
    if order:
        error[error * expected.ulp < 4 * np.finfo(dtype).smallest_normal] = 0
    worst = np.argmax(error)
    z = arguments(name, dtype)[worst]
    assert error[worst] <= tolerance, f"{error[worst]:.3g} ulp at z = {z!r}: {computed[worst]!r}"


@instruction_sets
@types
@activations
def test_activations_and_derivatives_are_within_the_stated_ulps_of_mpmath(name, dtype, isa):
    results = faces.activation(name, points(dtype), order=2, isa=isa)
    for order, (computed, tolerance) in enumerate(zip(results, ULPS[name], strict=True)):
        assert computed.dtype == dtype
        assert_accurate(name, dtype, order, computed, tolerance)


@instruction_sets
@types
def test_log1p_is_within_two_ulps_of_mpmath(dtype, isa):
    z = arguments("log1p", dtype)
    assert_accurate("log1p", dtype, 0, faces.vector("log1p", z, isa=isa), LOG1P_TOLERANCE)


@types
@pytest.mark.parametrize("name", [name for name in kernels.activation_names if name not in ("identity", "relu")])
def test_the_checker_rejects_a_value_that_is_eight_ulps_off(name, dtype):
    value = faces.activation(name, points(dtype), order=0)[0].copy()
    at = np.flatnonzero(np.isfinite(value) & (np.abs(points(dtype)) < 3))[7]
    value[at] += 8 * np.spacing(value[at])
    with pytest.raises(AssertionError, match="ulp at z"):
        assert_accurate(name, dtype, 0, value, ULPS[name][0])


@instruction_sets
@types
@activations
def test_limits_at_infinity_are_exact(name, dtype, isa):
    results = faces.activation(name, np.array([-np.inf, np.inf], dtype), order=2, isa=isa)
    np.testing.assert_array_equal(np.array(results).T, np.array(LIMITS[name], dtype))


@instruction_sets
@types
def test_log1p_keeps_infinity_nan_and_zero(dtype, isa):
    z = np.array([0, np.inf, np.nan], dtype)
    np.testing.assert_array_equal(faces.vector("log1p", z, isa=isa), z)


@instruction_sets
@types
@activations
def test_nan_propagates_to_the_value_and_to_every_derivative_that_depends_on_z(name, dtype, isa):
    results = faces.activation(name, np.array([1, np.nan, 2], dtype), order=2, isa=isa)
    for order, computed in enumerate(results):
        assert np.isnan(computed[1]) == (order not in CONSTANT.get(name, ()))
        assert not np.isnan(computed[[0, 2]]).any()


@instruction_sets
@types
@pytest.mark.parametrize("name", ["identity", "tanh", "leaky_relu", "elu", "silu", "gelu", "sin"])
def test_the_sign_of_zero_is_kept(name, dtype, isa):
    z = np.array([0.0, -0.0], dtype)
    value = faces.activation(name, z, order=0, isa=isa)[0]
    np.testing.assert_array_equal(value, 0)
    np.testing.assert_array_equal(np.signbit(value), [False, True])


@instruction_sets
@types
@pytest.mark.parametrize(("name", "slope"), [("relu", 0), ("leaky_relu", 0.01), ("elu", 1)])
def test_the_derivative_at_a_kink_is_the_one_from_the_left(name, slope, dtype, isa):
    first = faces.activation(name, np.array([0.0, -0.0], dtype), order=1, isa=isa)[1]
    np.testing.assert_array_equal(first, dtype(slope))


@instruction_sets
@types
@pytest.mark.parametrize("name", ["tanh", "sin"])
def test_odd_functions_are_exactly_odd(name, dtype, isa):
    z = points(dtype)
    positive, negative = (faces.activation(name, x, order=0, isa=isa)[0] for x in (z, -z))
    np.testing.assert_array_equal(positive, -negative)


@instruction_sets
@types
@activations
def test_a_result_does_not_depend_on_the_place_in_the_array(name, dtype, isa):
    z = points(dtype)[:67]
    together = faces.activation(name, z, order=2, isa=isa)
    alone = [faces.activation(name, z[i : i + 1], order=2, isa=isa) for i in range(z.size)]
    np.testing.assert_array_equal(np.array(together), np.array(alone)[:, :, 0].T)


@instruction_sets
@types
@activations
def test_a_lower_order_returns_the_same_numbers(name, dtype, isa):
    z = points(dtype)
    full = faces.activation(name, z, order=2, isa=isa)
    for order in (0, 1):
        lower = faces.activation(name, z, order=order, isa=isa)
        assert len(lower) == order + 1
        np.testing.assert_array_equal(np.array(lower), np.array(full[: order + 1]))


@instruction_sets
@types
def test_a_huge_argument_of_the_sine_leaves_its_neighbors_alone(dtype, isa):
    z = np.linspace(-100, 100, 40, dtype=dtype)
    far = z.copy()
    far[[3, 20, 39]] = [1e30, np.inf, np.nan]
    near = np.isfinite(far) & (far == z)
    before, after = (np.array(faces.activation("sin", x, order=2, isa=isa)) for x in (z, far))
    np.testing.assert_array_equal(before[:, near], after[:, near])
