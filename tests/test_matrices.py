"""Copies that are made in parts are the same as those by NumPy, eigenvalues found in steps those of LAPACK."""

import numpy as np
import pytest

from fastmlp import _matrices, _memory
from fastmlp.derivatives import eigenvalues

EPS = np.finfo(np.float64).eps


@pytest.mark.parametrize("n", [0, 1, 7, 1100])
def test_copies(n):
    A = np.random.default_rng(n).normal(size=(n, n))
    for each in (A, A.T):
        got = _matrices.copied(each)
        assert np.array_equal(got, each)
        assert got.flags.c_contiguous
        assert got.flags.owndata
    where = np.flatnonzero(np.random.default_rng(0).random(n) < 0.7)
    assert np.array_equal(_matrices.chosen(A, where), A[np.ix_(where, where)])


@pytest.mark.parametrize(("m", "n"), [(0, 5), (3, 0), (7, 9), (3, 400_000)])
def test_rows_and_columns(m, n):
    rng = np.random.default_rng(n)
    A, factors = rng.normal(size=(m, n)), rng.normal(size=m)
    where = np.flatnonzero(rng.random(n) < 0.7)
    of_columns = rng.normal(size=len(where))
    got = _matrices.columns(A, where, of_columns)
    assert np.array_equal(got, A[:, where] * of_columns)
    assert got.flags.c_contiguous
    np.testing.assert_allclose(_matrices.square_sums(A), (A**2).sum(axis=0), rtol=1e-14)
    assert _matrices.is_finite(A)
    assert _matrices.is_finite(factors)
    if A.size:
        wrong = A.copy()
        wrong[-1, -1] = np.inf
        assert not _matrices.is_finite(wrong)
    assert np.array_equal(_matrices.stacked([A, A[:1], A[:0]]), np.vstack([A, A[:1]]))
    assert _matrices.stacked([A]) is A
    assert np.array_equal(_matrices.zeros(m, n, 2), np.zeros((m, n, 2)))
    expected = A * factors[:, np.newaxis]
    _matrices.scale_rows(A, factors)
    assert np.array_equal(A, expected)


@pytest.mark.parametrize("band", [1, 50, 1000, 10**6])
def test_products_in_parts_are_those_of_numpy(band, monkeypatch):
    monkeypatch.setattr(_memory, "BAND", band)
    rng = np.random.default_rng(0)
    for m, k, n in ((7, 5, 9), (40, 3, 2), (2, 3, 40), (3, 60, 4), (0, 3, 2), (3, 0, 2), (3, 2, 0)):
        A, B = rng.normal(size=(m, k)), rng.normal(size=(n, k)).T
        np.testing.assert_allclose(_memory.banded(A, B), A @ B, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("scale", [1.0, 1e-300, 1e300])
@pytest.mark.parametrize("n", [2, 3, 31, 32, 33, 34, 65, 130])
def test_eigenvalues_in_steps_are_those_of_lapack(n, scale, monkeypatch):
    monkeypatch.setattr(eigenvalues, "SMALL", 1)
    B = np.random.default_rng(n).normal(size=(n, n))
    for A in (B + B.T, B @ B.T, np.ones((n, n)), np.diag(np.arange(n) - 3.0), np.zeros((n, n))):
        before, expected = scale * A, np.linalg.eigvalsh(A)
        found = eigenvalues.eigenvalues(before) / scale
        assert np.abs(found - expected).max() <= (n + 10) * EPS * np.abs(expected).max()
        assert np.array_equal(before, scale * A)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_eigenvalues_of_what_is_not_finite_are_not_found(wrong, monkeypatch):
    monkeypatch.setattr(eigenvalues, "SMALL", 1)
    A = np.eye(40)
    A[3, 7] = A[7, 3] = wrong
    with pytest.raises(np.linalg.LinAlgError):
        eigenvalues.eigenvalues(A)
