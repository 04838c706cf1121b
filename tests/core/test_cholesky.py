"""Cholesky factors, solves and inverses, on every instruction set and both types, against what they are to satisfy."""

import functools

import numpy as np
import pytest

import faces
from fastmlp._core.curvature import cholesky

SIZES = [0, 1, 2, 3, 17, 31, 32, 33, 61, 100, 241, 300]
EPS = {"float64": 2.0**-53, "float32": 2.0**-24}
GAP = 5  # columns between the rows of the matrices here, so that leading dimensions are not the number of columns


def spaced(matrix, dtype):
    """A copy with nan between its rows, and the view of the matrix in it."""
    rows, columns = matrix.shape
    memory = np.full((rows, columns + GAP), np.nan, dtype)
    memory[:, :columns] = matrix
    return memory, memory[:, :columns]


@functools.cache
def drawn(n, condition):
    Q = np.linalg.qr(np.random.default_rng(n).normal(size=(n, n)))[0]
    A = (Q * np.geomspace(1, 1 / condition, n)) @ Q.T
    return 0.5 * (A + A.T)


def definite(n, dtype, condition=1e3):
    """A positive definite matrix as it is rounded to the type."""
    return drawn(n, condition).astype(dtype)


def factored(A, isa):
    L = A.copy()
    assert faces.cholesky_factor(L, isa=isa) == 0
    return np.tril(L)


@pytest.mark.parametrize("n", [*SIZES, 1210])
def test_the_factor_reproduces_the_matrix(n, dtype, isa):
    A = definite(n, dtype)
    memory, L = spaced(A, dtype)
    L[np.triu_indices(n, 1)] = np.nan  # what lies above the diagonal is not read,
    assert faces.cholesky_factor(L, isa=isa) == 0
    assert np.all(np.isnan(L[np.triu_indices(n, 1)]))  # nor written, nor what lies between the rows
    assert np.all(np.isnan(memory[:, n:]))
    lower = np.tril(L).astype(float)
    magnitude = np.abs(lower) @ np.abs(lower).T
    assert np.all(np.abs(lower @ lower.T - A) <= (n + 2) * EPS[dtype] * magnitude)


@pytest.mark.parametrize("m", [0, 1, 4, 5, 17, 50])
@pytest.mark.parametrize("n", SIZES)
def test_rows_are_solved(n, m, dtype, isa):
    memory, L = spaced(factored(definite(n, dtype), isa), dtype)
    L[np.triu_indices(n, 1)] = np.nan
    B = np.random.default_rng(1).normal(size=(m, n)).astype(dtype)
    lower = np.tril(L).astype(float)
    for part, triangle in (("forward", lower), ("backward", lower.T)):
        memory, X = spaced(B, dtype)
        faces.cholesky_solve(L, X, part, isa=isa)
        assert np.all(np.isnan(memory[:, n:]))
        x = X.astype(float)
        assert np.all(np.abs(x @ triangle.T - B) <= (n + 2) * EPS[dtype] * (np.abs(x) @ np.abs(triangle).T))


@pytest.mark.parametrize("m", [1, 20])
@pytest.mark.parametrize("n", [3, 61, 300])
def test_forward_then_backward_solves_with_the_matrix(n, m, dtype, isa):
    A, B = definite(n, dtype, 10.0), np.random.default_rng(2).normal(size=(m, n)).astype(dtype)
    X = B.copy()
    faces.cholesky_solve(factored(A, isa), X, isa=isa)
    assert np.allclose(X.astype(float) @ A.astype(float), B, rtol=0, atol=1e3 * n * EPS[dtype])


@pytest.mark.parametrize("n", [64, 65, 128, 300])
def test_columns_may_be_factored_in_turn(n, dtype, isa):
    A = definite(n, dtype)
    L = A.copy()
    for first in range(0, n, 64):
        assert faces.cholesky_factor(L, isa=isa, first=first, last=first + 64) == 0
    assert np.array_equal(np.tril(L), factored(A, isa))


@pytest.mark.parametrize("n", SIZES)
def test_the_inverse(n):
    L = definite(n, "float64", 10.0)
    A = L.copy()
    assert cholesky.factor(L) == 0
    X = cholesky.inverse(L)
    assert np.array_equal(X, X.T)
    assert np.allclose(X @ A, np.eye(n), rtol=0, atol=200 * (n + 1) * EPS["float64"])


@pytest.mark.parametrize("n", [0, 1, 31, 32, 33, 47, 48, 49, 63, 64, 65, 97, 241])
def test_the_root_of_the_inverse_is_triangular(n):
    A = definite(n, "float64", 10.0)
    L = A.copy()
    assert cholesky.factor(L) == 0
    root = cholesky.inverse_root(L)
    assert not np.tril(root, -1).any()
    assert np.allclose(cholesky.row_squares(root), (root**2).sum(axis=1), rtol=1e-13, atol=0)
    assert np.allclose(root @ root.T @ A, np.eye(n), rtol=0, atol=200 * (n + 1) * EPS["float64"])


@pytest.mark.parametrize("m", [0, 1, 3, 6, 17, 50])
@pytest.mark.parametrize("n", [n for n in SIZES if n])
def test_squares_of_rows_times_a_root(n, m, dtype, isa):
    rng = np.random.default_rng(3)
    S, J = np.triu(rng.normal(size=(n, n))).astype(dtype), rng.normal(size=(m, n)).astype(dtype)
    got = faces.root_squares(spaced(S, dtype)[1], spaced(J, dtype)[1], isa=isa)  # what lies between rows is not read
    V, magnitude = J.astype(float) @ S, np.abs(J.astype(float)) @ np.abs(S)
    assert got.shape == (m,)
    assert np.all(np.abs(got - (V**2).sum(axis=1)) <= 2 * (n + 2) * EPS[dtype] * (magnitude**2).sum(axis=1))


@pytest.mark.parametrize("n", [1, 40, 130])
def test_squares_of_many_rows(n, n_threads):
    rng = np.random.default_rng(4)
    S, J = np.triu(rng.normal(size=(n, n))), rng.normal(size=(259, 3, n))
    panels = cholesky.packed(S)
    got = cholesky.squares(panels, J, n_threads)
    assert got.shape == (259, 3)
    assert np.allclose(got, ((J @ S) ** 2).sum(axis=-1), rtol=1e-12)
    assert np.array_equal(got, cholesky.squares(panels, J, 1))
    assert np.array_equal(got[255:257], cholesky.squares(panels, J[255:257], 1))  # a row's bits are its own
    assert cholesky.squares(panels, J[:0], n_threads).shape == (0, 3)


@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("m", [0, 1, 3, 6, 17, 50])
@pytest.mark.parametrize("n", [n for n in SIZES if n])
def test_products_of_rows_and_a_root(n, m, lower, dtype, isa):
    rng = np.random.default_rng(5)
    S, J = np.triu(rng.normal(size=(n, n))).astype(dtype), rng.normal(size=(m, n)).astype(dtype)
    got = faces.root_products(spaced(S, dtype)[1], spaced(J, dtype)[1], lower, isa=isa)
    S = S.T if lower else S
    magnitude = np.abs(J.astype(float)) @ np.abs(S)
    assert np.all(np.abs(got - J.astype(float) @ S) <= (n + 2) * EPS[dtype] * magnitude)


@pytest.mark.parametrize("n", [1, 40, 130])
def test_products_of_many_rows(n, n_threads):
    rng = np.random.default_rng(6)
    S, J = np.triu(rng.normal(size=(n, n))), rng.normal(size=(259, 3, n))
    for factor, lower in ((S, False), (S.T, True)):
        panels = cholesky.packed(S, lower)
        got = cholesky.products(panels, J, lower, n_threads)
        assert np.allclose(got, J @ factor, rtol=0, atol=1e-13 * n)
        assert np.array_equal(got, cholesky.products(panels, J, lower, 1))
        assert np.array_equal(got[255:257], cholesky.products(panels, J[255:257], lower, n_threads))
        assert cholesky.products(panels, J[:0], lower, n_threads).shape == (0, 3, n)
        assert np.allclose(cholesky.few_products(S, J[0], lower), J[0] @ factor, rtol=0, atol=1e-13 * n)


@pytest.mark.parametrize("n", [1, 17, 32, 33, 61, 241])
def test_the_first_pivot_that_is_not_positive_is_named(n, dtype, isa):
    for bad in {0, n // 2, n - 1}:
        A = definite(n, dtype, 10.0)
        A[bad, bad] = -1.0
        assert faces.cholesky_factor(A, isa=isa) == bad + 1


def test_zero_nan_and_infinite_pivots_are_no_factors(dtype, isa):
    for wrong in (0.0, np.nan, np.inf, -np.inf):
        for n in (1, 40, 100):
            A = np.eye(n, dtype=dtype)
            A[n - 1, n - 1] = wrong
            assert faces.cholesky_factor(A, isa=isa) == n


def test_the_least_normal_pivot_is_one_and_a_subnormal_one_is_none(dtype, isa):
    least = np.finfo(dtype).smallest_normal
    for n in (3, 40, 100):
        A = np.eye(n, dtype=dtype)
        A[1, 1] = least
        assert faces.cholesky_factor(A.copy(), isa=isa) == 0
        A[1, 1] = least / 2
        assert faces.cholesky_factor(A, isa=isa) == 2


@pytest.mark.parametrize("n", [2, 40, 100])
def test_nan_off_the_diagonal_is_found_at_the_latest_in_its_row(n, dtype, isa):
    A = np.eye(n, dtype=dtype)
    A[n - 1, 0] = np.nan
    assert faces.cholesky_factor(A, isa=isa) == n


def test_a_singular_matrix_is_found(dtype, isa):
    ones = np.ones((70, 70), dtype)
    assert faces.cholesky_factor(ones, isa=isa) == 2


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("n_negative", [0, 1, 3])
def test_negative_pivots_are_the_negative_eigenvalues(n, n_negative):
    rng = np.random.default_rng([n, n_negative])
    Q = np.linalg.qr(rng.normal(size=(n, n)))[0]
    values = rng.uniform(0.5, 2.0, n)
    values[:n_negative] *= -1
    A = (Q * values) @ Q.T
    assert cholesky.negative_pivots(0.5 * (A + A.T), 0.0) in (min(n, n_negative), None)
    assert cholesky.negative_pivots(0.5 * (A + A.T), 3.0) == 0


def test_pivots_that_say_nothing_are_not_counted():
    assert cholesky.negative_pivots(np.array([[0.0, 1.0], [1.0, 0.0]]), 0.0) is None
    assert cholesky.negative_pivots(np.array([[1e-9, 1.0], [1.0, 0.0]]), 0.0) is None
    assert cholesky.negative_pivots(np.array([[1.0, np.nan], [np.nan, 1.0]]), 0.0) is None
    assert cholesky.negative_pivots(np.array([[2.0, 1.0], [1.0, -2.0]]), 0.0) == 1
