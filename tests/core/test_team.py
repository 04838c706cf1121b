"""What OpenMP grants."""

from fastmlp._core.threads import team


def test_threads_are_at_least_one():
    granted, limit = team.max_threads()
    assert granted >= 1
    assert limit >= 1
