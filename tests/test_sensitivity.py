"""Averages of the input Jacobian, and input errors carried through it, against closed forms, counting and sampling."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from sklearn.preprocessing import StandardScaler

import fastmlp
from cases import data, network, relative_error
from fastmlp import plot, sensitivities


def linear(W, b=0.0, dtype="float64"):
    W = np.atleast_2d(W)
    net = fastmlp.Network([W.shape[1], W.shape[0]], dtype=dtype)
    net.weights[0][...], net.biases[0][...] = W, b
    return net


def all_averages(result):
    return np.array([*result.raw, *result.standardized])


# ---- sensitivity ----


def test_a_linear_network_has_its_weights_as_sensitivities(dtype):
    W = np.array([[3.0, -4.0, 0.5], [0.25, 0.0, 2.0]])
    net = linear(W, b=7.0, dtype=dtype)
    X = np.random.default_rng(0).normal(size=(50, 3)) * [1.0, 5.0, 0.1]
    s = fastmlp.sensitivity(net, X)
    ratio = X.std(axis=0) / (X @ W.T).std(axis=0)[:, np.newaxis]
    tolerance = 1e-14 if dtype == "float64" else 1e-6
    for got, expected in zip(s.raw, (W, np.abs(W), np.abs(W)), strict=True):
        assert relative_error(got, expected) < 1e-15
    for got, expected in zip(s.standardized, (W, np.abs(W), np.abs(W)), strict=True):
        assert relative_error(got, expected * ratio) < tolerance
    assert relative_error(s.input_sd, X.std(axis=0)) < tolerance
    assert relative_error(s.output_sd, (X @ W.T).std(axis=0)) < tolerance


def test_the_averages_are_those_of_the_jacobian_with_the_samples_weights(dtype):
    net = network([4, 6, 3], output="softmax", dtype=dtype)
    X = data(net, 40)[0].astype(dtype)
    weight = np.random.default_rng(1).random(40)
    J = net.jacobian(X).astype(float)
    s = fastmlp.sensitivity(net, X, sample_weight=weight)
    assert relative_error(s.raw.mean, np.average(J, axis=0, weights=weight)) < 1e-13
    assert relative_error(s.raw.mean_absolute, np.average(np.abs(J), axis=0, weights=weight)) < 1e-13
    assert relative_error(s.raw.root_mean_square**2, np.average(J**2, axis=0, weights=weight)) < 1e-13
    assert all(each.dtype == np.float64 and each.shape == (3, 4) for each in (*s.raw, *s.standardized))


def test_whole_weights_are_repetitions_and_their_scale_does_not_matter():
    net = network([2, 5, 2])
    X, weight = data(net, 6)[0], np.array([0, 1, 2, 0, 3, 1])
    repeated = all_averages(fastmlp.sensitivity(net, np.repeat(X, weight, axis=0)))
    for scale in (1.0, 1e-300, 1e300):
        weighted = fastmlp.sensitivity(net, X, sample_weight=scale * weight)
        assert relative_error(all_averages(weighted), repeated) < 1e-13


def test_an_even_effect_has_no_mean_but_a_root_mean_square():
    net = fastmlp.Network([1, 2, 1])
    net.params = [1.0, 1.0, 1.0, -1.0, 1.0, -1.0, 0.0]  # tanh(x + 1) - tanh(x - 1) is even
    s = fastmlp.sensitivity(net, np.linspace(-2, 2, 41)[:, None])
    assert abs(s.raw.mean[0, 0]) < 1e-15
    assert s.raw.root_mean_square[0, 0] > s.raw.mean_absolute[0, 0] > 0.2


def test_standardised_derivatives_do_not_depend_on_the_units():
    net = network([3, 6, 2])
    X, scale = data(net, 30)[0], np.array([1e3, 1e-6, 7.0])
    other = net.copy()
    other.weights[0][...] /= scale
    other.weights[1][...] *= 1e4
    other.biases[1][...] *= 1e4
    one, two = fastmlp.sensitivity(net, X), fastmlp.sensitivity(other, scale * X)
    assert relative_error(two.raw.mean * scale / 1e4, one.raw.mean) < 1e-12
    for got, expected in zip(two.standardized, one.standardized, strict=True):
        assert relative_error(got, expected) < 1e-12


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e6 / 3])
def test_a_constant_input_counts_nothing_once_standardised(constant, dtype):
    net = network([3, 4, 2], "identity", dtype=dtype)
    X = data(net, 77)[0]
    X[:, 1] = constant
    s = fastmlp.sensitivity(net, X)
    assert s.input_sd[1] == 0.0
    assert all((each[:, 1] == 0.0).all() for each in s.standardized)
    assert np.abs(s.raw.mean).max() > 0


def test_a_constant_output_has_no_standardised_derivatives():
    net = linear([[1.0, 2.0], [0.0, 0.0]], b=0.1)
    s = fastmlp.sensitivity(net, [[0.0, 1.0], [1.0, 0.0], [5.0, 3.0]])
    assert s.output_sd[1] == 0.0
    assert all(np.isnan(each[1]).all() and np.isfinite(each[0]).all() for each in s.standardized)
    assert np.array_equal(s.raw.mean[1], [0.0, 0.0])
    assert "nan" in s.table()


def test_constants_in_two_roundings_are_constants():
    X = np.random.default_rng(0).normal(size=(60, 4))
    X[:, 3] = np.where(X[:, 0] > 0, 0.1 + 0.2, 0.3)
    s = fastmlp.sensitivity(linear([[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 1.0]]), X)
    scale = StandardScaler().fit(X).scale_
    assert scale[3] == 1.0
    assert np.allclose(s.input_sd, [*scale[:3], 0.0], rtol=1e-13, atol=0)
    assert s.output_sd[0] == pytest.approx((X @ [1.0, 2.0, 3.0, 4.0]).std(), rel=1e-12)
    assert s.output_sd[1] == 0.0
    assert np.allclose(s.standardized.mean[0], s.input_sd * [1.0, 2.0, 3.0, 4.0] / s.output_sd[0], rtol=1e-13, atol=0)
    assert np.isnan(s.standardized.mean[1]).all()


@pytest.mark.parametrize("power", [900, -900])
def test_standardised_derivatives_are_the_same_to_the_bit_in_powers_of_two(power):
    factor, X = np.ldexp(1.0, power), np.random.default_rng(0).normal(size=(60, 2))
    one, two = linear([[3.0, -4.0]]), linear([[3.0, -4.0]])
    two.params = np.append(np.array([3.0, -4.0]) / factor, 0.0)
    first, second = fastmlp.sensitivity(one, X), fastmlp.sensitivity(two, X * factor)
    assert np.array_equal(second.input_sd, first.input_sd * factor)
    assert np.array_equal(second.standardized.mean, first.standardized.mean)


def test_one_sample_has_averages_but_no_spread():
    net = network([2, 3, 1])
    s = fastmlp.sensitivity(net, [[0.3, 0.7]])
    assert relative_error(s.raw.mean, net.jacobian([[0.3, 0.7]])[0]) < 1e-15
    assert np.isnan(s.standardized.mean).all()


def test_samples_of_no_weight_do_not_make_a_constant_input_vary():
    s = fastmlp.sensitivity(linear([[1.0, 2.0]]), [[9.0, 1.0], [0.1, 2.0], [0.1, 4.0]], sample_weight=[0, 1, 1])
    assert s.input_sd[0] == 0.0
    assert s.standardized.mean[0, 1] == pytest.approx(1.0)


def test_no_more_of_the_jacobian_is_held_than_a_block(monkeypatch):
    net = network([5, 7, 3])
    X = data(net, 101)[0]
    whole, cov = fastmlp.sensitivity(net, X), np.full(5, 0.1)
    covariances, sizes, jacobian = fastmlp.propagate(net, X, cov), [], fastmlp.Network.jacobian
    monkeypatch.setattr(sensitivities, "BLOCK", 160)

    def counted(*arguments, **options):
        J = jacobian(*arguments, **options)
        sizes.append(J.size)
        return J

    monkeypatch.setattr(fastmlp.Network, "jacobian", counted)
    assert relative_error(all_averages(fastmlp.sensitivity(net, X)), all_averages(whole)) < 1e-13
    assert relative_error(fastmlp.propagate(net, X, cov), covariances) < 1e-13
    assert max(sizes) <= 160
    assert sum(sizes) == 2 * 101 * 15


def test_any_number_of_threads_gives_the_same_bits(n_threads):
    net = network([5, 30, 20, 4], output="softmax")
    X = data(net, 1003)[0]
    one, several = (all_averages(fastmlp.sensitivity(net, X, n_threads=n)) for n in (1, n_threads))
    assert np.array_equal(one, several)
    cov = np.full(5, 0.1)
    assert np.array_equal(fastmlp.propagate(net, X, cov, n_threads=n_threads), fastmlp.propagate(net, X, cov))


def test_the_table_names_the_columns_of_a_frame_and_puts_the_strongest_first():
    frame = pd.DataFrame({"speed": [0.0, 1.0, 2.0], "length of hull": [1.0, 5.0, 0.0], "draught": [1.0, 1.0, 0.0]})
    s = fastmlp.sensitivity(linear([[1.0, -3.0, 0.5], [2.0, 0.0, 0.0]]), frame)
    assert s.input_names == tuple(frame.columns)
    first, second = s.table().split("\n\n")
    assert [line.split("  ")[0] for line in first.splitlines()] == [
        "y1", "input", "length of hull", "speed", "draught",
    ]  # fmt: skip
    assert second.splitlines()[2].split()[:4] == ["speed", "2", "2", "2"]
    numbers = [float(word) for word in first.splitlines()[2].split()[3:]]
    averages = [each[0, 1] for each in (*s.raw, *s.standardized)]
    assert numbers == pytest.approx(averages, rel=1e-3)
    assert len({len(line) for line in first.splitlines()}) == 1


def test_without_a_frame_inputs_are_numbered():
    s = fastmlp.sensitivity(network([3, 2, 2]), np.eye(3))
    assert (s.input_names, s.output_names) == (("x1", "x2", "x3"), ("y1", "y2"))


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((7, [[0.0]]), {}, TypeError, r"net: expected a fastmlp\.Network, got int"),
        ((network([3, 1]), [[0.0]]), {}, ValueError, r"X: expected shape \(n_samples, 3\), got \(1, 1\)"),
        ((network([3, 1]), np.zeros((0, 3))), {}, ValueError, "X: expected at least one sample, got none"),
        ((network([1, 1]), [[0.0]]), {"sample_weight": [0.0]}, ValueError, "sample_weight: expected at least one pos"),
        ((network([1, 1]), [[0.0]]), {"sample_weight": [-1.0]}, ValueError, "sample_weight: expected non-negative"),
        ((network([1, 1]), [[0.0]]), {"n_threads": 0}, ValueError, "n_threads: expected"),
    ],
)
def test_wrong_arguments_are_named(arguments, options, error, message):
    with pytest.raises(error, match=message):
        fastmlp.sensitivity(*arguments, **options)


# ---- its picture ----


@pytest.fixture
def ax():
    return Figure().subplots()


def lengths(ax):
    return [bar.get_width() for bar in ax.patches]


def test_bars_are_root_mean_squares_and_dots_means_the_longest_on_top(ax):
    s = fastmlp.sensitivity(network([4, 5, 2]), data(network([4, 5, 2]), 30)[0])
    assert s.plot(ax, output=1) is ax
    order = np.argsort(-s.standardized.root_mean_square[1])
    assert np.allclose(lengths(ax), s.standardized.root_mean_square[1][order])
    assert [label.get_text() for label in ax.get_yticklabels()] == [s.input_names[i] for i in order]
    assert np.allclose(ax.get_lines()[0].get_xdata(), s.standardized.mean[1][order])
    assert ax.yaxis_inverted()
    assert ax.get_xlabel() == "dy2/dx · sd(x) / sd(y2)"


def test_bars_of_all_outputs_are_root_mean_squares_over_them_too(ax):
    s = fastmlp.sensitivity(network([30, 5, 2]), data(network([30, 5, 2]), 30)[0])
    plot.sensitivity(s, ax, n_inputs=7)
    together = np.sqrt((s.standardized.root_mean_square**2).mean(axis=0))
    assert np.allclose(lengths(ax), np.sort(together)[:-8:-1])
    assert not ax.get_lines()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"output": 2}, ValueError, "output: expected an index below 2, got 2"),
        ({"output": -1}, ValueError, "output: expected an integer >= 0, got -1"),
        ({"n_inputs": 0}, ValueError, "n_inputs: expected an integer >= 1, got 0"),
    ],
)
def test_wrong_arguments_of_the_picture_are_named(ax, options, error, message):
    s = fastmlp.sensitivity(network([3, 2, 2]), np.eye(3))
    with pytest.raises(error, match=message):
        s.plot(ax, **options)
    with pytest.raises(TypeError, match=r"result: expected what fastmlp\.sensitivity returns, got list"):
        plot.sensitivity([1.0], ax)


# ---- propagation of errors ----


def covariance(n, seed=0):
    A = np.random.default_rng(seed).normal(size=(n, n))
    return A @ A.T


def test_through_a_linear_network_it_is_exact():
    W, C = np.array([[3.0, -4.0, 0.5], [0.25, 0.0, 2.0]]), covariance(3)
    got = fastmlp.propagate(linear(W), np.zeros((4, 3)), C)
    assert got.shape == (4, 2, 2)
    assert all(relative_error(each, W @ C @ W.T) < 1e-14 for each in got)


def test_small_errors_spread_as_samples_of_them_do():
    net = network([3, 8, 2], output="softmax", seed=3)
    X, C = data(net, 3)[0], 1e-6 * covariance(3, 1)
    got = fastmlp.propagate(net, X, C)
    errors = np.random.default_rng(2).multivariate_normal(np.zeros(3), C, 200_000)
    for x, Sigma in zip(X, got, strict=True):
        assert relative_error(np.cov(net(x + errors).T), Sigma) < 0.02


def test_variances_a_covariance_and_one_for_each_sample_agree():
    net = network([3, 5, 2])
    X, variances = data(net, 7)[0], np.array([0.1, 0.0, 3.0])
    one = fastmlp.propagate(net, X, variances)
    assert relative_error(fastmlp.propagate(net, X, np.diag(variances)), one) < 1e-15
    each = np.arange(1.0, 8.0)[:, None, None] * covariance(3)
    J = net.jacobian(X)
    expected = np.einsum("nki,nij,nlj->nkl", J, each, J)
    assert relative_error(fastmlp.propagate(net, X, each), expected) < 1e-14


def test_the_result_is_symmetric_to_the_last_bit_and_of_the_networks_type(dtype):
    net = network([6, 9, 5], output="softmax", dtype=dtype)
    got = fastmlp.propagate(net, data(net, 20)[0], covariance(6))
    assert got.dtype == dtype
    assert np.array_equal(got, got.transpose(0, 2, 1))
    assert np.linalg.eigvalsh(got.astype(float)).min() > -1e-6 * got.max()


def test_a_covariance_may_be_symmetric_up_to_rounding_only():
    net, C = network([3, 4, 2]), covariance(3)
    C[0, 1] *= 1 + 1e-8
    got = fastmlp.propagate(net, np.eye(3), C)
    assert np.array_equal(got, got.transpose(0, 2, 1))


def test_no_samples_give_no_covariances():
    assert fastmlp.propagate(network([3, 4, 2]), np.zeros((0, 3)), np.eye(3)).shape == (0, 2, 2)


@pytest.mark.parametrize(
    ("cov", "error", "message"),
    [
        (1.0, ValueError, r"cov: expected shape \(2, 2\), \(2,\) or \(3, 2, 2\), got \(\)"),
        (np.zeros((2, 2, 2)), ValueError, r"got \(2, 2, 2\)"),
        ([1.0, -1.0], ValueError, r"cov: expected non-negative variances, got -1\.0"),
        ([[1.0, 0.0], [0.0, -2.0]], ValueError, r"cov: expected non-negative variances, got -2\.0"),
        ([[1.0, 0.5], [0.4, 1.0]], ValueError, r"symmetric matrix, got 0\.5 at \(0, 1\), 0\.4 opposite"),
        ([[1e-9, 0.0], [1e-12, 1e-9]], ValueError, "cov: expected a symmetric matrix"),
        ([np.eye(2), np.eye(2), [[1.0, 0.5], [0.0, 1.0]]], ValueError, r"got 0\.5 at \(2, 0, 1\), 0\.0 opposite"),
        ([[1.0, np.nan], [np.nan, 1.0]], ValueError, r"cov: expected finite numbers, got nan at index \(0, 1\)"),
        (["a", "b"], TypeError, "cov: expected real numbers"),
    ],
)
def test_a_wrong_covariance_is_refused_by_name(cov, error, message):
    with pytest.raises(error, match=message):
        fastmlp.propagate(network([2, 3, 1]), np.zeros((3, 2)), cov)


def test_propagation_asks_for_a_network_and_its_inputs():
    with pytest.raises(TypeError, match=r"net: expected a fastmlp\.Network, got NoneType"):
        fastmlp.propagate(None, [[0.0]], [1.0])
    with pytest.raises(ValueError, match=r"X: expected shape \(n_samples, 2\), got \(2,\)"):
        fastmlp.propagate(network([2, 3, 1]), [0.0, 0.0], [1.0, 1.0])
