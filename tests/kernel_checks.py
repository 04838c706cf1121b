"""What C kernels compute, of any sizes, against NumPy in double: for tests of certain sizes, and of all of them.

`draw` gives normal numbers of a shape in the type that is tested. The faces of the kernels see to it that nothing is
written between or beyond the vectors of a block, and that nan that is read from there comes out.
"""

import numpy as np

import faces
import reference

EPS = {"float64": 2.0**-52, "float32": 2.0**-23}
GAP = 5  # numbers between the rows of the matrices here, so that leading dimensions are not the number of columns


def close(got, expected, magnitude, dtype, depth):
    """|got - expected| <= (depth + 4) eps * (the same sum of absolute values): the bound of a sum in any order."""
    assert got.dtype == dtype
    return bool(np.all(np.abs(got.astype(float) - expected) <= (depth + 4) * EPS[dtype] * magnitude))


def spaced(matrix, dtype):
    """A copy, and all memory between its rows, which are GAP apart: nan. The memory ends with the last row."""
    rows, columns = matrix.shape
    memory = np.full(max(0, rows * (columns + GAP) - GAP), np.nan, dtype)
    size = memory.itemsize
    view = np.lib.stride_tricks.as_strided(memory, matrix.shape, ((columns + GAP) * size, size))
    view[...] = matrix
    whole = memory[: (rows - 1) * (columns + GAP)].reshape(-1, columns + GAP) if rows else memory.reshape(0, 1)
    return whole[:, columns:], view


# ---- products ----


def three_products(n_out, n_in, n, draw, dtype, isa):
    W, b, A, D, F = draw(n_out, n_in), draw(n_out), draw(n_in, n), draw(n_out, n), draw(n_in, n)
    W64, b64, A64, D64, F64 = (m.astype(float) for m in (W, b, A, D, F))
    magnitude = np.abs(W64) @ np.abs(A64) + np.abs(b64)[:, None]
    assert close(faces.dense_forward(W, b, A, isa=isa), W64 @ A64 + b64[:, None], magnitude, dtype, n_in)
    total = faces.dense_forward(W, None, A, D, isa=isa)
    assert close(total, D64 + W64 @ A64, np.abs(D64) + np.abs(W64) @ np.abs(A64), dtype, n_in)
    back, scale = W64.T @ D64, np.abs(W64).T @ np.abs(D64)
    assert close(faces.dense_backward(W, D, isa=isa), back, scale, dtype, n_out)
    scale *= np.abs(F64)
    assert close(faces.dense_backward(W, D, F, isa=isa), F64 * back, scale, dtype, n_out)
    assert close(faces.dense_backward(W, D, F, F, isa=isa), F64 * (F64 + back), F64**2 + scale, dtype, n_out)
    part = faces.dense_backward_part(spaced(W, dtype)[1], D, F, isa=isa)
    assert close(part, F64 * back, scale, dtype, n_out)
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


def product_gradient(m, width, n, draw, dtype, isa):
    D, X, Y, G = draw(m, n), draw(width, n), draw(width, n), draw(m, width)
    S = X.astype(float) * Y
    expected, magnitude = D.astype(float) @ S.T, abs(D.astype(float)) @ abs(S).T
    if n:
        assert close(faces.product_gradient(D, X, Y, isa=isa), expected, magnitude, dtype, n + 1)
    assert close(faces.product_gradient(D, X, Y, G, isa=isa), G + expected, abs(G) + magnitude, dtype, n + 1)


def rows_forward(n_out, n_in, n_rows, draw, dtype, isa):
    W, b, A = draw(n_out, n_in), draw(n_out), draw(n_rows % 9, n_in)
    expected = A.astype(float) @ W.T.astype(float) + b
    magnitude = np.abs(A.astype(float)) @ np.abs(W.T.astype(float)) + np.abs(b)
    assert close(faces.rows_forward(W, b, A, isa=isa), expected, magnitude, dtype, n_in)


def store_outer(n_out, n_in, n_rows, draw, dtype, isa):
    D, A = draw(n_rows, n_out), draw(n_rows, n_in)
    between, J = spaced(np.zeros((n_rows, (n_in + 1) * n_out)), dtype)
    faces.store_outer(D, A, J, isa=isa)
    assert np.array_equal(J, np.hstack([(D[:, :, None] * A[:, None, :]).reshape(n_rows, n_out * n_in), D]))
    assert np.isnan(between).all()


def gram(m, n, draw, dtype, isa):
    L, R, C = draw(m, n), draw(m, n), draw(m, m)
    expected, magnitude = (np.tril(a @ b.T) for a, b in ((L.astype(float), R), (abs(L.astype(float)), abs(R))))
    assert close(faces.gram(L, R, isa=isa), expected, magnitude, dtype, n)
    assert close(faces.gram(L, R, C, isa=isa), np.tril(C) + expected, np.tril(abs(C)) + magnitude, dtype, n)


def multiply(width, n, draw, dtype, isa):
    A, B, C = draw(width, n), draw(width, n), draw(width, n)
    assert np.array_equal(faces.multiply(A, B, isa=isa), A * B)
    expected, magnitude = C.astype(float) + A.astype(float) * B, np.abs(C) + np.abs(A.astype(float) * B)
    assert close(faces.multiply(A, B, C, isa=isa), expected, magnitude, dtype, 1)
    x = draw(n)
    assert np.array_equal(faces.multiply_rows(x, B, isa=isa), x * B)
    expected, magnitude = C.astype(float) + x.astype(float) * B, np.abs(C) + np.abs(x.astype(float) * B)
    assert close(faces.multiply_rows(x, B, C, isa=isa), expected, magnitude, dtype, 1)


# ---- layout ----


def rows_and_blocks(width, n, draw, dtype, isa):
    """There, also by an index and of labels, where whole vectors repeat the last sample, and back."""
    X = draw(n, width)
    index = np.random.default_rng(n).permutation(n)
    labels = np.random.default_rng(width).integers(width, size=n)
    for chosen, rows in ((None, X), (index, X[index])) if n else ():
        ones = np.eye(width, dtype=dtype)[labels if chosen is None else labels[chosen]]
        loaded = faces.load_rows(X, chosen, isa=isa), faces.load_labels(labels, chosen, np.ones(width, dtype), isa=isa)
        for block, expected in zip(loaded, (rows, ones), strict=True):
            assert np.array_equal(block[:, :n], expected.T)
            assert np.all(block[:, n:] == expected[-1:].T)
    between, back = spaced(np.zeros((n, width)), dtype)
    faces.store_rows(np.ascontiguousarray(X.T), back, isa=isa)
    assert np.array_equal(back, X)
    assert np.isnan(between).all()


# ---- outputs and losses ----


def softmax(n_out, n, draw, dtype, isa):
    Z = 10 * draw(n_out, n)
    expected = np.array([reference.softmax(z) for z in Z.T.astype(float)]).reshape(n, n_out).T
    rounding = EPS[dtype] * (4 + n_out + (np.ptp(Z, axis=0) if n else 0))  # e^(z - max z) feels its argument's rounding
    assert np.all(np.abs(faces.softmax(Z, isa=isa) - expected) <= rounding * expected)
    for s in range(min(n, 1)):
        row = faces.softmax_row(np.ascontiguousarray(Z[:, s]), isa=isa)
        assert np.all(np.abs(row - expected[:, s]) <= rounding[s] * expected[:, s])


def softmax_product(width, n, draw, dtype, isa):
    Z, U, R = draw(width, n).astype(float), draw(width, n), draw(width, n)
    Y = (np.exp(Z) / np.exp(Z).sum(axis=0)).astype(dtype)
    y, u, r = Y.astype(float), U.astype(float), R.astype(float)
    got = faces.softmax_product(Y, U, isa=isa)
    scale = y * (np.abs(u) + (y * np.abs(u)).sum(axis=0))
    assert close(got, y * (u - (y * u).sum(axis=0)), scale, dtype, width)
    r = r - np.roll(r, 1, axis=0)
    got = faces.softmax_product(Y, U, r.astype(dtype), isa=isa)
    sizes = np.abs(u) + np.abs(u).max(axis=0)  # r sums to 0 but for its own rounding
    scale = np.abs(r) * (np.abs(u) + (y * np.abs(u)).sum(axis=0)) + y * (np.abs(r) * sizes).sum(axis=0)
    assert close(got, r * (u - (y * u).sum(axis=0)) - y * (r * u).sum(axis=0), scale, dtype, width)


def losses(n_out, n, draw, dtype, isa):
    """Values, gradients and products with both matrices, to a few digits less than rounding."""
    Z, RZ, T = draw(n_out, n), draw(n_out, n), np.abs(draw(n_out, n))
    weight, scale = np.abs(draw(n)), np.abs(draw(n_out))
    z, t, r, c = Z.astype(float), T.astype(float), RZ.astype(float), scale.astype(float)[:, None]
    units = [np.asarray(f(z), dtype) for f in reference.ACTIVATIONS["tanh"]]
    y, d1, d2 = (each.astype(float) for each in units)
    terms = dict(zip(("Y", "d1"), units, strict=False), scale=scale)
    bent = c * (d1**2 + (y - t) * d2) * r
    share = T / T.sum(axis=0)
    s, e, p = 1 / (1 + np.exp(-z)), np.exp(z), np.exp(z) / np.exp(z).sum(axis=0)
    q = share.astype(float)
    cases = {
        "squared_error": (T, 0.5 * c * (y - t) ** 2, c * (y - t) * d1, bent, c * d1**2 * r),
        "binary_cross_entropy": (T, np.log1p(e) - t * z, s - t, s * (1 - s) * r, None),
        "cross_entropy": (share, -q * np.log(p), p - q, p * (r - (p * r).sum(axis=0)), None),
        "poisson": (T, e - t * z, e - t, e * r, None),
    }
    for name, (targets, value, gradient, product, ggn) in cases.items():
        given = terms if name == "squared_error" else {}
        got = [*faces.loss_gradient(name, Z, targets, weight=weight, isa=isa, **given)]
        expected = [value.sum(axis=0), gradient, product, product if ggn is None else ggn]
        if name == "squared_error":
            given = given | {"d2": units[2]}
        got += [faces.loss_hessp(name, Z, targets, RZ, k, weight=weight, isa=isa, **given) for k in (False, True)]
        for found, wanted in zip(got, expected, strict=True):
            size = 1 + np.abs(weight * wanted).max(initial=0)
            assert np.all(np.abs(found - weight * wanted) <= 20 * (n_out + 4) * EPS[dtype] * size), name


# ---- vectors ----


def vectors(n, draw, dtype, isa):
    x, y, w = draw(n), draw(n), draw(n)
    x64, y64, w64 = x.astype(float), y.astype(float), w.astype(float)
    size = np.abs(x64) + np.abs(y64) + np.abs(w64)
    assert np.array_equal(faces.vector("add", x, y, isa=isa), x + y)
    assert close(faces.vector("add_multiple", x, y, isa=isa), y64 - 2 * x64, 2 * size, dtype, 1)
    assert close(faces.vector("log1p", abs(x), isa=isa), np.log1p(abs(x64)), size, dtype, 1)
    assert abs(faces.dot(x, y, isa=isa) - x64 @ y64) <= (n + 4) * EPS[dtype] * (abs(x64) @ abs(y64))
    assert faces.finite(x, isa=isa)
    value, force = faces.decay(abs(x), y, w, 0.5, 0.25, isa=isa)
    assert abs(value - 0.5 * np.sum(abs(x64) * y64**2)) <= (n + 4) * EPS[dtype] * np.sum(size**3)
    assert close(force, 0.5 * w64 + 0.25 * abs(x64) * y64, size + size**2, dtype, 1)


def steps(n, draw, dtype, isa):
    g, v, w, m = draw(n), abs(draw(n)), draw(n), draw(n)
    g64, v64, w64, m64 = (2.0 * g.astype(float), *(each.astype(float) for each in (v, w, m)))
    size = 1 + np.abs(g64) + np.abs(v64) + np.abs(w64) + np.abs(m64)
    moved = 0.5 * v64 + g64
    for nesterov, step in ((False, moved), (True, g64 + 0.5 * moved)):
        velocity, params = faces.sgd_step(g, v, w, 2.0, 0.25, 0.5, nesterov, isa=isa)
        assert close(velocity, moved, size, dtype, 2)
        assert close(params, w64 - 0.25 * step, size, dtype, 2)
    first, second, params = faces.adam_step(g, m, v, w, 2.0, 0.25, 1.5, 0.75, 0.5, 1.0, isa=isa)
    m64, v64 = 0.75 * m64 + 0.25 * g64, 0.5 * v64 + 0.5 * g64**2
    assert close(first, m64, size, dtype, 2)
    assert close(second, v64, size**2, dtype, 2)
    assert close(params, w64 - 0.25 * m64 / (np.sqrt(1.5 * v64) + 1), size, dtype, 8)


def activations(n, draw, dtype, isa):
    z = draw(n)
    for name, functions in reference.ACTIVATIONS.items():
        expected = [np.broadcast_to(f(z.astype(float)), n) for f in functions]
        for order in range(3):
            for found, wanted in zip(faces.activation(name, z, order, isa=isa), expected, strict=False):
                assert close(found, wanted, 1 + abs(wanted) * (1 + abs(z)), dtype, 20), (name, order)


# ---- triangles ----


def triangles(n, m, draw, dtype, isa):
    """The factor of a matrix, what solves with it, and products with a root, where nan lies above it."""
    lower = np.tril(draw(n, n).astype(float)) / (n + 1)
    lower[np.diag_indices(n)] = 1 + np.abs(np.diag(lower))
    between, L = spaced(np.tril(lower @ lower.T), dtype)
    L[np.triu_indices(n, 1)] = np.nan
    assert faces.cholesky_factor(L, isa=isa) == 0
    assert np.isnan(between).all()
    assert np.isnan(L[np.triu_indices(n, 1)]).all()
    found = np.tril(L).astype(float)
    rounding = 20 * (n + 4) * EPS[dtype]
    assert np.all(np.abs(found - lower) <= rounding)
    B = draw(m, n)
    for part, triangle in (("forward", found.T), ("backward", found)):
        between, X = spaced(B, dtype)
        faces.cholesky_solve(L, X, part, isa=isa)
        assert np.isnan(between).all()
        assert np.all(np.abs(X.astype(float) @ triangle - B) <= rounding * (1 + np.abs(X).max(initial=0)))
    S = spaced(lower.T, dtype)[1]
    wide, J = S.astype(float), spaced(B, dtype)[1]
    sums = np.abs(B.astype(float)) @ np.abs(wide)
    assert close(faces.root_squares(S, J, isa=isa), ((B @ wide) ** 2).sum(axis=1), (sums**2).sum(axis=1), dtype, 2 * n)
    assert close(faces.root_products(S, J, False, isa=isa), B @ wide, sums, dtype, n)
    assert close(faces.root_products(S, J, True, isa=isa), B @ wide.T, np.abs(B) @ np.abs(wide.T), dtype, n)
