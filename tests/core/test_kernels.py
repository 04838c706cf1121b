"""C kernels alone, on every instruction set and both types, against NumPy in double: large sizes, hard numbers.

What they compute at all small sizes is in test_sizes.py.
"""

import numpy as np
import pytest

import faces
import kernel_checks
import reference
from fastmlp._core.bridge import kernels
from kernel_checks import EPS

SAMPLES = [0, 1, 3, 17, 64, 129]


@pytest.fixture
def draw(dtype):
    rng = np.random.default_rng(0)
    return lambda *shape: rng.normal(size=shape).astype(dtype)


@pytest.mark.parametrize("n", [5, 33, 48, 200])
@pytest.mark.parametrize(("n_out", "n_in"), [(300, 13), (13, 300), (150, 77), (1, 150), (150, 1), (64, 512), (33, 40)])
def test_the_three_products_of_wide_layers(n_out, n_in, n, draw, dtype, isa):
    kernel_checks.three_products(n_out, n_in, n, draw, dtype, isa)


@pytest.mark.parametrize("add", [False, True])
def test_samples_have_the_same_bits_among_few_and_many_and_none_comes_beside_them(add, draw, dtype, isa):
    W, b, A, D = draw(13, 37), draw(13), draw(37, 50), draw(13, 50)
    factor, Z, E = draw(37, 50), draw(13, 50) if add else None, draw(37, 50) if add else None
    forward, backward = faces.dense_forward(W, b, A, Z, isa=isa), faces.dense_backward(W, D, factor, E, isa=isa)
    for n in range(1, 50):
        few = [None if M is None else M[:, :n] for M in (A, Z, D, factor, E)]
        assert np.array_equal(faces.dense_forward(W, b, few[0], few[1], isa=isa), forward[:, :n])
        assert np.array_equal(faces.dense_backward(W, few[2], few[3], few[4], isa=isa), backward[:, :n])


@pytest.mark.parametrize("n", range(1, 34))
def test_columns_beyond_the_samples_are_numbers_and_their_deltas_zero(n, draw, dtype, isa):
    k = faces.Kernels(isa, dtype)
    W, b = draw(5, 40), draw(5)
    a, d, z = k.block(draw(40, n)), k.block(draw(5, n), zeros=True), k.fresh(5, n)
    e, part = k.fresh(40, n), k.fresh(40, n)
    k.dense_forward(*W.shape, n, W, b, a, False, z, faces.apart(a))
    k.dense_backward(*W.shape, n, W, d, False, a, e, faces.apart(d))
    k.dense_backward_part(*W.shape, n, W, faces.apart(W), d, faces.apart(d), a, part, faces.apart(d))
    beyond = slice(n, k.whole(n))
    assert all(value in row[:n] for row in z for value in row[beyond])
    assert not e[:, beyond].any()
    assert not part[:, beyond].any()


@pytest.mark.parametrize("n", [1, 7, 17, 129, 131])
def test_the_gradient_takes_no_numbers_from_beyond_the_samples(n, draw, dtype, isa):
    """What lies there is finite and met by zeros; a panel of a wide layer does not go so far."""
    k = faces.Kernels(isa, dtype)
    D, A, gW = draw(41, n), draw(32, n), np.empty((41, 32), dtype)
    d, a = k.block(D, zeros=True), k.block(A)
    a[:, n : k.whole(n)] = np.inf
    k.dense_gradient(41, 32, n, d, a, False, gW, None, faces.apart(d))
    exact = D.astype(float) @ A.T.astype(float)
    assert np.abs(gW - exact).max() < 8 * n * EPS[dtype] * np.abs(A).max() * np.abs(D).max()


@pytest.mark.parametrize("n", [3, 64, 129])
@pytest.mark.parametrize("m", [3, 17, 130])
def test_large_gram_matrices(m, n, draw, dtype, isa):
    kernel_checks.gram(m, n, draw, dtype, isa)


@pytest.mark.parametrize("width", [1, 3, 66, 128])
@pytest.mark.parametrize("m", [*range(1, 8), 13, 31, 32, 39, 40])
def test_the_gradient_with_products_of_rows_of_many_samples(m, width, draw, dtype, isa):
    kernel_checks.product_gradient(m, width, 200, draw, dtype, isa)


@pytest.mark.parametrize("n_in", [3, 8, 16, 50])
@pytest.mark.parametrize("n_out", [18, 20, 50])
def test_a_unit_is_the_same_bits_in_a_group_and_alone(n_out, n_in, draw, dtype, isa):
    W, b, A = draw(n_out, n_in), draw(n_out), draw(1, n_in)
    backwards = faces.rows_forward(W[::-1].copy(), b[::-1].copy(), A, isa=isa)
    assert np.array_equal(faces.rows_forward(W, b, A, isa=isa), backwards[:, ::-1])


@pytest.mark.parametrize("n_in", [3, 5, 9, 17, 40])
def test_one_row_leaves_infinite_weights_of_its_neighbours_alone(n_in, dtype, isa):
    W, b = np.ones((19, n_in), dtype), np.zeros(19, dtype)
    W[7] = np.inf
    z = faces.rows_forward(W, b, np.ones((1, n_in), dtype), isa=isa)[0]
    assert np.isinf(z[7])
    assert np.all(np.delete(z, 7) == n_in)


def test_softmax_survives_large_logits_and_ties(dtype, isa):
    Z = np.array([[1000, -1000, 5, 0], [999, -1001, 5, -2000], [-1000, -3000, 5, -2000]], dtype)
    Y = faces.softmax(Z, isa=isa)
    assert np.allclose(Y.sum(axis=0), 1, rtol=4 * EPS[dtype])
    assert np.all(Y[:, 2] == Y[0, 2])
    assert Y[0, 3] == 1


def loss_case(name, n_out, n, draw, dtype):
    rng = np.random.default_rng(1)
    Z = 3 * draw(n_out, n)
    if name == "cross_entropy":
        T = rng.dirichlet(np.ones(n_out), n).T
    elif name == "binary_cross_entropy":
        T = rng.random((n_out, n))
    else:
        T = rng.exponential(size=(n_out, n))
    return Z, np.ascontiguousarray(T, dtype), rng.random(n).astype(dtype)


def output_derivatives(Z, name, dtype):
    """Outputs tanh(z) with their two derivatives, for the loss that reads them."""
    if name != "squared_error":
        return {}
    return dict(zip(("Y", "d1", "d2"), (np.asarray(f(Z.astype(float)), dtype) for f in reference.ACTIVATIONS["tanh"]),
                    strict=True))  # fmt: skip


def value(name, z, t):
    return reference.sample_loss(name, z, np.tanh(z), t)


@pytest.mark.parametrize("n", SAMPLES)
@pytest.mark.parametrize("name", kernels.loss_names)
def test_loss_values_and_gradients(name, n, draw, dtype, isa):
    Z, T, weight = loss_case(name, 3, n, draw, dtype)
    terms = {k: v for k, v in output_derivatives(Z, name, dtype).items() if k != "d2"}
    values, D = faces.loss_gradient(name, Z, T, weight=weight, isa=isa, **terms)
    h = 1e-20
    for s in range(n):
        z, t = Z[:, s].astype(float), T[:, s].astype(float)
        assert values[s] == pytest.approx(weight[s] * value(name, z, t), rel=40 * EPS[dtype], abs=40 * EPS[dtype])
        for k in range(3):
            shifted = z.astype(complex)
            shifted[k] += 1j * h  # complex step: exact to rounding
            slope = complex_value(name, shifted, t).imag / h
            assert D[k, s] == pytest.approx(weight[s] * slope, rel=40 * EPS[dtype], abs=40 * EPS[dtype])


def complex_value(name, z, t):
    """The loss for complex logits, written with analytic functions only."""
    if name == "squared_error":
        return 0.5 * np.sum((np.tanh(z) - t) ** 2)
    if name == "binary_cross_entropy":
        return np.sum(np.log(1 + np.exp(z)) - t * z)
    if name == "cross_entropy":
        return np.sum(t * (np.log(np.sum(np.exp(z))) - z))
    return np.sum(np.exp(z) - t * z)


@pytest.mark.parametrize("ggn", [False, True])
@pytest.mark.parametrize("name", kernels.loss_names)
def test_loss_hessian_products_are_derivatives_of_the_gradient(name, ggn, draw, dtype, isa):
    n, n_out, h = 17, 4, 1e-5
    Z, T, weight = loss_case(name, n_out, n, draw, dtype)
    RZ = draw(n_out, n)
    terms = output_derivatives(Z, name, dtype)
    if ggn and name == "squared_error":
        terms["Y"] = T.copy()  # at zero residual the exact product is the Gauss-Newton one
        expected = weight * terms["d1"].astype(float) ** 2 * RZ
    else:
        z, t = Z.astype(float), T.astype(float)

        def gradient(z):
            y = output_derivatives(z, name, "float64")
            return faces.loss_gradient(name, z, t, weight=weight.astype(float), **{k: y[k] for k in y if k != "d2"})[1]

        expected = (gradient(z + h * RZ) - gradient(z - h * RZ)) / (2 * h)
    got = faces.loss_hessp(name, Z, T, RZ, ggn=ggn, weight=weight, isa=isa, **terms)
    assert np.allclose(got, expected, rtol=1e-8, atol=1e-8 if dtype == "float64" else 1e-4)


def test_squared_error_with_a_precision_for_each_output(draw, dtype, isa):
    Z, T, weight = loss_case("squared_error", 3, 9, draw, dtype)
    scale = np.array([0.5, 2.0, 3.0], dtype)
    values, D = faces.loss_gradient("squared_error", Z, T, Y=Z, weight=weight, scale=scale, isa=isa)
    residual = Z.astype(float) - T
    assert np.allclose(values, weight * (0.5 * scale @ residual**2), rtol=20 * EPS[dtype])
    assert np.allclose(D, weight * scale[:, None] * residual, rtol=20 * EPS[dtype])


@pytest.mark.parametrize("n", [0, 1, 3, 17, 1000])
def test_vectors_of_parameters(n, draw, dtype, isa):
    x, y = draw(n), draw(n)
    assert np.array_equal(faces.vector("add", x, y, isa=isa), x + y)
    assert faces.vector("add_multiple", x, y, isa=isa) == pytest.approx(y - 2 * x, rel=4 * EPS[dtype], abs=EPS[dtype])
    bound = np.abs(x).astype(float) @ np.abs(y).astype(float)
    assert faces.dot(x, y, isa=isa) == pytest.approx(x.astype(float) @ y.astype(float), abs=100 * EPS[dtype] * bound)
    assert faces.finite(x, isa=isa)
    for wrong in np.inf, -np.inf, np.nan:
        assert not any(faces.finite(np.where(np.arange(n) == i, wrong, x).astype(dtype), isa=isa) for i in range(n))
    assert faces.vector("log1p", abs(x), isa=isa) == pytest.approx(np.log1p(abs(x.astype(float))), rel=2 * EPS[dtype])


@pytest.mark.parametrize("n", [0, 1, 3, 17, 1000])
def test_weight_decay_adds_to_the_gradient_and_returns_its_value(n, draw, dtype, isa):
    coefficients, w, g = abs(draw(n)), draw(n), draw(n)
    value, force = faces.decay(coefficients, w, g, 0.5, 0.25, isa=isa)
    assert value == pytest.approx(0.5 * np.sum(coefficients.astype(float) * w.astype(float) ** 2), rel=1e-6)
    assert np.allclose(force, 0.5 * g + 0.25 * coefficients * w, rtol=4 * EPS[dtype], atol=4 * EPS[dtype])


def test_an_unknown_instruction_set_is_refused():
    with pytest.raises(ValueError, match="FASTMLP_ISA: expected one of generic"):
        kernels.isa_index("mmx")
