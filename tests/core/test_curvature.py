"""Curvature by units: against autodiff and differences of gradients, by identities; the same bits for any threads."""

import functools
import itertools

import numpy as np
import pytest

import autodiff
from cases import HIDDEN, PAIRS, SHAPES, data, network, plan_of, relative_error
from fastmlp import _core
from fastmlp._core.curvature import matrices
from fastmlp.model import functional

KINDS = ("ggn", "exact", "empirical_fisher")
ORACLES = {"ggn": autodiff.gauss_newton, "exact": autodiff.hessian, "empirical_fisher": autodiff.empirical_fisher}
#: relative error allowed for a matrix
TOLERANCE = {"float64": 1e-11, "float32": 2e-5}
DEPTHS = ([3, 2], [3, 4, 2], [2, 3, 4, 3], [2, 3, 2, 4, 2], [2, 3, 2, 4, 3, 2])


def bound(net, X, T, weight=None, scale=None, isa=None):
    """Samples bound to a network, with the kernels of an instruction set."""
    samples = functional.check_samples(net._architecture, X, T, weight)
    scale = None if scale is None else np.asarray(scale, net.dtype)
    if isa is None:
        return functional.bind(net._architecture, samples, scale)
    return _core.sums.batch.Batch(plan_of(net, isa), samples.X, *samples.targets[:3], samples.weight, scale)


def matrix(net, X, T, kind="exact", weight=None, scale=None, n_threads=1, isa=None):
    return matrices.normal_equations(bound(net, X, T, weight, scale, isa), net.params, kind, n_threads)[2]


def weights_and_scale(net, n_samples):
    """Weights of the samples, one of them zero, and precisions of the outputs where the loss takes them."""
    weight = np.random.default_rng(n_samples).random(n_samples)
    weight[n_samples // 2] = 0.0
    return weight, np.linspace(0.5, 2.0, net.layers[-1]) if net.loss_name == "squared_error" else None


def problem(layers, pair, hidden, dtype="float64", n_samples=37):
    net = network(layers, hidden, *pair, dtype)
    weight, scale = weights_and_scale(net, n_samples)
    return net, *data(net, n_samples), weight, scale


# differentiating deep networks twice takes JAX long: two pairs do for the deepest
CASES = [
    (layers, pair, HIDDEN[number % len(HIDDEN)])
    for number, (layers, pair) in enumerate(itertools.product(DEPTHS, PAIRS))
    if len(layers) < 5 or pair in PAIRS[2:4]
]
#: whose Gauss-Newton matrix is a Gram matrix
SINGLE = ([1, 3, 1], [2, 7, 1], [13, 3, 1])
CASES += [
    (layers, pair, HIDDEN[number % len(HIDDEN)])
    for number, (layers, pair) in enumerate(itertools.product(SINGLE[:2], (p for p in PAIRS if p[0] != "softmax")))
]
#: whose Gauss-Newton matrix is summed band by band
WIDE = ([8, 40, 40, 1], [3, 50, 30, 3], [30, 60, 2])
#: one output, and more than are taken one by one
OUTPUTS = ([3, 4, 3, 1], [2, 3, 3, 5])
CASES += [
    (layers, pair, HIDDEN[number % len(HIDDEN)])
    for number, (layers, pair) in enumerate(itertools.product(OUTPUTS, (p for p in PAIRS if p[0] != "softmax")))
]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{len(case[0]) - 2}-{'-'.join(case[1])}-{case[2]}")
def solved(request):
    """A problem in float64, and its matrices by autodiff."""
    net, *samples = problem(*request.param)
    return request.param, {kind: oracle(net, *samples) for kind, oracle in ORACLES.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_matrices_agree_with_autodiff(solved, kind, dtype, isa):
    case, expected = solved
    net, X, T, weight, scale = problem(*case, dtype)
    got = matrix(net, X, T, kind, weight, scale, isa=isa)
    assert got.dtype == dtype
    assert relative_error(got, expected[kind]) < TOLERANCE[dtype]


@pytest.mark.parametrize("kind", KINDS)
def test_diagonals_agree_with_autodiff(solved, kind, dtype, isa):
    case, expected = solved
    net, X, T, weight, scale = problem(*case, dtype)
    got = matrices.diagonal(bound(net, X, T, weight, scale, isa), net.params, kind, 1)
    assert relative_error(got, np.diag(expected[kind])) < TOLERANCE[dtype]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layers", [DEPTHS[2], SINGLE[1], [1, 260, 3]], ids=str)
def test_a_wide_matrix_holds_the_same_numbers_in_double(layers, kind, dtype):
    net, X, T, weight, scale = problem(layers, ("identity", "squared_error"), "tanh", dtype)
    batch = bound(net, X, T, weight, scale)
    narrow, wide = (matrices.normal_equations(batch, net.params, kind, 1, wide=wide)[2] for wide in (False, True))
    assert (narrow.dtype, wide.dtype) == (dtype, np.float64)
    assert np.array_equal(wide, wide.T)
    if kind == "exact":  # whose cross terms are added in double there
        assert relative_error(wide, narrow) < TOLERANCE[dtype]
    else:
        assert np.array_equal(wide, narrow)


def test_ten_classes_agree_with_autodiff(dtype):
    net, X, T, weight, _ = problem([9, 5, 10], ("softmax", "cross_entropy"), "tanh", dtype, 301)
    for kind, oracle in ORACLES.items():
        expected = oracle(net, X.astype(dtype), T, weight.astype(dtype))
        assert relative_error(matrix(net, X, T, kind, weight), expected) < TOLERANCE[dtype]


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair[0])
@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("layers", [[2, 5, 3], [3, 4, 2, 3]], ids=str)
def test_the_hessian_agrees_with_differences_of_gradients(layers, hidden, pair):
    net, X, T, weight, scale = problem(layers, pair, hidden)
    batch = bound(net, X, T, weight, scale)
    step = 1e-6 * np.eye(len(net.params))
    rows = [
        (batch.loss_and_grad(net.params + h, 1)[1] - batch.loss_and_grad(net.params - h, 1)[1]) / 2e-6 for h in step
    ]
    assert relative_error(matrix(net, X, T, "exact", weight, scale), np.array(rows)) < 1e-6


@pytest.mark.parametrize("layers", [[2, 127, 1], [2, 128, 1], [1, 260, 3]], ids=str)
def test_a_layer_that_is_wider_than_a_tile_has_the_same_matrix(layers, dtype):
    net = network(layers, dtype=dtype)
    X, T = data(net, 40)
    J = net.jacobian(X, "params").reshape(-1, net.n_params)
    assert relative_error(net.hessian(X, T, "ggn"), J.T @ J) < TOLERANCE[dtype]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_samples", [1, 3, 17, 256, 1500])
@pytest.mark.parametrize("layers", SINGLE, ids=str)
def test_gram_matrices_and_their_gradients_agree_with_the_rows_of_the_jacobian(layers, n_samples, weighted, dtype, isa):
    net = network(layers, dtype=dtype)
    X, T = data(net, n_samples)
    weight = np.random.default_rng(0).random(n_samples) if weighted else None
    J = net.jacobian(X, "params").astype(float).reshape(n_samples, -1)
    expected = J.T @ (J if weight is None else weight[:, None] * J)
    batch = bound(net, X, T, weight, isa=isa)
    _, gradient, curved = matrices.normal_equations(batch, net.params, "ggn", 1)
    assert relative_error(curved, expected) < TOLERANCE[dtype]
    residual = (net.predict(X).astype(float) - T)[:, 0] * (1.0 if weight is None else weight)
    assert relative_error(gradient, J.T @ residual) < TOLERANCE[dtype]


def test_a_gram_matrix_of_more_than_a_thousand_parameters_has_two_slots(dtype, isa):
    net = network([1, 400, 1], dtype=dtype)
    X, T = data(net, 1100)
    J = net.jacobian(X, "params")[:, 0].astype(float)
    of = functools.partial(matrices.normal_equations, bound(net, X, T, isa=isa), net.params, "ggn")
    assert matrices.describe(bound(net, X, T), "ggn")["n_bands"] == 0
    assert relative_error(of(1)[2], J.T @ J) < TOLERANCE[dtype]
    np.testing.assert_array_equal(of(2)[2], of(1)[2])


@pytest.fixture(scope="module", params=itertools.product(WIDE, (1, 17, 700)), ids=lambda p: f"{p[0]}-{p[1]}")
def wide(request):
    """A problem of one type, and its Gauss-Newton matrix from the rows of the Jacobian, for all instruction sets."""

    @functools.cache
    def of(dtype):
        layers, n_samples = request.param
        net, X, T, weight, scale = problem(layers, ("identity", "squared_error"), "tanh", dtype, n_samples)
        J = net.jacobian(X, "params").astype(float)
        weighted = weight[:, None, None] * scale[:, None] * J
        return (net, X, T, weight, scale), np.tensordot(J, weighted, ((0, 1), (0, 1)))

    return of


def test_bands_agree_with_the_rows_of_the_jacobian(wide, dtype, isa):
    (net, X, T, weight, scale), expected = wide(dtype)
    assert matrices.describe(bound(net, X, T), "ggn")["n_bands"] >= 8
    assert relative_error(matrix(net, X, T, "ggn", weight, scale, isa=isa), expected) < TOLERANCE[dtype]


@pytest.mark.parametrize("layers", WIDE, ids=str)
@pytest.mark.parametrize("n_samples", [17, 256, 600, 1500])
def test_bands_are_the_tiles_of_the_hessian_to_the_bit(layers, n_samples, dtype):
    """At zero residual: bands for the one, tiles for the other."""
    net = network(layers, "silu", "tanh", "squared_error", dtype)
    X, _ = data(net, n_samples)
    T = net.predict(X)
    batch = bound(net, X, T)
    assert net.loss_and_grad(X, T)[0] == 0.0
    assert matrices.describe(batch, "ggn")["n_bands"] > matrices.describe(batch, "exact")["n_bands"] == 0
    assert np.array_equal(matrix(net, X, T, "exact"), matrix(net, X, T, "ggn"))


@pytest.mark.parametrize("n_samples", [1, 33, 700])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layers", [*SHAPES[:2], *SHAPES[3:5], *SHAPES[7:], [2, 20, 1]], ids=str)
def test_results_are_symmetric_and_the_same_bits_for_any_number_of_threads(layers, kind, n_samples, dtype):
    net = network(layers, dtype=dtype, output="softmax" if layers[-1] > 1 else "logistic")
    batch = bound(net, *data(net, n_samples), np.random.default_rng(0).random(n_samples))

    def results(n_threads):
        sums = matrices.normal_equations(batch, net.params, kind, n_threads)
        return [*sums, matrices.diagonal(batch, net.params, kind, n_threads)]

    one = results(1)
    assert np.array_equal(one[2], one[2].T)
    for n_threads in (2, 3, 7):
        assert all(np.array_equal(a, b) for a, b in zip(one, results(n_threads), strict=True))


@pytest.mark.parametrize("layers", [[3, 6, 2], [2, 7, 1]], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_value_and_gradient_come_along(layers, kind, dtype):
    net, X, T, weight, scale = problem(layers, ("tanh", "squared_error"), "silu", dtype, 1000)
    batch = bound(net, X, T, weight, scale)
    value, gradient, curved = matrices.normal_equations(batch, net.params, kind, 1)
    expected = batch.loss_and_grad(net.params, 1)
    assert value == pytest.approx(expected[0], rel=1e-6)
    assert relative_error(gradient, expected[1]) < TOLERANCE[dtype]
    without = matrices.normal_equations(batch, net.params, kind, 1, gradient=False)
    assert without[:2] == (value, None)
    assert np.array_equal(without[2], curved)
    only = matrices.normal_equations(batch, net.params, kind, 1, matrix=False)
    assert only[0] == pytest.approx(value, rel=1e-6)
    assert relative_error(only[1], gradient) < TOLERANCE[dtype]
    assert only[2] is None


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("output", ["identity", "tanh", "logistic"])
@pytest.mark.parametrize("layers", [*DEPTHS[1:], *SINGLE, *OUTPUTS], ids=str)
def test_at_zero_residual_the_hessian_is_the_gauss_newton_matrix_to_the_bit(layers, output, hidden, dtype):
    net = network(layers, hidden, output, "squared_error", dtype)
    X, _ = data(net, 41)
    T, scale = net.predict(X), weights_and_scale(net, 41)[1]
    assert net.loss_and_grad(X, T)[0] == 0.0
    assert np.array_equal(matrix(net, X, T, "exact", None, scale), matrix(net, X, T, "ggn", None, scale))


@pytest.mark.parametrize("pair", [p for p in PAIRS if p[0] != "tanh"], ids=lambda pair: pair[0])
def test_without_hidden_layer_and_with_canonical_output_the_two_are_one(pair, dtype):
    net, X, T, weight, scale = problem([4, 3], pair, (), dtype)
    assert np.array_equal(matrix(net, X, T, "exact", weight, scale), matrix(net, X, T, "ggn", weight, scale))


def test_exact_minus_gauss_newton_is_the_sum_of_residuals_times_hessians_of_outputs():
    """PRML 5.83: for squared error, sum_n (y_n - t_n) grad grad y_n."""
    net, X, T, *_ = problem([2, 4, 1], ("identity", "squared_error"), "tanh")
    rest = np.zeros((len(net.params),) * 2)
    for x, r in zip(X, net.predict(X)[:, 0] - T[:, 0], strict=True):
        # with the target y - 1 the residual is 1, so that the difference of the two matrices is grad grad y
        t = net.predict(x[None]) - 1.0
        rest += r * (matrix(net, x[None], t, "exact") - matrix(net, x[None], t, "ggn"))
    assert relative_error(matrix(net, X, T, "exact") - matrix(net, X, T, "ggn"), rest) < 1e-12


def test_symmetric_networks_have_the_same_spectrum():
    """Units of a layer may change places, and with tanh change signs: 3! 2^3 = 48 equivalent networks."""
    net, X, T, *_ = problem([2, 3, 1], ("identity", "squared_error"), "tanh")
    (W1, W2), (b1, b2) = [w.copy() for w in net.weights], [b.copy() for b in net.biases]
    spectrum = np.linalg.eigvalsh(matrix(net, X, T))
    seen = set()
    for order in itertools.permutations(range(3)):
        for signs in itertools.product([1, -1], repeat=3):
            s = np.array(signs)
            other = [(W1[list(order)].T * s).T, b1[list(order)] * s, W2[:, list(order)] * s, b2]
            net.params = np.concatenate([part.ravel() for part in other])
            seen.add(tuple(net.params))
            assert np.abs(np.linalg.eigvalsh(matrix(net, X, T)) - spectrum).max() < 1e-13 * np.abs(spectrum).max()
    assert len(seen) == 48


def test_a_softmax_network_has_one_null_vector_for_each_hidden_unit_and_one_for_the_bias():
    net, X, T, *_ = problem([2, 3, 3], ("softmax", "cross_entropy"), "tanh", n_samples=40)
    H = matrix(net, X, T)
    size = np.abs(np.linalg.eigvalsh(H))
    assert np.sum(size < 1e-10) == 4
    first = 2 * 3 + 3
    for j in range(4):  # the weights from unit j (3: the bias) to all outputs move together
        v = np.zeros(len(H))
        v[first + 9 : first + 12] = 1.0 if j == 3 else 0.0
        if j < 3:
            v[first + j : first + 9 : 3] = 1.0
        assert np.abs(H @ v).max() < 1e-13 * size.max()


@pytest.mark.parametrize("kind", KINDS)
def test_twice_the_data_is_weight_two(kind):
    net, X, T, *_ = problem([3, 4, 2], ("identity", "squared_error"), "silu")
    once, weighted = matrix(net, X, T, kind), matrix(net, X, T, kind, np.full(len(X), 2.0))
    twice = matrix(net, np.concatenate([X, X]), np.concatenate([T, T]), kind)
    assert relative_error(twice, 2 * once) < 1e-13
    assert relative_error(weighted, 2 * once) < 1e-13


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair[0])
@pytest.mark.parametrize("hidden", HIDDEN)
def test_backpropagated_diagonals_are_exact_for_one_hidden_layer_unless_outputs_interact(hidden, pair, dtype):
    net, X, T, weight, scale = problem([2, 5, 3], pair, hidden, dtype)
    batch = bound(net, X, T, weight, scale)
    exact = matrices.diagonal(batch, net.params, "exact", 1)
    error = relative_error(matrices.diagonal(batch, net.params, "backprop", 1), exact)
    assert (error < TOLERANCE[dtype]) == (pair[0] != "softmax")


def test_backpropagated_diagonals_follow_the_recursion_of_the_book():
    """PRML 5.79-5.81, for two hidden layers of tanh units."""
    net, X, T, *_ = problem([2, 3, 4, 2], ("identity", "squared_error"), "tanh")
    trace = net.trace(X, T)
    q, expected = np.ones((len(X), 2)), []
    for layer in (2, 1, 0):
        below = X if layer == 0 else trace.a[layer - 1]
        expected[:0] = [(q.T @ below**2).ravel(), q.sum(axis=0)]
        W, h1 = net.weights[layer], 1 - below**2
        if layer:
            q = h1**2 * (q @ W**2) - 2 * below * h1 * (trace.delta[layer] @ W)
    got = matrices.diagonal(bound(net, X, T), net.params, "backprop", 1)
    assert relative_error(got, np.concatenate(expected)) < 1e-12


def test_no_samples_have_no_curvature(dtype):
    net = network([2, 3, 2], dtype=dtype)
    batch = bound(net, np.empty((0, 2)), np.empty((0, 2)))
    for kind in KINDS:
        value, gradient, curved = matrices.normal_equations(batch, net.params, kind, 1)
        assert value == 0.0
        assert not gradient.any()
        assert not curved.any()
        assert not matrices.diagonal(batch, net.params, kind, 1).any()


@pytest.mark.parametrize(
    "layers", [[10, 5, 1], [8, 20, 1], [8, 50, 50, 1], [2, 90, 90, 1], [2, 64, 64, 64, 3]], ids=str
)
def test_the_hessian_is_cut_like_the_gauss_newton_matrix(layers, dtype):
    """Else they could not be the same bits; narrow blocks keep the recursion of wide layers near the core."""
    net = network(layers, dtype=dtype)
    batch = bound(net, *data(net, 5000))
    ggn, exact = (matrices.describe(batch, kind) for kind in ("ggn", "exact"))
    assert [ggn[name] for name in ("n_slots", "rows", "block")] == [
        exact[name] for name in ("n_slots", "rows", "block")
    ]


def test_slots_depend_on_samples_and_network_only():
    """The numbers in the module's docstring."""

    def cut(layers, n_samples):
        net = network(layers)
        return matrices.describe(bound(net, *data(net, n_samples)), "ggn")

    assert cut([1, 3, 1], 100)["n_slots"] == 1
    assert cut([10, 20, 1], 442)["n_slots"] == 2
    assert cut([8, 20, 1], 10_000) | {"bytes": 0} == {
        "n_slots": 14, "rows": 768, "block": 256, "n_tiles": 13_671, "n_bands": 0, "bytes": 0,
    }  # fmt: skip
    assert cut([8, 20, 1], 100_000)["n_slots"] <= 64
    large = cut([20, 60, 60, 3], 100_000)
    assert large["n_slots"] == 2
    assert large["bytes"] < 1.1 * 8 * (2 * large["n_tiles"] + (1 << 23))
    few = cut([8, 50, 50, 1], 2500)
    assert few["n_slots"] == 2
    assert few["n_bands"] == 23
    assert few["bytes"] < 0.5 * 8 * 2 * few["n_tiles"]
    assert cut([8, 50, 50, 1], 100_000)["n_bands"] == 0
