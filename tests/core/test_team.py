"""Whether threads pay is found out by trying; the seconds are made up here."""

import pytest

from fastmlp._core import faces, team


def test_threads_are_at_least_one():
    granted, limit = team.max_threads()
    assert granted >= 1
    assert limit >= 1


@pytest.mark.parametrize(("together", "alone", "favourite"), [(1e-4, 1.8e-4, 2), (5e-4, 1e-4, 1), (1e-5, 1.1e-5, 2)])
def test_the_faster_way_is_taken_nearly_always(together, alone, favourite):
    threads = faces.choices(together, alone, round(5 / min(together, alone)))
    assert set(threads) == {1, 2}
    spent = sum(together if n == 2 else alone for n in threads)
    assert spent < 1.1 * len(threads) * min(together, alone)
    assert threads[-1] == favourite


def test_threads_come_first():
    assert faces.choices(1e-3, 1e-3, 5) == [2] * 5


def test_a_change_of_the_load_is_noticed():
    calls = 40_000
    threads = faces.choices(1e-4, 1.8e-4, calls, later=1e-3)
    assert threads[: calls // 2].count(2) > 0.45 * calls
    assert threads[calls // 2 :].count(1) > 0.35 * calls


def test_long_calls_never_try_one_thread():
    assert set(faces.choices(0.05, 0.01, 100)) == {2}
