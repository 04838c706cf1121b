"""Singular values by rotations."""

import numpy as np
import pytest
from mpmath import mp

from fastmlp._core.curvature import singular
from fastmlp.optimize import least_squares

SHAPES = [(1, 1), (1, 9), (3, 3), (5, 40), (30, 61), (31, 300), (60, 64)]


def rows(k, d):
    rng = np.random.default_rng(k * d)
    return rng.normal(size=(k, d)) * 10.0 ** rng.uniform(-6, 0, (k, 1))


@pytest.mark.parametrize(("k", "d"), SHAPES)
def test_factors_are_orthogonal_and_give_the_matrix(k, d):
    A = rows(k, d)
    V, s, B = singular.decomposed(A)
    np.testing.assert_allclose(V @ V.T, np.eye(k), rtol=0, atol=1e-13)
    np.testing.assert_allclose(B @ B.T, np.eye(k), rtol=0, atol=1e-13)
    np.testing.assert_allclose(V.T @ (s[:, np.newaxis] * B), A, rtol=0, atol=1e-13 * s[0])
    np.testing.assert_allclose(s, np.linalg.svd(A, compute_uv=False), rtol=0, atol=1e-13 * s[0])
    assert (np.diff(s) <= 0).all()


def test_small_values_of_rows_of_different_lengths_are_right():
    """Which singular values of LAPACK are not: rotations know of each row's own length."""
    A = rows(4, 12) * np.array([[1.0], [1e-6], [1e-12], [1e-15]])
    with mp.workdps(60):
        exact = sorted((float(v) for v in mp.svd_r(mp.matrix(A.tolist()), compute_uv=False)), reverse=True)
    np.testing.assert_allclose(singular.decomposed(A)[1], exact, rtol=1e-13)


@pytest.mark.parametrize("d", [5, 50])
def test_dependent_rows_and_rows_of_zeros(d):
    A = np.random.default_rng(0).normal(size=(5, d))
    A[3], A[4] = A[0] - 2 * A[1], 0.0
    V, s, B = singular.decomposed(A)
    np.testing.assert_allclose(V.T @ (s[:, np.newaxis] * B), A, rtol=0, atol=1e-13)
    np.testing.assert_allclose(s[3:], 0, rtol=0, atol=1e-14)
    assert np.isfinite(B).all()


@pytest.mark.parametrize("shape", [(400, 30), (30, 400), (100, 95), (3000, 3), (50, 7)])
def test_least_squares_has_thin_factors(shape):
    A = np.random.default_rng(1).normal(size=shape)
    U, s, Vt = least_squares._singular(A)
    k = min(shape)
    assert (U.shape, s.shape, Vt.shape) == ((shape[0], k), (k,), (k, shape[1]))
    np.testing.assert_allclose((U * s) @ Vt, A, rtol=0, atol=1e-12)


def test_systems_of_a_few_dozen_leave_lapack_alone(monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError("LAPACK was asked")

    monkeypatch.setattr(np.linalg, "svd", refuse)
    X = np.random.default_rng(2).normal(size=(400, 30))
    target = X @ np.linspace(-1, 1, 30) + 0.01 * np.random.default_rng(3).normal(size=400)
    result = least_squares.levenberg_marquardt(lambda w: X @ w - target, lambda w: X, np.zeros(30))
    assert result.success
    np.testing.assert_allclose(result.x, np.linalg.lstsq(X, target, rcond=None)[0], rtol=0, atol=1e-12)
