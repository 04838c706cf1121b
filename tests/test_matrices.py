"""Copies that are made in parts are the same as those by NumPy."""

import numpy as np
import pytest

from fastmlp import _matrices


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
