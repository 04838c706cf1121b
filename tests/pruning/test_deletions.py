"""A chain of deletions with a maintained inverse, against factorising anew."""

import numpy as np
import pytest

from fastmlp.derivatives import definite
from fastmlp.errors import NotPositiveDefiniteError
from fastmlp.pruning import deletions
from fastmlp.pruning.deletions import Deletions


def quadratic(n, seed=0):
    rng = np.random.default_rng(seed)
    J = rng.normal(size=(2 * n, n))
    return J.T @ J / n + 0.1 * np.eye(n), rng.normal(size=n)


def chain_of(A, w):
    return Deletions(np.linalg.cholesky(A), np.diagonal(np.linalg.inv(A)), w)


@pytest.mark.parametrize("n", [1, 3, 17, 150])
@pytest.mark.parametrize("rows", [1, 8, 64])
def test_the_maintained_inverse_is_that_of_factorising_anew(n, rows, monkeypatch):
    monkeypatch.setattr(deletions, "ROWS", rows)
    A, w = quadratic(n)
    chain, point = chain_of(A, w), w.copy()
    left = np.arange(n)
    while len(left):
        C = np.linalg.inv(A[np.ix_(left, left)])
        rises = point[left] ** 2 / (2 * np.diagonal(C))
        assert np.allclose(chain.rises(list(left[:, np.newaxis])), rises, rtol=1e-9, atol=0)
        q = int(np.argmin(rises))
        moved = chain.moved(left[[q]])
        assert np.isclose(chain.delete(left[[q]]), rises[q], rtol=1e-9)
        point[left] -= C[:, q] * point[left[q]] / C[q, q]
        point[left[q]] = 0.0
        assert np.allclose(chain.w, point, rtol=1e-9, atol=1e-12)
        assert np.allclose(moved, point, rtol=1e-9, atol=1e-12)
        left = np.delete(left, q)
        if len(left) % 7 == 0:
            expected = np.linalg.inv(A[np.ix_(left, left)])
            assert np.allclose(chain.inverse, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max(initial=0.0))


def test_sets_are_deleted_together():
    A, w = quadratic(40)
    chain, left = chain_of(A, w), np.arange(40)
    for S in (np.array([3, 7, 20]), np.array([0]), np.arange(21, 39)):
        C = np.linalg.inv(A[np.ix_(left, left)])
        at = np.searchsorted(left, S)
        rise = 0.5 * chain.w[S] @ np.linalg.solve(C[np.ix_(at, at)], chain.w[S])
        assert np.isclose(chain.rises([S])[0], rise, rtol=1e-9)
        assert np.allclose(chain.block(S), C[np.ix_(at, at)], rtol=1e-9)
        assert np.isclose(chain.delete(S), rise, rtol=1e-9)
        left = np.setdiff1d(left, S)
    assert np.array_equal(np.flatnonzero(chain.alive), left)
    assert np.allclose(chain.inverse, np.linalg.inv(A[np.ix_(left, left)]), rtol=1e-9)


def test_eigenvalues_that_lapack_does_not_find_are_told_as_such(monkeypatch):
    def failing(A):
        raise np.linalg.LinAlgError("Eigenvalues did not converge")

    monkeypatch.setattr(np.linalg, "eigvalsh", failing)
    with pytest.raises(NotPositiveDefiniteError, match=r"smallest eigenvalue nan \(largest: nan\)"):
        definite.factor(-np.eye(3), np.zeros(3))
