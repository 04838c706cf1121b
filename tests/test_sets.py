"""Arrays as sets, against NumPy's."""

import numpy as np
import pytest

from fastmlp import _sets

SIZES = (0, 1, 3, 17)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("m", SIZES)
@pytest.mark.parametrize("kind", [np.int64, np.float64])
def test_they_are_numpys(n, m, kind):
    rng = np.random.default_rng(n + 100 * m)
    first, second = (rng.integers(0, 10, size).astype(kind) for size in (n, m))
    pairs = (
        (_sets.unique(first), np.unique(first)),
        (_sets.among(first, second), np.isin(first, second)),
        (_sets.union(first, second), np.union1d(first, second)),
        (_sets.without(first, second), np.setdiff1d(first, second)),
    )
    for ours, numpys in pairs:
        assert ours.dtype == numpys.dtype
        assert np.array_equal(ours, numpys)
