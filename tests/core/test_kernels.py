"""Each C kernel alone, on every instruction set and both types, at odd sizes, against NumPy in double."""

import numpy as np
import pytest

import reference
from fastmlp._core import faces, kernels

SIZES = [1, 2, 3, 7, 16, 17, 33]
SAMPLES = [0, 1, 3, 17, 64, 129]
EPS = {"float64": 2.0**-52, "float32": 2.0**-23}


@pytest.fixture
def draw(dtype):
    rng = np.random.default_rng(0)
    return lambda *shape: rng.normal(size=shape).astype(dtype)


def close(got, expected, magnitude, dtype, depth):
    """|got - expected| <= (depth + 4) eps * (the same sum of absolute values): the bound of a sum in any order."""
    assert got.dtype == dtype
    return bool(np.all(np.abs(got.astype(float) - expected) <= (depth + 4) * EPS[dtype] * magnitude))


def check_the_three_products(n_out, n_in, n, draw, dtype, isa):
    W, b, A, D, F = draw(n_out, n_in), draw(n_out), draw(n_in, n), draw(n_out, n), draw(n_in, n)
    W64, b64, A64, D64, F64 = (m.astype(float) for m in (W, b, A, D, F))
    magnitude = np.abs(W64) @ np.abs(A64) + np.abs(b64)[:, None]
    assert close(faces.dense_forward(W, b, A, isa=isa), W64 @ A64 + b64[:, None], magnitude, dtype, n_in)
    assert close(faces.dense_backward(W, D, isa=isa), W64.T @ D64, np.abs(W64).T @ np.abs(D64), dtype, n_out)
    scale = np.abs(W64).T @ np.abs(D64) * np.abs(F64)
    assert close(faces.dense_backward(W, D, F, isa=isa), F64 * (W64.T @ D64), scale, dtype, n_out)
    assert close(faces.dense_backward(W, D, F, F, isa=isa), F64 * (F64 + W64.T @ D64), F64**2 + scale, dtype, n_out)
    total = faces.dense_forward(W, None, A, D, isa=isa)
    assert close(total, D64 + W64 @ A64, np.abs(D64) + np.abs(W64) @ np.abs(A64), dtype, n_in)
    gW, gb = np.ones((n_out, n_in), dtype), np.ones(n_out, dtype)
    faces.dense_gradient(D, A, gW, gb, isa=isa)
    without_sums = np.ones_like(gW)
    faces.dense_gradient(D, A, without_sums, None, isa=isa)
    assert np.array_equal(without_sums, gW)
    if n:
        fresh_W, fresh_b = np.full_like(gW, np.nan), np.full_like(gb, np.nan)
        faces.dense_gradient(D, A, fresh_W, fresh_b, add=False, isa=isa)
        assert close(fresh_W, D64 @ A64.T, np.abs(D64) @ np.abs(A64).T, dtype, n)
        assert close(fresh_b, D64.sum(axis=1), np.abs(D64).sum(axis=1), dtype, n)
    assert close(gW, 1 + D64 @ A64.T, 1 + np.abs(D64) @ np.abs(A64).T, dtype, n)
    assert close(gb, 1 + D64.sum(axis=1), 1 + np.abs(D64).sum(axis=1), dtype, n)


@pytest.mark.parametrize("n", SAMPLES)
@pytest.mark.parametrize("n_in", SIZES)
@pytest.mark.parametrize("n_out", SIZES)
def test_the_three_products_of_a_dense_layer(n_out, n_in, n, draw, dtype, isa):
    check_the_three_products(n_out, n_in, n, draw, dtype, isa)


@pytest.mark.parametrize("n", SAMPLES)
@pytest.mark.parametrize("m", [*SIZES, 61, 130])
def test_the_gram_matrix(m, n, draw, dtype, isa):
    L, R, C = draw(m, n), draw(m, n), draw(m, m)
    expected, magnitude = (np.tril(a @ b.T) for a, b in ((L.astype(float), R), (abs(L.astype(float)), abs(R))))
    assert close(faces.gram(L, R, isa=isa), expected, magnitude, dtype, n)
    assert close(faces.gram(L, R, C, isa=isa), np.tril(C) + expected, np.tril(abs(C)) + magnitude, dtype, n)


@pytest.mark.parametrize("n", [1, 17, 200])
@pytest.mark.parametrize("width", [1, 3, 66])
@pytest.mark.parametrize("m", [*range(1, 8), 13, 31, 32, 39, 40])
def test_the_gradient_with_products_of_rows(m, width, n, draw, dtype, isa):
    D, X, Y, G = draw(m, n), draw(width, n), draw(width, n), draw(m, width)
    S = X.astype(float) * Y
    expected, magnitude = D.astype(float) @ S.T, abs(D.astype(float)) @ abs(S).T
    assert close(faces.product_gradient(D, X, Y, isa=isa), expected, magnitude, dtype, n + 1)
    assert close(faces.product_gradient(D, X, Y, G, isa=isa), G + expected, abs(G) + magnitude, dtype, n + 1)


@pytest.mark.parametrize("n", [5, 33, 48, 200])
@pytest.mark.parametrize(("n_out", "n_in"), [(300, 13), (13, 300), (150, 77), (1, 150), (150, 1), (64, 512), (33, 40)])
def test_the_three_products_of_wide_layers(n_out, n_in, n, draw, dtype, isa):
    check_the_three_products(n_out, n_in, n, draw, dtype, isa)


@pytest.mark.parametrize("n_rows", [0, 1, 3, 8])
@pytest.mark.parametrize("n_in", SIZES)
@pytest.mark.parametrize("n_out", SIZES)
def test_the_forward_product_on_rows(n_out, n_in, n_rows, draw, dtype, isa):
    W, b, A = draw(n_out, n_in), draw(n_out), draw(n_rows, n_in)
    expected = A.astype(float) @ W.T.astype(float) + b
    magnitude = np.abs(A.astype(float)) @ np.abs(W.T.astype(float)) + np.abs(b)
    assert close(faces.rows_forward(W, b, A, isa=isa), expected, magnitude, dtype, n_in)


@pytest.mark.parametrize("n", SAMPLES)
@pytest.mark.parametrize("n_out", [2, 3, 10, 17])
def test_softmax_columns(n_out, n, draw, dtype, isa):
    Z = 10 * draw(n_out, n)
    expected = np.array([reference.softmax(z) for z in Z.T.astype(float)]).reshape(n, n_out).T
    Y = faces.softmax(Z, isa=isa)
    rounding = EPS[dtype] * (4 + np.ptp(Z, axis=0))  # e^(z - max z) feels the rounding of its argument
    assert np.all(np.abs(Y - expected) <= rounding * expected)


@pytest.mark.parametrize("n_out", [1, 2, 3, 10, 17, 33])
def test_softmax_of_one_row(n_out, draw, dtype, isa):
    z = 10 * draw(n_out)
    expected = reference.softmax(z.astype(float))
    rounding = EPS[dtype] * (4 + n_out + np.ptp(z))
    assert np.all(np.abs(faces.softmax_row(z, isa=isa) - expected) <= rounding * expected)


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


@pytest.mark.parametrize("n", SAMPLES)
@pytest.mark.parametrize("width", SIZES)
def test_products_of_blocks(width, n, draw, dtype, isa):
    A, B, C = draw(width, n), draw(width, n), draw(width, n)
    assert np.array_equal(faces.multiply(A, B, isa=isa), A * B)
    expected = C.astype(float) + A.astype(float) * B
    assert close(faces.multiply(A, B, C, isa=isa), expected, np.abs(C) + np.abs(A * B).astype(float), dtype, 1)


@pytest.mark.parametrize("n", SAMPLES)
@pytest.mark.parametrize("width", [2, 3, 7, 33])
def test_products_with_the_jacobian_of_softmax_and_their_tangents(width, n, draw, dtype, isa):
    Z, U, R = draw(width, n).astype(float), draw(width, n), draw(width, n)
    Y = (np.exp(Z) / np.exp(Z).sum(axis=0)).astype(dtype)
    y, u, r = Y.astype(float), U.astype(float), R.astype(float)
    got = faces.softmax_product(Y, U, isa=isa)
    scale = y * (np.abs(u) + (y * np.abs(u)).sum(axis=0))
    assert close(got, y * (u - (y * u).sum(axis=0)), scale, dtype, width)
    got = faces.softmax_product(Y, U, R, isa=isa)
    scale = np.abs(r) * (np.abs(u) + (y * np.abs(u)).sum(axis=0)) + y * np.abs(r * u).sum(axis=0)
    assert close(got, r * (u - (y * u).sum(axis=0)) - y * (r * u).sum(axis=0), scale, dtype, width)


@pytest.mark.parametrize("n", SAMPLES)
@pytest.mark.parametrize("width", SIZES)
def test_rows_are_stored_beside_each_other(width, n, draw, dtype, isa):
    X = np.full((n, width + 5), 7.0, dtype)
    block = draw(width, n)
    faces.store_rows(block, X, isa=isa)
    assert np.array_equal(X[:, :width], block.T)
    assert np.all(X[:, width:] == 7)


@pytest.mark.parametrize("n_in", SIZES)
@pytest.mark.parametrize("n_out", SIZES)
def test_outer_products_of_rows(n_out, n_in, draw, dtype, isa):
    D, A = draw(3, n_out), draw(3, n_in)
    J = np.full((3, n_out * (n_in + 1) + 2), 7.0, dtype)
    faces.store_outer(D, A, J, isa=isa)
    expected = (D[:, :, None] * A[:, None, :]).reshape(3, -1)
    assert np.array_equal(J, np.hstack([expected, D, np.full((3, 2), 7.0, dtype)]))
